//! Windows: which rows are in which, when a window is over, what becomes of rows that come too late.

pub mod aggregate;
pub mod assign;
pub mod session;

mod session_state;
mod spans;

#[cfg(test)]
mod session_tests;
