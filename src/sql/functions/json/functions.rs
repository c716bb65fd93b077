//! JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_EXTRACT and their relatives. What is not JSON gives NULL; a path that is not
//! understood is an error.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion_common::Result;
use datafusion_expr::ScalarUDF;

use super::path::Path;
use super::text::{Kind, children, decode, kind, value};
use crate::sql::functions::scalar::{Call, Kept, Scalar, Want};

const CATEGORY: &str = "JSON";

/// The functions on JSON in a text.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let text: fn(&[DataType]) -> DataType = |_| DataType::Utf8;
    vec![
        Scalar::new(
            CATEGORY,
            "json_value",
            "json_value(json, path)",
            "The text, number or boolean at a path, as text; NULL for an object, an array or nothing.",
            "SELECT json_value('{\"a\":{\"b\":[1.10]}}', '$.a.b[0]')",
        )
        .takes(&[Want::Text, Want::Text])
        .runs(text, |call| texts(call, json_value)),
        Scalar::new(
            CATEGORY,
            "json_query",
            "json_query(json, path)",
            "The object or array at a path, as JSON; several values become an array, a single plain value NULL.",
            "SELECT json_query('{\"a\":{\"b\":1}}', '$.a')",
        )
        .takes(&[Want::Text, Want::Text])
        .runs(text, |call| texts(call, json_query)),
        Scalar::new(
            CATEGORY,
            "json_extract",
            "json_extract(json, path)",
            "What is at a path: a plain value as text without quotes, an object, array or several values as JSON.",
            "SELECT json_extract('{\"a\":\"x\"}', '$.a')",
        )
        .also(&["json_extract_string", "extractjsonfield", "get_json_object", "json_extract_path_text"])
        .takes(&[Want::Text, Want::Text])
        .runs(text, |call| texts(call, json_extract)),
        Scalar::new(
            CATEGORY,
            "json_exists",
            "json_exists(json, path)",
            "Whether there is a value at a path, be it null.",
            "SELECT json_exists('{\"a\":null}', '$.a')",
        )
        .takes(&[Want::Text, Want::Text])
        .runs(|_| DataType::Boolean, json_exists),
        Scalar::new(
            CATEGORY,
            "json_array_length",
            "json_array_length(json[, path])",
            "How many elements an array has; NULL for what is none.",
            "SELECT json_array_length('[1,2,3]')",
        )
        .also(&["json_length"])
        .takes(&[Want::Text])
        .takes(&[Want::Text, Want::Text])
        .runs(|_| DataType::Int64, json_array_length),
        Scalar::new(
            CATEGORY,
            "json_keys",
            "json_keys(json)",
            "The names of an object's members, in their order.",
            "SELECT json_keys('{\"a\":1,\"b\":2}')",
        )
        .also(&["json_object_keys"])
        .takes(&[Want::Text])
        .runs(|_| DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))), json_keys),
        get(),
        get_text(),
    ]
}

/// `json -> key`.
pub fn get() -> Arc<ScalarUDF> {
    Scalar::new(
        CATEGORY,
        "json_get",
        "json_get(json, key)",
        "The member of that name, the element of that number or what is at a `$…` path, as JSON; written `json -> key`.",
        "SELECT '{\"a\":[1,2]}' -> 'a' -> 0",
    )
    .takes(&[Want::Text, Want::Whole])
    .takes(&[Want::Text, Want::Text])
    .runs(|_| DataType::Utf8, |call| by_key(call, |value, made| made.append_value(value)))
}

/// `json ->> key`.
pub fn get_text() -> Arc<ScalarUDF> {
    Scalar::new(
        CATEGORY,
        "json_get_text",
        "json_get_text(json, key)",
        "As json_get, but a text without its quotes and null as NULL; written `json ->> key`.",
        "SELECT '{\"a\":\"x\"}' ->> 'a'",
    )
    .takes(&[Want::Text, Want::Whole])
    .takes(&[Want::Text, Want::Text])
    .runs(|_| DataType::Utf8, |call| by_key(call, append_plain))
}

/// Appends a text without quotes, null as NULL, anything else as it is written.
fn append_plain(value: &str, made: &mut StringBuilder) {
    match kind(value) {
        Kind::Text => made.append_option(decode(value)),
        Kind::Null => made.append_null(),
        _ => made.append_value(value),
    }
}

