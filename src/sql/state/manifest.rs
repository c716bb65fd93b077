//! The manifest of a checkpoint: which epoch, of which job, where the sources stood, which files hold the state, and what
//! the sink still has to make visible. Values only.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::connectors::contract::{Position, Split};
use crate::connectors::options::Options;
use crate::core::secret::is_secret_key;
use crate::sql::parse::uri_without_secrets;

/// The form of manifests that this program writes.
pub const FORM: u32 = 1;

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORM`] of the program that wrote it.
    pub form: u32,
    /// Number of the checkpoint, from 1.
    pub epoch: u64,
    /// Name of the job.
    pub job: String,
    /// When it was written, milliseconds since 1970.
    pub written_ms: i64,
    /// SHA-256 of the SQL text and of what it stands on ([`JobText::sha256`]), hexadecimal.
    pub sql_sha256: String,
    /// The text of the statement.
    pub sql: String,
    /// SHA-256 of the definitions that it stands on, by name; `None` in checkpoints of versions that did not look at them.
    #[serde(default)]
    pub definitions: Option<BTreeMap<String, String>>,
    /// SHA-256 of the options of its ends as they were resolved, secrets left out, by name; `None` in checkpoints of
    /// versions that did not look at them.
    #[serde(default)]
    pub ends: Option<BTreeMap<String, String>>,
    /// SHA-256 of what the variables of its texts said, by name; none of secrets. `None` in checkpoints of versions that did
    /// not look at them.
    #[serde(default)]
    pub variables: Option<BTreeMap<String, String>>,
    /// The cluster that the positions of each source are of, by the source's name.
    #[serde(default)]
    pub clusters: BTreeMap<String, String>,
    /// Columns that were read from a sample, by the name of their source: a job that goes on has the same.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// The file that the text came from, where its name alone tells it from others; see [`JobText::script`].
    #[serde(default)]
    pub script: Option<String>,
    /// Whether the job had come to its end: there is nothing to go on with.
    pub has_finished: bool,
    /// Where the sources stood.
    pub lanes: Vec<LaneState>,
    /// Operators, those without state too.
    pub operators: Vec<OperatorEntry>,
    /// What the sink needs to make the rows before this checkpoint visible.
    pub prepared: Option<String>,
}

/// What a job was made of: the text of its statement, and those of the definitions that it stands on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobText {
    /// The statement.
    pub statement: String,
    /// Definitions of sources, streams, views and sinks, by name.
    pub definitions: BTreeMap<String, String>,
    /// The mark of the resolved options of each source and sink ([`mark_of`]), by name: what variables and configuration
    /// files say is in no text.
    pub ends: BTreeMap<String, String>,
    /// The mark of what each variable of the texts says ([`variables`](super::variables)), by name.
    pub variables: BTreeMap<String, String>,
    /// The cluster that the positions of each source are of, by the source's name.
    pub clusters: BTreeMap<String, String>,
    /// Columns that were read from a sample, by the name of their source.
    pub columns: BTreeMap<String, String>,
    /// The file that the text came from, from the root on, where it is told from others by its name alone: a file of
    /// that name in another folder is another script.
    pub script: Option<String>,
}

impl JobText {
    /// SHA-256 of all of it, hexadecimal.
    pub fn sha256(&self) -> String {
        let mut all = self.statement.clone();
        for (name, text) in &self.definitions {
            all.push('\0');
            all.push_str(name);
            all.push('\0');
            all.push_str(text);
        }
        sha256(all.as_bytes())
    }

    /// SHA-256 of each definition, by name.
    pub fn marks(&self) -> BTreeMap<String, String> {
        self.definitions.iter().map(|(name, text)| (name.clone(), sha256(text.as_bytes()))).collect()
    }

    /// Whether this is another text than that of a checkpoint.
    pub fn is_another_than(&self, manifest: &Manifest) -> bool {
        match manifest.definitions {
            Some(_) => manifest.sql_sha256 != self.sha256(),
            None => manifest.sql != self.statement,
        }
    }

    /// The names whose definitions are others than those of a checkpoint, or were none there, or are none any more.
    pub fn redefined(&self, manifest: &Manifest) -> Vec<String> {
        let Some(before) = &manifest.definitions else { return Vec::new() };
        let now = self.marks();
        let names: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
        names.into_iter().filter(|name| now.get(*name) != before.get(*name)).cloned().collect()
    }
}

impl JobText {
    /// The names whose text is the same and whose options are others than at a checkpoint: a variable or a configuration
    /// file says something else.
    pub fn reconfigured(&self, manifest: &Manifest) -> Vec<String> {
        let Some(before) = &manifest.ends else { return Vec::new() };
        if self.is_another_than(manifest) {
            // What the text says otherwise is told as that.
            return Vec::new();
        }
        // A URI that is named otherwise under the same text is so by a variable.
        let others = self.ends.iter().filter(|(name, mark)| before.get(*name) != Some(mark));
        others.map(|(name, _)| name.clone()).collect()
    }

    /// The variables of the texts that say something else than at a checkpoint.
    pub fn varied(&self, manifest: &Manifest) -> Vec<String> {
        let before = manifest.variables.as_ref();
        let is_other = |(name, mark): &(&String, &String)| {
            before.and_then(|before| before.get(*name)).is_some_and(|before| before != *mark)
        };
        self.variables.iter().filter(is_other).map(|(name, _)| name.clone()).collect()
    }

    /// A source whose positions are of another cluster: its name, the cluster of the checkpoint, and its own.
    pub fn moved<'t>(&'t self, manifest: &'t Manifest) -> Option<(&'t str, &'t str, &'t str)> {
        let both = self.clusters.iter().filter_map(|(name, now)| Some((name, manifest.clusters.get(name)?, now)));
        both.into_iter().find(|(_, then, now)| then != now).map(|(name, then, now)| (&**name, &**then, &**now))
    }
}

/// SHA-256 of options, hexadecimal. Values of keys that are a secret's are left out: a new password changes no job.
pub fn mark_of(options: &Options) -> String {
    let mut lines: Vec<String> = options
        .iter()
        .filter(|(key, _)| !is_secret_key(key))
        .map(|(key, value)| format!("{key}\0{}\0", uri_without_secrets(&value.text)))
        .collect();
    lines.sort();
    sha256(lines.concat().as_bytes())
}

/// An operator in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorEntry {
    /// Its identity over restarts.
    pub identity: String,
    /// Its label, for people.
    pub label: String,
    /// Its state.
    pub tables: Vec<TableFile>,
}

/// A table of an operator's state in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Name of the table within the operator.
    pub table: String,
    /// Which instance wrote it.
    pub instance: usize,
    /// How many of the first columns are the key that rows are spread by.
    pub keys: usize,
    /// Rows.
    pub rows: usize,
    /// The file, beside the manifest.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

/// Where the readers of a lane stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneState {
    /// The source's identity over restarts.
    pub source: String,
    /// The watermark that the lane has given, milliseconds since 1970.
    pub watermark: i64,
    /// Its splits.
    pub splits: Vec<SplitState>,
}

/// Where the reader of a split stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitState {
    /// The split.
    pub split: Split,
    /// Where its reader stands; `None` where it has given nothing yet.
    pub position: Option<Position>,
    /// The newest event time it gave, milliseconds since 1970.
    pub newest: Option<i64>,
    /// Whether it is read to its end.
    pub has_ended: bool,
}

impl SplitState {
    /// A split of which nothing has been read.
    pub fn new(split: Split) -> Self {
        Self { split, position: None, newest: None, has_ended: false }
    }
}

/// SHA-256, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_what_options_say_in_any_order_and_of_no_secret() {
        let mark = |pairs: &[(&str, &str)]| mark_of(&pairs.iter().copied().collect());
        let one = mark(&[("topic", "a"), ("kafka.sasl.password", "x")]);
        assert_eq!(one, mark(&[("kafka.sasl.password", "another"), ("topic", "a")]));
        assert_ne!(one, mark(&[("topic", "b")]));
    }
}
