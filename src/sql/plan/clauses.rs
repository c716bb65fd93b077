//! Clauses that the planner reads in one spelling alone: `FETCH FIRST` becomes LIMIT, and in GROUP BY places of the SELECT
//! list, ALL and tuples become expressions; in VALUES a DOUBLE makes the decimals of its column DOUBLE. It knows no types.

use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Fetch, GroupByExpr, Ident, LimitClause, Query, Select, SelectItem,
    SetExpr, TableFactor, Value, Values, VisitMut, VisitorMut,
};

use super::names::whole;
use super::nodes::{WINDOW_END, WINDOW_START};
use super::selects::{change, selects_mut};
use crate::sql::functions::registry::Functions;
use crate::sql::parse::mark::window_of;

/// Keys of a CUBE that is written out as sets: one more has more sets than a grouping takes.
const CUBE_MAX: usize = 6;

/// Writes the clauses of a query as the planner reads them. What cannot be is left as it is, and refused where it stands.
pub fn settle(query: &mut Query, functions: &Functions) {
    let _ = query.visit(&mut Clauses { functions });
}

struct Clauses<'a> {
    functions: &'a Functions,
}

impl VisitorMut for Clauses<'_> {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        fetch(query);
        for select in selects_mut(&mut query.body) {
            self.grouping(select);
        }
        values(&mut query.body);
        ControlFlow::Continue(())
    }
}

/// `FETCH FIRST n ROWS ONLY` as `LIMIT n`.
fn fetch(query: &mut Query) {
    let Some(Fetch { with_ties: false, percent: false, quantity }) = &query.fetch else { return };
    let rows = quantity.clone().unwrap_or_else(|| number("1"));
    let offset = match &query.limit_clause {
        None => None,
        Some(LimitClause::LimitOffset { limit: None, offset, limit_by }) if limit_by.is_empty() => offset.clone(),
        Some(_) => return,
    };
    query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(rows), offset, limit_by: Vec::new() });
    query.fetch = None;
}

impl Clauses<'_> {
    fn grouping(&self, select: &mut Select) {
        if matches!(&select.group_by, GroupByExpr::All(modifiers) if modifiers.is_empty())
            && let Some(keys) = self.all(select)
        {
            select.group_by = GroupByExpr::Expressions(keys, Vec::new());
        }
        let Select { projection, group_by, .. } = select;
        let GroupByExpr::Expressions(groups, _) = group_by else { return };
        for group in groups.iter_mut() {
            if let Expr::Rollup(keys) | Expr::Cube(keys) | Expr::GroupingSets(keys) = group {
                keys.iter_mut().flatten().for_each(|key| placed(key, projection));
            }
            placed(group, projection);
            if let Some(sets) = sets(group) {
                *group = Expr::GroupingSets(sets);
            }
        }
    }

    /// The keys that `GROUP BY ALL` means: what of the SELECT list is no aggregate. None where `*` hides some.
    fn all(&self, select: &Select) -> Option<Vec<Expr>> {
        let has_window = select.from.iter().any(|from| match &from.relation {
            TableFactor::NestedJoin { alias: Some(alias), .. } => window_of(&alias.name.value).is_some(),
            _ => false,
        });
        let is_bound = |expr: &Expr| matches!(expr, Expr::Identifier(name) if [WINDOW_START, WINDOW_END].contains(&name.value.as_str()));
        let mut keys = Vec::new();
        for item in &select.projection {
            let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { return None };
            let is_of_many = has(expr, |part| match part {
                Expr::Function(call) => call.over.is_some() || self.functions.aggregate(&whole(&call.name)).is_some(),
                _ => false,
            });
            let is_computed_of_bounds = has_window && has(expr, is_bound);
            if !is_of_many && !is_computed_of_bounds && !matches!(expr, Expr::Value(_)) {
                keys.push(expr.clone());
            }
        }
        if has_window {
            keys.extend([WINDOW_START, WINDOW_END].map(|bound| Expr::Identifier(Ident::new(bound))));
        }
        Some(keys)
    }
}

/// Whether something stands in an expression, outside of its subqueries.
fn has(expr: &Expr, is_it: impl Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    change(&mut expr.clone(), &|_| false, &mut |part| found |= is_it(part));
    found
}

/// A place of the SELECT list as what stands there, unless that is a constant, which might be a place again. Behind `*` nobody
/// knows places yet.
fn placed(key: &mut Expr, projection: &[SelectItem]) {
    let Expr::Value(value) = &*key else { return };
    let Value::Number(place, _) = &value.value else { return };
    let Some(place) = place.parse::<usize>().ok().and_then(|place| place.checked_sub(1)) else { return };
    let Some(items) = projection.get(..=place) else { return };
    let is_known = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    if let (true, Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. })) =
        (items.iter().all(is_known), items.last())
        && !matches!(expr, Expr::Value(_))
    {
        *key = expr.clone();
    }
}

