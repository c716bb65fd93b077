//! One ETL as `config/etl/*.yaml` describes it. Values only: rendering and sending are elsewhere.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::environment::{KafkaSettings, Scalar};

/// A file of `config/etl/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Etl {
    /// Name, unique in the registry.
    pub name: String,
    /// One line on what it sends and to whom.
    #[serde(default)]
    pub description: String,
    /// Group in lists and filters.
    #[serde(default = "uncategorised")]
    pub category: String,
    /// A disabled ETL is listed and previewed, never run.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Topic by environment; an environment that is not named is not served.
    pub topics: IndexMap<String, String>,
    /// File under `templates/payloads/`.
    pub payload_template: String,
    /// Template of the key; no key where absent.
    #[serde(default)]
    pub key_template: Option<String>,
    /// Templates of the headers, by header.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Variables of its templates, the weakest layer of the context.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// Events a batch; the runner's where absent.
    #[serde(default)]
    pub batch_size: Option<u32>,
    /// Whether its environments may run at the same time.
    #[serde(default = "yes")]
    pub parallel: bool,
    /// Attempts after the first; the runner's where absent.
    #[serde(default)]
    pub max_retries: Option<u32>,
    /// First pause between attempts, milliseconds; the runner's where absent.
    #[serde(default)]
    pub retry_backoff_ms: Option<u32>,
    /// Partition every event goes to; by key where absent.
    #[serde(default)]
    pub partition: Option<i32>,
    /// Connection settings that replace the environment's, field by field.
    #[serde(default)]
    pub auth_override: Option<AuthOverride>,
    /// Producer settings of this ETL alone; `compression` is short for `compression_type`.
    #[serde(default)]
    pub extra: IndexMap<String, Scalar>,
}

fn yes() -> bool {
    true
}

fn uncategorised() -> String {
    "uncategorised".into()
}

/// `auth_override:` of an ETL: what is given replaces the environment's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthOverride {
    /// Other transport.
    pub security_protocol: Option<super::environment::SecurityProtocol>,
    /// Other login.
    pub sasl: Option<super::environment::SaslSettings>,
    /// Other certificates.
    pub ssl: Option<super::environment::SslSettings>,
}

impl AuthOverride {
    /// The environment's settings with what is given here put in their place.
    pub fn applied_to(&self, settings: &KafkaSettings) -> KafkaSettings {
        let mut settings = settings.clone();
        if let Some(protocol) = self.security_protocol {
            settings.security_protocol = protocol;
        }
        if self.sasl.is_some() {
            settings.sasl.clone_from(&self.sasl);
        }
        if self.ssl.is_some() {
            settings.ssl.clone_from(&self.ssl);
        }
        settings
    }
}
