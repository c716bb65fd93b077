//! How much a row weighs that is written many times: bytes of its texts and arrays, near enough for a limit.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

/// What a value of fixed size comes to at most, a decimal of 256 bits.
const FIXED_BYTES: usize = 32;

/// Bytes of a row.
pub fn of_row(columns: &[ArrayRef], row: usize) -> usize {
    columns.iter().map(|column| of_value(column, row)).sum()
}

fn of_value(column: &ArrayRef, row: usize) -> usize {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value_length(row) as usize,
        DataType::Binary => column.as_binary::<i32>().value_length(row) as usize,
        DataType::List(_) => items(column.as_list::<i32>().values(), column.as_list::<i32>().value_length(row)),
        DataType::Map(..) => {
            let map = column.as_map();
            map.entries().columns().iter().map(|entries| items(entries, map.value_length(row))).sum()
        }
        DataType::Struct(_) => of_row(column.as_struct().columns(), row),
        _ => FIXED_BYTES,
    }
}

/// So many of these, each as heavy as all are on average.
fn items(values: &ArrayRef, count: i32) -> usize {
    values.get_array_memory_size() / values.len().max(1) * count as usize
}
