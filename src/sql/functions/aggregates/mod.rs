//! Aggregates that DataFusion does not have or that are not exact there, and other engines' names for those it has.

mod collect_set;
mod count_if;
mod median;
mod numbers;
pub mod only_value;
mod percentile;
mod ranked;
mod share;

use std::sync::Arc;

use datafusion_expr::AggregateUDF;
use datafusion_functions_aggregate as stock;

use self::collect_set::CollectSet;
use self::count_if::CountIf;
use self::median::Median;
use self::percentile::Percentile;

const CATEGORY: &str = "Aggregates";

/// The aggregates of this engine's own, and DataFusion's under more names.
pub fn functions() -> Vec<Arc<AggregateUDF>> {
    let also = |function: Arc<AggregateUDF>, names: &'static [&'static str]| {
        Arc::new(function.as_ref().clone().with_aliases(names.iter().copied()))
    };
    vec![
        Arc::new(AggregateUDF::new_from_impl(Median::new())),
        Arc::new(AggregateUDF::new_from_impl(CountIf::new())),
        Arc::new(AggregateUDF::new_from_impl(CollectSet::new())),
        Arc::new(AggregateUDF::new_from_impl(Percentile::discrete())),
        Arc::new(AggregateUDF::new_from_impl(Percentile::continuous())),
        also(stock::string_agg::string_agg_udaf(), &["listagg", "group_concat"]),
        also(stock::array_agg::array_agg_udaf(), &["collect", "collect_list"]),
        also(stock::approx_distinct::approx_distinct_udaf(), &["approx_count_distinct", "count_distinct_approx"]),
        also(stock::stddev::stddev_udaf(), &["stddev_samp", "stdev", "std"]),
        also(stock::stddev::stddev_pop_udaf(), &["stdevp"]),
        also(stock::variance::var_samp_udaf(), &["var_samp", "var_sample", "variance", "variance_samp"]),
        also(stock::variance::var_pop_udaf(), &["var_population", "variance_pop"]),
        also(stock::first_last::first_value_udaf(), &["first", "earliest", "earliest_by_offset", "any_value"]),
        also(stock::first_last::last_value_udaf(), &["last", "latest", "latest_by_offset"]),
        also(stock::bool_and_or::bool_and_udaf(), &["every", "logical_and"]),
        also(stock::bool_and_or::bool_or_udaf(), &["some", "logical_or"]),
    ]
}
