//! An array of arrays as its elements in one row, and where those of each row begin and end. Maps are arrays of their
//! entries. It copies no element before it is asked for.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, make_array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

/// The elements of a column of arrays.
#[derive(Debug)]
pub struct Lists {
    values: ArrayRef,
    /// Where the elements of each row stand in `values`; nowhere where the array is NULL.
    ranges: Vec<Range<usize>>,
}

impl Lists {
    /// Of arrays that stand `depth` deep in each other, the innermost.
    ///
    /// # Errors
    /// A column that holds no arrays, which is a defect of the plan.
    pub fn of(array: &ArrayRef, depth: usize) -> Result<Self, ArrowError> {
        let mut lists = Self::outermost(array)?;
        for _ in 1..depth {
            let inner = Self::outermost(&lists.values)?;
            // Elements that are NULL arrays have no elements: what stands between two rows is skipped by copying.
            let mut picked: Vec<u32> = Vec::new();
            let mut ranges = Vec::with_capacity(lists.ranges.len());
            for range in lists.ranges {
                let start = picked.len();
                picked.extend(inner.ranges[range].iter().flat_map(|part| part.start as u32..part.end as u32));
                ranges.push(start..picked.len());
            }
            lists = Self { values: take(&inner.values, &UInt32Array::from(picked), None)?, ranges };
        }
        Ok(lists)
    }

    /// How many elements a row has.
    pub fn length(&self, row: usize) -> usize {
        self.ranges[row].len()
    }

    /// The elements of runs (row, the first of its elements, how many) one behind the other: NULL where a row has fewer.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn elements(&self, runs: &[(usize, usize, usize)]) -> Result<ArrayRef, ArrowError> {
        // Whole arrays that stand one behind the other are there already.
        let mut whole: Option<Range<usize>> = None;
        let is_one_piece = runs.iter().all(|(row, first, count)| {
            let range = &self.ranges[*row];
            let (start, end) = (range.start + first, range.start + first + count);
            let fits = end <= range.end && whole.as_ref().is_none_or(|whole| whole.end == start);
            whole = Some(whole.as_ref().map_or(start, |whole| whole.start)..end);
            fits
        });
        if let Some(whole) = whole.filter(|_| is_one_piece) {
            return Ok(self.values.slice(whole.start, whole.len()));
        }
        let of_run = |(row, first, count): &(usize, usize, usize)| {
            let range = self.ranges[*row].clone();
            let at = range.start + first;
            (at..at + count).map(move |place| (place < range.end).then_some(place as u32))
        };
        take(&self.values, &runs.iter().flat_map(of_run).collect::<UInt32Array>(), None)
    }

    fn outermost(array: &ArrayRef) -> Result<Self, ArrowError> {
        let ranges = |offsets: &[i32]| {
            let place = |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
            (0..array.len()).map(|row| if array.is_null(row) { 0..0 } else { place(row) }).collect()
        };
        match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Ok(Self { values: Arc::clone(list.values()), ranges: ranges(list.value_offsets()) })
            }
            DataType::Map(..) => {
                let map = array.as_map();
                Ok(Self { values: Arc::new(map.entries().clone()), ranges: ranges(map.value_offsets()) })
            }
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Self::outermost(&cast(array, &DataType::List(Arc::clone(item)))?)
            }
            DataType::Null => Ok(Self { values: new_null_array(&DataType::Null, 0), ranges: vec![0..0; array.len()] }),
            other => Err(ArrowError::InvalidArgumentError(format!("{other} is no array"))),
        }
    }
}

/// A field of structs, NULL where the struct is.
///
/// # Errors
/// Arrow's, which are defects of this program.
pub fn field(structs: &ArrayRef, index: usize) -> Result<ArrayRef, ArrowError> {
    let column = Arc::clone(structs.as_struct().column(index));
    let Some(outer) = structs.nulls().filter(|nulls| nulls.null_count() > 0) else { return Ok(column) };
    if column.data_type() == &DataType::Null {
        return Ok(column);
    }
    let nulls = NullBuffer::union(Some(outer), column.nulls());
    Ok(make_array(column.to_data().into_builder().nulls(nulls).build()?))
}
