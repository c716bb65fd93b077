//! Window functions, and the questions for first rows that people write with them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, Result, ScalarValue, plan_err};
use datafusion_expr::expr::{NullTreatment, WindowFunction, WindowFunctionDefinition, WindowFunctionParams};
use datafusion_expr::utils::{conjunction, split_conjunction};
use datafusion_expr::{AggregateUDF, Expr, Filter, LogicalPlan, Operator, Projection, Window, lit};
use datafusion_functions_aggregate::{first_last, nth_value};
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_plan::windows::create_window_expr;

use super::endless::{self, Order};
use super::{Stream, Translation, buffer, columns};
use crate::sql::functions::registry::Functions;
use crate::sql::plan::stream::{AggregateCall, Buffer, Changes, NodeKind, OverCall, OverNode, SortKey, TopNNode};

impl Translation {
    /// The node of window functions.
    pub(super) fn over(&mut self, window: &Window) -> Result<Stream> {
        let input = self.translate(&window.input, None)?;
        let from = window.input.schema();
        if self.node(&input).changes == Changes::Changelog {
            return plan_err!(
                "OVER needs rows that only come, and these change; read them with EMIT FINAL, or group instead"
            );
        }
        let marked = window.window_expr.iter().map(buffer::taken).collect::<Result<Vec<_>>>()?;
        let buffer = marked.iter().find_map(|(_, buffer)| *buffer);
        let below = match window.input.as_ref() {
            LogicalPlan::Window(below) => below.window_expr.iter().map(buffer::taken).collect::<Result<Vec<_>>>()?,
            _ => Vec::new(),
        };
        let leaves_out = |(_, buffer): &(Expr, Option<Buffer>)| buffer.is_some_and(|buffer| buffer.emits_when_full);
        // Windows that stand on each other are of one SELECT: what one leaves out would be missing in the other.
        if !below.is_empty() && marked.iter().chain(&below).any(leaves_out) {
            return plan_err!(
                "EMIT ON BUFFER FULL leaves rows out of the whole SELECT; give each OVER of it the same buffer, partition \
                 and order, or read them from a subquery that has the others"
            );
        }
        let exprs: Vec<Expr> = marked.into_iter().map(|(expr, _)| expr).collect();
        let Some(first) = exprs.first().map(columns::unaliased) else { return Ok(input) };
        let Expr::WindowFunction(function) = first else { return plan_err!("`{first}` is no window function") };
        let params = &function.params;
        let place = |expr: &Expr| match columns::unaliased(expr) {
            Expr::Column(column) => from.maybe_index_of_column(column),
            _ => None,
        };
        let window_end = input
            .window
            .and_then(|window| window.end)
            .filter(|end| params.partition_by.iter().any(|expr| place(expr) == Some(*end)));
        let order = params.order_by.iter().map(|key| self.sort_key(key, from)).collect::<Result<Vec<_>>>()?;
        let known = Order {
            first: order.first().map(|key| key.expression.data_type(from.as_arrow())).transpose()?,
            is_event_time: match params.order_by.first() {
                Some(key) => place(&key.expr).is_some_and(|at| input.times.contains(&at)),
                None => true,
            },
        };
        let is_endless = !input.is_bounded && window_end.is_none();
        if is_endless {
            endless::check_order(params, &known)?;
            endless::check_late(self.wishes.late)?;
        }
        if buffer.is_some_and(|buffer| buffer.expires.is_some()) && !known.is_event_time {
            return plan_err!(
                "a buffer expires by the silence of its event time; ORDER BY the event time, or say EXPIRE NEVER"
            );
        }
        let endless = is_endless.then_some(&known);
        let calls = exprs.iter().map(|expr| self.over_call(expr, from, endless, buffer)).collect::<Result<Vec<_>>>()?;
        let partition = params.partition_by.iter().map(|expr| self.key(expr, from)).collect::<Result<Vec<_>>>()?;
        let label = format!("over {}", exprs.iter().map(columns::plain).collect::<Vec<_>>().join(", "));
        let node = OverNode {
            partition,
            order,
            calls,
            buffer,
            is_bounded: input.is_bounded,
            window_end: window_end.filter(|_| !input.is_bounded),
            is_by_event_time: known.is_event_time,
        };
        let schema = Arc::clone(window.schema.inner());
        let made = self.add(NodeKind::Over(node), vec![input.node], schema, Changes::Append, Vec::new(), label);
        Ok(Stream { node: made, is_table: false, ..input })
    }

