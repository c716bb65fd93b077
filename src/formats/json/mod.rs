//! JSON records to columns and rows to JSON. Digits of decimals stay digits on both ways, and a record that is wrong
//! takes nothing of its neighbours with it.

pub(crate) mod column;
mod decode;
mod encode;
mod object;
mod read;
pub mod scan;

pub use decode::JsonDecoder;
pub use encode::{JsonEncoder, PlainWriter, RowWriter};

#[cfg(test)]
mod tests;
