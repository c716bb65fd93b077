//! Joins: rows of two inputs that belong together, for as long as a plan says that they wait for each other. One
//! operator for each way of waiting, one store of rows under all of them. It opens nothing and knows no channel.
//!
//! | bound | operator | output | a row goes |
//! |---|---|---|---|
//! | interval, window | `bounded` | rows only come | when the watermark says that no partner can come |
//! | stream-table | `table` | rows only come | when the table says so |
//! | temporal | `temporal` | rows only come | when no row can ask for that version |
//! | lookup | `cached` | rows only come | when the table is read again |
//! | updating | `updating` | a changelog | when it is taken back, or its time to live is over |
//!
//! `key` and `index` find rows, `store` and `agenda` keep them, `side` is all four for one input, `pairing` and `lookup`
//! make rows of pairs.

mod agenda;
mod bounded;
mod buffers;
pub mod cached;
mod clock;
mod expression;
mod index;
mod key;
mod lookup;
mod pairing;
mod side;
mod store;
mod table;
mod temporal;
mod updating;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ahash::RandomState;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_expr::type_coercion::binary::comparison_coercion;
use datafusion_physical_expr::expressions::{Column, cast};

use self::bounded::{BoundedJoin, Waiting};
use self::expression::defect;
use self::key::Codec;
use self::lookup::Lookup;
use self::pairing::{Condition, Emission, Shape};
use self::side::{Identity, IdentityColumns, Layout, Side};
use self::table::TableJoin;
use self::temporal::TemporalJoin;
use self::updating::UpdatingJoin;
use super::operator::Operator;
use crate::core::fault::{Blame, Fault};
use crate::sql::functions::checked::checked;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{AsOf, Changes, Expression, JoinBound, JoinNode};

/// One input of a join.
#[derive(Debug, Clone)]
pub struct JoinInput {
    /// Its columns.
    pub schema: SchemaRef,
    /// Whether its rows are taken back.
    pub changes: Changes,
    /// Which columns are a row's identity; empty where it has none. A change takes back the row of the same identity,
    /// whatever its other columns say; without one it takes back a row that is equal in all columns.
    pub key: Vec<usize>,
}

/// The operator of a join: left on port 0, right on port 1.
///
/// `state_ttl` is for joins of two tables alone: rows that did not change for so long are forgotten, and what was given
/// of them stays given. `late` is for those that wait for a time.
///
/// # Errors
/// What this bound cannot do: a changelog where rows may only come, an outer side that is a table.
pub fn build(
    node: &JoinNode,
    left: JoinInput,
    right: JoinInput,
    schema: &SchemaRef,
    state_ttl: Option<Duration>,
    late: LateStrategy,
) -> Result<Box<dyn Operator>, Fault> {
    let shape = Shape::of(node.join_type);
    check(node, shape, [&left, &right])?;
    let keys = keys(node, [&left.schema, &right.schema])?;
    let left_width = left.schema.fields().len();
    let reads = node.filter.as_ref().map(|filter| Condition::reads(filter, left_width)).unwrap_or_default();
    let hasher = RandomState::new();
    let side = |number: usize, input: &JoinInput| -> Result<Side, Fault> {
        let columns: Vec<usize> = if shape.shows(number) {
            (0..input.schema.fields().len()).collect()
        } else {
            let mut columns = [reads[number].as_slice(), &input.key].concat();
            columns.sort_unstable();
            columns.dedup();
            columns
        };
        let layout = Layout::new(&input.schema, columns, &keys[number])?;
        let types = types(&keys[number], &input.schema)?;
        let codec = Codec::new(&types, node.nulls_equal, hasher.clone()).map_err(unfindable)?;
        let identity = identity(node, number, input, &keys[number], &layout, &hasher)?;
        let name = if number == 0 { "left" } else { "right" };
        let spread = node.on.len();
        Ok(Side::new(name, keys[number].clone(), spread, codec, layout, identity, node.null_aware))
    };
    let sides = [side(0, &left)?, side(1, &right)?];
    let condition = node.filter.as_ref().map(|filter| Condition::new(filter, left_width, &sides)).transpose()?;
    let is_changelog = matches!(node.bound, JoinBound::Updating);
    let schema = given(schema, shape, [&left.schema, &right.schema])?;
    let emission = Emission::new(&schema, shape, is_changelog, node.undated);
    Ok(match node.bound.clone() {
        JoinBound::Interval { before_ms, after_ms, left_time, right_time } => {
            let times = [left_time.map(checked), right_time.map(checked)];
            let waiting = Waiting::Interval { before_ms, after_ms, times };
            Box::new(BoundedJoin::new(sides, shape, condition, waiting, node.null_aware, late, emission))
        }
        JoinBound::Window { left_end, right_end } => {
            let waiting = Waiting::Window { ends: [left_end, right_end] };
            Box::new(BoundedJoin::new(sides, shape, condition, waiting, node.null_aware, late, emission))
        }
        JoinBound::StreamTable => {
            Box::new(TableJoin::new(sides, Lookup::new(shape, condition, emission), node.null_aware))
        }
        JoinBound::Temporal { as_of } => {
            let as_of = as_of.map(|as_of| AsOf { time: checked(as_of.time), ..as_of });
            Box::new(TemporalJoin::new(sides, Lookup::new(shape, condition, emission), as_of, late))
        }
        JoinBound::Lookup(_) => return Err(defect("a table that is looked into is no input of it")),
        JoinBound::Updating => {
            Box::new(UpdatingJoin::new(sides, shape, condition, node.null_aware, emission, state_ttl))
        }
    })
}

