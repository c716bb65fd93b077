//! The console: model, panes, key scripts, flood, and the real binary in a pseudo-terminal.

mod stage;

mod acts;
mod deployed;
mod flood;
mod flood_query;

mod dialogs;
mod environments;
mod etl_again;
mod etl_marks;
mod etl_runs;
mod etls;
mod footers;
mod jobs;
mod log;
mod metrics;
mod sql;
mod states;
mod tail;
mod themes;

mod cli;
mod killed;
mod scripts;
mod terminal;
mod walkthrough;
