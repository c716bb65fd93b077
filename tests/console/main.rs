//! The console: model, panes, key scripts, flood, and the real binary in a pseudo-terminal.

mod stage;

mod acts;
mod flood;

mod dialogs;
mod metrics;
mod tail;

mod scripts;
mod terminal;