/// The sets of a ROLLUP or CUBE in which keys stand together or twice, and of `()`, which groups all rows.
fn sets(group: &Expr) -> Option<Vec<Vec<Expr>>> {
    let is_together = |keys: &&Vec<Vec<Expr>>| {
        let is_twice = |(place, key)| keys[..place].contains(key);
        keys.iter().any(|together| together.len() != 1) || keys.iter().enumerate().any(is_twice)
    };
    match group {
        Expr::Tuple(keys) if keys.is_empty() => Some(vec![Vec::new()]),
        Expr::Rollup(keys) if is_together(&keys) => {
            Some((0..=keys.len()).rev().map(|length| keys[..length].concat()).collect())
        }
        Expr::Cube(keys) if is_together(&keys) && keys.len() <= CUBE_MAX => {
            let chosen = |which: usize| {
                let is_chosen = move |index: &usize| which >> (keys.len() - 1 - index) & 1 == 1;
                (0..keys.len()).filter(is_chosen).flat_map(|index| keys[index].clone()).collect()
            };
            Some((0..1_usize << keys.len()).rev().map(chosen).collect())
        }
        _ => None,
    }
}

/// The decimals of a column of VALUES in which a DOUBLE stands as DOUBLE: the planner would make decimals of all.
fn values(body: &mut SetExpr) {
    let SetExpr::Values(Values { rows, .. }) = body else { return };
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    for column in 0..width {
        let mut items: Vec<&mut Expr> = rows.iter_mut().filter_map(|row| row.get_mut(column)).collect();
        if items.iter().any(|item| kind(item) == Some(Kind::Double)) {
            for item in items.iter_mut().filter(|item| kind(item) == Some(Kind::Exact)) {
                **item = Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new((*item).clone()),
                    data_type: DataType::Double(ExactNumberInfo::None),
                    array: false,
                    format: None,
                };
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Double,
    Exact,
}

/// What a number is, as far as it is written.
fn kind(expr: &Expr) -> Option<Kind> {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => kind(inner),
        Expr::Value(value) => matches!(value.value, Value::Number(..)).then_some(Kind::Exact),
        Expr::Cast { data_type, .. } => match data_type {
            DataType::Double(_)
            | DataType::DoublePrecision
            | DataType::Float(_)
            | DataType::Real
            | DataType::Float4
            | DataType::Float8
            | DataType::Float32
            | DataType::Float64 => Some(Kind::Double),
            DataType::Decimal(_) | DataType::Numeric(_) | DataType::Dec(_) => Some(Kind::Exact),
            _ => None,
        },
        _ => None,
    }
}

fn number(number: &str) -> Expr {
    Expr::Value(Value::Number(number.to_owned(), false).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sqlparser::ast::Statement;
    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn clauses_become_those_that_the_planner_reads() {
        for (written, expected) in [
            ("SELECT a FROM t FETCH FIRST 2 ROWS ONLY", "SELECT a FROM t LIMIT 2"),
            ("SELECT a FROM t OFFSET 1 FETCH NEXT ROW ONLY", "SELECT a FROM t LIMIT 1 OFFSET 1"),
            ("SELECT a FROM t FETCH FIRST 2 ROWS WITH TIES", "SELECT a FROM t FETCH FIRST 2 ROWS WITH TIES"),
            ("SELECT a, b + 1, COUNT(*) FROM t GROUP BY 1, 2", "SELECT a, b + 1, COUNT(*) FROM t GROUP BY a, b + 1"),
            ("SELECT a, COUNT(*) FROM t GROUP BY 9", "SELECT a, COUNT(*) FROM t GROUP BY 9"),
            ("SELECT *, COUNT(*) FROM t GROUP BY 2", "SELECT *, COUNT(*) FROM t GROUP BY 2"),
            ("SELECT a, b FROM t GROUP BY ROLLUP (1, 2)", "SELECT a, b FROM t GROUP BY ROLLUP (a, b)"),
            ("SELECT a, 1, SUM(b) FROM t GROUP BY ALL", "SELECT a, 1, SUM(b) FROM t GROUP BY a"),
            ("SELECT * FROM t GROUP BY ALL", "SELECT * FROM t GROUP BY ALL"),
            (
                "SELECT (SELECT COUNT(*) FROM u), SUM(b) FROM t GROUP BY ALL",
                "SELECT (SELECT COUNT(*) FROM u), SUM(b) FROM t GROUP BY (SELECT COUNT(*) FROM u)",
            ),
            ("SELECT 1 FROM t GROUP BY ()", "SELECT 1 FROM t GROUP BY GROUPING SETS (())"),
            (
                "SELECT 1 FROM t GROUP BY ROLLUP (a, (b, c))",
                "SELECT 1 FROM t GROUP BY GROUPING SETS ((a, b, c), (a), ())",
            ),
            (
                "SELECT 1 FROM t GROUP BY CUBE ((a, b), c)",
                "SELECT 1 FROM t GROUP BY GROUPING SETS ((a, b, c), (a, b), (c), ())",
            ),
            (
                "VALUES (CAST('1' AS DOUBLE), 1), (-2.5, 2.5)",
                "VALUES (CAST('1' AS DOUBLE), 1), (CAST(-2.5 AS DOUBLE), 2.5)",
            ),
        ] {
            let statements = Parser::parse_sql(&GenericDialect {}, written).unwrap();
            let Some(Statement::Query(mut query)) = statements.into_iter().next() else { panic!("{written}") };
            settle(&mut query, &Functions::builtin());
            assert_eq!(query.to_string(), expected);
        }
    }
}
