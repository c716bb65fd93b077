//! Columns that were read from a sample when a job was planned first, and are its columns from then on: another sample may
//! show other digits of a decimal. It opens nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::session::Session;
use super::stream::{NodeKind, StreamPlan};
use crate::core::fault::{Blame, Fault};
use crate::formats::types;
use crate::sql::parse;
use crate::sql::parse::statement::StatementKind;

/// The columns of the sources of a plan that were read from a sample, as a declaration writes them, by the source's name.
pub fn inferred(plan: &StreamPlan) -> BTreeMap<String, String> {
    let mut columns = BTreeMap::new();
    for node in &plan.nodes {
        let NodeKind::Source(source) = &node.kind else { continue };
        if source.source.is_inferred() {
            let schema = source.source.schema();
            let fields = schema.fields().iter();
            let written =
                fields.map(|one| format!("{} {}", types::identifier(one.name()), types::name(one.data_type())));
            columns.insert(key(&source.name), written.collect::<Vec<_>>().join(", "));
        }
    }
    columns
}

/// What a source is kept under: its name may be a URI.
pub(super) fn key(name: &str) -> String {
    parse::uri_without_secrets(name).into_owned()
}

impl Session {
    /// From now on the sources of these names have these columns, unless they declare some.
    ///
    /// # Errors
    /// What is no list of columns, which [`inferred`] does not write.
    pub fn keep_columns(&mut self, columns: &BTreeMap<String, String>) -> Result<(), Fault> {
        for (name, written) in columns {
            let script = parse::parse(&format!("CREATE STREAM kept ({written}) WITH ('topic' = 'kept')"), "");
            let kind = script.statements.into_iter().next().map(|statement| statement.kind);
            let (Some(StatementKind::Declare(declared)), true) = (kind, script.errors.is_empty()) else {
                let what = format!("the kept columns of `{name}` cannot be read: {written}");
                return Err(
                    Fault::new(Blame::Program, what).next("begin the job from scratch: they are read anew then")
                );
            };
            let schema = self.columns(&declared)?;
            self.kept.insert(name.clone(), Arc::clone(&schema));
        }
        Ok(())
    }

    /// Columns that were kept are read anew.
    pub fn forget_columns(&mut self) {
        self.kept.clear();
    }

    /// Those of these columns that are still kept.
    pub fn kept_columns(&self, mut columns: BTreeMap<String, String>) -> BTreeMap<String, String> {
        columns.retain(|name, _| self.kept.contains_key(name));
        columns
    }
}
