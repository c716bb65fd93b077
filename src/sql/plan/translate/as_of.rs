//! `FOR SYSTEM_TIME AS OF`: which times a stream's columns may ask for, and how long a table keeps its versions for them.
//! Pure.

use datafusion_common::{Column, DFSchema, JoinType, Result, plan_err};
use datafusion_expr::Expr;

use super::{Stream, Translation};
use crate::sql::parse::statement::WindowKind;
use crate::sql::plan::stream::{AsOf, JoinBound, JoinNode, NodeId, NodeKind};

/// A column that was the event time of one half of a joined row, which itself has the later time of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// The column.
    pub column: usize,
    /// How much earlier than the row it may be, milliseconds.
    pub behind_ms: i64,
}

/// The same columns where they are now; `places` says where each went.
pub(super) fn moved(past: &[Past], places: impl Fn(usize) -> Vec<usize>) -> Vec<Past> {
    past.iter().flat_map(|one| places(one.column).into_iter().map(|column| Past { column, ..*one })).collect()
}

/// The times of both halves of joined rows, the right half's behind `width` columns.
///
/// A pair has the later time of its halves: of an interval, the left is at most `after` earlier than it, and the right at
/// most `before`. A window's row has the time of its last millisecond. A row without a partner keeps its own time, and has
/// NULL for the other's.
pub(super) fn of_pairs(
    bound: &JoinBound,
    join_type: JoinType,
    left: &Stream,
    right: &Stream,
    width: usize,
) -> Vec<Past> {
    let is_one_sided = matches!(join_type, JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark);
    let (left_ms, right_ms) = match bound {
        JoinBound::StreamTable | JoinBound::Temporal { .. } | JoinBound::Lookup(_) => return left.past.clone(),
        JoinBound::Interval { .. } if is_one_sided => return left.past.clone(),
        // Times that the join does not compare are as far apart as they happen to be.
        JoinBound::Interval { before_ms, after_ms, left_time: None, right_time: None } => {
            ((*after_ms).max(0), (*before_ms).max(0))
        }
        JoinBound::Window { .. } => match (window_ms(left), window_ms(right)) {
            (Some(left_ms), Some(right_ms)) => (left_ms, right_ms),
            _ => return Vec::new(),
        },
        JoinBound::Interval { .. } | JoinBound::Updating => return Vec::new(),
    };
    let of = |side: &Stream, ms: i64, shift: usize| {
        let own = side.times.iter().map(|column| Past { column: *column, behind_ms: 0 });
        let halves = own.chain(side.past.iter().copied());
        let later = |one: Past| Past { column: one.column + shift, behind_ms: one.behind_ms.saturating_add(ms) };
        halves.map(later).collect::<Vec<_>>()
    };
    let mut past = of(left, left_ms, 0);
    if !is_one_sided {
        past.extend(of(right, right_ms, width));
    }
    past
}

/// How long a stream's windows are, where all are of one length.
fn window_ms(stream: &Stream) -> Option<i64> {
    match stream.window?.kind {
        WindowKind::Tumbling { size, .. } | WindowKind::Hopping { size, .. } | WindowKind::Cumulating { size, .. } => {
            i64::try_from(size.as_millis()).ok()
        }
        WindowKind::Session { .. } => None,
    }
}

impl Translation {
    /// The versions that rows of the left ask for: as of their event time, or as of a time that one half of them had.
    /// Versions that no row can ask for any more are gone.
    pub(super) fn as_of_event_time(
        &self,
        time: &str,
        column: Option<&Column>,
        from: &DFSchema,
        left: &Stream,
    ) -> Result<Option<AsOf>> {
        let Some(index) = column.and_then(|column| from.maybe_index_of_column(column)) else {
            return plan_err!(
                "FOR SYSTEM_TIME AS OF {time} names no column of the left side of its JOIN; \
                 name its event time, or write PROCTIME()"
            );
        };
        let asked = Expr::Column(from.columns()[index].clone());
        if left.times.contains(&index) || self.is_read_as_event_time(left.node, &self.expression(&asked, from)?) {
            return Ok(None);
        }
        if let Some(past) = left.past.iter().find(|past| past.column == index) {
            let time = self.time(&asked, from)?;
            return Ok(Some(AsOf { time, behind_ms: past.behind_ms }));
        }
        if self.is_of_pairs(left.node) {
            return plan_err!(
                "FOR SYSTEM_TIME AS OF {time} stands behind another join, whose rows have the later time of their two halves; \
                 meet the table first: FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON … JOIN shipments s ON …"
            );
        }
        let (relation, field) = from.qualified_field(index);
        let (of, name) = (relation.map(|of| format!("{}.", of.table())).unwrap_or_default(), field.name());
        plan_err!(
            "FOR SYSTEM_TIME AS OF {time} needs the event time of its left side: say 'event.time.field' = '{name}' there, or AS OF {of}_event_time"
        )
    }

    /// Whether rows are pairs of two streams' rows, or come from such.
    fn is_of_pairs(&self, node: NodeId) -> bool {
        let node = &self.nodes[node.0];
        match &node.kind {
            NodeKind::Join(JoinNode { bound: JoinBound::Interval { .. } | JoinBound::Window { .. }, .. }) => true,
            NodeKind::Join(_) | NodeKind::Map { .. } => {
                node.inputs.first().is_some_and(|input| self.is_of_pairs(*input))
            }
            _ => false,
        }
    }
}
