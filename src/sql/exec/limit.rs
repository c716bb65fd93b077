//! Passes the first rows and then wants no more.

use std::sync::Arc;

use arrow::array::Int64Array;

use super::chunk::Chunk;
use super::columns::{column, table};
use super::operator::{Operator, Output, StateTable};
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::Changes;

/// The operator of `LIMIT limit OFFSET offset`.
///
/// # Errors
/// Rows that are taken back: which ones would be the first?
pub fn build(limit: usize, offset: usize, changes: Changes) -> Result<Box<dyn Operator>, Fault> {
    if changes == Changes::Changelog {
        return Err(Fault::new(Blame::Operator, "LIMIT over a result that changes has no first rows")
            .next("add EMIT FINAL, or rank the rows: ROW_NUMBER() OVER (ORDER BY …) <= n"));
    }
    Ok(Box::new(Limit { limit, offset, seen: 0 }))
}

struct Limit {
    limit: usize,
    offset: usize,
    /// Rows that came, no more than matter.
    seen: usize,
}

impl Operator for Limit {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let end = self.offset.saturating_add(self.limit);
        let from = self.offset.saturating_sub(self.seen).min(chunk.rows());
        let to = end.saturating_sub(self.seen).min(chunk.rows());
        self.seen = self.seen.saturating_add(chunk.rows()).min(end);
        if from < to {
            out.give(chunk.slice(from, to - from));
        }
        out.is_done = self.seen >= end;
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<(), Fault> {
        out.is_done = self.seen >= self.offset.saturating_add(self.limit);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let seen = i64::try_from(self.seen).unwrap_or(i64::MAX);
        Ok(vec![table("seen", vec![Arc::new(Int64Array::from(vec![seen]))], 0)?])
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        for table in &tables {
            let seen = column::<Int64Array>(table.batch.columns(), 0)?;
            self.seen += seen.iter().flatten().map(|seen| usize::try_from(seen).unwrap_or(0)).sum::<usize>();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{ArrayRef, AsArray, RecordBatch};
    use arrow::datatypes::Int64Type;
    use proptest::prelude::*;

    use super::*;

    fn numbers(from: i64, to: i64) -> Chunk {
        let column = Arc::new(Int64Array::from_iter_values(from..to)) as ArrayRef;
        Chunk::inserts(RecordBatch::try_from_iter([("v", column)]).unwrap(), (from..to).collect())
    }

    proptest! {
        #[test]
        fn however_rows_are_cut_and_wherever_it_is_restored_the_same_rows_pass(
            cuts in prop::collection::vec(1_i64..9, 1..9), limit in 0_usize..20, offset in 0_usize..9, restart in 0_usize..9,
        ) {
            let mut operator = build(limit, offset, Changes::Append).unwrap();
            let (mut from, mut passed, mut is_done) = (0, Vec::new(), limit + offset == 0);
            for (index, rows) in cuts.iter().enumerate() {
                if index == restart {
                    let tables = operator.snapshot().unwrap();
                    operator = build(limit, offset, Changes::Append).unwrap();
                    operator.restore(tables).unwrap();
                }
                let mut out = Output::default();
                operator.push(0, numbers(from, from + rows), &mut out).unwrap();
                from += rows;
                is_done |= out.is_done;
                for chunk in out.chunks {
                    passed.extend(chunk.batch.column(0).as_primitive::<Int64Type>().values().to_vec());
                }
            }
            let expected: Vec<i64> = (0..from).skip(offset).take(limit).collect();
            prop_assert_eq!(passed, expected);
            prop_assert_eq!(is_done, from as usize >= limit + offset);
        }
    }
}
