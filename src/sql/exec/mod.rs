//! A plan at work: a task per chain of operators and instance, bounded channels between them, watermarks and barriers
//! in line with the rows. It knows no SQL text and draws nothing.

pub mod chunk;
pub mod join;
pub mod operator;
