//! `IN` with a subquery as SQL has it, of three values: joins know a partner or none, so where NULL and FALSE differ it is
//! written as two questions, whether a row is equal and whether one may be. It changes expressions and plans no join.

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, ExprSchema, Result, ScalarValue, plan_err};
use datafusion_expr::expr::{Case, InSubquery};
use datafusion_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, Operator, Projection, exists, lit, not, not_exists, when,
};

use crate::sql::functions::may_equal::may_equal;

/// What is asked of a truth value by what stands around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Whether it is TRUE: NULL is as good as FALSE.
    IsTrue,
    /// Whether it is FALSE: NULL is as good as TRUE.
    IsFalse,
    /// All three.
    Value,
}

impl Asked {
    fn turned(self) -> Self {
        match self {
            Self::IsTrue => Self::IsFalse,
            Self::IsFalse => Self::IsTrue,
            Self::Value => Self::Value,
        }
    }
}

/// The expression in which each `IN` with a subquery may be answered by whether there is a partner. `schema` is what the
/// expression is over.
///
/// # Errors
/// `IN` of a value that is a subquery itself, where it may be NULL.
pub fn settled(expr: Expr, asked: Asked, schema: &DFSchema) -> Result<Expr> {
    let whether = |expr: Expr, asked: Asked| settled(expr, asked, schema).map(Box::new);
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            Ok(Expr::BinaryExpr(BinaryExpr { left: whether(*left, asked)?, op, right: whether(*right, asked)? }))
        }
        Expr::Not(inner) => Ok(Expr::Not(whether(*inner, asked.turned())?)),
        Expr::IsTrue(inner) => Ok(Expr::IsTrue(whether(*inner, Asked::IsTrue)?)),
        Expr::IsNotTrue(inner) => Ok(Expr::IsNotTrue(whether(*inner, Asked::IsTrue)?)),
        Expr::IsFalse(inner) => Ok(Expr::IsFalse(whether(*inner, Asked::IsFalse)?)),
        Expr::IsNotFalse(inner) => Ok(Expr::IsNotFalse(whether(*inner, Asked::IsFalse)?)),
        Expr::Case(Case { expr: None, when_then_expr, else_expr }) => {
            let branch = |(when, then): (Box<Expr>, Box<Expr>)| {
                Ok((whether(*when, Asked::IsTrue)?, whether(*then, Asked::Value)?))
            };
            let when_then_expr = when_then_expr.into_iter().map(branch).collect::<Result<_>>()?;
            let else_expr = else_expr.map(|other| whether(*other, Asked::Value)).transpose()?;
            Ok(Expr::Case(Case { expr: None, when_then_expr, else_expr }))
        }
        Expr::InSubquery(asks) => membership(asks, asked, schema),
        other => {
            let parts = other.map_children(|part| settled(part, Asked::Value, schema).map(Transformed::yes))?;
            Ok(parts.data)
        }
    }
}

/// What the answers of a subquery are called where they are of no relation: by their own name, the planner would find what
/// they are computed of as well.
const ANSWER: &str = "__answer";

fn membership(mut asks: InSubquery, asked: Asked, schema: &DFSchema) -> Result<Expr> {
    let answers = &asks.subquery.subquery;
    if answers.schema().qualified_field(0).0.is_none() {
        let answer = Expr::Column(answers.schema().columns().remove(0)).alias(ANSWER);
        let named = Projection::try_new(vec![answer], Arc::clone(answers))?;
        asks.subquery = asks.subquery.with_plan(Arc::new(LogicalPlan::Projection(named)));
    }
    let InSubquery { expr, subquery, negated } = &asks;
    let answers = &subquery.subquery;
    if !expr.nullable(schema)? && !answers.schema().field(0).is_nullable() {
        return Ok(Expr::InSubquery(asks));
    }
    // Negated, the question is the other way round.
    let asked = if *negated { asked.turned() } else { asked };
    let is_in = Expr::InSubquery(InSubquery { negated: false, ..asks.clone() });
    let (plain, may) = match asked {
        Asked::IsTrue => (is_in, None),
        Asked::IsFalse => (is_in, Some(candidates(expr, answers, schema)?)),
        Asked::Value => {
            let unknown = lit(ScalarValue::Boolean(None));
            let may = exists(Arc::new(candidates(expr, answers, schema)?));
            (when(is_in, lit(true)).when(may, unknown).otherwise(lit(false))?, None)
        }
    };
    Ok(match (may, negated) {
        (Some(may), true) => not_exists(Arc::new(may)),
        (Some(may), false) => exists(Arc::new(may)),
        (None, true) => match plain {
            Expr::InSubquery(is_in) => Expr::InSubquery(InSubquery { negated: true, ..is_in }),
            value => not(value),
        },
        (None, false) => plain,
    })
}

/// The rows of a subquery that are equal to a value of the row outside, or may be.
fn candidates(value: &Expr, answers: &Arc<LogicalPlan>, schema: &DFSchema) -> Result<LogicalPlan> {
    if value.exists(|part| Ok(matches!(part, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_))))? {
        return plan_err!(
            "a subquery may give NULL, and IN cannot ask another subquery for it; \
             give the value a name in a subquery in FROM first"
        );
    }
    let outside = value.clone().transform(|part| match part {
        Expr::Column(column) => {
            let field = schema.field_from_column(&column)?;
            Ok(Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    let answer = Expr::Column(Column::from(answers.schema().qualified_field(0)));
    Ok(LogicalPlan::Filter(Filter::try_new(may_equal(outside.data, answer), Arc::clone(answers))?))
}
