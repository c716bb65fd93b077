//! Arrays whose elements become rows, `FROM orders o CROSS JOIN UNNEST(o.tags) AS t (tag)`: planned as a relation that looks
//! at the row beside it, and then as what that row stands beside. Pure.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, JoinType, Result, ScalarValue, TableReference, plan_err};
use datafusion_expr::expr_rewriter::strip_outer_reference;
use datafusion_expr::logical_plan::{Filter, Join};
use datafusion_expr::planner::{PlannedRelation, RelationPlannerContext};
use datafusion_expr::utils::conjunction;
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{self as sql, Ident, TableAlias};

use super::nodes::{Elements, Mark, Marked, Part};
use crate::formats::types;

/// The relation, and the column of elements that are no structs, where nobody says how it is called.
pub const UNNEST: &str = "unnest";
/// The column of `WITH ORDINALITY` where nobody says how it is called.
const ORDINALITY: &str = "ordinality";

/// The relation of the elements of arrays.
///
/// # Errors
/// What is no array, and an alias of too few columns or too many.
pub fn relation(
    arrays: Vec<sql::Expr>,
    alias: Option<TableAlias>,
    has_ordinality: bool,
    context: &mut dyn RelationPlannerContext,
) -> Result<PlannedRelation> {
    let nothing = DFSchema::empty();
    let (mut planned, mut items) = (Vec::new(), Vec::new());
    for array in arrays {
        let written = array.to_string();
        let array = context.sql_to_expr(called(array), &nothing)?;
        let data_type = array.get_type(&nothing)?;
        let Some(item) = item(&data_type) else {
            let is = types::name(&data_type);
            return plan_err!("UNNEST takes an array or a map, and `{written}` is {is}; {}", hint(&data_type));
        };
        items.push(Arc::clone(item));
        planned.push(array);
    }
    let alias = alias.unwrap_or_else(|| TableAlias { explicit: false, name: Ident::new(UNNEST), columns: Vec::new() });
    let names: Vec<String> = alias.columns.iter().map(|column| column.name.value.clone()).collect();
    let whole = columns(&items, false, has_ordinality);
    let spread = columns(&items, true, has_ordinality);
    let columns = match names.len() {
        0 => named(spread, &default_names(&items, &alias.name.value, has_ordinality)),
        given if given == spread.len() => named(spread, &names),
        // One name for a struct is the struct's: `t.item.sku`.
        given if given == whole.len() => named(whole, &names),
        given => {
            let has = spread.len();
            return plan_err!("Source table contains {has} columns but only {given} names given as column alias");
        }
    };
    let elements = Elements { arrays: planned, columns, is_outer: false, kept: None };
    let plan = Marked::elements(LogicalPlanBuilder::empty(true).build()?, elements)?;
    Ok(PlannedRelation::new(plan, Some(TableAlias { columns: Vec::new(), ..alias })))
}

/// An expression whose arrays in brackets are calls: the planner loses sight of the relations beside it in brackets.
fn called(mut expr: sql::Expr) -> sql::Expr {
    let _ = sql::visit_expressions_mut(&mut expr, |expr| {
        if let sql::Expr::Array(array) = expr {
            let given = |expr| sql::FunctionArg::Unnamed(sql::FunctionArgExpr::Expr(expr));
            let list = sql::FunctionArgumentList {
                duplicate_treatment: None,
                args: std::mem::take(&mut array.elem).into_iter().map(given).collect(),
                clauses: Vec::new(),
            };
            *expr = sql::Expr::Function(sql::Function {
                name: sql::ObjectName::from(vec![Ident::new("make_array")]),
                uses_odbc_syntax: false,
                parameters: sql::FunctionArguments::None,
                args: sql::FunctionArguments::List(list),
                filter: None,
                null_treatment: None,
                over: None,
                within_group: Vec::new(),
            });
        }
        ControlFlow::<()>::Continue(())
    });
    expr
}

