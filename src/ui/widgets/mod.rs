//! Parts that panes are drawn from. Each is a small state or pure drawing; none knows the model or a service.

pub mod number;
pub mod text;
pub mod time;

pub mod cursor;
pub mod input;
pub mod search;

pub mod listing;
pub mod table;