fn check(node: &JoinNode, shape: Shape, inputs: [&JoinInput; 2]) -> Result<(), Fault> {
    let refuse = |what: &str, next: &str| Err(Fault::new(Blame::Operator, what).next(next));
    let changes = |input: usize| inputs[input].changes == Changes::Changelog;
    let follows_left = matches!(shape, Shape::Pairs { pads: [_, false] } | Shape::Member { kept: 0, .. });
    match node.bound {
        JoinBound::Interval { .. } | JoinBound::Window { .. } if changes(0) || changes(1) => refuse(
            "rows that change cannot wait for partners in a window of time",
            "make the changing side final (EMIT FINAL), or join it as a TABLE",
        ),
        JoinBound::StreamTable | JoinBound::Temporal { .. } if changes(0) => {
            refuse("a result that changes cannot look into a table as of a time", "make both sides a TABLE")
        }
        JoinBound::StreamTable | JoinBound::Temporal { .. } if !follows_left => refuse(
            "a stream cannot be joined with a table so that rows of the table come by themselves",
            "use INNER or LEFT JOIN with the stream on the left, or make both sides a TABLE",
        ),
        JoinBound::Temporal { .. } if node.null_aware => refuse(
            "IN cannot ask a table as of a time whether NULL hides an answer",
            "use EXISTS, or leave FOR SYSTEM_TIME AS OF out",
        ),
        _ if node.null_aware && (node.on.len() != 1 || !matches!(shape, Shape::Member { kept: 0, .. })) => {
            refuse("IN compares one column", "use EXISTS for several")
        }
        _ => Ok(()),
    }
}

/// The keys of both sides, of equal types. Windows must be the same, so their ends are keys too.
fn keys(node: &JoinNode, schemas: [&SchemaRef; 2]) -> Result<[Vec<Expression>; 2], Fault> {
    let mut keys = [Vec::new(), Vec::new()];
    for (left, right) in &node.on {
        let (left, right) = (&checked(Arc::clone(left)), &checked(Arc::clone(right)));
        let (from, to) = (left.data_type(schemas[0]).map_err(defect)?, right.data_type(schemas[1]).map_err(defect)?);
        if from == to {
            keys[0].push(Arc::clone(left));
            keys[1].push(Arc::clone(right));
            continue;
        }
        let Some(both) = comparison_coercion(&from, &to) else {
            let what = format!("a join cannot compare {from} with {to}");
            return Err(Fault::new(Blame::Operator, what).next("CAST one of them"));
        };
        keys[0].push(cast(Arc::clone(left), schemas[0], both.clone()).map_err(defect)?);
        keys[1].push(cast(Arc::clone(right), schemas[1], both).map_err(defect)?);
    }
    if let JoinBound::Window { left_end, right_end } = node.bound {
        let ends = |(left, right): &(Expression, Expression)| {
            column(left) == Some(left_end) && column(right) == Some(right_end)
        };
        // Where NULL may be equal it meets rows of every key: there the ends are compared row by row alone.
        if !node.null_aware && !node.on.iter().any(ends) {
            for (keys, (schema, end)) in keys.iter_mut().zip(schemas.iter().zip([left_end, right_end])) {
                keys.push(Arc::new(Column::new(schema.field(end).name(), end)));
            }
        }
    }
    Ok(keys)
}

