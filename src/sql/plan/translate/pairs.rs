//! What a join compares, and how that is said. Pure.

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, JoinType};
use datafusion_expr::{Expr, LogicalPlan};

use super::columns;
use crate::sql::functions::may_equal;
use crate::sql::plan::nodes::{Mark, Marked};

/// What a join compares and what remains of its condition; whether NULL is equal to anything, as `IN` has it: then rows
/// are found by that comparison, which holds for one pair of columns alone.
pub fn asked_with_nulls(
    on: &[(Expr, Expr)],
    mut rest: Vec<Expr>,
    from: &DFSchema,
    to: &DFSchema,
) -> (bool, Vec<(Expr, Expr)>, Vec<Expr>) {
    let is_of = |expr: &Expr, schema: &DFSchema| {
        let columns = expr.column_refs();
        !columns.is_empty() && columns.iter().all(|column| schema.maybe_index_of_column(column).is_some())
    };
    let pair = |expr: &Expr| {
        let (left, right) = may_equal::sides(expr)?;
        (is_of(left, from) && is_of(right, to)).then(|| (left.clone(), right.clone()))
    };
    let asked = rest.iter().position(|expr| pair(expr).is_some()).filter(|_| on.is_empty());
    match asked.and_then(|place| pair(&rest.remove(place))) {
        Some(pair) => (true, vec![pair], rest),
        None => (false, on.to_vec(), rest),
    }
}

/// A join as a person would say it. `schema` is that of its rows, which ends in the mark of one that marks.
pub fn label(join_type: JoinType, pairs: &[(Expr, Expr)], is_null_any: bool, schema: &DFSchema) -> String {
    let mut label = match join_type {
        JoinType::LeftMark | JoinType::RightMark => {
            let mark = schema.columns().pop().map(Expr::Column);
            format!("{} join", mark.as_ref().map_or_else(|| "mark".to_owned(), columns::plain))
        }
        _ => format!("{} join", spelled(join_type)),
    };
    if !pairs.is_empty() {
        label.push_str(&format!(" on {}", equalities(pairs)));
    }
    if is_null_any {
        label.push_str(" or NULL");
    }
    label
}

fn equalities(on: &[(Expr, Expr)]) -> String {
    on.iter().map(|(l, r)| format!("{} = {}", columns::plain(l), columns::plain(r))).collect::<Vec<_>>().join(" and ")
}

/// The word for a kind of join.
pub fn spelled(join_type: JoinType) -> &'static str {
    match join_type {
        JoinType::Inner => "inner",
        JoinType::Left => "left",
        JoinType::Right => "right",
        JoinType::Full => "full",
        JoinType::LeftSemi | JoinType::RightSemi => "semi",
        JoinType::LeftAnti | JoinType::RightAnti => "anti",
        JoinType::LeftMark | JoinType::RightMark => "mark",
    }
}

/// What a plan reads, by the names that a statement has for it.
pub fn read(plan: &LogicalPlan) -> String {
    let mut names: Vec<String> = Vec::new();
    let _ = plan.apply(|node| {
        let name = match (node, Marked::find(node).map(|marked| &marked.mark)) {
            (LogicalPlan::TableScan(scan), _) => Some(scan.table_name.table().to_owned()),
            (_, Some(Mark::Named(named))) => Some(named.name.clone()),
            _ => None,
        };
        let Some(name) = name else { return Ok(TreeNodeRecursion::Continue) };
        if !names.contains(&name) {
            names.push(name);
        }
        Ok(TreeNodeRecursion::Jump)
    });
    names.join("` and `")
}
