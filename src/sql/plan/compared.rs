//! What is compared or put together: a text beside a number is that number, a DOUBLE beside a decimal makes both DOUBLE, and
//! times are of the finest unit among them, as the standard has it, where the planner would compare texts, cut floats to
//! fifteen places and times to the coarsest unit. It changes types alone.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRewriter};
use datafusion_common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion_expr::expr::{Between, Case, Cast, InList, InSubquery, ScalarFunction, WindowFunction};
use datafusion_expr::expr_rewriter::{NamePreserver, coerce_plan_expr_for_schema};
use datafusion_expr::logical_plan::Subquery;
use datafusion_expr::utils::merge_schema;
use datafusion_expr::{
    BinaryExpr, Expr, ExprSchemable, Join, LogicalPlan, Operator, Projection, Union, WindowFrameBound, WindowFrameUnits,
};
use datafusion_optimizer::analyzer::type_coercion::TypeCoercionRewriter;

use super::alike;
use super::translate::plain;
use crate::formats::types;
use crate::sql::functions::at_zone;
use crate::sql::functions::narrowed;
use crate::sql::functions::quoted::{self, DIGITS_MAX, NoNumber};

/// Functions that give one of their arguments.
const CHOICES: [&str; 7] = ["coalesce", "nvl", "ifnull", "nullif", "greatest", "least", "make_array"];

/// A plan whose expressions are of types that can be compared.
///
/// # Errors
/// A text that stands beside a number and is none, and types that do not fit.
pub fn typed(plan: LogicalPlan) -> Result<LogicalPlan> {
    let typed = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        let mut schema = merge_schema(&node.inputs());
        if let LogicalPlan::TableScan(scan) = &node {
            let source = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
            schema.merge(&source);
        }
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(coerced(expr, &schema, NoNumber::Refused)?.update_data(|expr| name.restore(expr)))
        })?
        .map_data(whole)?
        .map_data(|node| node.recompute_schema())
    })?;
    Ok(typed.data)
}

/// The same of an expression that stands alone, over columns of `schema`.
///
/// # Errors
/// As [`typed`].
pub fn coerced(expr: Expr, schema: &DFSchema, none: NoNumber) -> Result<Transformed<Expr>> {
    expr.rewrite(&mut Compared { types: TypeCoercionRewriter::new(schema), beside: Beside { schema, none } })
}

/// What of a node is more than its expressions.
fn whole(node: LogicalPlan) -> Result<LogicalPlan> {
    match node {
        LogicalPlan::Join(mut join) => {
            join.on = std::mem::take(&mut join.on)
                .into_iter()
                .map(|(left, right)| pair(left, right, &join))
                .collect::<Result<_>>()?;
            Ok(LogicalPlan::Join(join))
        }
        LogicalPlan::Union(union) => halves(union),
        other => Ok(other),
    }
}

fn pair(left: Expr, right: Expr, join: &Join) -> Result<(Expr, Expr)> {
    let sides = [join.left.schema(), join.right.schema()];
    let types = [left.get_type(sides[0])?, right.get_type(sides[1])?];
    let both = [&types[0], &types[1]];
    let made = |expr: Expr, side: usize| {
        let beside = Beside { schema: sides[side], none: NoNumber::Refused };
        beside.made(expr, &types[side], &both)
    };
    Ok((made(left, 0)?, made(right, 1)?))
}

/// A union in which a column that is DOUBLE in one input and a decimal in another is DOUBLE in all, and a time is of the
/// finest unit in all.
fn halves(mut union: Union) -> Result<LogicalPlan> {
    let count = union.schema.fields().len();
    let types: Vec<Vec<DataType>> = (0..count)
        .map(|column| {
            let of = |input: &Arc<LogicalPlan>| input.schema().fields().get(column).map(|f| f.data_type().clone());
            union.inputs.iter().filter_map(of).collect()
        })
        .collect();
    for input in &mut union.inputs {
        let mut is_changed = false;
        let fields = input.schema().iter().zip(&types).map(|((relation, field), types)| {
            let field = match alike::beside(field.data_type(), &types.iter().collect::<Vec<_>>()) {
                Some(made) => {
                    is_changed = true;
                    Arc::new(Field::clone(field).with_data_type(made))
                }
                None => Arc::clone(field),
            };
            (relation.cloned(), field)
        });
        let fields = fields.collect();
        if is_changed {
            let schema = DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?;
            *input = Arc::new(coerce_plan_expr_for_schema(input.as_ref().clone(), &schema)?);
        }
    }
    Ok(LogicalPlan::Union(union))
}

