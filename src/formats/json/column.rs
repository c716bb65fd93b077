//! One column of a JSON decoder: plain vectors that take values from a cursor, give back what a bad record left in them,
//! and become arrays without a copy.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array,
    Int64Array, ListArray, MapArray, NullArray, RecordBatch, RecordBatchOptions, StringArray, StructArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Fields, SchemaRef, TimeUnit, i256};
use arrow::error::ArrowError;

use super::object::Object;
use super::scan::{Bad, Cursor};
use crate::core::fault::Fault;
use crate::formats::contract::no_batch;

/// A column under construction.
pub struct Column {
    pub(super) data_type: DataType,
    pub(super) validity: Vec<bool>,
    nulls: usize,
    pub(super) values: Values,
}

/// What a column holds, by type.
pub(super) enum Values {
    Nothing,
    Boolean(Vec<bool>),
    Whole { values: Vec<i64>, min: i64, max: i64 },
    Real(Vec<f64>),
    Decimal { values: Vec<i128>, precision: u8, scale: i8 },
    Wide { values: Vec<i256>, precision: u8, scale: i8 },
    Text { bytes: Vec<u8>, ends: Vec<i32> },
    Bytes { bytes: Vec<u8>, ends: Vec<i32> },
    Moment { values: Vec<i64>, unit: TimeUnit },
    Date(Vec<i32>),
    Time(Vec<i64>),
    Struct(Box<Object>),
    List { item: Box<Column>, field: FieldRef, ends: Vec<i32> },
    Map { keys: Box<Column>, values: Box<Column>, entries: FieldRef, ends: Vec<i32>, is_sorted: bool },
}

impl Column {
    /// A column of a type; `None` for one that JSON cannot be read into.
    pub fn of(data_type: &DataType) -> Option<Self> {
        let whole = |min: i64, max: i64| Values::Whole { values: Vec::new(), min, max };
        let values = match data_type {
            DataType::Null => Values::Nothing,
            DataType::Boolean => Values::Boolean(Vec::new()),
            DataType::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
            DataType::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
            DataType::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
            DataType::Int64 => whole(i64::MIN, i64::MAX),
            DataType::UInt8 => whole(0, u8::MAX.into()),
            DataType::UInt16 => whole(0, u16::MAX.into()),
            DataType::UInt32 => whole(0, u32::MAX.into()),
            DataType::Float32 | DataType::Float64 => Values::Real(Vec::new()),
            DataType::Decimal128(precision, scale) => {
                Values::Decimal { values: Vec::new(), precision: *precision, scale: *scale }
            }
            DataType::Decimal256(precision, scale) => {
                Values::Wide { values: Vec::new(), precision: *precision, scale: *scale }
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Values::Text { bytes: Vec::new(), ends: vec![0] }
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Values::Bytes { bytes: Vec::new(), ends: vec![0] }
            }
            DataType::Timestamp(unit, _) => Values::Moment { values: Vec::new(), unit: *unit },
            DataType::Date32 => Values::Date(Vec::new()),
            DataType::Time32(_) | DataType::Time64(_) => Values::Time(Vec::new()),
            DataType::Struct(fields) => Values::Struct(Box::new(Object::of(fields)?)),
            DataType::List(field) => {
                Values::List { item: Box::new(Self::of(field.data_type())?), field: Arc::clone(field), ends: vec![0] }
            }
            DataType::Map(entries, is_sorted) => {
                let DataType::Struct(fields) = entries.data_type() else { return None };
                let [key, value] = fields.as_ref() else { return None };
                if key.data_type() != &DataType::Utf8 {
                    return None;
                }
                Values::Map {
                    keys: Box::new(Self::of(key.data_type())?),
                    values: Box::new(Self::of(value.data_type())?),
                    entries: Arc::clone(entries),
                    ends: vec![0],
                    is_sorted: *is_sorted,
                }
            }
            _ => return None,
        };
        Some(Self { data_type: data_type.clone(), validity: Vec::new(), nulls: 0, values })
    }

