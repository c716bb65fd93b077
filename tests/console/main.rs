//! The console: model, panes, key scripts, flood, and the real binary in a pseudo-terminal.

mod stage;

mod acts;
mod dialogs;
mod flood;
mod metrics;
mod scripts;
mod tail;
mod terminal;
mod themes;
