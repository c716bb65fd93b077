//! The console: model, panes, key scripts, flood, and the real binary in a pseudo-terminal.

mod stage;

mod acts;
mod flood;

mod dialogs;
mod environments;
mod jobs;
mod metrics;
mod tail;
mod themes;

mod scripts;
mod terminal;
