//! Jobs that outlive the program: their definitions, who holds them, their checkpoints, and how one is run until it is
//! stopped. It draws nothing and asks nobody; calls that touch files block, save those of the runner.
//!
//! ```text
//! <state>/jobs/<name>/definition.json     what it is, and what is wished of it
//!                     status.json         how it was when it was looked at last
//!                     request             what another process asks of its holder
//!                     holder.lock, .json  who runs it
//!                     <name>-…/checkpoints  where it goes on from
//! ```

pub mod definition;
pub mod shelf;

pub mod hold;
pub mod status;

pub mod prepare;
mod reading;
pub mod run;
mod start;
