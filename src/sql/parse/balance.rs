//! Rows of AND, OR and `||` as a balanced tree: what is a thousand terms wide is then ten levels deep, not a thousand.

use sqlparser::ast::{BinaryOperator, Expr, Value};

/// Terms that stay as they are: more than the left edge of a balanced row of all the tokens of a statement has, so that
/// what is balanced is not taken for a row again.
const ROW_MIN: usize = 24;

/// Balances the row that begins at `expression`, if one does. The order of the terms stays.
pub(super) fn balance(expression: &mut Expr) {
    let Expr::BinaryOp { op, .. } = &*expression else { return };
    let operator = op.clone();
    if !matches!(operator, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat) {
        return;
    }
    let mut length = 1;
    let mut spine = &*expression;
    while let Expr::BinaryOp { left, op, .. } = spine
        && *op == operator
    {
        length += 1;
        spine = left;
    }
    if length < ROW_MIN {
        return;
    }
    let mut terms = Vec::with_capacity(length);
    let mut rest = std::mem::replace(expression, Expr::Value(Value::Null.into()));
    loop {
        match rest {
            Expr::BinaryOp { left, op, right } if op == operator => {
                terms.push(*right);
                rest = *left;
            }
            first => {
                terms.push(first);
                break;
            }
        }
    }
    terms.reverse();
    *expression = joined(terms, &operator);
}

fn joined(mut terms: Vec<Expr>, operator: &BinaryOperator) -> Expr {
    if terms.len() == 1
        && let Some(term) = terms.pop()
    {
        return term;
    }
    let right = terms.split_off(terms.len() / 2);
    let [left, right] = [terms, right].map(|half| Box::new(joined(half, operator)));
    Expr::BinaryOp { left, op: operator.clone(), right }
}
