//! Which guards stand before the topics that SQL writes to: those of the environments whose brokers they are on, which need
//! not be the one that it runs in. Brokers of no environment ask for a confirmation under their own name.

use super::session::{Session, guard};
use crate::connectors::contract::Written;
use crate::core::environment::Guard;
use crate::core::fault::Fault;
use crate::sql::deploy::definition::Definition;
use crate::sql::deploy::prepare;

/// What is asked before something is written: names, each once, and the guard of each.
#[derive(Default)]
pub struct Guards(Vec<(String, Guard)>);

impl Guards {
    /// The guards of a job: that of its environment, and those before the topics it writes to.
    ///
    /// # Errors
    /// A text that says no longer what it writes to.
    pub fn of_job(definition: &Definition, session: &Session<'_>) -> Result<Self, Fault> {
        let written = prepare::written(&session.config.variables, &definition.sql, definition.statement)?;
        let mut guards = Self::default();
        guards.environment(&definition.environment, session);
        guards.topics(&written, Some(&definition.environment), session);
        Ok(guards)
    }

    /// The guards before these topics too, of statements that run in the environment `own`.
    pub fn topics(&mut self, written: &[Written], own: Option<&str>, session: &Session<'_>) {
        for one in written {
            match (&one.brokers, own) {
                (None, Some(own)) => self.environment(own, session),
                (Some(brokers), _) => {
                    let found = session.config.whose_brokers(brokers, own);
                    found.environments.iter().for_each(|name| self.environment(name, session));
                    found.unknown.into_iter().for_each(|broker| self.add(broker, Guard::Confirm));
                }
                // Without an environment and without brokers no topic can be written.
                (None, None) => {}
            }
        }
    }

    /// The guard of an environment too. One that is no more guards nothing that could be written to.
    fn environment(&mut self, name: &str, session: &Session<'_>) {
        self.add(name.to_owned(), session.config.environment(name).map_or(Guard::None, guard));
    }

    fn add(&mut self, name: String, guard: Guard) {
        if !self.0.iter().any(|(known, _)| *known == name) {
            self.0.push((name, guard));
        }
    }

    /// As [`super::guard::permit`] takes them.
    pub fn list(&self) -> Vec<(&str, Guard)> {
        self.0.iter().map(|(name, guard)| (name.as_str(), *guard)).collect()
    }

    /// Their names, as the audit log has them.
    pub fn names(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// A topic and where it is, for people.
pub fn place(written: &Written) -> String {
    match &written.brokers {
        Some(brokers) => format!("{} at {brokers}", written.topic),
        None => written.topic.clone(),
    }
}
