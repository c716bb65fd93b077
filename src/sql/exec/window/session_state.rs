//! Sessions as tables of a checkpoint and back: the sessions with their aggregates, and results that were given and do
//! not hold any more.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{Field, Schema};

use super::session::Sessions;
use super::session_results::Noted;
use super::spans::Span;
use crate::core::fault::Fault;
use crate::sql::exec::aggregate::changes::joined;
use crate::sql::exec::aggregate::failed;
use crate::sql::exec::columns::{column, earliest, table, taken};
use crate::sql::exec::operator::StateTable;

/// Columns between the keys and the state of the aggregates: first, last, what was given of them, how it is.
const BETWEEN: usize = 5;
/// Of how a session is: it is closed.
const CLOSED: i64 = 1;
/// Of how a session is: its parts did not fit into one result.
const SPILLED: i64 = 2;

impl Sessions {
    /// Everything, as tables.
    pub(super) fn tables(&mut self) -> Result<Vec<StateTable>, Fault> {
        let state = self.groups.snapshot(|_, _| Vec::new())?;
        let numbers = column::<Int64Array>(state.columns(), 0)?;
        let here = |row: &u32| self.spans.get(numbers.value(*row as usize) as usize).filter(|span| !span.is_gone);
        let rows: Vec<u32> = (0..state.num_rows() as u32).filter(|row| here(row).is_some()).collect();
        let spans: Vec<_> = rows.iter().filter_map(here).collect();
        let keys: Vec<u32> = spans.iter().map(|span| span.key).collect();
        let mut columns = self.keys.columns(&keys)?;
        let width = columns.len();
        let whole = |of: Vec<Option<i64>>| Arc::new(Int64Array::from(of)) as ArrayRef;
        columns.push(whole(spans.iter().map(|span| Some(span.first)).collect()));
        columns.push(whole(spans.iter().map(|span| Some(span.last)).collect()));
        columns.push(whole(spans.iter().map(|span| span.given.map(|given| given.0)).collect()));
        columns.push(whole(spans.iter().map(|span| span.given.map(|given| given.1)).collect()));
        let how = |span: &&Span| i64::from(span.is_closed) * CLOSED + i64::from(span.is_spilled) * SPILLED;
        columns.push(whole(spans.iter().map(|span| Some(how(span))).collect()));
        let mut fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| Field::new(format!("of_{index}"), column.data_type().clone(), true))
            .collect();
        fields.extend(state.schema().fields().iter().map(|field| field.as_ref().clone()));
        columns.extend(taken(state.columns(), &UInt32Array::from(rows))?);
        let sessions = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| failed(&error))?;
        let noted_keys: Vec<u32> = self.noted.iter().map(|noted| noted.key).collect();
        let mut noted = self.keys.columns(&noted_keys)?;
        noted.push(Arc::new(Int64Array::from_iter_values(self.noted.iter().map(|noted| noted.bounds.0))));
        noted.push(Arc::new(Int64Array::from_iter_values(self.noted.iter().map(|noted| noted.bounds.1))));
        noted.extend(joined(&self.before)?);
        let time = Arc::new(Int64Array::from(vec![self.watermark])) as ArrayRef;
        let mut tables = vec![
            table("time", vec![time], 0)?,
            StateTable { name: "sessions".to_owned(), batch: sessions, keys: width },
        ];
        if !self.noted.is_empty() {
            tables.push(table("given", noted, width)?);
        }
        Ok(tables)
    }

    /// Adds what [`Self::tables`] wrote.
    pub(super) fn take(&mut self, tables: &[StateTable]) -> Result<(), Fault> {
        self.watermark = earliest(tables)?;
        let width = self.recipe.keys();
        let mut back = Vec::new();
        for table in tables.iter().filter(|table| table.name == "sessions") {
            let columns = table.batch.columns();
            let at = |index: usize| column::<Int64Array>(columns, width + index);
            let (first, last, given_first, given_last, how) = (at(0)?, at(1)?, at(2)?, at(3)?, at(4)?);
            let mut keys = Vec::new();
            self.keys.intern(&columns[..width], table.batch.num_rows(), &mut keys)?;
            let mut numbers = Vec::new();
            for (row, key) in keys.iter().enumerate() {
                let number = self.spans.restore(*key, first.value(row), last.value(row));
                if let Some(span) = self.spans.get_mut(number) {
                    span.given = given_first.is_valid(row).then(|| (given_first.value(row), given_last.value(row)));
                    span.is_closed = how.value(row) & CLOSED != 0;
                    span.is_spilled = how.value(row) & SPILLED != 0;
                }
                numbers.push(number);
            }
            // Numbers of several former instances may be the same: they are given anew.
            let mut state = columns[width + BETWEEN..].to_vec();
            state[0] = Arc::new(Int64Array::from_iter_values(numbers.iter().map(|number| *number as i64)));
            let schema = table.batch.schema();
            let fields: Vec<Field> =
                schema.fields()[width + BETWEEN..].iter().map(|field| field.as_ref().clone()).collect();
            let state = RecordBatch::try_new(Arc::new(Schema::new(fields)), state).map_err(|error| failed(&error))?;
            let groups = self.groups.restore(&state, 1, 0)?;
            for (number, group) in numbers.iter().zip(groups) {
                if let Some(span) = self.spans.get_mut(*number) {
                    span.group = Some(group);
                }
            }
            back.extend(numbers);
        }
        for table in tables.iter().filter(|table| table.name == "given") {
            let columns = table.batch.columns();
            let (first, last) = (column::<Int64Array>(columns, width)?, column::<Int64Array>(columns, width + 1)?);
            let mut keys = Vec::new();
            self.keys.intern(&columns[..width], table.batch.num_rows(), &mut keys)?;
            for (row, key) in keys.iter().enumerate() {
                let bounds = (first.value(row), last.value(row));
                let of_key = self.spans.of_key(*key).to_vec();
                for number in of_key {
                    if let Some(span) = self.spans.get_mut(number).filter(|span| span.given == Some(bounds)) {
                        span.noted = Some(self.noted.len());
                    }
                }
                self.noted.push(Noted { key: *key, bounds });
            }
            self.before.push(columns[width + 2..].to_vec());
        }
        back.into_iter().for_each(|session| self.put_back(session));
        Ok(())
    }
}
