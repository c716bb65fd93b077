//! Records as text, both ways: lines for people, JSON Lines for programs, and what `produce` reads back. What was
//! written as JSON Lines is read back byte for byte, save that line breaks inside a JSON value become spaces.

pub mod json;
pub mod member;
pub mod print;
pub mod read;
pub mod time;
