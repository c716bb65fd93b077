//! From the tree to a value: a serde deserializer that gives a text the type its field asks for and turns every error into a fault.
//!
//! Serde stops at the first error. To say all of them, a value that failed is replaced by a stand-in of whatever type
//! is asked and the tree is read again, until it can be read to its end; the value of such a reading is thrown away.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::core::fault::{Blame, Fault, Place};
use crate::core::secret::Secret;
use crate::core::words::did_you_mean;

use super::loaded::{Effective, Missing};
use super::node::Node;

mod read;

mod access;
mod error;

use read::Reader;
pub use read::sounds_secret;

/// Faults told for one file; who has more has the wrong file.
pub const FAULTS_MAX: usize = 32;

/// Structs whose unknown keys are librdkafka's own settings: they go to the field `options`.
pub const OPEN: [&str; 2] = ["ProducerSettings", "ConsumerSettings"];

const OPTIONS: &str = "options";

/// What reading a tree gave.
pub struct Reading<T> {
    /// The value, or all faults.
    pub value: Result<T, Vec<Fault>>,
    pub missing: Vec<Missing>,
    pub effective: Vec<Effective>,
    pub secrets: Vec<Secret>,
}

/// Reads a tree as a value.
pub fn read<T: DeserializeOwned>(root: &Node) -> Reading<T> {
    let mut faults = Vec::new();
    let mut stand_ins = BTreeSet::new();
    loop {
        let trace = Trace { stand_ins, notes: RefCell::default() };
        let outcome = T::deserialize(Reader::root(root, &trace));
        let Trace { stand_ins: mut known, notes } = trace;
        let Notes { unknown, missing, effective, secrets } = notes.into_inner();
        let finished = match outcome {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                let path = error.path();
                let under = known.iter().any(|stand_in| path.starts_with(stand_in.as_str()) && path != *stand_in);
                if !under {
                    faults.push(error.into_fault(&root.place));
                }
                (!known.insert(path) || FAULTS_MAX <= faults.len()).then_some(None)
            }
        };
        stand_ins = known;
        if let Some(value) = finished {
            faults.extend(unknown);
            faults
                .sort_by_key(|fault| fault.place.as_ref().map(|place| (place.file.clone(), place.line, place.column)));
            let value = match value {
                Some(value) if faults.is_empty() => Ok(value),
                _ => Err(faults),
            };
            return Reading { value, missing, effective, secrets };
        }
    }
}

/// What is known before a reading, and what it notes on the way.
struct Trace {
    /// Paths whose fault is told already.
    stand_ins: BTreeSet<String>,
    notes: RefCell<Notes>,
}

#[derive(Default)]
struct Notes {
    unknown: Vec<Fault>,
    missing: Vec<Missing>,
    effective: Vec<Effective>,
    secrets: Vec<Secret>,
}

/// "did you mean …" where a name is near, else all names.
pub fn advice(name: &str, known: &[&str]) -> String {
    match did_you_mean(name, known.iter().copied()) {
        Some(meant) => meant,
        None if known.is_empty() => String::new(),
        None => format!("one of: {}", known.join(", ")),
    }
}

fn fault(what: String, place: Place, next: String) -> Fault {
    Fault::new(Blame::Configuration, what).at(place).next(next)
}