    /// One call; `endless` is what is known of the order of rows that do not end.
    fn over_call(
        &mut self,
        expr: &Expr,
        from: &DFSchema,
        endless: Option<&Order>,
        buffer: Option<Buffer>,
    ) -> Result<OverCall> {
        let name = expr.qualified_name().1;
        let Expr::WindowFunction(called) = columns::unaliased(expr) else {
            return plan_err!("`{}` is no window function", columns::plain(expr));
        };
        let WindowFunction { fun, params } = called.as_ref();
        let function = Functions::name_of(fun);
        let WindowFunctionParams { args, partition_by, order_by, window_frame, filter, null_treatment, distinct } =
            params;
        let frame = match endless {
            None => window_frame.clone(),
            Some(order) => {
                let (frame, warning) =
                    endless::frame_of(&function, params, order, buffer.map(|buffer| buffer.rows), self.wishes.late)?;
                self.warnings.extend(warning.filter(|warning| !self.warnings.contains(warning)));
                frame
            }
        };
        let ignores_nulls = *null_treatment == Some(NullTreatment::IgnoreNulls);
        let filter = filter.as_ref().map(|filter| self.expression(filter, from)).transpose()?;
        let arguments = self.expressions(args, from)?;
        let expression = create_window_expr(
            fun,
            name.clone(),
            &arguments,
            &self.expressions(partition_by, from)?,
            &self.sort_exprs(order_by, from)?,
            Arc::new(frame.clone()),
            Arc::clone(from.inner()),
            ignores_nulls,
            *distinct,
            filter.clone(),
        )?;
        let aggregate = match fun {
            WindowFunctionDefinition::AggregateUDF(aggregate) => Some(Arc::clone(aggregate)),
            // Over a partition that goes on they keep a value, not rows.
            WindowFunctionDefinition::WindowUDF(_) => endless.and_then(|_| as_aggregate(&function)),
        };
        let aggregate = match aggregate {
            None => None,
            Some(aggregate) => {
                let made = AggregateExprBuilder::new(aggregate, arguments)
                    .schema(Arc::clone(from.inner()))
                    .alias(name)
                    .with_ignore_nulls(ignores_nulls)
                    .with_distinct(*distinct)
                    .build()?;
                Some(AggregateCall { function: Arc::new(made), filter })
            }
        };
        Ok(OverCall { expression, frame, function, aggregate })
    }

    /// As [`Self::ranked`], with a choice of columns between the filter and the window function.
    fn ranked_below(&mut self, filter: &Filter, projection: &Projection, has_rank: bool) -> Result<Option<Stream>> {
        let is_column = |expr: &Expr| matches!(columns::unaliased(expr), Expr::Column(_));
        let LogicalPlan::Window(window) = projection.input.as_ref() else { return Ok(None) };
        if !projection.expr.iter().all(is_column) {
            return Ok(None);
        }
        let below: HashMap<Column, &Expr> =
            projection.schema.columns().into_iter().zip(projection.expr.iter().map(columns::unaliased)).collect();
        let predicate = filter.predicate.clone().transform_up(|expr| {
            Ok(match &expr {
                Expr::Column(column) => match below.get(column) {
                    Some(below) => Transformed::yes((*below).clone()),
                    None => Transformed::no(expr),
                },
                _ => Transformed::no(expr),
            })
        })?;
        let rank = window.schema.fields().len() - 1;
        let has_rank = has_rank
            || split_conjunction(&predicate.data)
                .into_iter()
                .any(|part| at_most(part, &window.schema, rank).is_none() && names(part, &window.schema, rank));
        let lower = Filter::try_new(predicate.data, Arc::clone(&projection.input))?;
        let Some(stream) = self.ranked(&lower, has_rank)? else { return Ok(None) };
        // A rank that nobody reads is not kept up to date: it would change with every row that comes before.
        let exprs: Vec<Expr> = projection
            .expr
            .iter()
            .map(|expr| match !has_rank && is(expr, &window.schema, rank) {
                true => lit(ScalarValue::UInt64(Some(0))),
                false => expr.clone(),
            })
            .collect();
        let schema = Arc::clone(projection.schema.inner());
        self.project(stream, &exprs, &window.schema, schema).map(Some)
    }

