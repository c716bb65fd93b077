//! Checkpoints: what a job must remember to go on where it was. Tables in Arrow IPC, one manifest written whole or not
//! at all, the last few kept. It runs no operator.

pub mod manifest;

pub mod checkpoint;
pub mod identity;
pub mod mark;
pub mod spread;
pub mod variables;

pub mod folder;
pub mod snapshot;
pub mod store;
