//! Quoted numbers: a text literal that is compared with a number is that number, as PostgreSQL and MySQL have it, where the
//! planner would compare both as texts. What is no number is refused. It touches no other comparison.

use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion_expr::expr::{Between, InList};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::utils::merge_schema;
use datafusion_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

/// Digits of a Decimal128.
const DIGITS_MAX: usize = 38;

/// What becomes of a text that is compared with a number and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNumber {
    /// It is refused: the types of columns are known.
    Refused,
    /// Both are compared as texts: the column's type was learnt from records, and the next may hold a text.
    Text,
}

/// A plan in which quoted numbers are numbers where they are compared with some.
///
/// # Errors
/// A text that is compared with a number and is none.
pub fn numbers(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        let schema = merge_schema(&node.inputs());
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(number_literals(expr, &schema, NoNumber::Refused)?.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(rewritten.data)
}

/// The same of an expression that stands alone, over columns of `schema`.
///
/// # Errors
/// As [`numbers`].
pub fn number_literals(expr: Expr, schema: &DFSchema, none: NoNumber) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let left = beside(*left, &right, schema, none)?;
            let right = beside(*right, &left.data, schema, none)?;
            let is_changed = left.transformed || right.transformed;
            let compared = BinaryExpr { left: Box::new(left.data), op, right: Box::new(right.data) };
            Ok(Transformed::new(Expr::BinaryExpr(compared), is_changed, TreeNodeRecursion::Continue))
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let (low, high) = (beside(*low, &expr, schema, none)?, beside(*high, &expr, schema, none)?);
            let is_changed = low.transformed || high.transformed;
            let between = Between { expr, negated, low: Box::new(low.data), high: Box::new(high.data) };
            Ok(Transformed::new(Expr::Between(between), is_changed, TreeNodeRecursion::Continue))
        }
        Expr::InList(InList { expr, list, negated }) => {
            let list: Vec<_> = list.into_iter().map(|item| beside(item, &expr, schema, none)).collect::<Result<_>>()?;
            let is_changed = list.iter().any(|item| item.transformed);
            let list = list.into_iter().map(|item| item.data).collect();
            let within = Expr::InList(InList { expr, list, negated });
            Ok(Transformed::new(within, is_changed, TreeNodeRecursion::Continue))
        }
        other => Ok(Transformed::no(other)),
    })
}

fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// An expression as it is compared with `other`.
fn beside(expr: Expr, other: &Expr, schema: &DFSchema, none: NoNumber) -> Result<Transformed<Expr>> {
    let Expr::Literal(
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)),
        about,
    ) = &expr
    else {
        return Ok(Transformed::no(expr));
    };
    if !other.get_type(schema).is_ok_and(|data_type| data_type.is_numeric()) {
        return Ok(Transformed::no(expr));
    }
    match number(text.trim()) {
        Some(number) => Ok(Transformed::yes(Expr::Literal(number, about.clone()))),
        None if none == NoNumber::Text => Ok(Transformed::no(expr)),
        None => {
            plan_err!("`{text}` is compared with a number and is none; write a number, or CAST the column to VARCHAR")
        }
    }
}

/// The number that a text says: whole, with a fraction and every digit of it, or with an exponent.
fn number(text: &str) -> Option<ScalarValue> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(ScalarValue::Int64(Some(whole)));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = [whole, fraction].concat();
    let has_only_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if has_only_digits && digits.len() <= DIGITS_MAX {
        let value: i128 = digits.parse().ok()?;
        let value = if text.starts_with('-') { -value } else { value };
        let (precision, scale) = (u8::try_from(digits.len()).ok()?, i8::try_from(fraction.len()).ok()?);
        return Some(ScalarValue::Decimal128(Some(value), precision, scale));
    }
    let begins = unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    let value = begins.then(|| text.parse::<f64>().ok()).flatten().filter(|value| value.is_finite())?;
    Some(ScalarValue::Float64(Some(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_number_that_it_says_or_none() {
        let decimal = |value, precision, scale| Some(ScalarValue::Decimal128(Some(value), precision, scale));
        for (text, expected) in [
            ("10", Some(ScalarValue::Int64(Some(10)))),
            ("01", Some(ScalarValue::Int64(Some(1)))),
            ("-3.50", decimal(-350, 3, 2)),
            (".5", decimal(5, 1, 1)),
            ("99999999999999999999", decimal(99_999_999_999_999_999_999, 20, 0)),
            ("1e3", Some(ScalarValue::Float64(Some(1_000.0)))),
            ("abc", None),
            ("inf", None),
            ("", None),
            ("-", None),
            ("1.2.3", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
