//! Groupings: over a window that stands below, over a window that the rows already carry, or for as long as the job runs.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, DataFusionError, Result, plan_err};
use datafusion_expr::expr::{AggregateFunction, AggregateFunctionParams, NullTreatment};
use datafusion_expr::utils::{conjunction, split_conjunction_owned};
use datafusion_expr::{Aggregate, Expr, LogicalPlan};
use datafusion_physical_expr::aggregate::AggregateExprBuilder;

use super::windowed::{ToldBy, WindowColumns};
use super::{Stream, Translation, columns};
use crate::sql::parse::statement::Emit;
use crate::sql::plan::nodes::{Mark, Marked, WINDOW_END, WINDOW_START, Window};
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{AggregateCall, AggregateNode, Changes, EmitMode, Expression, NodeKind, WindowNode};

impl Translation {
    /// The nodes of a grouping.
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, emit: Option<Emit>) -> Result<Stream> {
        if let [Expr::GroupingSet(sets)] = &aggregate.group_expr[..] {
            return self.grouping_sets(aggregate, sets, emit);
        }
        let input = self.grouped_input(aggregate)?;
        self.grouping(aggregate, input, emit)
    }

    /// What a grouping reads: rows before they are in a window, where it stands on one.
    pub(super) fn grouped_input(&mut self, aggregate: &Aggregate) -> Result<Stream> {
        let Some((grouping, below, _)) = Grouping::over_window(aggregate)? else {
            return self.translate(&aggregate.input, None);
        };
        let input = self.translate(below, None)?;
        match conjunction(grouping.filters.into_iter().filter(|filter| !names_window(filter))) {
            Some(predicate) => self.filter(input, &predicate, below.schema()),
            None => Ok(input),
        }
    }

    /// A grouping of what it reads.
    pub(super) fn grouping(&mut self, aggregate: &Aggregate, input: Stream, emit: Option<Emit>) -> Result<Stream> {
        match Grouping::over_window(aggregate)? {
            Some((grouping, below, window)) => {
                self.windowed(&grouping, (input, below.schema()), window, aggregate, emit)
            }
            None => self.grouped(aggregate, input, emit),
        }
    }

    fn windowed(
        &mut self,
        grouping: &Grouping,
        (input, from): (Stream, &DFSchema),
        window: &Window,
        aggregate: &Aggregate,
        emit: Option<Emit>,
    ) -> Result<Stream> {
        let above = grouping.filters.iter().filter(|filter| names_window(filter)).cloned();
        let window = self.window_node(window, from)?;
        let keys: Vec<&Expr> = grouping.groups.iter().filter(|expr| window_column(expr).is_none()).collect();
        if keys.iter().any(|expr| names_window(expr)) {
            return plan_err!("a key cannot be computed from window_start or window_end; group by them as they are");
        }
        let node = AggregateNode {
            keys: keys.iter().map(|expr| self.key(expr, from)).collect::<Result<_>>()?,
            calls: self.calls(&grouping.calls, from)?,
            emit: self.emit_mode(emit, true, input.is_bounded)?,
        };
        let changes = match (node.emit, self.node(&input).changes) {
            (EmitMode::Final, _) if self.wishes.late != LateStrategy::UpdatePrevious => Changes::Append,
            _ => Changes::Changelog,
        };
        // The operator gives keys, window_start, window_end, aggregates; the grouping wants its own order.
        let outer = aggregate.schema.inner();
        let groups = grouping.groups.len();
        let bound = |name: &str| {
            Field::new(
                name,
                arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None),
                false,
            )
        };
        let mut fields = Vec::new();
        let mut kept = Vec::new();
        let (start, end) = (keys.len(), keys.len() + 1);
        let mut next_key = 0;
        for (index, group) in grouping.groups.iter().enumerate() {
            match window_column(group) {
                Some(WINDOW_START) => kept.push(start),
                Some(_) => kept.push(end),
                None => {
                    fields.push(outer.field(index).clone());
                    kept.push(next_key);
                    next_key += 1;
                }
            }
        }
        fields.extend([bound(WINDOW_START), bound(WINDOW_END)]);
        fields.extend((groups..outer.fields().len()).map(|index| outer.field(index).clone()));
        kept.extend(end + 1..fields.len());
        let label = format!("{} group by {}", columns::window_label(&window.kind), self.listed(&aggregate.group_expr));
        let bounds = WindowColumns { start: Some(start), end: Some(end), kind: window.kind };
        if bounds.told_by() == ToldBy::End && !kept.contains(&end) {
            return plan_err!("cumulating windows begin together; GROUP BY window_end, which tells them apart");
        }
        let has_time = window.time.is_some();
        let kind = NodeKind::WindowAggregate { window, aggregate: node };
        let key = (0..=end).collect();
        let made = self.add(kind, vec![input.node], Arc::new(Schema::new(fields)), changes, key, label);
        let is_dated = input.is_dated || has_time;
        let made = Stream {
            node: made,
            window: Some(bounds),
            times: Vec::new(),
            past: Vec::new(),
            is_dated,
            is_table: false,
            ..input
        };
        let mut made = self.arrange(made, &kept);
        if let Some(predicate) = conjunction(above) {
            let named = predicate.transform(|expr| {
                Ok(match window_column(&expr) {
                    Some(name) => Transformed::yes(Expr::Column(Column::new_unqualified(name))),
                    None => Transformed::no(expr),
                })
            })?;
            let schema = DFSchema::try_from(Arc::clone(&self.node(&made).schema))?;
            made = self.filter(made, &named.data, &schema)?;
        }
        Ok(made)
    }

    fn grouped(&mut self, aggregate: &Aggregate, input: Stream, emit: Option<Emit>) -> Result<Stream> {
        let from = aggregate.input.schema();
        let place = |expr: &Expr| match columns::unaliased(expr) {
            Expr::Column(column) => from.maybe_index_of_column(column),
            _ => None,
        };
        // Rows that carry their window, grouped by its end: the group closes with the window.
        let is_grouped = |column: usize| aggregate.group_expr.iter().any(|expr| place(expr) == Some(column));
        let carried = input.window.and_then(|window| Some((window, window.end.filter(|end| is_grouped(*end))?)));
        let below = self.node(&input).changes;
        let calls = self.calls(&aggregate.aggr_expr, from)?;
        let keys = aggregate.group_expr.iter().map(|expr| self.key(expr, from)).collect::<Result<Vec<_>>>()?;
        let schema = Arc::clone(aggregate.schema.inner());
        let label = format!("group by {}", self.listed(&aggregate.group_expr));
        let key: Vec<usize> = (0..keys.len()).collect();
        if let Some((carried, window_end)) = carried.filter(|_| below == Changes::Append) {
            let emit = self.emit_mode(emit, true, input.is_bounded)?;
            let is_final = emit == EmitMode::Final && self.wishes.late != LateStrategy::UpdatePrevious;
            let changes = if is_final { Changes::Append } else { Changes::Changelog };
            let at = |column: usize| aggregate.group_expr.iter().position(|expr| place(expr) == Some(column));
            let kind = NodeKind::CarriedWindowAggregate { window_end, aggregate: AggregateNode { keys, calls, emit } };
            let made = self.add(kind, vec![input.node], schema, changes, key, format!("window {label}"));
            let window = carried.moved(at);
            return Ok(Stream { node: made, window, times: Vec::new(), past: Vec::new(), is_table: false, ..input });
        }
        let emit = self.emit_mode(emit, false, input.is_bounded)?;
        let only_distinct = calls.is_empty() && below == Changes::Append;
        let changes = if emit == EmitMode::Final || only_distinct { Changes::Append } else { Changes::Changelog };
        let kind = NodeKind::GroupAggregate(AggregateNode { keys, calls, emit });
        let is_table = changes == Changes::Changelog;
        let made = self.add(kind, vec![input.node], schema, changes, key, label);
        Ok(Stream { node: made, window: None, times: Vec::new(), past: Vec::new(), is_table, ..input })
    }

    fn listed(&self, exprs: &[Expr]) -> String {
        if exprs.is_empty() { "()".to_owned() } else { exprs.iter().map(columns::plain).collect::<Vec<_>>().join(", ") }
    }

    /// The same columns in another order, if it is another.
    fn arrange(&mut self, input: Stream, kept: &[usize]) -> Stream {
        if kept.iter().copied().eq(0..self.node(&input).schema.fields().len()) {
            return input;
        }
        let key = self.node(&input).key.clone();
        let made = self.keep(input, kept);
        // What is grouped by is the key: of a window that is one bound where the statement names no more.
        let place = |column: &usize| kept.iter().position(|index| index == column);
        self.nodes[made.node.0].key = key.iter().filter_map(place).collect();
        Stream { key_lacks: Vec::new(), ..made }
    }

    pub(super) fn window_node(&self, window: &Window, from: &DFSchema) -> Result<WindowNode> {
        Ok(WindowNode {
            kind: window.kind,
            time: window.time.as_ref().map(|time| self.time(time, from)).transpose()?,
            lateness: window.grace.unwrap_or(self.wishes.lateness),
        })
    }

    fn calls(&self, exprs: &[Expr], from: &DFSchema) -> Result<Vec<AggregateCall>> {
        exprs.iter().map(|expr| self.call(expr, from)).collect()
    }

    fn call(&self, expr: &Expr, from: &DFSchema) -> Result<AggregateCall> {
        let name = expr.qualified_name().1;
        let Expr::AggregateFunction(AggregateFunction { func, params }) = columns::unaliased(expr) else {
            return plan_err!("`{}` is no aggregate", columns::plain(expr));
        };
        let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = params;
        let of = |arg| if *distinct { self.key(arg, from) } else { self.expression(arg, from) };
        let function = AggregateExprBuilder::new(Arc::clone(func), args.iter().map(of).collect::<Result<_>>()?)
            .order_by(self.sort_exprs(order_by, from)?)
            .schema(Arc::clone(from.inner()))
            .alias(name)
            .with_ignore_nulls(*null_treatment == Some(NullTreatment::IgnoreNulls))
            .with_distinct(*distinct)
            .build()?;
        let filter: Option<Expression> = filter.as_ref().map(|filter| self.expression(filter, from)).transpose()?;
        // What a constant argument makes impossible is known now.
        if let Err(error) = function.create_accumulator()
            && matches!(error.find_root(), DataFusionError::Plan(_))
        {
            return Err(error);
        }
        Ok(AggregateCall { function: Arc::new(function), filter })
    }
}

