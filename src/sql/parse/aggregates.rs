//! Which functions make a query an aggregation, by name alone: a window over a query without GROUP BY needs to know.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, SelectItem, Visit, Visitor};

/// Aggregates by name, in lower case: those of the engine and of the documents.
const NAMES: &[&str] = &[
    "any_value",
    "approx_count_distinct",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
    "array_agg",
    "array_agg_distinct",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "collect",
    "collect_distinct",
    "collect_list",
    "collect_set",
    "corr",
    "count",
    "count_distinct",
    "count_distinct_approx",
    "count_if",
    "countif",
    "covar",
    "covar_pop",
    "covar_samp",
    "earliest",
    "earliest_by_offset",
    "every",
    "first",
    "first_value",
    "group_concat",
    "grouping",
    "histogram",
    "last",
    "last_value",
    "latest",
    "latest_by_offset",
    "listagg",
    "logical_and",
    "logical_or",
    "max",
    "mean",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "percentile_disc",
    "quantile_cont",
    "quantile_disc",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "some",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "stdev",
    "stdevp",
    "string_agg",
    "sum",
    "topk",
    "var",
    "var_pop",
    "var_population",
    "var_samp",
    "var_sample",
    "variance",
    "variance_pop",
    "variance_samp",
];

/// Whether a SELECT list or a HAVING aggregates.
pub(super) fn any(projection: &Vec<SelectItem>, having: Option<&Expr>) -> bool {
    having.is_some() || projection.visit(&mut Finder { queries: 0 }).is_break()
}

struct Finder {
    /// Subqueries that the walk is in: what they aggregate is their own.
    queries: usize,
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, _: &sqlparser::ast::Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &sqlparser::ast::Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function) if self.queries == 0 && function.over.is_none() => {
                let name = function.name.to_string().to_ascii_lowercase();
                if NAMES.contains(&name.as_str()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
