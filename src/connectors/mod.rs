//! Where rows come from and where they go: one contract for every system, and the registry that knows them by name.
//! A connector moves Arrow batches and remembers positions; it plans nothing and keeps no state of a query.

pub mod accept;
pub mod contract;
pub mod descriptors;
pub mod encoding;
pub mod options;
pub mod thread;

pub mod discard;
pub mod file;
pub mod generator;
pub mod kafka;
pub mod memory;
pub mod stdout;

pub mod registry;
