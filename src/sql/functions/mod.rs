//! The functions of SQL: DataFusion's, and those that people of other engines type. Each has a line of help. They are
//! pure but for the clock; none reads a file or a broker.
//!
//! A function of one's own is registered by name, as a scalar or as an aggregate, and is then called like any other:
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{AsArray, Int64Array};
//! use arrow::datatypes::{DataType, Int64Type};
//! use datafusion_expr::{ColumnarValue, Volatility, create_udf};
//! use velox::sql::functions::registry::Functions;
//!
//! let doubled = create_udf(
//!     "doubled",
//!     vec![DataType::Int64],
//!     DataType::Int64,
//!     Volatility::Immutable,
//!     Arc::new(|arguments| {
//!         let column = arguments[0].to_array(1)?;
//!         let doubled: Int64Array = column.as_primitive::<Int64Type>().unary(|value| value * 2);
//!         Ok(ColumnarValue::Array(Arc::new(doubled)))
//!     }),
//! );
//! let mut functions = Functions::builtin();
//! functions.register_scalar(Arc::new(doubled));
//! assert!(functions.scalar("DOUBLED").is_some());
//! ```
//!
//! and an aggregate with `register_aggregate`, of an accumulator that can also forget (`retract_batch`) where results
//! change:
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{ArrayRef, AsArray};
//! use arrow::datatypes::{DataType, Int64Type};
//! use datafusion_common::{Result, ScalarValue};
//! use datafusion_expr::{Accumulator, Volatility, create_udaf};
//! use velox::sql::functions::registry::Functions;
//!
//! #[derive(Debug)]
//! struct Odd(i64);
//!
//! impl Accumulator for Odd {
//!     fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
//!         self.0 += values[0].as_primitive::<Int64Type>().iter().flatten().filter(|value| value % 2 != 0).count() as i64;
//!         Ok(())
//!     }
//!     fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
//!         self.0 += states[0].as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
//!         Ok(())
//!     }
//!     fn state(&mut self) -> Result<Vec<ScalarValue>> {
//!         Ok(vec![ScalarValue::Int64(Some(self.0))])
//!     }
//!     fn evaluate(&mut self) -> Result<ScalarValue> {
//!         Ok(ScalarValue::Int64(Some(self.0)))
//!     }
//!     fn size(&self) -> usize {
//!         size_of_val(self)
//!     }
//! }
//!
//! let odd = create_udaf(
//!     "odd",
//!     vec![DataType::Int64],
//!     Arc::new(DataType::Int64),
//!     Volatility::Immutable,
//!     Arc::new(|_| Ok(Box::new(Odd(0)))),
//!     Arc::new(vec![DataType::Int64]),
//! );
//! let mut functions = Functions::builtin();
//! functions.register_aggregate(Arc::new(odd));
//! assert!(functions.aggregate("odd").is_some());
//! ```

pub mod list;
pub mod quoted;
pub mod registry;
pub mod rewrite;

pub mod checked;
pub mod division;
pub mod headers;

pub mod aggregates;
mod casts;
mod help;
mod interval;
mod json;
mod marks;
pub mod may_equal;
mod mended;
pub mod narrowed;
mod ntile;
mod number;
mod scalar;
pub mod shown;
mod spelling;
mod text;
mod time;
pub mod zero;

pub use scalar::MOMENT;
pub use time::{at_zone, pattern_fault};

#[cfg(test)]
mod tests;
