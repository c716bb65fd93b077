//! Dates and times in SQL: what the clock says, how a moment is written and read, and how far two are apart. Moments are
//! milliseconds since 1970 in UTC; no zone is ever guessed.

mod civil;
mod clock;
mod distance;
mod letters;
mod parts;
mod pattern;
pub mod wide;
mod written;
mod zoned;

use std::sync::Arc;

use datafusion_expr::ScalarUDF;

pub use distance::Unit;
pub use distance::takes_unit;
pub use zoned::at_zone;

/// The functions on dates and times.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    [clock::functions(), distance::functions(), parts::functions(), written::functions()].concat()
}

/// Why a text is no pattern of a time; `None` where it is one.
pub fn pattern_fault(text: &str) -> Option<String> {
    let error = pattern::Pattern::parse(text).err()?;
    Some(error.strip_backtrace().trim_start_matches("Execution error: ").to_owned())
}

/// The category under which they are listed.
const CATEGORY: &str = "Dates and times";
