//! A file that was loaded: its value or its faults, the variables it lacks, and where each value came from.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::core::fault::{Blame, Fault, Place};

/// A file of the configuration, whatever became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Loaded<T> {
    /// The name it gives itself, or its file's name where it is too broken to say.
    pub name: String,
    /// Its path as the person would type it.
    pub file: String,
    /// What it says, or everything that is wrong with it. Fields whose variable is [`missing`](Self::missing) hold a
    /// placeholder: enough to preview and to dry-run, never to connect. What connects asks [`ready`](Self::ready).
    pub value: Result<Arc<T>, Vec<Fault>>,
    /// Variables that it needs and nobody set.
    pub missing: Vec<Missing>,
    /// Where each value came from.
    pub origins: Origins,
}

impl<T> Loaded<T> {
    /// The value, if nothing is wrong and nothing is missing: for what connects.
    ///
    /// # Errors
    /// The first fault of a broken file, or one that names the variables that are not set.
    pub fn ready(&self) -> Result<&Arc<T>, Fault> {
        let value = self.preview()?;
        match self.missing.as_slice() {
            [] => Ok(value),
            [one] => Err(one.fault()),
            [first, ..] => {
                let mut names: Vec<_> = self.missing.iter().map(|missing| format!("`{}`", missing.variable)).collect();
                names.dedup();
                Err(Fault::new(Blame::Configuration, format!("`{}` needs {}, not set", self.name, names.join(", ")))
                    .at(first.place.clone())
                    .next("set them in .env or the process environment"))
            }
        }
    }

    /// The value, placeholders and all: for what never connects.
    ///
    /// # Errors
    /// The first fault of a broken file; its advice says how many more there are.
    pub fn preview(&self) -> Result<&Arc<T>, Fault> {
        self.value.as_ref().map_err(|faults| {
            let mut first = faults
                .first()
                .cloned()
                .unwrap_or_else(|| Fault::new(Blame::Program, format!("`{}` is broken without a reason", self.name)));
            if let [_, rest @ ..] = faults.as_slice()
                && !rest.is_empty()
            {
                let more = format!("{} more in this file", rest.len());
                first.next = if first.next.is_empty() { more } else { format!("{} ({more})", first.next) };
            }
            first
        })
    }

    /// Where a field stands, by its path (`kafka.sasl.password`); the file alone where it is not written there.
    pub fn place_of(&self, path: &str) -> Place {
        self.origins.get(path).and_then(|effective| effective.place.clone()).unwrap_or_else(|| Place::file(&self.file))
    }
}

/// A variable that a field needs and nobody set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The variable, or `file:/path` of a `${file:…}` that cannot be read.
    pub variable: String,
    /// The field that needs it, as `kafka.sasl.password`.
    pub field: String,
    /// Where the field stands.
    pub place: Place,
    /// What can be done.
    pub hint: String,
}

impl Missing {
    /// The fault of something that needs the field now.
    pub fn fault(&self) -> Fault {
        let what = match self.variable.strip_prefix("file:") {
            Some(path) => format!("`{}` needs the file `{path}`, which cannot be read", self.field),
            None => format!("`{}` needs `{}`, not set", self.field, self.variable),
        };
        Fault::new(Blame::Configuration, what).at(self.place.clone()).next(self.hint.clone())
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Written in the file as it is, or the `default(…)` there.
    File(Place),
    /// A variable of `.env`.
    DotEnv {
        /// Its name.
        variable: String,
        /// Its line.
        place: Place,
    },
    /// A variable of the process environment.
    Process(String),
    /// A file that `${file:…}` names.
    SecretFile(String),
    /// Nobody: the variable is not set.
    Missing(String),
    /// The program's own default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(place) => place.fmt(f),
            Self::DotEnv { variable, place } => write!(f, "{variable} in {place}"),
            Self::Process(variable) => write!(f, "{variable} in the process environment"),
            Self::SecretFile(path) => write!(f, "file {path}"),
            Self::Missing(variable) => write!(f, "{variable} is not set"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One effective value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effective {
    /// The field, as `kafka.sasl.mechanism` or `filters.etls[0]`.
    pub path: String,
    /// The value as it may be shown: `***` for a secret.
    pub shown: String,
    /// Where it came from; with several variables, the first of them in the text.
    pub origin: Origin,
    /// Where the field stands in YAML; absent for defaults.
    pub place: Option<Place>,
}

/// Every effective value of a file, those written first and in their order, defaults after.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Origins(pub(super) Vec<Effective>);

impl Origins {
    /// The value at a path.
    pub fn get(&self, path: &str) -> Option<&Effective> {
        self.0.iter().find(|effective| effective.path == path)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Effective> {
        self.0.iter()
    }
}
