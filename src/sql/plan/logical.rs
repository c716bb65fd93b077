//! The logical plan of a query: made, its types coerced, its subqueries made joins, what is not needed gone. Only rules that
//! hold for input without an end are used.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::TreeNode;
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::planner::ContextProvider;
use datafusion_expr::{Expr, LogicalPlan};
use datafusion_optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion_optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion_optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion_optimizer::eliminate_duplicated_expr::EliminateDuplicatedExpr;
use datafusion_optimizer::eliminate_filter::EliminateFilter;
use datafusion_optimizer::eliminate_outer_join::EliminateOuterJoin;
use datafusion_optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion_optimizer::optimize_projections::OptimizeProjections;
use datafusion_optimizer::optimize_unions::OptimizeUnions;
use datafusion_optimizer::push_down_filter::PushDownFilter;
use datafusion_optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion_optimizer::rewrite_set_comparison::RewriteSetComparison;
use datafusion_optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion_optimizer::simplify_expressions::SimplifyExpressions;
use datafusion_optimizer::{Analyzer, Optimizer, OptimizerContext, OptimizerRule};
use datafusion_sql::planner::SqlToRel;
use sqlparser::ast as sql;

use super::bare;
use super::compared;
use super::constants;
use super::correlated;
use super::fields;
use super::folded::Folded;
use super::inner;
use super::lateral;
use super::mistakes::{self, Known};
use super::processing;
use super::provider::{Provider, parser_options};
use super::scalar;
use super::subqueries::SubqueriesAsValues;
use super::unnest;
use crate::core::fault::Fault;
use crate::sql::functions::registry::Functions;

/// The logical plan of a query, and what it was made of.
pub struct Logical {
    /// The plan as it was written.
    pub plan: LogicalPlan,
    /// What works and should be known.
    pub warnings: Vec<String>,
    provider: Provider,
    query: Box<sql::Query>,
    columns: BTreeSet<String>,
    functions: Functions,
}

impl Logical {
    /// The plan of a query whose names are settled; `columns` are those of what it reads.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn of(
        query: Box<sql::Query>,
        columns: BTreeSet<String>,
        provider: Provider,
        functions: Functions,
    ) -> Result<Self, Fault> {
        mistakes::check(&query, &functions)?;
        let nothing = LogicalPlan::default();
        let mut logical = Self { plan: nothing, warnings: Vec::new(), provider, query, columns, functions };
        // Which bounds of windows over windows a qualifier means is known once the relations are planned, the innermost
        // first; which columns are bare, once the planner names them. Each round settles one, so there are as many as names.
        loop {
            let made = logical.planned(&logical.query);
            if inner::name(&mut logical.query, &logical.provider.renamed()) {
                continue;
            }
            if let Err(error) = &made
                && let Some(column) = bare::named(&error.strip_backtrace())
                && bare::settle(&mut logical.query, &column, &logical.functions)
            {
                logical.warnings.push(format!(
                    "`{column}` is neither in GROUP BY nor inside an aggregate: it is the value of the newest row of its \
                     group, which is said by LAST_VALUE({column})"
                ));
                continue;
            }
            if let Err(error) = &made
                && let Some((relation, column)) = fields::named(&error.strip_backtrace())
                && fields::settle(&mut logical.query, relation.as_deref(), &column)
            {
                continue;
            }
            logical.plan =
                made.map_err(|error| logical.explained(&error, &|other| logical.optimized_of(other).is_ok()))?;
            return Ok(logical);
        }
    }

    /// The plan that is executed.
    ///
    /// # Errors
    /// Types that do not fit, and subqueries that no join can express.
    pub fn optimized(&self) -> Result<LogicalPlan, Fault> {
        optimize(self.plan.clone(), self.provider.options())
            .map_err(|error| self.explained(&error, &|other| self.optimized_of(other).is_ok()))
    }

    /// What is wrong with the plan that is executed, by what refused it: `takes` says whether another plan is taken.
    pub fn refused(&self, error: &DataFusionError, takes: &dyn Fn(&LogicalPlan) -> bool) -> Fault {
        self.explained(error, &|other| self.optimized_of(other).is_ok_and(|plan| takes(&plan)))
    }

    fn optimized_of(&self, query: &sql::Query) -> Result<LogicalPlan> {
        optimize(self.planned(query)?, self.provider.options())
    }

    fn planned(&self, query: &sql::Query) -> Result<LogicalPlan> {
        let planner = SqlToRel::new_with_options(&self.provider, parser_options());
        planner.sql_statement_to_plan(sql::Statement::Query(Box::new(query.clone())))
    }

    fn explained(&self, error: &DataFusionError, takes: &dyn Fn(&sql::Query) -> bool) -> Fault {
        let again = |other: sql::Query| takes(&other);
        let known = Known { query: Some(&self.query), columns: &self.columns, functions: &self.functions };
        mistakes::explain(error, &known, &again)
    }
}