    /// Values so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.validity.len()
    }

    /// Whether the newest value is NULL.
    pub fn is_last_null(&self) -> bool {
        self.nulls > 0 && self.validity.last() == Some(&false)
    }

    /// Takes the value that the cursor stands before.
    ///
    /// # Errors
    /// The value is none of this type; the column may then hold a part of it, which `truncate` takes back.
    #[inline]
    pub fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
        if cursor.null() {
            self.null();
            return Ok(());
        }
        self.value(cursor)?;
        self.validity.push(true);
        Ok(())
    }

    /// Adds a NULL.
    pub fn null(&mut self) {
        self.nulls += 1;
        self.validity.push(false);
        match &mut self.values {
            Values::Nothing => {}
            Values::Boolean(values) => values.push(false),
            Values::Whole { values, .. } | Values::Moment { values, .. } | Values::Time(values) => values.push(0),
            Values::Real(values) => values.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Wide { values, .. } => values.push(i256::ZERO),
            Values::Text { bytes, ends } | Values::Bytes { bytes, ends } => ends.push(offset(bytes.len())),
            Values::Date(values) => values.push(0),
            Values::Struct(object) => object.null(),
            Values::List { item, ends, .. } => ends.push(offset(item.len())),
            Values::Map { keys, ends, .. } => ends.push(offset(keys.len())),
        }
    }

    /// Forgets everything after the first `length` values.
    pub fn truncate(&mut self, length: usize) {
        let length = length.min(self.validity.len().max(self.values.len()));
        if length < self.validity.len() {
            self.nulls -= self.validity[length..].iter().filter(|is_valid| !**is_valid).count();
            self.validity.truncate(length);
        }
        match &mut self.values {
            Values::Nothing => {}
            Values::Boolean(values) => values.truncate(length),
            Values::Whole { values, .. } | Values::Moment { values, .. } | Values::Time(values) => {
                values.truncate(length)
            }
            Values::Real(values) => values.truncate(length),
            Values::Decimal { values, .. } => values.truncate(length),
            Values::Wide { values, .. } => values.truncate(length),
            Values::Date(values) => values.truncate(length),
            Values::Text { bytes, ends } | Values::Bytes { bytes, ends } => {
                ends.truncate(length + 1);
                bytes.truncate(usize::try_from(ends[length]).unwrap_or(0));
            }
            Values::Struct(object) => object.truncate(length),
            Values::List { item, ends, .. } => {
                ends.truncate(length + 1);
                item.truncate(usize::try_from(ends[length]).unwrap_or(0));
            }
            Values::Map { keys, values, ends, .. } => {
                ends.truncate(length + 1);
                let inner = usize::try_from(ends[length]).unwrap_or(0);
                keys.truncate(inner);
                values.truncate(inner);
            }
        }
    }

    /// The array of all values, and none are left here.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let length = self.len();
        let validity = std::mem::take(&mut self.validity);
        let nulls = (std::mem::take(&mut self.nulls) > 0).then(|| NullBuffer::from(validity));
        let array: ArrayRef = match &mut self.values {
            Values::Nothing => Arc::new(NullArray::new(length)),
            Values::Boolean(values) => Arc::new(BooleanArray::new(taken(values).into(), nulls)),
            Values::Whole { values, .. } => {
                let array = Int64Array::try_new(taken(values).into(), nulls)?;
                return cast(&array, &self.data_type);
            }
            Values::Real(values) => {
                let array = Float64Array::try_new(taken(values).into(), nulls)?;
                return cast(&array, &self.data_type);
            }
            Values::Decimal { values, .. } => {
                Arc::new(Decimal128Array::try_new(taken(values).into(), nulls)?.with_data_type(self.data_type.clone()))
            }
            Values::Wide { values, .. } => {
                Arc::new(Decimal256Array::try_new(taken(values).into(), nulls)?.with_data_type(self.data_type.clone()))
            }
            Values::Text { bytes, ends } => {
                let array = StringArray::try_new(offsets(ends), Buffer::from_vec(taken(bytes)), nulls)?;
                return as_declared(Arc::new(array), &self.data_type);
            }
            Values::Bytes { bytes, ends } => {
                let array = BinaryArray::try_new(offsets(ends), Buffer::from_vec(taken(bytes)), nulls)?;
                return as_declared(Arc::new(array), &self.data_type);
            }
            Values::Moment { values, unit } => {
                let values = ScalarBuffer::from(taken(values));
                let DataType::Timestamp(_, zone) = &self.data_type else {
                    return Err(ArrowError::InvalidArgumentError("a moment".into()));
                };
                let zone = zone.clone();
                match unit {
                    TimeUnit::Second => Arc::new(TimestampSecondArray::try_new(values, nulls)?.with_timezone_opt(zone)),
                    TimeUnit::Millisecond => {
                        Arc::new(TimestampMillisecondArray::try_new(values, nulls)?.with_timezone_opt(zone))
                    }
                    TimeUnit::Microsecond => {
                        Arc::new(TimestampMicrosecondArray::try_new(values, nulls)?.with_timezone_opt(zone))
                    }
                    TimeUnit::Nanosecond => {
                        Arc::new(TimestampNanosecondArray::try_new(values, nulls)?.with_timezone_opt(zone))
                    }
                }
            }
            Values::Date(values) => Arc::new(Date32Array::try_new(taken(values).into(), nulls)?),
            Values::Time(values) => {
                let array = Time64NanosecondArray::try_new(taken(values).into(), nulls)?;
                return as_declared(Arc::new(array), &self.data_type);
            }
            Values::Struct(object) => {
                let arrays = object.finish()?;
                let DataType::Struct(fields) = &self.data_type else {
                    return Err(ArrowError::InvalidArgumentError("a struct".into()));
                };
                Arc::new(struct_of(fields, arrays, nulls, length)?)
            }
            Values::List { item, field, ends } => {
                Arc::new(ListArray::try_new(Arc::clone(field), offsets(ends), item.finish()?, nulls)?)
            }
            Values::Map { keys, values, entries, ends, is_sorted } => {
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(ArrowError::InvalidArgumentError("a map".into()));
                };
                let inner = keys.len();
                let pairs = struct_of(fields, vec![keys.finish()?, values.finish()?], None, inner)?;
                Arc::new(MapArray::try_new(Arc::clone(entries), offsets(ends), pairs, nulls, *is_sorted)?)
            }
        };
        Ok(array)
    }
}

