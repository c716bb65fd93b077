//! The headless commands, by driving the real binary: exit codes, what is on which output, counts that add up.
#![allow(clippy::unwrap_used)]

mod configuration;
mod declared;
mod ends;
mod gallery;
mod guards;
mod help;
mod jobs;
mod runs;
mod statements;
mod streams;
mod support;
