//! MEDIAN that neither wraps nor cuts: a DOUBLE of whole numbers; of decimals one more digit than they have, which is exact,
//! or, where there is no digit left, rounded half away from zero.

use std::any::Any;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};

use super::CATEGORY;
use super::numbers::{self, number, with_digits};
use super::share::Share;
use crate::sql::functions::scalar::document;

/// Digits that half of a sum has more than its parts.
const DIGITS: u8 = 1;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Median {
    signature: Signature,
    documentation: Documentation,
}

impl Median {
    /// The aggregate.
    pub fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: document(
                CATEGORY,
                "median(value)",
                "The value in the middle, or the mean of the two there: DOUBLE of whole numbers, exact of decimals.",
                "SELECT median(price) FROM trades GROUP BY symbol",
            ),
        }
    }
}

impl AggregateUDFImpl for Median {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "median"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value] => number(value).map(|number| vec![number]),
            _ => None,
        }
        .map_or_else(|| plan_err!("it is written `median(value)` and takes a number"), Ok)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(with_digits(&given[0], DIGITS))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(numbers::state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        numbers::accumulator(&args, Share::HALF)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
