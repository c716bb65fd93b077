//! JSON in a text: paths into it, and the functions and operators that use them. Numbers keep the digits they were
//! written with; nothing is parsed into a tree.

mod functions;
mod operators;
mod path;
mod text;

pub use functions::functions;
pub use operators::JsonPlanner;
