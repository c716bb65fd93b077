//! The console: model, panes, key scripts, flood, and the real binary in a pseudo-terminal.

mod stage;

mod cli;

mod metrics;
mod tail;
