//! COLLECT_SET: ARRAY_AGG(DISTINCT …) under one name.

use std::any::Any;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Expr, Signature};
use datafusion_functions_aggregate as stock;

use super::CATEGORY;
use crate::sql::functions::scalar::document;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CollectSet {
    aliases: Vec<String>,
    all: Arc<AggregateUDF>,
    documentation: Documentation,
}

impl CollectSet {
    /// The aggregate.
    pub fn new() -> Self {
        Self {
            aliases: vec!["collect_distinct".to_owned(), "array_agg_distinct".to_owned()],
            all: stock::array_agg::array_agg_udaf(),
            documentation: document(
                CATEGORY,
                "collect_set(value)",
                "The different values of a group as an array.",
                "SELECT collect_set(status) FROM orders GROUP BY customer_id",
            ),
        }
    }
}

impl AggregateUDFImpl for CollectSet {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "collect_set"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.all.signature()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.all.return_type(given)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.all.state_fields(StateFieldsArgs { is_distinct: true, ..args })
    }

    /// `array_agg(DISTINCT value)`.
    fn simplify(&self) -> Option<datafusion_expr::function::AggregateFunctionSimplification> {
        Some(Box::new(|mut call, _| {
            call.params.distinct = true;
            call.func = stock::array_agg::array_agg_udaf();
            Ok(Expr::AggregateFunction(call))
        }))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.all.accumulator(AccumulatorArgs { is_distinct: true, ..args })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
