//! What tells the rows of a join of two tables apart: the keys of both, or of one where the other has one row for it. Pure.

use datafusion_common::{DFSchema, JoinType};
use datafusion_expr::{Expr, Join};
use datafusion_physical_expr::expressions::Column as PhysicalColumn;

use super::{Translation, columns, join};
use crate::sql::plan::stream::{Expression, JoinNode, NodeId, NodeKind};

/// The key of the rows of a join whose sides have these keys; the right half stands behind the columns of the left.
///
/// A row of one side meets one row of the other at most where the whole key of the other is compared: it is told by its
/// own key then, as Flink derives it. A row without a partner has NULL for the other's columns, so that of an outer join
/// only the side that is whole tells its rows. Empty where a side has no key.
pub(super) fn of_pairs(of: &Join, left: &[usize], right: &[usize]) -> Vec<usize> {
    if left.is_empty() || right.is_empty() {
        return Vec::new();
    }
    let (from, to) = (of.left.schema(), of.right.schema());
    let compared: Vec<_> = of.on.iter().map(|(l, r)| (join::place(l, from), join::place(r, to))).collect();
    let one_of_left = left.iter().all(|column| compared.iter().any(|(l, _)| *l == Some(*column)));
    let one_of_right = right.iter().all(|column| compared.iter().any(|(_, r)| *r == Some(*column)));
    let width = from.fields().len();
    let of_right = right.iter().map(|column| column + width);
    match of.join_type {
        JoinType::Inner | JoinType::Left if one_of_right => left.to_vec(),
        JoinType::Inner | JoinType::Right if one_of_left => of_right.collect(),
        _ => left.iter().copied().chain(of_right).collect(),
    }
}

impl Translation {
    /// The column of the other half that has the same value in every row of an inner join.
    pub(super) fn twin(&self, node: NodeId, column: usize) -> Option<usize> {
        let node = &self.nodes[node.0];
        match &node.kind {
            NodeKind::Join(JoinNode { join_type: JoinType::Inner, on, .. }) => {
                let width = self.nodes[node.inputs.first()?.0].schema.fields().len();
                let mut pairs = on.iter().filter_map(|(l, r)| Some((place(l)?, place(r)? + width)));
                pairs.find_map(|(l, r)| match column {
                    _ if column == l => Some(r),
                    _ if column == r => Some(l),
                    _ => None,
                })
            }
            NodeKind::Map { projection: None, .. } => self.twin(*node.inputs.first()?, column),
            _ => None,
        }
    }

    /// The key of a full join whose sides are joined by their whole keys: of each pair of columns, the first that is there
    /// (`USING`, `COALESCE`). The places of those among `exprs`.
    pub(super) fn merged(&self, node: NodeId, exprs: &[Expr], from: &DFSchema) -> Option<Vec<usize>> {
        let node = &self.nodes[node.0];
        match &node.kind {
            NodeKind::Join(JoinNode { join_type: JoinType::Full, on, filter: None, .. }) => {
                let width = self.nodes[node.inputs.first()?.0].schema.fields().len();
                let pairs = on.iter().map(|(l, r)| Some((place(l)?, place(r)? + width)));
                let pairs = pairs.collect::<Option<Vec<_>>>()?;
                let is_whole = node.key.iter().all(|column| pairs.iter().any(|(l, r)| l == column || r == column));
                if !is_whole || node.key.is_empty() {
                    return None;
                }
                let first_of = |pair: (usize, usize)| {
                    exprs.iter().position(|expr| {
                        first_that_is(expr, from).is_some_and(|found| found == pair || found == (pair.1, pair.0))
                    })
                };
                pairs.into_iter().map(first_of).collect()
            }
            NodeKind::Map { projection: None, .. } => self.merged(*node.inputs.first()?, exprs, from),
            _ => None,
        }
    }
}

fn place(of: &Expression) -> Option<usize> {
    of.as_any().downcast_ref::<PhysicalColumn>().map(PhysicalColumn::index)
}

/// The two columns of `COALESCE(a, b)`, which the optimizer writes as a CASE.
fn first_that_is(expr: &Expr, schema: &DFSchema) -> Option<(usize, usize)> {
    let Expr::Case(case) = columns::unaliased(expr) else { return None };
    let ([(when, then)], Some(other), None) = (case.when_then_expr.as_slice(), &case.else_expr, &case.expr) else {
        return None;
    };
    let Expr::IsNotNull(asked) = when.as_ref() else { return None };
    let first = join::place(then, schema).filter(|_| asked == then)?;
    Some((first, join::place(other, schema)?))
}
