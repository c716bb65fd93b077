//! `velox-tui consume`: records through an external command, committed one by one.

pub mod callback;
