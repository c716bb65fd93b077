//! The parser of `../src` and the few values under it, compiled from the same files and without the engine: a build of two
//! minutes and not of twenty, and a coverage map that shows nothing but the parser. It adds no code to them.

#![allow(dead_code, missing_docs)]

#[path = "."]
pub mod core {
    #[path = "../../src/core/duration.rs"]
    pub mod duration;
    #[path = "../../src/core/fault.rs"]
    pub mod fault;
    #[path = "../../src/core/secret.rs"]
    pub mod secret;
    #[path = "../../src/core/words.rs"]
    pub mod words;
}

#[path = "."]
pub mod connectors {
    #[path = "../../src/connectors/options.rs"]
    pub mod options;
}

#[path = "."]
pub mod sql {
    #[path = "../../src/sql/parse/mod.rs"]
    pub mod parse;
}

#[path = "../../src/sql/parse/tests/answers.rs"]
pub mod answers;
