//! Windows: which rows are in which, when a window is over, what becomes of rows that come too late.

pub mod aggregate;
pub mod assign;
pub mod session;
mod session_close;
pub mod times;

mod aggregate_state;
mod arrivals;
mod session_results;
mod session_state;
mod spans;

#[cfg(test)]
mod restart_tests;
#[cfg(test)]
mod session_tests;