/// The type of the elements of an array or a map, if it is one.
fn item(data_type: &DataType) -> Option<&FieldRef> {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => Some(item),
        DataType::Map(entries, _) => Some(entries),
        _ => None,
    }
}

/// What to do with a value that has no elements.
fn hint(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            "STRING_TO_ARRAY(text, ',') makes an array of a text; an array in JSON is declared as one: tags VARCHAR[]"
        }
        DataType::Struct(_) => "read the fields of a STRUCT by their names: a.b",
        _ => "make an array of it: UNNEST([a, b])",
    }
}

/// The columns of elements: structs as they are, or their fields.
fn columns(items: &[FieldRef], spreads: bool, has_ordinality: bool) -> Vec<(FieldRef, Part)> {
    let mut columns = Vec::new();
    for (array, item) in items.iter().enumerate() {
        match item.data_type() {
            DataType::Struct(fields) if spreads && !fields.is_empty() => {
                columns.extend(fields.iter().enumerate().map(|(at, field)| (nullable(field), Part::Field(array, at))));
            }
            _ => columns.push((nullable(item), Part::Whole(array))),
        }
    }
    if has_ordinality {
        columns.push((Arc::new(Field::new(ORDINALITY, DataType::Int64, true)), Part::Ordinality));
    }
    columns
}

fn nullable(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new(field.name(), field.data_type().clone(), true))
}

/// The names of fields, and for elements that have none that of the relation, as PostgreSQL does it.
fn default_names(items: &[FieldRef], relation: &str, has_ordinality: bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let unnamed = if items.len() == 1 { relation } else { UNNEST };
    for (column, part) in columns(items, true, has_ordinality) {
        let name = if matches!(part, Part::Whole(_)) { unnamed } else { column.name() };
        let again = (2..).map(|number| format!("{name}_{number}"));
        let mut free = std::iter::once(name.to_owned()).chain(again).filter(|name| !names.contains(name));
        names.extend(free.next());
    }
    names
}

fn named(columns: Vec<(FieldRef, Part)>, names: &[String]) -> Vec<(Option<TableReference>, FieldRef, Part)> {
    let named = columns.into_iter().zip(names);
    named.map(|((field, part), name)| (None, Arc::new(field.as_ref().clone().with_name(name)), part)).collect()
}

/// The plan in which elements stand beside the rows that have them, and no relation looks at the one beside it.
///
/// # Errors
/// Conditions of an outer join, and elements in a subquery, which look further than beside.
pub fn beside_their_rows(plan: LogicalPlan) -> Result<LogicalPlan> {
    let moved = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) => match lateral(&join.right) {
            Some((alias, elements)) => beside(&join, alias, elements).map(Transformed::yes),
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    moved.data.apply_with_subqueries(|node| match elements_of(node) {
        Some((elements, _)) if elements.arrays.iter().any(Expr::contains_outer) => plan_err!(
            "UNNEST reads a column of another query here; put it beside that relation in FROM: \
             FROM orders o CROSS JOIN UNNEST(o.tags) AS t (tag), or look for a value with ARRAY_HAS(tags, 'new')"
        ),
        _ => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(moved.data)
}

/// The elements that a plan is, and what they stand beside.
fn elements_of(plan: &LogicalPlan) -> Option<(&Elements, &LogicalPlan)> {
    match Marked::find(plan) {
        Some(Marked { mark: Mark::Elements(elements), input, .. }) => Some((elements, input)),
        _ => None,
    }
}

/// The elements that a side of a join is, and its name, where they stand beside nothing yet.
fn lateral(plan: &LogicalPlan) -> Option<(Option<&TableReference>, &Elements)> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => lateral(&alias.input).map(|(_, elements)| (Some(&alias.alias), elements)),
        LogicalPlan::Subquery(subquery) => lateral(&subquery.subquery),
        other => match elements_of(other)? {
            (elements, LogicalPlan::EmptyRelation(nothing)) if nothing.produce_one_row => Some((None, elements)),
            _ => None,
        },
    }
}