impl Values {
    /// Values that were pushed, also those of a record that turned out bad.
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Boolean(values) => values.len(),
            Self::Whole { values, .. } | Self::Moment { values, .. } | Self::Time(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Decimal { values, .. } => values.len(),
            Self::Wide { values, .. } => values.len(),
            Self::Date(values) => values.len(),
            Self::Text { ends, .. } | Self::Bytes { ends, .. } | Self::List { ends, .. } | Self::Map { ends, .. } => {
                ends.len() - 1
            }
            Self::Struct(object) => object.rows(),
        }
    }
}

fn struct_of(
    fields: &Fields,
    arrays: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
    length: usize,
) -> Result<StructArray, ArrowError> {
    if fields.is_empty() {
        return Ok(StructArray::new_empty_fields(length, nulls));
    }
    StructArray::try_new(fields.clone(), arrays, nulls)
}

fn as_declared(array: ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type { Ok(array) } else { cast(&array, data_type) }
}

fn taken<T>(values: &mut Vec<T>) -> Vec<T> {
    let capacity = values.len();
    std::mem::replace(values, Vec::with_capacity(capacity))
}

fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let all = std::mem::replace(ends, vec![0]);
    OffsetBuffer::new(ScalarBuffer::from(all))
}

pub(super) fn offset(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// A batch of what columns hold.
///
/// # Errors
/// Arrow's, which are defects of this program.
pub(crate) fn batch(schema: &SchemaRef, columns: &mut [Column], rows: usize) -> Result<RecordBatch, Fault> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    columns
        .iter_mut()
        .map(Column::finish)
        .collect::<Result<Vec<_>, _>>()
        .and_then(|columns| RecordBatch::try_new_with_options(schema.clone(), columns, &options))
        .map_err(no_batch)
}
