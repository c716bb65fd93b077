//! Configuration: `.env`, the process environment, YAML and Jinja become validated values. It never connects anywhere.
//!
//! In the order of a load: [`sources`](Sources) says where to look, [`variables`] merges `.env` and the process environment
//! (the process wins), `yaml` parses a file into a tree of nodes that know their place, `blocks` renders text first where
//! a file has block tags, `extends` merges a file over its base, `leaf` renders the texts, `typed` turns the
//! tree into a value and every error into a fault with file, line, column and path.
//!
//! Invariants: a broken file never hides another; a missing variable breaks only what must connect
//! ([`Loaded::ready`]); no fault, no `Debug` and no `Serialize` of anything in here shows a secret.

mod load;
mod loaded;
pub mod options;
pub mod private;
mod sources;
pub mod variables;

mod blocks;
mod extends;
mod leaf;
mod node;
mod typed;
mod yaml;

mod check;
mod console;
mod dotenv;
mod outline;
mod schema;
mod scrub;
mod shipped;

pub use console::{Chords, ConsoleConfig};
pub use load::Config;
pub use loaded::{Effective, Loaded, Missing, Origin, Origins};
pub use outline::outline;
pub use schema::schemas;
pub use scrub::Scrubber;
pub use shipped::files as shipped_files;
pub use sources::{Sources, starters};