fn beside(join: &Join, alias: Option<&TableReference>, elements: &Elements) -> Result<LogicalPlan> {
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    let condition = conjunction(equal.chain(join.filter.clone()).filter(|condition| !is_true(condition)));
    let is_outer = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left if condition.is_none() => true,
        JoinType::Left => {
            return plan_err!(
                "LEFT JOIN UNNEST takes ON TRUE and no other condition; say in WHERE which elements count: \
                 WHERE tag <> 'old' OR tag IS NULL"
            );
        }
        other => return plan_err!("{other} JOIN UNNEST cannot be; write CROSS JOIN, or LEFT JOIN … ON TRUE"),
    };
    let columns = elements.columns.iter().map(|(_, field, part)| (alias.cloned(), Arc::clone(field), *part));
    let elements = Elements {
        arrays: elements.arrays.iter().cloned().map(strip_outer_reference).collect(),
        columns: columns.collect(),
        is_outer,
        kept: None,
    };
    let plan = Marked::elements(join.left.as_ref().clone(), elements)?;
    match condition {
        Some(condition) => Ok(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?)),
        None => Ok(plan),
    }
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(ScalarValue::Boolean(Some(true)), _))
}

/// The plan in which a row carries beside its elements only what is read of it there: an array of a thousand elements
/// would else be written a thousand times.
///
/// # Errors
/// DataFusion's, which are defects.
pub fn narrowed(plan: LogicalPlan) -> Result<LogicalPlan> {
    narrow(plan, None)
}

/// The columns of a plan's output that are read, by their places; all where absent.
type Read = Option<BTreeSet<usize>>;