/// Rules that hold for unbounded input. Left out on purpose: limits are not pushed (they end a job), a single DISTINCT
/// is not made two groupings (it would double the state), constants are not dropped from GROUP BY (they are part of a
/// sink's key), empty relations are not propagated (a plan that reads nothing should say so).
fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![
        Arc::new(RewriteSetComparison::new()),
        Arc::new(OptimizeUnions::new()),
        Arc::new(Folded),
        Arc::new(SimplifyExpressions::new()),
        Arc::new(ReplaceDistinctWithAggregate::new()),
        Arc::new(SubqueriesAsValues::default()),
        Arc::new(DecorrelatePredicateSubquery::new()),
        Arc::new(ScalarSubqueryToJoin::new()),
        Arc::new(ExtractEquijoinPredicate::new()),
        Arc::new(EliminateDuplicatedExpr::new()),
        Arc::new(EliminateFilter::new()),
        Arc::new(EliminateCrossJoin::new()),
        Arc::new(EliminateOuterJoin::new()),
        Arc::new(PushDownFilter::new()),
        Arc::new(CommonSubexprEliminate::new()),
        Arc::new(OptimizeProjections::new()),
    ]
}

fn optimize(plan: LogicalPlan, options: &ConfigOptions) -> Result<LogicalPlan, DataFusionError> {
    let beside = lateral::joined(unnest::beside_their_rows(processing::settled(plan)?)?)?;
    correlated::check(&beside)?;
    let typed = scalar::of_one_row(compared::typed(beside)?)?;
    let analyzed = Analyzer::new().execute_and_check(typed, options, |_, _| {})?;
    let config =
        OptimizerContext::new_with_config_options(Arc::new(options.clone())).without_query_execution_start_time();
    let optimized = match Optimizer::with_rules(rules()).optimize(analyzed.clone(), &config, |_, _| {}) {
        Err(error) if matches!(error.find_root(), DataFusionError::SchemaError(..)) => {
            return Err(unjoined(analyzed, &config)?.unwrap_or(error));
        }
        made => unnest::narrowed(made?)?,
    };
    constants::check(&optimized)?;
    Ok(optimized)
}

/// What is wrong with a plan that keeps a subquery which no join stands for: the rules behind trip over it, and say so in
/// columns that nobody wrote.
fn unjoined(plan: LogicalPlan, config: &OptimizerContext) -> Result<Option<DataFusionError>> {
    let rule: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![Arc::new(ScalarSubqueryToJoin::new())];
    let joined = Optimizer::with_rules(rule).optimize(plan, config, |_, _| {})?;
    let is_left = joined.exists(|node| {
        let asks = |part: &Expr| Ok(matches!(part, Expr::ScalarSubquery(_)));
        Ok(node.expressions().iter().any(|expr| expr.exists(asks).unwrap_or(false)))
    })?;
    let said = "Physical plan does not support logical expression ScalarSubquery";
    Ok(is_left.then(|| DataFusionError::NotImplemented(said.to_owned())))
}
