//! Which statements of a text move rows, and which of them comes to the screen. Pure.

use super::text::Source;
use crate::sql::parse::statement::{EndName, Statement, StatementKind, StreamQuery};

/// Which CREATE STREAM comes to the screen: the last one, in a text that asks for no rows in any other way.
pub(super) fn shown(source: &Source) -> Option<usize> {
    let statements = &source.script.statements;
    let asks = statements.iter().any(|statement| match &statement.kind {
        StatementKind::Query(_) | StatementKind::Insert { .. } => true,
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made) => made.query.into.is_some(),
        StatementKind::Show { .. } | StatementKind::Describe { .. } | StatementKind::Explain { .. } => true,
        _ => false,
    });
    let last = statements.iter().rposition(|statement| {
        matches!(statement.kind, StatementKind::CreateStream(_) | StatementKind::CreateTable(_))
    });
    last.filter(|_| !asks)
}

/// The job of a statement that moves rows: its name, its query, where it goes.
pub(super) fn moves(
    statement: &Statement,
    index: usize,
    shown: Option<usize>,
) -> Option<(String, &StreamQuery, Option<&EndName>)> {
    match &statement.kind {
        StatementKind::Query(query) => Some((format!("query-{}", index + 1), query, None)),
        StatementKind::Insert { sink, query, .. } => Some((format!("insert-{}", index + 1), query, Some(sink))),
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made)
            if made.query.into.is_some() || shown == Some(index) =>
        {
            Some((made.name.clone(), &made.query, None))
        }
        _ => None,
    }
}