fn narrow(plan: LogicalPlan, read: Read) -> Result<LogicalPlan> {
    if let Some(Marked { mark: Mark::Elements(elements), input, .. }) = Marked::find(&plan) {
        let width = input.schema().fields().len();
        let kept: Option<Vec<usize>> = read.map(|read| read.into_iter().filter(|column| *column < width).collect());
        let below = kept.clone().map(|kept| {
            let arrays = elements.arrays.iter().flat_map(Expr::column_refs);
            arrays.filter_map(|column| input.schema().maybe_index_of_column(column)).chain(kept).collect()
        });
        let (columns, elements) = (Arc::clone(input.schema()), elements.clone());
        let input = narrow(input.clone(), below)?;
        // What stands below may have become narrower itself: columns are found again by their names.
        let kept = kept.map(|kept| {
            let names = kept.into_iter().map(|column| columns.qualified_field(column));
            names
                .filter_map(|(qualifier, field)| input.schema().index_of_column_by_name(qualifier, field.name()))
                .collect()
        });
        return Marked::elements(input, Elements { kept, ..elements });
    }
    let inputs = plan.inputs();
    let [input] = inputs[..] else {
        return Ok(plan.map_children(|child| narrow(child, None).map(Transformed::yes))?.data);
    };
    let schema = Arc::clone(input.schema());
    let exprs = plan.expressions();
    let named = || {
        let columns = exprs.iter().flat_map(Expr::column_refs);
        columns.filter_map(|column| schema.maybe_index_of_column(column)).collect::<BTreeSet<_>>()
    };
    let below: Read = match &plan {
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => Some(named()),
        LogicalPlan::Filter(_) | LogicalPlan::Sort(_) => read.map(|read| &read | &named()),
        LogicalPlan::SubqueryAlias(_) | LogicalPlan::Limit(_) => read,
        // A window's bounds stand behind the columns that it is over.
        LogicalPlan::Extension(_) => match Marked::find(&plan).map(|marked| &marked.mark) {
            Some(Mark::Windowed(_)) => {
                let width = schema.fields().len();
                read.map(|read| read.into_iter().filter(|column| *column < width).chain(named()).collect())
            }
            Some(Mark::AsOf(_)) => read,
            _ => None,
        },
        _ => None,
    };
    let narrower = plan.map_children(|child| narrow(child, below.clone()).map(Transformed::yes))?.data;
    let has_its_own = matches!(narrower, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
    if has_its_own || narrower.inputs().iter().all(|input| input.schema() == &schema) {
        return Ok(narrower);
    }
    // Where a column is gone, what has the columns of its input is made again.
    let (exprs, inputs) = (narrower.expressions(), narrower.inputs().into_iter().cloned().collect());
    narrower.with_new_exprs(exprs, inputs)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::sql::plan::stream::{NodeKind, UnnestColumn};
    use crate::sql::plan::tests::plan_of;

    const ORDERS: &str =
        "CREATE STREAM o (id BIGINT, customer VARCHAR, tags VARCHAR[], note VARCHAR) WITH ('topic' = 'o');\n";

    /// How many columns a row carries beside its elements.
    fn carried(text: &str) -> usize {
        let plan = plan_of(&format!("{ORDERS}{text}")).unwrap();
        let columns = plan.nodes.iter().find_map(|node| match &node.kind {
            NodeKind::Unnest(unnest) => Some(&unnest.columns),
            _ => None,
        });
        columns.unwrap().iter().filter(|column| matches!(column, UnnestColumn::Carried(_))).count()
    }

    #[test]
    fn a_row_carries_beside_its_elements_only_what_is_read_there() {
        let from = "FROM o CROSS JOIN UNNEST(o.tags) AS t (tag)";
        for (text, count) in [
            (format!("SELECT t.tag {from}"), 0),
            (format!("SELECT o.id, t.tag {from} WHERE o.note <> 'x' AND t.tag <> o.customer"), 2),
            (format!("SELECT * {from}"), 4),
            (format!("SELECT t.tag, COUNT(*) AS n {from} WINDOW TUMBLING(1m) GROUP BY t.tag"), 0),
            (format!("SELECT t.tag, SUM(o.id) AS s {from} GROUP BY t.tag"), 1),
            (format!("SELECT s.tag FROM (SELECT * {from}) AS s WHERE s.id > 1 LIMIT 3"), 0),
            ("SELECT id, UNNEST(tags) AS tag FROM o".to_owned(), 1),
        ] {
            assert_eq!(carried(&text), count, "{text}");
        }
    }

    #[test]
    fn elements_of_what_changes_are_told_apart_by_their_places_and_sets_by_their_grouping() {
        let groups = "(SELECT customer, ARRAY_AGG(id) AS ids FROM o GROUP BY customer) AS g";
        let numbered = format!("FROM {groups} CROSS JOIN UNNEST(g.ids) WITH ORDINALITY AS t (x, n)");
        let rollup = "FROM o GROUP BY ROLLUP (customer, note) EMIT CHANGES";
        for (text, key, lacks) in [
            (format!("SELECT g.customer, t.x, t.n {numbered}"), "customer n", ""),
            (format!("SELECT g.customer, t.x {numbered}"), "", "n"),
            (format!("SELECT t.x, t.n {numbered}"), "", "customer"),
            (
                format!("SELECT g.customer, t.x FROM {groups} CROSS JOIN UNNEST(g.ids) AS t (x)"),
                "",
                "the ORDINALITY of UNNEST",
            ),
            (
                format!("SELECT note, customer, GROUPING(customer, note) AS g, COUNT(*) AS n {rollup}"),
                "customer note g",
                "",
            ),
            (format!("SELECT note, customer, COUNT(*) AS n {rollup}"), "", "GROUPING(…) of all keys"),
        ] {
            let plan = plan_of(&format!("{ORDERS}{text}")).unwrap();
            let Some(NodeKind::Sink(sink)) = plan.nodes.last().map(|node| &node.kind) else { panic!("{text}") };
            let name = |column: &usize| sink.request.schema.field(*column).name().clone();
            let found = sink.request.key.iter().map(name).collect::<Vec<_>>().join(" ");
            assert_eq!((found.as_str(), sink.request.key_lacks.join(" ").as_str()), (key, lacks), "{text}");
        }
    }
}
