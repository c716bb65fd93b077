//! Rows beside the elements of their arrays: which columns come out, and what becomes of a row's identity.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_common::{Result, plan_datafusion_err, plan_err};
use datafusion_expr::LogicalPlan;
use datafusion_expr::logical_plan::Unnest;
use datafusion_physical_expr::expressions::Column;

use super::{Stream, Translation, as_of, columns, said};
use crate::sql::parse::statement::Emit;
use crate::sql::plan::nodes::{Elements, Marked, Part};
use crate::sql::plan::stream::{NodeKind, UnnestArray, UnnestColumn, UnnestNode};

/// What tells the elements of one row apart, for people who look for a key.
const ORDINALITY: &str = "the ORDINALITY of UNNEST";

impl Translation {
    /// Elements in a FROM.
    pub(super) fn elements(&mut self, marked: &Marked, elements: &Elements, emit: Option<Emit>) -> Result<Stream> {
        let input = self.translate(&marked.input, emit)?;
        let from = marked.input.schema();
        let arrays = self.expressions(&elements.arrays, from)?;
        let all = || (0..from.fields().len()).collect();
        let carried = elements.kept.clone().unwrap_or_else(all).into_iter().map(UnnestColumn::Carried);
        let beside = elements.columns.iter().map(|(_, _, part)| match *part {
            Part::Whole(array) => UnnestColumn::Element(array),
            Part::Field(array, field) => UnnestColumn::Field(array, field),
            Part::Ordinality => UnnestColumn::Ordinality,
        });
        let node = UnnestNode {
            arrays: arrays.into_iter().map(|array| UnnestArray { array, depth: 1 }).collect(),
            columns: carried.chain(beside).collect(),
            is_outer: elements.is_outer,
        };
        let listed = elements.arrays.iter().map(columns::plain).collect::<Vec<_>>().join(", ");
        let numbered = if node.columns.contains(&UnnestColumn::Ordinality) { " with ordinality" } else { "" };
        let stays = if node.is_outer { ", rows without elements stay" } else { "" };
        let label = format!("unnest {listed}{numbered}{stays}");
        Ok(self.unnested(input, node, Arc::clone(marked.columns().inner()), label))
    }

    /// Elements in a SELECT list.
    pub(super) fn unnest(&mut self, unnest: &Unnest, emit: Option<Emit>) -> Result<Stream> {
        let input = self.translate(&unnest.input, emit).map_err(|error| match said(&error) {
            session if session.starts_with("a SESSION window is known only by its key") => plan_datafusion_err!(
                "a SESSION window is not over the elements of a SELECT list; \
                 name them in FROM: FROM orders o CROSS JOIN UNNEST(o.tags) AS t (tag) WINDOW SESSION(30s)"
            ),
            _ => error,
        })?;
        let below = self.node(&input).schema.clone();
        let (mut arrays, mut columns, mut listed) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (qualifier, field)) in unnest.input.schema().iter().enumerate() {
            let mut lists = unnest.list_type_columns.iter().filter(|(column, _)| *column == index).peekable();
            if lists.peek().is_some() {
                listed.push(written(&unnest.input, qualifier.map(ToString::to_string).as_deref(), field.name()));
            } else if let (true, arrow::datatypes::DataType::Struct(fields)) =
                (unnest.struct_type_columns.contains(&index), field.data_type())
            {
                columns.extend((0..fields.len()).map(|part| UnnestColumn::CarriedField(index, part)));
            } else {
                columns.push(UnnestColumn::Carried(index));
            }
            for (_, list) in lists {
                columns.push(UnnestColumn::Element(arrays.len()));
                let array = Arc::new(Column::new(below.field(index).name(), index));
                arrays.push(UnnestArray { array, depth: list.depth });
            }
        }
        if arrays.iter().any(|array| array.depth != arrays[0].depth) {
            return plan_err!(
                "UNNEST(UNNEST(…)) stands beside no UNNEST of another depth; read the inner one from a subquery"
            );
        }
        let is_of_structs = arrays.is_empty();
        // Only fields of structs are taken out: each row stays what it is.
        let node = UnnestNode { arrays, columns, is_outer: is_of_structs };
        let label =
            if is_of_structs { "fields of structs".to_owned() } else { format!("unnest {}", listed.join(", ")) };
        Ok(self.unnested(input, node, Arc::clone(unnest.schema.inner()), label))
    }

    fn unnested(&mut self, input: Stream, node: UnnestNode, schema: SchemaRef, label: String) -> Stream {
        let place = |column: usize| node.columns.iter().position(|made| *made == UnnestColumn::Carried(column));
        let (mut key, mut key_lacks) = self.carried(&input, place);
        let ordinality = node.columns.iter().position(|made| *made == UnnestColumn::Ordinality);
        let had_key = !self.node(&input).key.is_empty();
        match ordinality {
            _ if node.arrays.is_empty() => {}
            Some(ordinality) if !key.is_empty() => key.push(ordinality),
            Some(_) => {}
            // The elements of a row are not told apart by what the row is.
            None if had_key => {
                key.clear();
                key_lacks.push(ORDINALITY.to_owned());
            }
            None => {}
        }
        let times = input.times.iter().filter_map(|time| place(*time)).collect();
        let past = as_of::moved(&input.past, |column| place(column).into_iter().collect());
        let window = input.window.and_then(|window| window.moved(place));
        let is_table = input.is_table && !key.is_empty();
        let changes = self.node(&input).changes;
        let node = self.add(NodeKind::Unnest(node), vec![input.node], schema, changes, key, label);
        Stream { node, window, times, past, is_table, key_lacks, ..input }
    }
}

/// An array as it stands in the SELECT list: the planner has given it a name of its own.
fn written(input: &LogicalPlan, relation: Option<&str>, name: &str) -> String {
    let own = |expr: &&datafusion_expr::Expr| {
        let (qualifier, own) = expr.qualified_name();
        own == name && qualifier.map(|qualifier| qualifier.to_string()).as_deref() == relation
    };
    match input {
        LogicalPlan::Projection(projection) => {
            projection.expr.iter().find(own).map(|expr| columns::plain(columns::unaliased(expr)))
        }
        _ => None,
    }
    .unwrap_or_else(|| columns::element(name).unwrap_or_else(|| name.to_owned()))
}