    /// The first rows of partitions, where a filter of ROW_NUMBER asks for them; `None` for any other filter.
    pub(super) fn ranked(&mut self, filter: &Filter, has_rank: bool) -> Result<Option<Stream>> {
        let window = match filter.input.as_ref() {
            LogicalPlan::Window(window) => window,
            LogicalPlan::Projection(projection) => return self.ranked_below(filter, projection, has_rank),
            _ => return Ok(None),
        };
        let [call] = window.window_expr.as_slice() else { return Ok(None) };
        // What a buffer says more holds for the rows of OVER.
        if buffer::taken(call)?.1.is_some_and(|buffer| buffer.emits_when_full || buffer.expires.is_some()) {
            return Ok(None);
        }
        let call = &buffer::taken(call)?.0;
        let Expr::WindowFunction(function) = columns::unaliased(call) else { return Ok(None) };
        if Functions::name_of(&function.fun) != "row_number" {
            return Ok(None);
        }
        let rank = window.schema.fields().len() - 1;
        let (mut limit, mut rest) = (None, Vec::new());
        for part in split_conjunction(&filter.predicate) {
            match at_most(part, &window.schema, rank) {
                Some(rows) => limit = Some(limit.map_or(rows, |known: usize| known.min(rows))),
                None => rest.push(part.clone()),
            }
        }
        let Some(limit) = limit else { return Ok(None) };
        let has_rank = has_rank || rest.iter().any(|part| names(part, &window.schema, rank));
        let input = self.translate(&window.input, None)?;
        let from = window.input.schema();
        let below = self.node(&input);
        let (below_changes, below_key) = (below.changes, below.key.clone());
        let params = &function.params;
        let partition = params.partition_by.iter().map(|expr| self.key(expr, from)).collect::<Result<Vec<_>>>()?;
        let order: Vec<SortKey> =
            params.order_by.iter().map(|key| self.sort_key(key, from)).collect::<Result<Vec<_>>>()?;
        let at = |expr: &Expr| match columns::unaliased(expr) {
            Expr::Column(column) => from.maybe_index_of_column(column),
            _ => None,
        };
        let by_time =
            params.order_by.len() == 1 && at(&params.order_by[0].expr).is_some_and(|at| input.times.contains(&at));
        let window_end = input
            .window
            .filter(|_| below_changes == Changes::Append)
            .and_then(|window| window.end)
            .filter(|end| params.partition_by.iter().any(|expr| at(expr) == Some(*end)));
        let partition_columns: Vec<usize> = params.partition_by.iter().filter_map(at).collect();
        let listed = params.partition_by.iter().map(columns::plain).collect::<Vec<_>>().join(", ");
        let stream = if limit == 1 && by_time && !has_rank && window_end.is_none() && below_changes == Changes::Append {
            let keep_last = order[0].descending;
            let changes = if keep_last { Changes::Changelog } else { Changes::Append };
            let key = if partition_columns.len() == partition.len() { partition_columns } else { Vec::new() };
            let kind = NodeKind::Deduplicate { keys: partition, keep_last };
            let label = format!("{} row of each {listed}", if keep_last { "last" } else { "first" });
            let schema = Arc::clone(from.inner());
            let node = self.add(kind, vec![input.node], schema, changes, key, label);
            Stream { node, is_table: keep_last, ..input }
        } else {
            let schema = if has_rank { Arc::clone(window.schema.inner()) } else { Arc::clone(from.inner()) };
            let changes = if window_end.is_some() || input.is_bounded && self.wishes.final_table {
                Changes::Append
            } else {
                Changes::Changelog
            };
            let node = TopNNode { partition, order, limit, has_rank, window_end };
            let label = format!("first {limit} rows of each {listed}");
            let mut key = below_key;
            if partition_columns.len() == params.partition_by.len() {
                if limit == 1 && !partition_columns.is_empty() {
                    // One row of each: which of them it is tells nothing more.
                    key = partition_columns;
                } else if has_rank {
                    key = partition_columns;
                    key.push(rank);
                }
            }
            let node = self.add(NodeKind::TopN(node), vec![input.node], schema, changes, key, label);
            Stream { node, is_table: changes == Changes::Changelog, ..input }
        };
        match conjunction(rest) {
            Some(rest) => Ok(Some(self.filter(stream, &rest, &window.schema)?)),
            None => Ok(Some(stream)),
        }
    }
}

