//! Bytes to rows and rows to bytes: JSON, CSV, raw and Debezium, each behind one pair of traits; whole records as lines of
//! JSON. They read no file and know no broker.

pub mod contract;

pub mod csv;
pub mod debezium;
pub mod json;
pub mod raw;

pub mod infer;

pub mod clock;
pub mod record_lines;

pub mod decimal;
pub mod moment;
pub mod sentence;
pub mod types;
