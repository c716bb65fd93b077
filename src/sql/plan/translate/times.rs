//! Whether a value is the event time of its rows by another name: what a declaration computes its time from, and what it
//! computes from that again. Pure.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_physical_expr::ScalarFunctionExpr;
use datafusion_physical_expr::expressions::{CastExpr, Column as PhysicalColumn};

use super::Translation;
use crate::sql::plan::stream::{EventTime, Expression, NodeId, NodeKind, SourceNode};

/// Functions of a number, or of a text, that declarations take a time by.
const READINGS: [&str; 4] =
    ["to_timestamp_seconds", "to_timestamp_millis", "to_timestamp_micros", "to_timestamp_nanos"];

impl Translation {
    /// Whether `value`, over the columns of a node, is what its source takes the event time from: `t` of
    /// `t AS TO_TIMESTAMP_MILLIS(ts), WATERMARK FOR t AS t`.
    pub(super) fn is_event_time(&self, node: NodeId, value: &Expression) -> bool {
        let same = |(time, value, schema): (_, _, &SchemaRef)| plain(&time, schema) == plain(&value, schema);
        self.of_source(node, value).is_some_and(same)
    }

    /// Whether `value` is the number or the text that the event time is read from: `ts` of `'event.time.field' = 'ts'`.
    pub(super) fn is_read_as_event_time(&self, node: NodeId, value: &Expression) -> bool {
        self.of_source(node, value).is_some_and(|(time, value, schema)| {
            let read = plain(&time, schema);
            let call = read.as_any().downcast_ref::<ScalarFunctionExpr>();
            call.filter(|call| READINGS.contains(&call.fun().name()))
                .and_then(|call| call.args().first())
                .is_some_and(|read| plain(read, schema) == value)
        })
    }

    /// The event time of the source behind a node, and `value`, both over the columns of that source.
    fn of_source(&self, node: NodeId, value: &Expression) -> Option<(Expression, Expression, &SchemaRef)> {
        let node = &self.nodes[node.0];
        match &node.kind {
            NodeKind::Source(SourceNode { event_time: EventTime::Expression(time), .. }) => {
                Some((Arc::clone(time), Arc::clone(value), &node.schema))
            }
            NodeKind::Map { projection: None, event_time: None, .. } => self.of_source(*node.inputs.first()?, value),
            NodeKind::Map { projection: Some(projection), event_time: None, .. } => {
                let below = Arc::clone(value).transform(|part| {
                    let column = part.as_any().downcast_ref::<PhysicalColumn>();
                    Ok(match column.and_then(|column| projection.get(column.index())) {
                        Some(from) => Transformed::new(Arc::clone(from), true, TreeNodeRecursion::Jump),
                        None => Transformed::no(part),
                    })
                });
                self.of_source(*node.inputs.first()?, &below.ok()?.data)
            }
            _ => None,
        }
    }
}

/// A time without the casts to milliseconds around it that take nothing away.
fn plain(time: &Expression, schema: &SchemaRef) -> Expression {
    let cast = time.as_any().downcast_ref::<CastExpr>();
    let is_finer = |cast: &CastExpr| {
        use DataType::Timestamp;
        matches!(cast.expr().data_type(schema), Ok(Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, _)) | Err(_))
    };
    match cast.filter(|cast| *cast.cast_type() == DataType::Timestamp(TimeUnit::Millisecond, None)) {
        Some(cast) if !is_finer(cast) => plain(cast.expr(), schema),
        _ => Arc::clone(time),
    }
}
