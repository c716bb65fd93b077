//! Values of any type that come and go, counted in their order, and the one of them at a share.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::Accumulator;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};

use super::share::Share;

/// The state of such an aggregate: its values, and how often each is there.
pub fn state_fields(args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    let list = |name: &str, kind: DataType| {
        let inner = Arc::new(Field::new_list_field(kind, true));
        Arc::new(Field::new(format!("{}[{name}]", args.name), DataType::List(inner), true))
    };
    vec![list("values", args.input_fields[0].data_type().clone()), list("counts", DataType::Int64)]
}

/// Values of the first argument, of which the one at a share is asked for.
///
/// # Errors
/// Values of a type that has no order.
pub fn accumulator(args: &AccumulatorArgs<'_>, share: Share) -> Result<Box<dyn Accumulator>> {
    let kind = args.expr_fields[0].data_type().clone();
    let converter = RowConverter::new(vec![SortField::new(kind.clone())])?;
    Ok(Box::new(Ranked { share, kind, converter, counts: BTreeMap::new(), total: 0, key_bytes: 0 }))
}

/// A multiset of values in their order: values come and go, and the one at a share is looked up.
#[derive(Debug)]
struct Ranked {
    share: Share,
    kind: DataType,
    converter: RowConverter,
    counts: BTreeMap<OwnedRow, i64>,
    total: i64,
    key_bytes: usize,
}

/// Bytes of a tree's entry beside the value: the row's handle, the count and a share of a node.
const ENTRY_BYTES: usize = 64;

impl Ranked {
    fn add(&mut self, values: &ArrayRef, counts: Option<&Int64Array>, sign: i64) -> Result<()> {
        let rows = self.converter.convert_columns(std::slice::from_ref(values))?;
        for at in 0..values.len() {
            if values.is_null(at) {
                continue;
            }
            let change = sign * counts.map_or(1, |counts| counts.value(at));
            let row = rows.row(at);
            let bytes = row.as_ref().len() + ENTRY_BYTES;
            let row = row.owned();
            let count = self.counts.entry(row.clone()).or_insert_with(|| {
                self.key_bytes += bytes;
                0
            });
            *count += change;
            if *count <= 0 {
                self.counts.remove(&row);
                self.key_bytes = self.key_bytes.saturating_sub(bytes);
            }
            self.total += change;
        }
        Ok(())
    }
}

impl Accumulator for Ranked {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], None, 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], None, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in (0..values.len()).filter(|row| !values.is_null(*row)) {
            let of_row = counts.value(row);
            self.add(&values.value(row), Some(of_row.as_primitive::<Int64Type>()), 1)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut columns = self.converter.convert_rows(self.counts.keys().map(OwnedRow::row))?;
        let Some(values) = columns.pop() else { return exec_err!("a row has one column") };
        let counts: ArrayRef = Arc::new(self.counts.values().copied().collect::<Int64Array>());
        let list = |kind: DataType, values: ArrayRef| {
            let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
            let inner = Arc::new(Field::new_list_field(kind, true));
            ScalarValue::List(Arc::new(ListArray::new(inner, offsets, values, None)))
        };
        Ok(vec![list(self.kind.clone(), values), list(DataType::Int64, counts)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.total <= 0 {
            return ScalarValue::try_from(&self.kind);
        }
        let place = self.share.place(self.total);
        let mut passed = 0;
        let at = self.counts.iter().find(|(_, count)| {
            passed += **count;
            passed >= place
        });
        let Some((row, _)) = at else { return exec_err!("{place} of {} values", self.total) };
        let column = self.converter.convert_rows([row.row()])?;
        let picked = arrow::compute::take(&column[0], &UInt32Array::from(vec![0]), None)?;
        ScalarValue::try_from_array(&picked, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.key_bytes
    }
}
