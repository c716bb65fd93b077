//! Fields of a row that a subquery or an UNNEST looks at from inside: the planner knows the columns of that row, and no
//! names behind them. `a.n.tags` becomes `a.n['tags']`, which means the same. It changes no other name.

use std::ops::ControlFlow;

use sqlparser::ast::{AccessExpr, Expr, Ident, Query, Subscript, Value, visit_expressions_mut};

use super::mistakes::template::holes;

/// The column of a row outside whose fields the planner was asked for, and its relation where it says one.
pub fn named(error: &str) -> Option<(Option<String>, String)> {
    let found = holes(error, "{}Nested identifiers are not yet supported for OuterReferenceColumn {}")?;
    let bare = |part: &str| part.trim_matches('"').to_owned();
    Some(match found[1].trim().rsplit_once('.') {
        Some((relation, column)) => (Some(bare(relation)), bare(column)),
        None => (None, bare(found[1].trim())),
    })
}

/// Writes names behind that column as its fields. Says whether there were any.
pub fn settle(query: &mut Query, relation: Option<&str>, column: &str) -> bool {
    let mut has_changed = false;
    let _ = visit_expressions_mut(query, |expr| {
        if let Expr::CompoundIdentifier(parts) = &*expr
            && let Some(length) = length_of(parts, relation, column)
            && length < parts.len()
        {
            let (names, fields) = parts.split_at(length);
            let root = match names {
                [only] => Expr::Identifier(only.clone()),
                names => Expr::CompoundIdentifier(names.to_vec()),
            };
            let text = |field: &Ident| Expr::Value(Value::SingleQuotedString(field.value.clone()).into());
            let access = |field: &Ident| AccessExpr::Subscript(Subscript::Index { index: text(field) });
            let access_chain = fields.iter().map(access).collect();
            *expr = Expr::CompoundFieldAccess { root: Box::new(root), access_chain };
            has_changed = true;
        }
        ControlFlow::<()>::Continue(())
    });
    has_changed
}

/// How many parts of a name are that column.
fn length_of(parts: &[Ident], relation: Option<&str>, column: &str) -> Option<usize> {
    match parts {
        [first, second, ..] if Some(first.value.as_str()) == relation && second.value == column => Some(2),
        [first, ..] if first.value == column => Some(1),
        _ => None,
    }
}
