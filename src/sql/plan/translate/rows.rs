//! Rows as they come: which of them, with which columns, of several inputs, or written in the statement. Nothing here keeps
//! any.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion_common::{DFSchema, Result, plan_err};
use datafusion_expr::Expr;

use super::windowed::moved_key;
use super::{Stream, Translation, as_of, columns};
use crate::connectors::contract::system_columns::EVENT_TIME;
use crate::sql::plan::stream::{Changes, NodeKind};

impl Translation {
    /// The rows for which a predicate is true.
    pub(super) fn filter(&mut self, input: Stream, predicate: &Expr, schema: &DFSchema) -> Result<Stream> {
        let label = format!("filter {}", columns::plain(predicate));
        let predicate = Some(self.expression(predicate, schema)?);
        let below = self.node(&input);
        let (schema, changes, key) = (Arc::clone(&below.schema), below.changes, below.key.clone());
        let kind = NodeKind::Map { predicate, projection: None, event_time: None };
        let node = self.add(kind, vec![input.node], schema, changes, key, label);
        Ok(Stream { node, ..input })
    }

    /// Other columns of the same rows; one that is called as the event time sets it.
    pub(super) fn project(
        &mut self,
        input: Stream,
        exprs: &[Expr],
        from: &DFSchema,
        schema: SchemaRef,
    ) -> Result<Stream> {
        let moved = columns::Moved::of(exprs, from);
        let mut times = moved.all(&input.times);
        let mut past = as_of::moved(&input.past, |column| moved.all(&[column]));
        let mut event_time = None;
        for (index, expr) in exprs.iter().enumerate() {
            let (_, name) = expr.qualified_name();
            if name == EVENT_TIME
                && !matches!(columns::unaliased(expr), Expr::Column(column) if column.name == EVENT_TIME)
            {
                event_time = Some(self.time(columns::unaliased(expr), from)?);
                (times, past) = (vec![index], Vec::new());
            }
        }
        let projection = exprs.iter().map(|expr| self.expression(expr, from)).collect::<Result<Vec<_>>>()?;
        if event_time.is_none() {
            let named = |place: &usize| !times.contains(place) && self.is_event_time(input.node, &projection[*place]);
            let named: Vec<usize> = (0..projection.len()).filter(named).collect();
            times.extend(named);
        }
        let below = self.node(&input);
        let (key, key_lacks) = match self.merged(input.node, exprs, from) {
            Some(key) => (key, Vec::new()),
            None => self.carried(&input, |column| moved.one(column)),
        };
        let changes = below.changes;
        let label = format!("project {}", exprs.iter().map(columns::plain).collect::<Vec<_>>().join(", "));
        let window = input.window.and_then(|window| window.moved(|column| moved.one(column)));
        let is_table = input.is_table && !key.is_empty();
        let filter = match &below.kind {
            NodeKind::Map { predicate: Some(predicate), projection: None, event_time: None }
                if input.node.0 + 1 == self.nodes.len() =>
            {
                Some((Arc::clone(predicate), below.inputs.clone(), below.label.clone()))
            }
            _ => None,
        };
        let sets_time = event_time.is_some();
        let node = match filter {
            // A filter and the projection over it are one step.
            Some((predicate, inputs, filter)) => {
                self.nodes.pop();
                let kind = NodeKind::Map { predicate: Some(predicate), projection: Some(projection), event_time };
                self.add(kind, inputs, schema, changes, key, format!("{filter}, {label}"))
            }
            None => {
                let kind = NodeKind::Map { predicate: None, projection: Some(projection), event_time };
                self.add(kind, vec![input.node], schema, changes, key, label)
            }
        };
        let is_dated = input.is_dated || sets_time;
        Ok(Stream { node, window, times, past, is_dated, is_table, key_lacks, ..input })
    }

    /// The key of a stream whose columns move, and the names of those without which it has none.
    pub(super) fn carried(&self, input: &Stream, place: impl Fn(usize) -> Option<usize>) -> (Vec<usize>, Vec<String>) {
        let below = self.node(input);
        let place = |column| place(column).or_else(|| place(self.twin(input.node, column)?));
        match moved_key(&below.key, input.window, place) {
            Ok(key) if below.key.is_empty() => (key, input.key_lacks.clone()),
            Ok(key) => (key, Vec::new()),
            Err(lacks) => (
                Vec::new(),
                lacks.into_iter().map(|column| columns::known_as(below.schema.field(column).name())).collect(),
            ),
        }
    }

    /// The rows of all inputs.
    pub(super) fn union(&mut self, inputs: Vec<Stream>, schema: SchemaRef) -> Result<Stream> {
        let changes = if inputs.iter().all(|input| self.node(input).changes == Changes::Append) {
            Changes::Append
        } else {
            Changes::Changelog
        };
        let Some(first) = inputs.first().cloned() else { return plan_err!("UNION of nothing") };
        let same_window = inputs.iter().all(|input| input.window == first.window);
        let times = first.times.iter().copied().filter(|time| inputs.iter().all(|input| input.times.contains(time)));
        let times = times.collect();
        let nodes = inputs.iter().map(|input| input.node).collect();
        let is_bounded = inputs.iter().all(|input| input.is_bounded);
        let node = self.add(NodeKind::Union, nodes, schema, changes, Vec::new(), "union".to_owned());
        let window = first.window.filter(|_| same_window);
        let past = Vec::new();
        let is_dated = inputs.iter().any(|input| input.is_dated);
        Ok(Stream {
            node,
            window,
            times,
            past,
            is_bounded,
            is_dated,
            is_table: false,
            as_of: None,
            key_lacks: Vec::new(),
        })
    }

    /// Constant rows.
    pub(super) fn values(&mut self, rows: Vec<RecordBatch>, schema: SchemaRef) -> Stream {
        let node =
            self.add(NodeKind::Values(rows), Vec::new(), schema, Changes::Append, Vec::new(), "values".to_owned());
        Stream {
            node,
            window: None,
            times: Vec::new(),
            past: Vec::new(),
            is_bounded: true,
            is_dated: false,
            is_table: false,
            as_of: None,
            key_lacks: Vec::new(),
        }
    }

    /// A row of constants, of the types of `schema`.
    pub(super) fn literals(&self, row: &[Expr], schema: &DFSchema) -> Result<RecordBatch> {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
        let one = RecordBatch::try_new_with_options(Arc::new(arrow::datatypes::Schema::empty()), Vec::new(), &options)?;
        let columns = row
            .iter()
            .zip(schema.fields())
            .map(|(expr, field)| {
                let value = self.expression(expr, &DFSchema::empty())?.evaluate(&one)?.into_array(1)?;
                Ok(arrow::compute::cast(&value, field.data_type())?)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(Arc::clone(schema.inner()), columns)?)
    }
}
