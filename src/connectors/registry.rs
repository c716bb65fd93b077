//! The connectors of this program, by name: one line a connector. It opens none of them.

use std::sync::Arc;

use super::contract::Connector;
use super::discard::DiscardConnector;
use super::file::FileConnector;
use super::generator::GeneratorConnector;
use super::kafka::KafkaConnector;
use super::memory::MemoryConnector;
use super::stdout::StdoutConnector;
use crate::core::fault::{Blame, Fault};
use crate::core::words::nearest;

/// Connectors by name.
#[derive(Clone, Default)]
pub struct Connectors {
    known: Vec<Arc<dyn Connector>>,
}

/// Systems that the documents name and this build does not speak to yet: they parse, and say so at plan time.
pub const NOT_IN_THIS_BUILD: [&str; 7] = ["postgresql", "postgres", "clickhouse", "s3", "iceberg", "http", "https"];

/// Every connector of this build.
pub fn builtin() -> Connectors {
    Connectors::default()
        .with(Arc::new(KafkaConnector))
        .with(Arc::new(FileConnector))
        .with(Arc::new(GeneratorConnector))
        .with(Arc::new(MemoryConnector::default()))
        .with(Arc::new(StdoutConnector))
        .with(Arc::new(DiscardConnector))
}

impl Connectors {
    /// Adds a connector; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, connector: Arc<dyn Connector>) -> Self {
        self.known.retain(|known| known.name() != connector.name());
        self.known.push(connector);
        self
    }

    /// All of them, in order of registration.
    pub fn all(&self) -> &[Arc<dyn Connector>] {
        &self.known
    }

    /// The connector of a name.
    ///
    /// # Errors
    /// A fault that names what there is, or says that the system is not available in this build.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Connector>, Fault> {
        if let Some(found) = self.known.iter().find(|known| known.name() == name) {
            return Ok(found);
        }
        let names: Vec<_> = self.known.iter().map(|known| known.name()).collect();
        let what = if NOT_IN_THIS_BUILD.contains(&name) {
            format!("the connector `{name}` is not available in this build")
        } else {
            format!("there is no connector `{name}`")
        };
        let meant = nearest(name, names.iter().copied()).map(|meant| format!("did you mean `{meant}`? "));
        let next = format!("{}connectors are: {}", meant.unwrap_or_default(), names.join(", "));
        Err(Fault::new(Blame::Operator, what).next(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_is_not_in_this_build_is_told_from_a_name_that_is_none() {
        let said = |name: &str| builtin().get(name).err().map(|fault| fault.what);
        for name in ["postgres", "postgresql", "s3", "https"] {
            assert_eq!(said(name), Some(format!("the connector `{name}` is not available in this build")));
        }
        assert_eq!(said("postgers"), Some("there is no connector `postgers`".into()));
        assert_eq!(said("kafka"), None);
    }
}
