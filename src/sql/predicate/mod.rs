//! A condition on single records, as `tail --where` has it: compiled once, evaluated over batches. A record that does not
//! fit does not match; none ends the reading.

mod columns;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use columns::Columns;
pub use columns::WHOLE_VALUE;
use text::Written;

use crate::connectors::contract::system_columns;
use crate::core::fault::Fault;
use crate::core::record::Record;
use crate::core::words::did_you_mean;
use crate::formats::infer::SAMPLE_RECORDS;
use crate::sql::exec::evaluate::evaluate;
use crate::sql::functions::registry::Functions;
use crate::sql::parse::statement::Diagnostic;
use crate::sql::plan::condition::{self, condition};

/// Fields whose types are tried out together before any record is seen: with more there are too many ways.
const TRIED_FIELDS_MAX: usize = 2;
/// Fields that are named to who mistyped one.
const NAMED_MAX: usize = 12;

/// A condition on records of any number of topics.
pub struct Predicate {
    text: String,
    written: Written,
    functions: Functions,
    topics: BTreeMap<Arc<str>, Columns>,
    has_told_absent: bool,
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matches {
    /// Which records match, in their order.
    pub hits: Vec<bool>,
    /// Values that are no JSON objects; they match by their system columns alone.
    pub no_json: u64,
    /// Records of which a field, or what is computed of it, does not fit its type; it is NULL there.
    pub misfits: u64,
}

impl std::fmt::Debug for Predicate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Predicate").field(&self.text).finish()
    }
}

impl Predicate {
    /// Compiles a text: `amount > 100 AND _key LIKE 'CUST-%'`.
    ///
    /// # Errors
    /// Syntax, unknown functions, and types that fit no record, with their places in the text.
    pub fn compile(text: &str) -> Result<Self, Diagnostic> {
        let functions = Functions::builtin();
        let written = text::read(text, &functions)?;
        let predicate =
            Self { text: text.to_owned(), written, functions, topics: BTreeMap::new(), has_told_absent: false };
        predicate.check().map_err(|fault| text::placed(text, fault))?;
        Ok(predicate)
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which records match.
    ///
    /// # Errors
    /// A condition that the types of all fields, once known, contradict.
    pub fn matches(&mut self, records: &[Record]) -> Result<Matches, Fault> {
        let mut matches = Matches { hits: vec![false; records.len()], ..Matches::default() };
        let mut rows: BTreeMap<&Arc<str>, Vec<usize>> = BTreeMap::new();
        let mut last: Option<(&Arc<str>, Vec<usize>)> = None;
        for (row, record) in records.iter().enumerate() {
            match &mut last {
                Some((topic, run)) if Arc::ptr_eq(topic, &record.topic) || **topic == record.topic => run.push(row),
                _ => {
                    if let Some((topic, run)) = last.take() {
                        rows.entry(topic).or_default().extend(run);
                    }
                    last = Some((&record.topic, vec![row]));
                }
            }
        }
        if let Some((topic, run)) = last {
            rows.entry(topic).or_default().extend(run);
        }
        for (topic, rows) in rows {
            self.match_topic(topic, records, &rows, &mut matches)?;
        }
        Ok(matches)
    }

    fn match_topic(
        &mut self,
        topic: &Arc<str>,
        records: &[Record],
        rows: &[usize],
        matches: &mut Matches,
    ) -> Result<(), Fault> {
        let (written, functions) = (&self.written, &self.functions);
        let compile = |schema: &Schema| condition(&written.expr, schema, functions);
        let columns = self.topics.entry(Arc::clone(topic)).or_insert_with(|| Columns::new(written));
        let taken: Vec<&Record> = rows.iter().map(|row| &records[*row]).collect();
        let mut tally = columns::Tally::default();
        let batch = match columns.batch(&taken, &compile, &mut tally) {
            Ok(batch) => batch,
            // Later records may show the fields, or the parts of them, that are missing yet.
            Err(_) if !columns.is_settled() || written.looks_inside => return Ok(()),
            Err(fault) => return Err(text::placed(&self.text, fault).fault),
        };
        let Some(expression) = columns.expression() else { return Ok(()) };
        let mut failed = Vec::new();
        let values = evaluate(expression, &batch, &mut failed)?;
        matches.no_json += tally.no_json;
        matches.misfits += tally.misfits + failed.len() as u64;
        if let Some(values) = values.as_boolean_opt() {
            for (place, row) in rows.iter().enumerate() {
                matches.hits[*row] = values.is_valid(place) && values.value(place);
            }
        }
        Ok(())
    }

    /// Said once: fields that none of the first records had, and which there are. `at_end` says that no more records come.
    pub fn absent(&mut self, at_end: bool) -> Option<String> {
        let looked: usize = self.topics.values().map(Columns::looked).sum();
        if self.has_told_absent || looked == 0 || !at_end && looked < SAMPLE_RECORDS {
            return None;
        }
        self.has_told_absent = true;
        let missing = |name: &String| self.topics.values().all(|columns| columns.absent().0.contains(&name.as_str()));
        let missing = self.written.fields.iter().find(|name| missing(name))?;
        let mut known: Vec<&str> = Vec::new();
        for name in self.topics.values().flat_map(|columns| columns.absent().1) {
            if !known.contains(&name.as_str()) {
                known.push(name);
            }
        }
        let meant = did_you_mean(missing, known.iter().copied().chain(system_columns::ALL).chain([WHOLE_VALUE]));
        let meant = meant.map_or(String::new(), |meant| format!(" ({meant})"));
        let more = if known.len() > NAMED_MAX { ", …" } else { "" };
        known.truncate(NAMED_MAX);
        let fields = match known.is_empty() {
            true => "no value is a JSON object".to_owned(),
            false => format!("fields are: {}{more}", known.join(", ")),
        };
        Some(format!("no record had `{missing}`{meant}; {fields}"))
    }

    /// Whether any types of the fields make a condition of it. With many fields the records will say.
    fn check(&self) -> Result<(), Fault> {
        let fields = &self.written.fields;
        if fields.len() > TRIED_FIELDS_MAX || self.written.looks_inside {
            return Ok(());
        }
        let kinds = [
            DataType::Utf8,
            DataType::Int64,
            DataType::Decimal128(18, 2),
            DataType::Boolean,
            DataType::Timestamp(TimeUnit::Millisecond, None),
            DataType::Date32,
            DataType::new_list(DataType::Utf8, true),
        ];
        let mut refused = None;
        for way in 0..kinds.len().pow(u32::try_from(fields.len()).unwrap_or(0)) {
            let kind =
                |place: usize| kinds[way / kinds.len().pow(u32::try_from(place).unwrap_or(0)) % kinds.len()].clone();
            let values = fields.iter().enumerate().map(|(place, name)| Field::new(name, kind(place), true));
            let system = self.written.system.iter().filter_map(|name| columns::system_field(name));
            match condition(&self.written.expr, &Schema::new(values.chain(system).collect::<Vec<_>>()), &self.functions)
            {
                Ok(_) => return Ok(()),
                // What can be computed and is no condition says more than what cannot.
                Err(fault) if refused.is_none() || fault.what.contains(condition::NO_CONDITION) => {
                    refused = Some(fault)
                }
                Err(_) => {}
            }
        }
        refused.map_or(Ok(()), Err)
    }
}