/// How a row of an input is found again when it is taken back.
fn identity(
    node: &JoinNode,
    number: usize,
    input: &JoinInput,
    keys: &[Expression],
    layout: &Layout,
    hasher: &RandomState,
) -> Result<Identity, Fault> {
    let is_changelog = input.changes == Changes::Changelog;
    let is_table = match node.bound {
        JoinBound::StreamTable => number == 1,
        JoinBound::Updating => is_changelog,
        _ => false,
    };
    if !is_table {
        return Ok(Identity::None);
    }
    let is_asked_whether = matches!(Shape::of(node.join_type), Shape::Member { .. });
    if input.key.is_empty() && !is_changelog && !(is_asked_whether && node.filter.is_some()) {
        // A table without a key of its own has the one that it is looked up by.
        return Ok(Identity::Key);
    }
    let columns: Vec<Option<usize>> = keys.iter().map(column).collect();
    let is_nullable = |column: &usize| input.schema.field(*column).is_nullable();
    let is_key = !input.key.is_empty()
        && columns.len() == input.key.len()
        && input.key.iter().all(|column| columns.contains(&Some(*column)))
        && (node.nulls_equal || !input.key.iter().any(is_nullable));
    if is_key {
        return Ok(Identity::Key);
    }
    let columns: Vec<usize> = if input.key.is_empty() {
        (0..layout.schema().fields().len()).collect()
    } else {
        input.key.iter().filter_map(|column| layout.position(*column)).collect()
    };
    let types: Vec<DataType> =
        columns.iter().map(|column| layout.schema().field(*column).data_type().clone()).collect();
    let codec = Codec::new(&types, true, hasher.clone()).map_err(unfindable)?;
    // Where rows only come and are asked whether there is one, of equal ones one is enough.
    let replaces = !input.key.is_empty() || !is_changelog;
    Ok(Identity::Columns(Box::new(IdentityColumns { columns, codec, index: index::Index::default(), replaces })))
}

/// The schema of what is given: columns that NULLs are filled into are nullable, whatever the plan says.
fn given(schema: &SchemaRef, shape: Shape, inputs: [&SchemaRef; 2]) -> Result<SchemaRef, Fault> {
    let mut columns: Vec<(DataType, bool)> = Vec::new();
    for (number, input) in inputs.iter().enumerate().filter(|(number, _)| shape.shows(*number)) {
        let is_padded = matches!(shape, Shape::Pairs { pads } if pads[1 - number]);
        columns
            .extend(input.fields().iter().map(|field| (field.data_type().clone(), is_padded || field.is_nullable())));
    }
    if let Shape::Member { marks: true, .. } = shape {
        columns.push((DataType::Boolean, false));
    }
    let has = |(field, (data_type, _)): (&Arc<Field>, &(DataType, bool))| field.data_type() == data_type;
    if schema.fields().len() != columns.len() || !schema.fields().iter().zip(&columns).all(has) {
        return Err(defect("the columns of its output are not those of its inputs"));
    }
    let fields = schema.fields().iter().zip(columns);
    let fields = fields.map(|(field, (_, nullable))| {
        if nullable && !field.is_nullable() {
            Arc::new(field.as_ref().clone().with_nullable(true))
        } else {
            Arc::clone(field)
        }
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn types(keys: &[Expression], schema: &SchemaRef) -> Result<Vec<DataType>, Fault> {
    keys.iter().map(|key| key.data_type(schema)).collect::<Result<_, _>>().map_err(defect)
}

fn column(expression: &Expression) -> Option<usize> {
    expression.as_any().downcast_ref::<Column>().map(Column::index)
}

fn unfindable(error: arrow::error::ArrowError) -> Fault {
    Fault::new(Blame::Operator, format!("rows cannot be found again by these columns: {error}"))
        .next("compare columns of plain types; give a changing input a PRIMARY KEY")
}
