//! The console: model, panes, key scripts, flood, and the real binary in a pseudo-terminal.

mod stage;

mod acts;
mod deployed;
mod deployed_orders;
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
mod sql_names;
mod sql_rows;
mod states;
mod tail;
mod themes;
mod whole;

mod cli;
mod killed;
mod scripts;
mod terminal;
mod walkthrough;
