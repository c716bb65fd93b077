//! PERCENTILE_CONT: what lies at a share of the sorted values, between two of them if need be. Of decimals it is a decimal
//! with four more digits, rounded half away from zero as AVG is; of other numbers a DOUBLE.

use std::any::Any;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};

use super::CATEGORY;
use super::numbers::{self, number, with_digits};
use super::share::Share;
use crate::sql::functions::scalar::document;

/// Digits that the result has more than its values, as AVG has.
const DIGITS: u8 = 4;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PercentileCont {
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl PercentileCont {
    /// The aggregate.
    pub fn new() -> Self {
        Self {
            aliases: vec!["quantile_cont".to_owned()],
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: document(
                CATEGORY,
                "percentile_cont(share) WITHIN GROUP (ORDER BY value)",
                "What lies at that share of the values, between two of them if need be; of decimals with four more digits.",
                "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY price) FROM trades GROUP BY symbol",
            ),
        }
    }
}

impl AggregateUDFImpl for PercentileCont {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "percentile_cont"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value, share] if share.is_numeric() => number(value).map(|number| vec![number, share.clone()]),
            _ => None,
        }
        .map_or_else(|| plan_err!("it is written `{}` and takes numbers", self.documentation.syntax_example), Ok)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(with_digits(&given[0], DIGITS))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(numbers::state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        numbers::accumulator(&args, Share::of(&args)?)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