fn by_key(call: &Call, append: fn(&str, &mut StringBuilder)) -> Result<ArrayRef> {
    let documents = call.text(0);
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 16);
    let mut kept = Kept::new();
    let numbered = *call.data_type(1) == DataType::Int64;
    for row in 0..call.rows {
        let document = documents.at(row).and_then(value);
        let found = if numbered {
            call.whole(1).at(row).zip(document).and_then(|(index, document)| first(&Path::element(index), document))
        } else {
            match (call.text(1).at(row), document) {
                (Some(key), Some(document)) => first(
                    kept.of(key, |key| if key.starts_with('$') { Path::parse(key) } else { Ok(Path::member(key)) })?,
                    document,
                ),
                _ => None,
            }
        };
        match found {
            Some(found) => append(found, &mut made),
            None => made.append_null(),
        }
    }
    Ok(Arc::new(made.finish()))
}

fn first<'a>(path: &Path, document: &'a str) -> Option<&'a str> {
    let mut met = None;
    path.walk(document, &mut |value| {
        met = Some(value);
        false
    });
    met
}

/// What a path met: nothing, one, or several.
struct Met<'a> {
    values: Vec<&'a str>,
    definite: bool,
}

fn texts(call: &Call, append: fn(&Met, &mut StringBuilder)) -> Result<ArrayRef> {
    let (documents, paths) = (call.text(0), call.text(1));
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 16);
    let mut kept = Kept::new();
    // One vector for all rows: what it refers to lives as long as the call.
    let mut met = Met { values: Vec::new(), definite: true };
    for row in 0..call.rows {
        let (Some(document), Some(path)) = (documents.at(row), paths.at(row)) else {
            made.append_null();
            continue;
        };
        let path = kept.of(path, Path::parse)?;
        met.values.clear();
        met.definite = path.is_definite();
        if let Some(document) = value(document) {
            path.walk(document, &mut |value| {
                met.values.push(value);
                true
            });
        }
        append(&met, &mut made);
    }
    Ok(Arc::new(made.finish()))
}

fn json_value(met: &Met, made: &mut StringBuilder) {
    match met.values[..] {
        [one] if !matches!(kind(one), Kind::Object | Kind::Array) => append_plain(one, made),
        _ => made.append_null(),
    }
}

fn json_query(met: &Met, made: &mut StringBuilder) {
    match met.values[..] {
        [one] if met.definite && matches!(kind(one), Kind::Object | Kind::Array) => made.append_value(one),
        [_] if met.definite => made.append_null(),
        _ => append_several(met, made),
    }
}

fn json_extract(met: &Met, made: &mut StringBuilder) {
    match met.values[..] {
        [one] if met.definite => append_plain(one, made),
        _ => append_several(met, made),
    }
}

fn append_several(met: &Met, made: &mut StringBuilder) {
    if met.values.is_empty() {
        return made.append_null();
    }
    made.append_value(format!("[{}]", met.values.join(",")));
}

fn json_exists(call: &Call) -> Result<ArrayRef> {
    let (documents, paths) = (call.text(0), call.text(1));
    let mut made = BooleanBuilder::with_capacity(call.rows);
    let mut kept = Kept::new();
    for row in 0..call.rows {
        match (documents.at(row), paths.at(row)) {
            (Some(document), Some(path)) => {
                let path = kept.of(path, Path::parse)?;
                made.append_value(value(document).is_some_and(|document| first(path, document).is_some()));
            }
            _ => made.append_null(),
        }
    }
    Ok(Arc::new(made.finish()))
}

fn json_array_length(call: &Call) -> Result<ArrayRef> {
    let documents = call.text(0);
    let mut made = Int64Builder::with_capacity(call.rows);
    let mut kept = Kept::new();
    for row in 0..call.rows {
        let mut array = documents.at(row).and_then(value);
        if call.count() == 2 {
            array = match (call.text(1).at(row), array) {
                (Some(path), Some(document)) => first(kept.of(path, Path::parse)?, document),
                _ => None,
            };
        }
        let length = array.filter(|array| kind(array) == Kind::Array).map(|array| children(array).count());
        made.append_option(length.and_then(|length| i64::try_from(length).ok()));
    }
    Ok(Arc::new(made.finish()))
}

fn json_keys(call: &Call) -> Result<ArrayRef> {
    let documents = call.text(0);
    let mut made = ListBuilder::new(StringBuilder::new());
    for row in 0..call.rows {
        let object = documents.at(row).and_then(value).filter(|document| kind(document) == Kind::Object);
        for (key, _) in object.into_iter().flat_map(children) {
            made.values().append_option(key.and_then(decode));
        }
        made.append(object.is_some());
    }
    Ok(Arc::new(made.finish()))
}
