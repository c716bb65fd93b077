//! A table's scan to a source node: which columns are read, where the time comes from.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion_expr::TableScan;
use datafusion_physical_expr::expressions::{Column as PhysicalColumn, Literal, cast};

use super::{Stream, Translation, as_of, columns};
use crate::connectors::contract::Columns;
use crate::connectors::contract::system_columns::{EVENT_TIME, TIMESTAMP};
use crate::sql::parse::uri_without_secrets;
use crate::sql::plan::sinks::Arranged;
use crate::sql::plan::stream::{Changes, EventTime, Expression, NodeId, NodeKind, SourceNode};
use crate::sql::plan::tables::SourceTable;

impl Translation {
    /// The node of a scan. Columns that only the event time or the table's key need are read too, and dropped behind.
    pub(super) fn source(&mut self, scan: &TableScan) -> Result<Stream> {
        let Some(table) = scan.source.as_any().downcast_ref::<SourceTable>() else {
            return plan_err!("`{}` is no source", scan.table_name);
        };
        let whole = table.source.schema();
        let width = whole.fields().len();
        let wanted: Vec<usize> = match &scan.projection {
            Some(projection) => projection.clone(),
            None => (0..width + table.system.len()).collect(),
        };
        let mut fields: Vec<usize> = wanted.iter().copied().filter(|index| *index < width).collect();
        let own = fields.len();
        let time = match &table.event_time_expr {
            Some(expr) => {
                let needed = expr.column_refs().into_iter().filter_map(|column| whole.index_of(&column.name).ok());
                for index in needed {
                    if !fields.contains(&index) {
                        fields.push(index);
                    }
                }
                Some(expr)
            }
            None => None,
        };
        let mut key = Vec::new();
        for name in &table.key {
            let Ok(index) = whole.index_of(name) else {
                return plan_err!("`{}` has no column `{name}` to be its key", table.name);
            };
            let place = fields.iter().position(|field| *field == index).unwrap_or_else(|| {
                fields.push(index);
                fields.len() - 1
            });
            key.push(place);
        }
        let system: Vec<&'static str> =
            wanted.iter().filter(|index| **index >= width).map(|index| table.system[*index - width]).collect();
        let has_event_time = system.contains(&EVENT_TIME);
        let read: Vec<&'static str> = system.iter().copied().filter(|name| *name != EVENT_TIME).collect();
        let source_fields = fields.iter().map(|index| whole.field(*index).clone());
        let system_fields = system.iter().filter_map(|name| crate::connectors::contract::system_columns::field(name));
        let schema: SchemaRef = Arc::new(Schema::new(source_fields.chain(system_fields).collect::<Vec<_>>()));
        let event_time = match time {
            _ if table.is_processing_time => EventTime::Processing,
            Some(expr) => EventTime::Expression(self.time(expr, &DFSchema::try_from(Arc::clone(&schema))?)?),
            None => EventTime::Record,
        };
        let mut times = Vec::new();
        if let Some(datafusion_expr::Expr::Column(column)) = time.map(columns::unaliased) {
            times.extend(schema.index_of(&column.name));
        }
        times.extend(schema.index_of(EVENT_TIME));
        if matches!(event_time, EventTime::Record) {
            times.extend(schema.index_of(TIMESTAMP));
        }
        let is_dated = !matches!(event_time, EventTime::Record) || table.source.dates_rows();
        let extra = fields.len() - own;
        let kind = NodeKind::Source(SourceNode {
            name: table.name.clone(),
            source: Arc::clone(&table.source),
            columns: Columns { fields, system: read, origins: self.wishes.origins },
            has_event_time,
            event_time,
            watermark: table.watermark,
            upsert_key: table.is_table.then(|| key.clone()).filter(|key| !key.is_empty()),
            state_ttl: table.state_ttl,
            options: table.options.clone(),
        });
        if table.lookup.is_some() && !self.is_lookup && self.joins > 0 {
            self.warnings.push(format!(
                "`{}` is a lookup table that no stream looks into here: it is read once, as any other source",
                table.name
            ));
        }
        // What is looked into is read whole before anybody sees it: of a key only the newest row is there.
        let is_changing = table.is_table && !key.is_empty() && !self.is_lookup;
        let changes = if is_changing { Changes::Changelog } else { Changes::Append };
        let label = format!("read {}", uri_without_secrets(&table.name));
        let node = self.add(kind, Vec::new(), Arc::clone(&schema), changes, key.clone(), label);
        let is_table = is_changing;
        let is_bounded = table.source.is_bounded();
        let (past, key_lacks) = (Vec::new(), Vec::new());
        let made = Stream { node, window: None, times, past, is_bounded, is_dated, is_table, as_of: None, key_lacks };
        if extra == 0 {
            return Ok(made);
        }
        let kept: Vec<usize> = (0..own).chain(own + extra..schema.fields().len()).collect();
        Ok(self.keep(made, &kept))
    }

