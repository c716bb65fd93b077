//! The variables that templates of the configuration see: `.env` first, the process environment over it. Never printed with values.

use std::collections::BTreeMap;
use std::fmt;

use crate::core::fault::{Blame, Fault, Place};
use crate::core::secret::Secret;

/// Where a variable was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetBy {
    /// A line of `.env`.
    DotEnv(Place),
    /// The process environment.
    Process,
}

/// All variables, each with who set it. The process environment wins, because it is loaded after `.env`.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, (Secret, SetBy)>);

impl Variables {
    /// `.env` entries overlaid with the process environment.
    pub(super) fn merged(dotenv: Vec<(String, String, Place)>, process: &BTreeMap<String, String>) -> Self {
        let file = dotenv.into_iter().map(|(name, value, place)| (name, (Secret::new(value), SetBy::DotEnv(place))));
        let process = process.iter().map(|(name, value)| (name.clone(), (Secret::new(value.as_str()), SetBy::Process)));
        Self(file.chain(process).collect())
    }

    /// The value of a variable; any of them may be a password, so all are held as secrets.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name).map(|(value, _)| value)
    }

    /// The value of a variable that must be there.
    ///
    /// # Errors
    /// Nobody set it.
    pub fn require(&self, name: &str) -> Result<&Secret, Fault> {
        self.get(name).ok_or_else(|| {
            Fault::new(Blame::Configuration, format!("`{name}` is not set"))
                .next("set it in .env or the process environment")
        })
    }

    /// Who set it.
    pub fn set_by(&self, name: &str) -> Option<&SetBy> {
        self.0.get(name).map(|(_, set_by)| set_by)
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
