//! `velox-tui run`: ETLs to environments.

pub mod arguments;