/// A grouping rewritten to stand directly on the window below it.
pub(super) struct Grouping {
    groups: Vec<Expr>,
    calls: Vec<Expr>,
    filters: Vec<Expr>,
}

impl Grouping {
    /// The grouping over the window below, if there is one with nothing but projections, filters and names between.
    pub(super) fn over_window(aggregate: &Aggregate) -> Result<Option<(Self, &LogicalPlan, &Window)>> {
        let mut grouping = Self {
            groups: aggregate.group_expr.iter().map(|expr| columns::unaliased(expr).clone()).collect(),
            calls: aggregate.aggr_expr.clone(),
            filters: Vec::new(),
        };
        let mut plan = aggregate.input.as_ref();
        loop {
            match plan {
                LogicalPlan::Projection(projection) => {
                    let by_name: HashMap<Column, Expr> = projection
                        .schema
                        .iter()
                        .zip(&projection.expr)
                        .map(|((qualifier, field), expr)| {
                            (Column::from((qualifier, field)), columns::unaliased(expr).clone())
                        })
                        .collect();
                    grouping.substitute(&by_name)?;
                    plan = projection.input.as_ref();
                }
                LogicalPlan::SubqueryAlias(alias) => {
                    let by_name: HashMap<Column, Expr> = alias
                        .schema
                        .columns()
                        .into_iter()
                        .zip(alias.input.schema().columns().into_iter().map(Expr::Column))
                        .collect();
                    grouping.substitute(&by_name)?;
                    plan = alias.input.as_ref();
                }
                LogicalPlan::Filter(filter) => {
                    grouping.filters.extend(split_conjunction_owned(filter.predicate.clone()));
                    plan = filter.input.as_ref();
                }
                other => {
                    let Some(Marked { input, mark: Mark::Windowed(window), .. }) = Marked::find(other) else {
                        return Ok(None);
                    };
                    if !grouping.groups.iter().any(|expr| window_column(expr).is_some()) {
                        return Ok(None);
                    }
                    return Ok(Some((grouping, input, window)));
                }
            }
        }
    }