/// Types of an expression from its leaves up: what this engine has otherwise, then what the planner has.
struct Compared<'a> {
    types: TypeCoercionRewriter<'a>,
    beside: Beside<'a>,
}

impl TreeNodeRewriter for Compared<'_> {
    type Node = Expr;

    fn f_up(&mut self, expr: Expr) -> Result<Transformed<Expr>> {
        let expr = self.beside.expression(expr)?;
        let typed = self.types.f_up(expr)?;
        Ok(Transformed { data: self.beside.kept(typed.data)?, ..typed })
    }
}

/// Expressions beside each other, over columns of `schema`.
#[derive(Clone, Copy)]
struct Beside<'a> {
    schema: &'a DFSchema,
    none: NoNumber,
}

impl Beside<'_> {
    fn expression(self, expr: Expr) -> Result<Expr> {
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
                let [left, right] = self.both(*left, *right)?;
                Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op, right: Box::new(right) })
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right })
                if self.is(&left, is_timestamp) && self.is(&right, is_timestamp) =>
            {
                let [left, right] = self.both(*left, *right)?;
                Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op: Operator::Minus, right: Box::new(right) })
            }
            Expr::Between(Between { expr, negated, low, high }) => {
                let all = self.all(vec![*expr, *low, *high])?;
                let Ok([expr, low, high]) = <[Expr; 3]>::try_from(all) else {
                    return plan_err!("BETWEEN has two ends");
                };
                Expr::Between(Between::new(Box::new(expr), negated, Box::new(low), Box::new(high)))
            }
            Expr::InList(InList { expr, list, negated }) => {
                let mut list = self.all(std::iter::once(*expr).chain(list).collect())?;
                let expr = list.remove(0);
                Expr::InList(InList { expr: Box::new(expr), list, negated })
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                let (expr, subquery) = self.member(*expr, subquery)?;
                Expr::InSubquery(InSubquery { expr: Box::new(expr), subquery, negated })
            }
            Expr::Case(case) => Expr::Case(self.case(case)?),
            Expr::Cast(Cast { expr, data_type: DataType::Timestamp(TimeUnit::Nanosecond, Some(zone)) }) => {
                self.at_zone(*expr, zone)?
            }
            Expr::AggregateFunction(mut call) => {
                call.params.filter = self.filter(call.params.filter)?;
                Expr::AggregateFunction(call)
            }
            Expr::WindowFunction(mut call) => {
                call.params.filter = self.filter(call.params.filter)?;
                self.range(&mut call)?;
                Expr::WindowFunction(call)
            }
            Expr::ScalarFunction(ScalarFunction { func, args }) if CHOICES.contains(&func.name()) => {
                let args = self.choice(func.name(), args)?;
                Expr::ScalarFunction(ScalarFunction { func, args })
            }
            other => other,
        })
    }

    /// What is compared, with casts that lose digits as the optimizer leaves them.
    fn kept(self, expr: Expr) -> Result<Expr> {
        let opaque = |expr: Box<Expr>| narrowed::opaque(*expr, self.schema).map(Box::new);
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
                Expr::BinaryExpr(BinaryExpr { left: opaque(left)?, op, right: opaque(right)? })
            }
            Expr::Between(Between { expr, negated, low, high }) => {
                Expr::Between(Between { expr: opaque(expr)?, negated, low, high })
            }
            Expr::InList(InList { expr, list, negated }) => Expr::InList(InList { expr: opaque(expr)?, list, negated }),
            other => other,
        })
    }

    fn both(self, left: Expr, right: Expr) -> Result<[Expr; 2]> {
        match <[Expr; 2]>::try_from(self.all(vec![left, right])?) {
            Ok(both) => Ok(both),
            Err(_) => plan_err!("a comparison has two sides"),
        }
    }

    /// What is compared with each other, each of a type that fits the others.
    fn all(self, mut exprs: Vec<Expr>) -> Result<Vec<Expr>> {
        let has_number = exprs.iter().any(|expr| self.is(expr, DataType::is_numeric));
        if has_number {
            exprs = exprs.into_iter().map(|expr| self.constant(expr)).collect::<Result<_>>()?;
        }
        let types = exprs.iter().map(|expr| expr.get_type(self.schema)).collect::<Result<Vec<_>>>()?;
        let reached = alike::reached(&exprs, &types);
        let others: Vec<_> = reached.iter().collect();
        exprs.into_iter().zip(&types).map(|(expr, own)| self.made(expr, own, &others)).collect()
    }

    fn is(self, expr: &Expr, of: impl Fn(&DataType) -> bool) -> bool {
        expr.get_type(self.schema).is_ok_and(|data_type| of(&data_type))
    }

    /// A text that stands in the statement as the number that it says.
    fn constant(self, expr: Expr) -> Result<Expr> {
        let Expr::Literal(
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)),
            about,
        ) = &expr
        else {
            return Ok(expr);
        };
        match quoted::literal(text) {
            Some(number) => Ok(Expr::Literal(number, about.clone())),
            None if self.none == NoNumber::Null => Ok(expr),
            None => {
                plan_err!(
                    "`{text}` is compared with a number and is none; write a number, or CAST the column to VARCHAR"
                )
            }
        }
    }

    /// An expression of type `own` as it stands beside such of these types.
    fn made(self, expr: Expr, own: &DataType, types: &[&DataType]) -> Result<Expr> {
        if let Some(made) = alike::beside(own, types) {
            return expr.cast_to(&made, self.schema);
        }
        let has_float = types.iter().any(|other| other.is_floating());
        // A text that is no number stands for itself where columns are learnt from records.
        if !own.is_string() || !types.iter().any(|other| other.is_numeric()) || matches!(expr, Expr::Literal(..)) {
            return Ok(expr);
        }
        let number = if has_float { DataType::Float64 } else { alike::beside_exact(types) };
        Ok(quoted::number(number, self.none).call(vec![expr]))
    }

    /// What is looked for in the column of a subquery, and that.
    fn member(self, expr: Expr, subquery: Subquery) -> Result<(Expr, Subquery)> {
        let inner = subquery.subquery.schema();
        let types = [expr.get_type(self.schema)?, inner.field(0).data_type().clone()];
        let both = [&types[0], &types[1]];
        let member = Expr::Column(inner.columns().remove(0));
        let made = Beside { schema: inner, ..self }.made(member.clone(), &types[1], &both)?;
        let expr = self.made(expr, &types[0], &both)?;
        if made == member {
            return Ok((expr, subquery));
        }
        let name = inner.field(0).name().clone();
        let cast = Projection::try_new(vec![made.alias(name)], Arc::clone(&subquery.subquery))?;
        Ok((expr, subquery.with_plan(Arc::new(LogicalPlan::Projection(cast)))))
    }

    fn case(self, case: Case) -> Result<Case> {
        let Case { expr, when_then_expr, else_expr } = case;
        let (mut whens, mut thens): (Vec<_>, Vec<_>) =
            when_then_expr.into_iter().map(|(when, then)| (*when, *then)).unzip();
        let expr = match expr {
            Some(operand) => {
                whens = self.all(std::iter::once(*operand).chain(whens).collect())?;
                Some(Box::new(whens.remove(0)))
            }
            None => None,
        };
        let has_else = else_expr.is_some();
        thens.extend(else_expr.map(|otherwise| *otherwise));
        let mut thens = self.alike(thens)?;
        let else_expr = if has_else { thens.pop().map(Box::new) } else { None };
        let pairs = whens.into_iter().zip(thens).map(|(when, then)| (Box::new(when), Box::new(then)));
        Ok(Case { expr, when_then_expr: pairs.collect(), else_expr })
    }

    /// `AT TIME ZONE`: in the unit of the time, and of what a clock shows as PostgreSQL has it.
    fn at_zone(self, expr: Expr, zone: Arc<str>) -> Result<Expr> {
        let own = expr.get_type(self.schema)?;
        let unit = match own {
            DataType::Timestamp(unit, _) => unit.max(TimeUnit::Millisecond),
            _ => TimeUnit::Millisecond,
        };
        match own {
            // A zone that there is not is refused with its name elsewhere.
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 if zone.parse::<Tz>().is_ok() => {
                let shown = expr.cast_to(&DataType::Timestamp(unit, None), self.schema)?;
                Ok(at_zone(zone, unit).call(vec![shown]))
            }
            _ => Ok(Expr::Cast(Cast::new(Box::new(expr), DataType::Timestamp(unit, Some(zone))))),
        }
    }

    /// `FILTER (WHERE …)` as a condition.
    fn filter(self, filter: Option<Box<Expr>>) -> Result<Option<Box<Expr>>> {
        let Some(filter) = filter else { return Ok(None) };
        match filter.get_type(self.schema)? {
            DataType::Boolean => Ok(Some(filter)),
            DataType::Null => Ok(Some(Box::new(filter.cast_to(&DataType::Boolean, self.schema)?))),
            other => plan_err!("Cannot create filter with non-boolean predicate '{filter}' returning {other}"),
        }
    }

    /// The decimal that the rows of a `RANGE` are ordered by, with room for the distance that is added to it.
    fn range(self, call: &mut WindowFunction) -> Result<()> {
        let params = &mut call.params;
        if params.window_frame.units == WindowFrameUnits::Range
            && let [key] = &mut params.order_by[..]
            && let DataType::Decimal128(precision, scale) = key.expr.get_type(self.schema)?
            && precision < DIGITS_MAX
            && (is_distance(&params.window_frame.start_bound) || is_distance(&params.window_frame.end_bound))
        {
            key.expr = key.expr.clone().cast_to(&DataType::Decimal128(DIGITS_MAX, scale), self.schema)?;
        }
        Ok(())
    }

    /// The arguments of a function that gives one of them.
    fn choice(self, name: &str, args: Vec<Expr>) -> Result<Vec<Expr>> {
        let is_text = |expr: &Expr| self.is(expr, DataType::is_string);
        let number = args.iter().find(|expr| self.is(expr, DataType::is_numeric));
        let text = args.iter().find(|expr| is_text(expr) && !matches!(expr, Expr::Literal(..)));
        if let (Some(number), Some(text)) = (number, text)
            && name != "make_array"
        {
            let (number, text) = (types::name(&number.get_type(self.schema)?), plain(text));
            return plan_err!(
                "{} gives one of its arguments, and `{text}` is VARCHAR beside {number}; write CAST({text} AS DECIMAL(18, 2))",
                name.to_uppercase()
            );
        }
        match number {
            Some(_) if name != "make_array" => {
                self.alike(args.into_iter().map(|expr| self.constant(expr)).collect::<Result<_>>()?)
            }
            _ => self.alike(args),
        }
    }

    /// Values of which one is taken: decimals among floats as floats, times in the finest unit.
    fn alike(self, exprs: Vec<Expr>) -> Result<Vec<Expr>> {
        let types = exprs.iter().map(|expr| expr.get_type(self.schema)).collect::<Result<Vec<_>>>()?;
        let reached = alike::reached(&exprs, &types);
        let others: Vec<_> = reached.iter().collect();
        let one = |(expr, own): (Expr, &DataType)| match alike::beside(own, &others) {
            Some(made) => expr.cast_to(&made, self.schema),
            None => Ok(expr),
        };
        exprs.into_iter().zip(&types).map(one).collect()
    }
}

fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn is_distance(bound: &WindowFrameBound) -> bool {
    match bound {
        WindowFrameBound::Preceding(by) | WindowFrameBound::Following(by) => !by.is_null(),
        WindowFrameBound::CurrentRow => false,
    }
}

fn is_timestamp(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..))
}
