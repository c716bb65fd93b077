//! Statements to a graph of nodes with compiled expressions: names are resolved, types are checked, unbounded input
//! that would never answer is refused. It reads schemas and moves no row.

mod alike;
mod bare;
mod behind;
mod catalog;
mod clauses;
mod compared;
mod computed;
pub mod condition;
mod constants;
mod correlated;
pub mod elements;
mod ends;
mod folded;
mod idle;
mod inner;
pub mod joined;
pub mod kept;
mod lateral;
mod logical;
pub mod looked_at;
mod membership;
mod mistakes;
mod names;
mod nodes;
pub mod picture;
mod pinned;
mod processing;
mod provider;
mod scalar;
mod selects;
pub mod session;
mod sinks;
mod stars;
pub mod strategies;
pub mod stream;
mod subqueries;
mod surviving;
mod tables;
#[cfg(test)]
mod tests;
mod translate;
mod unnamed;
mod unnest;
mod using;
pub mod wishes;
mod written;
