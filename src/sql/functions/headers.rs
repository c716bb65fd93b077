//! HEADER, HAS_HEADER and HEADER_KEYS: the headers of the record behind a row. They are written without the column they
//! read; the planner adds it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, ListBuilder, MapArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion_common::{Result, exec_err};
use datafusion_expr::ScalarUDF;

use super::scalar::{Call, Scalar, Want};

/// The system column with the headers, a `Map<Utf8, Binary>`.
pub const HEADERS_COLUMN: &str = "_headers";

/// Whether a function reads the headers: the planner's rewrite gives it `_headers` as its first argument, so that
/// `HEADER('trace')` is planned as `header(_headers, 'trace')`.
pub fn needs_headers(name: &str) -> bool {
    ["header", "has_header", "header_keys"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The functions on headers.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    const CATEGORY: &str = "Kafka records";
    vec![
        Scalar::new(
            CATEGORY,
            "header",
            "header(name)",
            "The newest header of that name as text; NULL where the record has none or it is not UTF-8.",
            "SELECT header('trace-id') FROM orders",
        )
        .takes(&[Want::Any, Want::Text])
        .runs(|_| DataType::Utf8, header),
        Scalar::new(
            CATEGORY,
            "has_header",
            "has_header(name)",
            "Whether the record has a header of that name.",
            "SELECT * FROM orders WHERE has_header('retry')",
        )
        .takes(&[Want::Any, Want::Text])
        .runs(|_| DataType::Boolean, has_header),
        Scalar::new(
            CATEGORY,
            "header_keys",
            "header_keys()",
            "The names of the record's headers, in their order.",
            "SELECT header_keys() FROM orders",
        )
        .takes(&[Want::Any])
        .runs(|_| names_type(), header_keys),
    ]
}

fn names_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

fn header(call: &Call) -> Result<ArrayRef> {
    let headers = Headers::of(call)?;
    let names = call.text(1);
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 16);
    for row in 0..call.rows {
        let found = names.at(row).and_then(|name| headers.position(row, name));
        made.append_option(found.and_then(|at| headers.value(at)));
    }
    Ok(Arc::new(made.finish()))
}

fn has_header(call: &Call) -> Result<ArrayRef> {
    let headers = Headers::of(call)?;
    let names = call.text(1);
    let mut made = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        made.append_option(names.at(row).map(|name| headers.position(row, name).is_some()));
    }
    Ok(Arc::new(made.finish()))
}

fn header_keys(call: &Call) -> Result<ArrayRef> {
    let headers = Headers::of(call)?;
    let mut made = ListBuilder::new(StringBuilder::new());
    for row in 0..call.rows {
        for at in headers.range(row) {
            made.values().append_value(headers.names.value(at));
        }
        made.append(true);
    }
    Ok(Arc::new(made.finish()))
}

/// The headers of a batch.
struct Headers {
    map: MapArray,
    names: StringArray,
}

impl Headers {
    fn of(call: &Call) -> Result<Self> {
        let column = call.column(0)?;
        let Some(map) = column.as_map_opt() else {
            return exec_err!("the headers are a map of text to bytes, not {}", column.data_type());
        };
        let Some(names) = map.keys().as_string_opt::<i32>() else {
            return exec_err!("the names of headers are text, not {}", map.keys().data_type());
        };
        Ok(Self { map: map.clone(), names: names.clone() })
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        if self.map.is_null(row) {
            return 0..0;
        }
        let offsets = self.map.value_offsets();
        let at = |offset: i32| usize::try_from(offset).unwrap_or_default();
        at(offsets[row])..at(offsets[row + 1])
    }

    /// The newest header of a name: Kafka keeps several, and the last one was added last.
    fn position(&self, row: usize, name: &str) -> Option<usize> {
        self.range(row).rev().find(|at| self.names.value(*at) == name)
    }

    fn value(&self, at: usize) -> Option<&str> {
        let values = self.map.values();
        if values.is_null(at) {
            return None;
        }
        match values.data_type() {
            DataType::Binary => std::str::from_utf8(values.as_binary::<i32>().value(at)).ok(),
            DataType::Utf8 => Some(values.as_string::<i32>().value(at)),
            _ => None,
        }
    }
}