    fn substitute(&mut self, by_name: &HashMap<Column, Expr>) -> Result<()> {
        for expr in self.groups.iter_mut().chain(&mut self.calls).chain(&mut self.filters) {
            // An aggregate keeps the name by which its reader knows it.
            let (qualifier, name) = expr.qualified_name();
            let replaced = expr.clone().transform_up(|expr| {
                Ok(match &expr {
                    Expr::Column(column) => match by_name.get(column) {
                        Some(other) => Transformed::yes(other.clone()),
                        None => Transformed::no(expr),
                    },
                    _ => Transformed::no(expr),
                })
            })?;
            if replaced.transformed {
                let is_call = matches!(columns::unaliased(expr), Expr::AggregateFunction(_));
                *expr = if is_call { replaced.data.alias_qualified(qualifier, name) } else { replaced.data };
            }
        }
        Ok(())
    }
}

/// Which end of a window an expression is.
fn window_column(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Column(column) if column.relation.is_none() && column.name == WINDOW_START => Some(WINDOW_START),
        Expr::Column(column) if column.relation.is_none() && column.name == WINDOW_END => Some(WINDOW_END),
        _ => None,
    }
}

fn names_window(expr: &Expr) -> bool {
    expr.column_refs()
        .into_iter()
        .any(|column| column.relation.is_none() && (column.name == WINDOW_START || column.name == WINDOW_END))
}
