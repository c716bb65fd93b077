//! The mark of `ROWS WINDOW BUFFER` in what an OVER is partitioned by: taken away, and what it says. Pure.

use std::time::Duration;

use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::Expr;
use datafusion_expr::expr::WindowFunction;

use super::columns;
use crate::sql::parse::mark::Mark;
use crate::sql::plan::stream::Buffer;

/// A window function without the mark of its buffer, and what that says.
///
/// # Errors
/// What is no window function.
pub fn taken(expr: &Expr) -> Result<(Expr, Option<Buffer>)> {
    let (mut buffer, mut function) = match columns::unaliased(expr) {
        Expr::WindowFunction(function) => (None, WindowFunction::clone(function)),
        other => return plan_err!("`{other}` is no window function"),
    };
    function.params.partition_by.retain(|expr| match read(expr) {
        Some(found) => {
            buffer = Some(found);
            false
        }
        None => true,
    });
    let bare = Expr::from(function);
    Ok(match expr {
        Expr::Alias(alias) => (bare.alias_qualified(alias.relation.clone(), alias.name.clone()), buffer),
        _ => (bare, buffer),
    })
}

fn read(expr: &Expr) -> Option<Buffer> {
    let Expr::ScalarFunction(call) = columns::unaliased(expr) else { return None };
    if !Mark::Buffer.is(call.func.name()) {
        return None;
    }
    let number = |at: usize| whole(call.args.get(at)?);
    Some(Buffer {
        rows: usize::try_from(number(0)?).ok()?,
        emits_when_full: number(1)? != 0,
        expires: u64::try_from(number(2)?).ok().map(Duration::from_millis),
    })
}

/// A whole number, negative or not, however the planner has left it.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int64(number), _) => *number,
        Expr::Negative(inner) => whole(inner).map(|number| -number),
        Expr::Cast(cast) => whole(&cast.expr),
        Expr::Alias(alias) => whole(&alias.expr),
        _ => None,
    }
}
