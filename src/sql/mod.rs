//! Streaming SQL: text to statements, statements to a plan, a plan to a running pipeline with checkpoints.
//! It stands on stock DataFusion for planning and expressions; windows, joins with expiry, changelogs, watermarks and
//! recovery are its own. It draws nothing and knows no terminal.
//!
//! ```text
//! text -> parse      statements; what SQL does not know (EMIT, INTO, WINDOW, WITHIN, WITH) is lifted off
//!      -> plan       a graph of nodes with compiled expressions; it calls what is in functions
//!      -> exec       a task per chain of operators, bounded channels between them
//!      -> state      snapshots in Arrow IPC, one manifest a checkpoint
//!      -> deploy     jobs that outlive the program
//! text -> assist     what an editor shows while it is written: completion, mistakes, colours
//! text -> predicate  one condition over records, for a tail
//! ```

pub mod assist;
pub mod deploy;
pub mod exec;
pub mod functions;
pub mod parse;
pub mod plan;
pub mod predicate;
pub mod state;
