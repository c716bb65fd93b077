//! COUNT_IF: rows for which something is true.

use std::any::Any;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Expr, Signature, Volatility};
use datafusion_functions_aggregate as stock;

use super::CATEGORY;
use crate::sql::functions::scalar::document;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CountIf {
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl CountIf {
    /// The aggregate.
    pub fn new() -> Self {
        Self {
            aliases: vec!["countif".to_owned()],
            signature: Signature::exact(vec![DataType::Boolean], Volatility::Immutable),
            documentation: document(
                CATEGORY,
                "count_if(condition)",
                "How many rows the condition is true for.",
                "SELECT count_if(amount > 100) FROM orders GROUP BY customer_id",
            ),
        }
    }
}

impl AggregateUDFImpl for CountIf {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "count_if"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    /// `count(CASE WHEN condition THEN 1 END)`, so that engines with a COUNT of their own use that.
    fn simplify(&self) -> Option<datafusion_expr::function::AggregateFunctionSimplification> {
        Some(Box::new(|mut call, _| {
            let condition = call.params.args.pop();
            let Some(condition) = condition.filter(|_| call.params.args.is_empty()) else {
                return plan_err!("it is written `count_if(condition)`");
            };
            call.params.args = vec![datafusion_expr::when(condition, datafusion_expr::lit(1_i64)).end()?];
            call.func = stock::count::count_udaf();
            Ok(Expr::AggregateFunction(call))
        }))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(TrueCount(0)))
    }

    fn create_sliding_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(TrueCount(0)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

#[derive(Debug)]
struct TrueCount(i64);

impl TrueCount {
    fn of(values: &[ArrayRef]) -> i64 {
        values.first().map_or(0, |values| i64::try_from(values.as_boolean().true_count()).unwrap_or(i64::MAX))
    }
}

impl Accumulator for TrueCount {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0 += Self::of(values);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0 -= Self::of(values);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0 += arrow::compute::sum(states[0].as_primitive::<Int64Type>()).unwrap_or(0);
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.0))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.0)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
