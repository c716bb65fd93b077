//! The functions of SQL: DataFusion's, and those that people of other engines type. Each has a line of help. They are
//! pure; none reads a file or a broker.

pub mod registry;
