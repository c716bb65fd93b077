//! Records of one topic as the columns that a predicate names. Types are learnt from the records and widen with them; a
//! value that fits no type is NULL and takes nothing of its neighbours with it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, Int32Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch, RecordBatchOptions,
    StringArray, StringBuilder, TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::text::Written;
use crate::connectors::contract::system_columns;
use crate::core::fault::{Blame, Fault};
use crate::core::record::Record;
use crate::formats::infer::{Inference, SAMPLE_RECORDS};
use crate::formats::json::JsonDecoder;
use crate::sql::plan::stream::Expression;

/// Numbers that stand as texts: 28 digits before the point and 10 behind it.
const TEXT_NUMBER: DataType = DataType::Decimal128(38, 10);
/// The whole value as text, for conditions on what is no JSON; NULL where it is no text.
pub const WHOLE_VALUE: &str = "_value";
/// Names of fields kept to say what there is: more would not be read.
const NAMES_MAX: usize = 100;

/// What could not be looked into, of one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Values that are no JSON objects.
    pub no_json: u64,
    /// Records with a field whose value does not fit the type that the others gave it.
    pub misfits: u64,
}

/// One topic's columns, and the condition compiled for them.
pub struct Columns {
    wanted: Vec<Wanted>,
    system: Vec<&'static str>,
    inference: Inference,
    /// Fields of the first records, for who mistyped one.
    names: Vec<String>,
    looked: usize,
    schema: SchemaRef,
    compiled: Option<Compiled>,
}

struct Wanted {
    /// As the predicate names it.
    name: String,
    /// As the records do; another case is the same field.
    actual: String,
    is_numeric: bool,
}

struct Compiled {
    expression: Expression,
    decoder: JsonDecoder,
}

/// Compiles the condition for columns.
pub type Compile<'a> = &'a dyn Fn(&Schema) -> Result<Expression, Fault>;

impl Columns {
    /// Columns of which nothing is known yet.
    pub fn new(written: &Written) -> Self {
        let wanted = written.fields.iter().map(|name| Wanted {
            name: name.clone(),
            actual: name.clone(),
            is_numeric: written.numeric.contains(name),
        });
        Self {
            wanted: wanted.collect(),
            system: written.system.clone(),
            inference: Inference::default(),
            names: Vec::new(),
            looked: 0,
            schema: Arc::new(Schema::empty()),
            compiled: None,
        }
    }

    /// Fields that no record had, and those that records have.
    pub fn absent(&self) -> (Vec<&str>, &[String]) {
        let absent = self.wanted.iter().filter(|wanted| !self.names.contains(&wanted.actual));
        let absent = absent.filter(|wanted| !self.inference.knows(&wanted.actual));
        (absent.map(|wanted| wanted.name.as_str()).collect(), &self.names)
    }

    /// Whether every field has been seen: what does not compile then never will.
    pub fn is_settled(&self) -> bool {
        self.wanted.iter().all(|wanted| self.inference.knows(&wanted.actual))
    }

    /// Records looked at for names and types.
    pub fn looked(&self) -> usize {
        self.looked
    }

    /// The condition, where it compiles for what is known.
    pub fn expression(&self) -> Option<&Expression> {
        self.compiled.as_ref().map(|compiled| &compiled.expression)
    }

