//! `FOR SYSTEM_TIME AS OF o.proc_time`: whether the column that it names is the time of processing. Asked of the plan as it
//! is written, for the columns that only a clock fills are gone from the optimized one. Pure.

use datafusion_common::tree_node::Transformed;
use datafusion_common::{Column, Result};
use datafusion_expr::{Expr, LogicalPlan};

use super::nodes::{Mark, Marked};

/// The time of processing, as `FOR SYSTEM_TIME AS OF` writes it.
const PROCTIME: &str = "PROCTIME()";
/// Functions that tell it.
const CLOCKS: [&str; 8] = [
    "now",
    "proctime",
    "current_timestamp",
    "localtimestamp",
    "current_row_timestamp",
    "sysdate",
    "getdate",
    "utc_timestamp",
];
/// Those of them that stand without brackets.
const BARE: [&str; 2] = ["current_timestamp", "localtimestamp"];

/// Whether a time, as it is written, is that of processing.
pub fn is_processing(time: &str) -> bool {
    let time = time.trim().to_ascii_lowercase();
    match time.strip_suffix("()") {
        Some(name) => CLOCKS.contains(&name),
        None => BARE.contains(&time.as_str()),
    }
}

/// The plan with every time of a table that is a column of processing time on the other side of its join said as such.
///
/// # Errors
/// DataFusion's, which are defects.
pub fn settled(plan: LogicalPlan) -> Result<LogicalPlan> {
    let settled = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Join(mut join) = node else { return Ok(Transformed::no(node)) };
        let Some(right) = as_of_processing(&join.right, &join.left)? else {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        };
        join.right = right.into();
        Ok(Transformed::yes(LogicalPlan::Join(join)))
    })?;
    Ok(settled.data)
}

/// The relation `plan` as of processing, where it is one as of a column of `other` that a clock fills.
fn as_of_processing(plan: &LogicalPlan, other: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    if let LogicalPlan::SubqueryAlias(alias) = plan {
        let Some(input) = as_of_processing(&alias.input, other)? else { return Ok(None) };
        let alias = datafusion_expr::SubqueryAlias::try_new(input.into(), alias.alias.clone())?;
        return Ok(Some(LogicalPlan::SubqueryAlias(alias)));
    }
    let Some(Marked { input, mark: Mark::AsOf(time), .. }) = Marked::find(plan) else { return Ok(None) };
    let name = time.rsplit('.').next().unwrap_or(time).trim_matches('"');
    let columns = other.schema().columns();
    let mut named = columns.iter().filter(|column| column.name.eq_ignore_ascii_case(name));
    let is_clock = named.next().is_some_and(|column| is_of_a_clock(other, column)) && named.next().is_none();
    is_clock.then(|| Marked::as_of(input.clone(), PROCTIME.to_owned())).transpose()
}

/// Whether a column of a relation is what a clock says.
fn is_of_a_clock(plan: &LogicalPlan, column: &Column) -> bool {
    let Some(place) = plan.schema().maybe_index_of_column(column) else { return false };
    let below = |input: &LogicalPlan, place: usize| {
        input.schema().columns().get(place).is_some_and(|column| is_of_a_clock(input, column))
    };
    match plan {
        LogicalPlan::Projection(projection) => match projection.expr.get(place).map(unaliased) {
            Some(Expr::Column(column)) => is_of_a_clock(&projection.input, column),
            Some(Expr::ScalarFunction(call)) => call.args.is_empty() && CLOCKS.contains(&call.name()),
            _ => false,
        },
        LogicalPlan::SubqueryAlias(alias) => below(&alias.input, place),
        LogicalPlan::Filter(filter) => below(&filter.input, place),
        LogicalPlan::Join(join) => match place.checked_sub(join.left.schema().fields().len()) {
            Some(place) => below(&join.right, place),
            None => below(&join.left, place),
        },
        other => Marked::find(other).is_some_and(|marked| below(&marked.input, place)),
    }
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        Expr::Cast(cast) => unaliased(&cast.expr),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_known_by_each_of_its_names() {
        for time in ["PROCTIME()", "proctime()", "NOW()", "CURRENT_TIMESTAMP", "LocalTimestamp"] {
            assert!(is_processing(time), "{time}");
        }
        for time in ["o.ts", "proctime", "o.proctime", "date()"] {
            assert!(!is_processing(time), "{time}");
        }
    }
}