    /// Whether rows of one source come to both nodes.
    pub(super) fn share_a_source(&self, one: NodeId, other: NodeId) -> bool {
        let behind = |from: NodeId| {
            let (mut open, mut sources) = (vec![from], HashSet::new());
            while let Some(node) = open.pop() {
                let inputs = &self.nodes[node.0].inputs;
                if inputs.is_empty() {
                    sources.insert(node);
                }
                open.extend(inputs);
            }
            sources
        };
        !behind(one).is_disjoint(&behind(other))
    }

    /// The same rows with only these columns, in this order.
    pub(super) fn keep(&mut self, input: Stream, kept: &[usize]) -> Stream {
        let below = self.node(&input);
        let schema = Arc::clone(&below.schema);
        let projection = kept
            .iter()
            .map(|index| Arc::new(PhysicalColumn::new(schema.field(*index).name(), *index)) as Expression)
            .collect();
        let fields: Vec<_> = kept.iter().map(|index| schema.field(*index).clone()).collect();
        let place = |column: usize| kept.iter().position(|index| *index == column);
        // Rows keep their identity even where a column of it is not carried on: the operator above names its own key.
        let (key, key_lacks) = self.carried(&input, place);
        let changes = below.changes;
        let label = "project".to_owned();
        let kind = NodeKind::Map { predicate: None, projection: Some(projection), event_time: None };
        let node = self.add(kind, vec![input.node], Arc::new(Schema::new(fields)), changes, key, label);
        let times = input.times.iter().filter_map(|column| place(*column)).collect();
        let past = as_of::moved(&input.past, |column| place(column).into_iter().collect());
        let window = input.window.and_then(|window| window.moved(place));
        Stream { node, times, past, window, key_lacks, ..input }
    }

    /// The columns of a result as a sink has them.
    pub fn arranged(&mut self, input: Stream, arranged: &Arranged) -> Stream {
        let below = self.node(&input);
        let column = |(field, from): (&Arc<Field>, &Option<usize>)| match from {
            Some(index) => {
                let of = below.schema.field(*index);
                let value = Arc::new(PhysicalColumn::new(of.name(), *index)) as Expression;
                // Types that do not fit each other are refused before.
                let wanted = field.data_type();
                let made = (of.data_type() != wanted).then(|| cast(Arc::clone(&value), &below.schema, wanted.clone()));
                made.and_then(Result::ok).unwrap_or(value)
            }
            None => {
                let null = ScalarValue::try_from(field.data_type()).unwrap_or(ScalarValue::Null);
                Arc::new(Literal::new(null)) as Expression
            }
        };
        let projection = arranged.schema.fields().iter().zip(&arranged.columns).map(column).collect();
        let (changes, key) = (below.changes, arranged.moved(&below.key));
        let is_in_order = arranged.columns.iter().copied().eq((0..below.schema.fields().len()).map(Some));
        let label = if is_in_order { "rename" } else { "arrange" };
        let kind = NodeKind::Map { predicate: None, projection: Some(projection), event_time: None };
        let node = self.add(kind, vec![input.node], Arc::clone(&arranged.schema), changes, key, label.to_owned());
        Stream { node, ..input }
    }
}