/// The aggregate that is a window function of this name.
fn as_aggregate(function: &str) -> Option<Arc<AggregateUDF>> {
    match function {
        "first_value" => Some(first_last::first_value_udaf()),
        "last_value" => Some(first_last::last_value_udaf()),
        "nth_value" => Some(nth_value::nth_value_udaf()),
        _ => None,
    }
}

/// `rank <= n`, `rank < n`, `rank = 1`, either way round: how many rows that is.
fn at_most(expr: &Expr, schema: &DFSchema, rank: usize) -> Option<usize> {
    let Expr::BinaryExpr(binary) = expr else { return None };
    let whole = |expr: &Expr| match columns::unaliased(expr) {
        Expr::Literal(ScalarValue::UInt64(Some(rows)), _) => usize::try_from(*rows).ok(),
        Expr::Literal(ScalarValue::Int64(Some(rows)), _) => usize::try_from(*rows).ok(),
        _ => None,
    };
    let (rows, operator) = if is(&binary.left, schema, rank) {
        (whole(&binary.right)?, binary.op)
    } else if is(&binary.right, schema, rank) {
        let turned = match binary.op {
            Operator::GtEq => Operator::LtEq,
            Operator::Gt => Operator::Lt,
            other => other,
        };
        (whole(&binary.left)?, turned)
    } else {
        return None;
    };
    match operator {
        Operator::LtEq => Some(rows),
        Operator::Lt => rows.checked_sub(1),
        Operator::Eq if rows == 1 => Some(1),
        _ => None,
    }
}

fn is(expr: &Expr, schema: &DFSchema, column: usize) -> bool {
    match columns::unaliased(expr) {
        Expr::Column(named) => schema.maybe_index_of_column(named) == Some(column),
        Expr::Cast(cast) => is(&cast.expr, schema, column),
        _ => false,
    }
}

fn names(expr: &Expr, schema: &DFSchema, column: usize) -> bool {
    expr.column_refs().into_iter().any(|named| schema.maybe_index_of_column(named) == Some(column))
}

/// Whether a projection over such a filter reads the rank.
pub(super) fn uses_rank(exprs: &[Expr], input: &LogicalPlan) -> bool {
    match rank_of(input) {
        Some(rank) => exprs.iter().any(|expr| names(expr, input.schema(), rank)),
        None => true,
    }
}

/// Where the last window function's result stands in a relation that a filter of ranks reads.
fn rank_of(plan: &LogicalPlan) -> Option<usize> {
    match plan {
        LogicalPlan::Window(window) => window.schema.fields().len().checked_sub(1),
        LogicalPlan::Projection(projection) => {
            let below = rank_of(&projection.input)?;
            projection.expr.iter().position(|expr| is(expr, projection.input.schema(), below))
        }
        _ => None,
    }
}
