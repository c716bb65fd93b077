//! PERCENTILE_CONT and PERCENTILE_DISC: the value at a share of the sorted values. The first may give what lies between two of
//! them, the second is always one of them.

use std::any::Any;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};

use super::CATEGORY;
use super::numbers::{self, number, with_digits};
use super::ranked;
use super::share::Share;
use crate::sql::functions::scalar::document;

/// Digits that what lies between two decimals has more than they, as AVG has.
const DIGITS: u8 = 4;

/// What stands at a share that falls between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Between {
    /// What lies there: of decimals a decimal, rounded half away from zero as AVG is; of other numbers a DOUBLE.
    Interpolated,
    /// The next of the values, of whatever type they are.
    Next,
}

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Percentile {
    name: &'static str,
    between: Between,
    aliases: [String; 1],
    signature: Signature,
    documentation: Documentation,
}

impl Percentile {
    /// PERCENTILE_CONT.
    pub fn continuous() -> Self {
        let documentation = document(
            CATEGORY,
            "percentile_cont(share) WITHIN GROUP (ORDER BY value)",
            "What lies at that share of the values, between two of them if need be; of decimals with four more digits.",
            "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY price) FROM trades GROUP BY symbol",
        );
        Self::new("percentile_cont", "quantile_cont", Between::Interpolated, documentation)
    }

    /// PERCENTILE_DISC.
    pub fn discrete() -> Self {
        let documentation = document(
            CATEGORY,
            "percentile_disc(share) WITHIN GROUP (ORDER BY value)",
            "The first value that at least that share of the values is not beyond; exact on decimals.",
            "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY price) FROM trades GROUP BY symbol",
        );
        Self::new("percentile_disc", "quantile_disc", Between::Next, documentation)
    }

    fn new(name: &'static str, alias: &str, between: Between, documentation: Documentation) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Self { name, between, aliases: [alias.to_owned()], signature, documentation }
    }

    /// Arguments that it does not take.
    fn refuse<T>(&self) -> Result<T> {
        let written = &self.documentation.syntax_example;
        match self.between {
            Between::Interpolated => plan_err!("it is written `{written}` and takes numbers"),
            Between::Next => plan_err!("it is written `{written}`"),
        }
    }
}

impl AggregateUDFImpl for Percentile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [value, share] = given else { return self.refuse() };
        if !share.is_numeric() {
            return self.refuse();
        }
        match self.between {
            Between::Interpolated => {
                number(value).map_or_else(|| self.refuse(), |number| Ok(vec![number, share.clone()]))
            }
            Between::Next if value.is_nested() => self.refuse(),
            Between::Next => Ok(vec![value.clone(), share.clone()]),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match self.between {
            Between::Interpolated => with_digits(&given[0], DIGITS),
            Between::Next => given[0].clone(),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(match self.between {
            Between::Interpolated => numbers::state_fields(&args),
            Between::Next => ranked::state_fields(&args),
        })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match self.between {
            Between::Interpolated => numbers::accumulator(&args, Share::of(&args)?),
            Between::Next if args.is_distinct => plan_err!("{} has no DISTINCT", self.name),
            Between::Next => ranked::accumulator(&args, Share::of(&args)?),
        }
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
