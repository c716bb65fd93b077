//! Types as SQL writes them, under the name by which the planner's users know them.

pub use crate::formats::types::name as sql_type;
