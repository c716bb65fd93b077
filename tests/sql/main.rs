//! Streaming SQL as a whole: text to plan to running job, against tables in memory and sources that tests hold in hand.

#![allow(clippy::unwrap_used)]

mod again;
mod broker;
mod cases;
mod documents;
mod failures;
mod flood;
mod folders;
mod kill;
mod lookup;
mod nexmark;
mod oracle;
mod over;
mod poison;
mod recovery;
mod restored;
mod running;
mod shown;
mod stage;
mod topic;
