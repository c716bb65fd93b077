//! Parts that panes are drawn from. Each is a small state or pure drawing; none knows the model or a service.

pub mod line;
pub mod number;
pub mod text;
pub mod time;

pub mod cursor;
pub mod input;
pub mod search;

pub mod grid;
pub mod listing;
pub mod table;
pub mod tree;

pub mod highlight;
pub mod source;
pub mod value;

pub mod chart;
pub mod gauge;
pub mod pipeline;
pub mod rate;

pub mod checklist;
pub mod completion;
pub mod dialog;
pub mod document;
pub mod editor;
pub mod form;
pub mod inspector;