    /// The columns of records, one row a record.
    ///
    /// # Errors
    /// Why the condition does not compile for the types that were found.
    pub fn batch(
        &mut self,
        records: &[&Record],
        compile: Compile<'_>,
        tally: &mut Tally,
    ) -> Result<RecordBatch, Fault> {
        if self.looked < SAMPLE_RECORDS || self.compiled.is_none() {
            self.looked += records.len();
            self.learn(records.iter().copied());
            self.settle(compile)?;
        }
        let mut columns = self.values(records, compile, tally)?;
        columns.extend(self.system.iter().map(|name| system(name, records)));
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| Fault::new(Blame::Program, format!("records do not make columns: {error}")))
    }

    fn learn<'r>(&mut self, records: impl Iterator<Item = &'r Record>) {
        if self.wanted.is_empty() {
            return;
        }
        for value in records.filter_map(|record| record.value.as_deref()) {
            self.inference.json(value);
        }
        let room = NAMES_MAX - self.names.len();
        let fresh: Vec<_> =
            self.inference.names().filter(|name| !self.names.iter().any(|known| known == name)).collect();
        let fresh: Vec<_> = fresh.into_iter().take(room).map(str::to_owned).collect();
        for wanted in &mut self.wanted {
            if !self.inference.knows(&wanted.actual)
                && let Some(actual) = self.inference.names().find(|name| name.eq_ignore_ascii_case(&wanted.name))
            {
                actual.clone_into(&mut wanted.actual);
            }
        }
        self.names.extend(fresh);
        let wanted = &self.wanted;
        self.inference.keep(|name| wanted.iter().any(|wanted| wanted.actual == name));
    }

    /// Compiles for the types known now; says whether anything has changed. Types for which the condition does not
    /// compile are not taken where others serve already.
    fn settle(&mut self, compile: Compile<'_>) -> Result<bool, Fault> {
        let found = self.inference.clone().finish(false);
        let field = |wanted: &Wanted| {
            let seen = found.field_with_name(&wanted.actual).ok().map(|field| field.data_type().clone());
            let data_type = match seen.unwrap_or(DataType::Utf8) {
                DataType::Utf8 if wanted.is_numeric => TEXT_NUMBER,
                other => other,
            };
            Field::new(&wanted.name, data_type, true)
        };
        let values: Vec<Field> = self.wanted.iter().map(field).collect();
        let actual = self.wanted.iter().zip(&values);
        let actual: Vec<_> = actual.map(|(wanted, field)| field.clone().with_name(&wanted.actual)).collect();
        let system = self.system.iter().filter_map(|name| system_field(name));
        let schema = Arc::new(Schema::new(values.into_iter().chain(system).collect::<Vec<_>>()));
        if self.compiled.is_some() && schema == self.schema {
            return Ok(false);
        }
        let made = compile(&schema).and_then(|expression| {
            Ok(Compiled { expression, decoder: JsonDecoder::new(Arc::new(Schema::new(actual)))? })
        });
        match made {
            Ok(compiled) => {
                (self.schema, self.compiled) = (schema, Some(compiled));
                Ok(true)
            }
            Err(_) if self.compiled.is_some() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    fn values(&mut self, records: &[&Record], compile: Compile<'_>, tally: &mut Tally) -> Result<Vec<ArrayRef>, Fault> {
        if self.wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (columns, bad) = self.decode(records)?;
        let news = self.wanted.iter().zip(&columns);
        let news = news.filter(|(wanted, _)| !self.inference.knows(&wanted.actual));
        let has_news = news.into_iter().any(|(_, column)| column.null_count() < column.len());
        let (columns, bad) = if has_news || !bad.misfits.is_empty() {
            match has_news {
                true => self.learn(records.iter().copied()),
                false => self.learn(bad.misfits.iter().map(|row| records[*row])),
            }
            if self.settle(compile)? { self.decode(records)? } else { (columns, bad) }
        } else {
            (columns, bad)
        };
        tally.no_json += bad.malformed;
        tally.misfits += bad.misfits.len() as u64;
        if bad.misfits.is_empty() { Ok(columns) } else { self.field_by_field(records) }
    }

    /// All fields at once; a record that fails is NULL in all of them.
    fn decode(&mut self, records: &[&Record]) -> Result<(Vec<ArrayRef>, Bad), Fault> {
        let mut bad = Bad::default();
        let Some(Compiled { decoder, .. }) = &mut self.compiled else { return Ok((Vec::new(), bad)) };
        for (row, record) in records.iter().enumerate() {
            match record.value.as_deref().map(|value| decoder.read(value)) {
                Some(Ok(())) => continue,
                Some(Err(why)) if why.class == "malformed" => bad.malformed += 1,
                Some(Err(_)) => bad.misfits.push(row),
                None => {}
            }
            empty(decoder)?;
        }
        Ok((decoder.batch()?.columns().to_vec(), bad))
    }

    /// Each field for itself, so that only the values that do not fit are NULL.
    fn field_by_field(&self, records: &[&Record]) -> Result<Vec<ArrayRef>, Fault> {
        let column = |(index, wanted): (usize, &Wanted)| {
            let field = self.schema.field(index).clone().with_name(&wanted.actual);
            let mut decoder = JsonDecoder::new(Arc::new(Schema::new(vec![field])))?;
            for record in records {
                if record.value.as_deref().is_none_or(|value| decoder.read(value).is_err()) {
                    empty(&mut decoder)?;
                }
            }
            Ok(Arc::clone(decoder.batch()?.column(0)))
        };
        self.wanted.iter().enumerate().map(column).collect()
    }
}

/// Rows of a batch that were not read whole.
#[derive(Default)]
struct Bad {
    malformed: u64,
    misfits: Vec<usize>,
}

/// A row of NULLs.
fn empty(decoder: &mut JsonDecoder) -> Result<(), Fault> {
    decoder.read(b"{}").map_err(|bad| Fault::new(Blame::Program, format!("an empty row: {}", bad.line())))
}

/// The type of a column that every record has.
pub(super) fn system_field(name: &str) -> Option<Field> {
    if name == WHOLE_VALUE { Some(Field::new(WHOLE_VALUE, DataType::Utf8, true)) } else { system_columns::field(name) }
}

fn system(name: &str, records: &[&Record]) -> ArrayRef {
    let rows = records.iter();
    let text = |bytes: Option<&'_ [u8]>| bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::to_owned);
    match name {
        system_columns::KEY => Arc::new(rows.map(|record| text(record.key.as_deref())).collect::<StringArray>()),
        WHOLE_VALUE => Arc::new(rows.map(|record| text(record.value.as_deref())).collect::<StringArray>()),
        system_columns::TOPIC => Arc::new(rows.map(|record| Some(&*record.topic)).collect::<StringArray>()),
        system_columns::PARTITION => Arc::new(rows.map(|record| record.partition).collect::<Int32Array>()),
        system_columns::OFFSET => Arc::new(rows.map(|record| record.offset).collect::<Int64Array>()),
        system_columns::TIMESTAMP => {
            Arc::new(rows.map(|record| record.timestamp_ms).collect::<TimestampMillisecondArray>())
        }
        system_columns::HEADERS => headers(records),
        _ => new_null_array(&DataType::Null, records.len()),
    }
}

fn headers(records: &[&Record]) -> ArrayRef {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), BinaryBuilder::new())
        .with_keys_field(Field::new("key", DataType::Utf8, false))
        .with_values_field(Field::new("value", DataType::Binary, true));
    for record in records {
        for (name, value) in &record.headers {
            maps.keys().append_value(name);
            maps.values().append_option(value.as_deref());
        }
        // Appending to a map fails only where keys and values differ in number, and they were added in pairs.
        maps.append(true).ok();
    }
    Arc::new(maps.finish())
}
