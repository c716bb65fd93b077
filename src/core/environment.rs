//! One Kafka environment as `config/environments/*.yaml` describes it. Values only: nothing here connects.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

mod login;

pub use login::{OauthSettings, SaslMechanism, SaslSettings, SecurityProtocol, SslSettings};

/// How much care a writing action needs in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Nothing is asked.
    None,
    /// A summary and a yes.
    Confirm,
    /// The environment's name must be typed.
    Typed,
    /// Every writing action is refused.
    ReadOnly,
}

impl Guard {
    /// The guard of an environment whose file is silent: `typed` for `prod` and `preprod`, else `none`.
    pub fn default_for(environment: &str) -> Self {
        match environment {
            "prod" | "preprod" => Self::Typed,
            _ => Self::None,
        }
    }

    /// What is left of it while `read_only` is lifted.
    pub fn lifted(self) -> Self {
        if self == Self::ReadOnly { Self::Typed } else { self }
    }
}

/// A file of `config/environments/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Name, as flags, filters and ETL topics say it.
    pub environment: String,
    /// One line on what it is for.
    #[serde(default)]
    pub description: String,
    /// Safety; `typed` for prod and preprod where silent, else `none`.
    #[serde(default)]
    pub guard: Option<Guard>,
    /// Most events a second that runs may send here, over all ETLs; no limit where absent.
    #[serde(default)]
    pub rate_limit_events_per_second: Option<u32>,
    /// Where the brokers are and how to log in.
    pub kafka: KafkaSettings,
    /// How records are produced.
    #[serde(default)]
    pub producer: ProducerSettings,
    /// How records are consumed.
    #[serde(default)]
    pub consumer: ConsumerSettings,
    /// How far a health check goes.
    #[serde(default)]
    pub health: HealthSettings,
}

/// `health:` of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthSettings {
    /// A topic that a health check may write one record to and read it back from; without it a check writes nothing.
    pub round_trip_topic: Option<String>,
}

impl Environment {
    /// The guard in force.
    pub fn guard(&self) -> Guard {
        self.guard.unwrap_or_else(|| Guard::default_for(&self.environment))
    }

    /// The topic that a health check writes to and reads from; none where nobody named one, or the guard forbids writing.
    pub fn round_trip_topic(&self) -> Option<&str> {
        let named = self.health.round_trip_topic.as_deref().filter(|topic| !topic.trim().is_empty());
        named.filter(|_| self.guard() != Guard::ReadOnly)
    }

    /// Whether the broker is the one inside this process.
    pub fn is_embedded(&self) -> bool {
        self.kafka.bootstrap_servers.starts_with(EMBEDDED)
    }
}

/// The scheme of `bootstrap_servers` that asks for the broker inside this process.
pub const EMBEDDED: &str = "embedded://";

/// `kafka:` of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// `host:port,host:port`, or `embedded://`.
    pub bootstrap_servers: String,
    /// Transport and login.
    #[serde(default)]
    pub security_protocol: SecurityProtocol,
    /// Name shown in broker logs and quotas.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Login; needed by the two SASL protocols.
    #[serde(default)]
    pub sasl: Option<SaslSettings>,
    /// Certificates; needed by `SSL` and `SASL_SSL`.
    #[serde(default)]
    pub ssl: Option<SslSettings>,
    /// Longest wait for a broker's answer, milliseconds.
    #[serde(default = "request_timeout_ms")]
    pub request_timeout_ms: u32,
    /// Any other librdkafka setting of the connection, by its own name.
    #[serde(default)]
    pub options: IndexMap<String, Scalar>,
}

fn request_timeout_ms() -> u32 {
    30_000
}

/// `acks`: how many replicas must have a record before it counts as delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = acks_as_numbers)]
pub enum Acks {
    /// None.
    #[serde(rename = "0")]
    None,
    /// The leader.
    #[serde(rename = "1")]
    Leader,
    /// All replicas in sync.
    #[default]
    #[serde(rename = "all", alias = "-1")]
    All,
}

/// YAML writes `acks: 1` as readily as `acks: "1"`.
fn acks_as_numbers(schema: &mut schemars::Schema) {
    schema.remove("oneOf");
    schema.insert("enum".into(), serde_json::json!(["all", "0", "1", "-1", 0, 1, -1]));
}

/// `producer:` of an environment. What is not named here goes to librdkafka under its own name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProducerSettings {
    /// Largest batch sent to a partition, bytes.
    pub batch_size: u32,
    /// Longest wait to fill a batch, milliseconds.
    pub linger_ms: u32,
    /// Replicas that must confirm.
    pub acks: Acks,
    /// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    pub compression_type: Compression,
    /// Attempts of librdkafka after the first.
    pub retries: u32,
    /// Pause between attempts, milliseconds.
    pub retry_backoff_ms: u32,
    /// Whether the broker removes duplicates; on where `acks` is `all` and the file is silent.
    pub enable_idempotence: Option<bool>,
    /// Any other librdkafka producer setting; the file may also write them beside the keys above.
    pub options: IndexMap<String, Scalar>,
}

impl Default for ProducerSettings {
    fn default() -> Self {
        Self {
            batch_size: 1_000_000,
            linger_ms: 5,
            acks: Acks::All,
            compression_type: Compression::None,
            retries: 3,
            retry_backoff_ms: 100,
            enable_idempotence: None,
            options: IndexMap::new(),
        }
    }
}

/// Codecs of a record batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// As it is.
    #[default]
    None,
    /// zlib.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// librdkafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// `consumer:` of an environment. What is not named here goes to librdkafka under its own name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConsumerSettings {
    /// Group that `consume` joins where none is given. Tails never join it.
    pub group_id: Option<String>,
    /// Where a group starts that has no commit: `earliest` or `latest`.
    pub auto_offset_reset: OffsetReset,
    /// Accepted as documented; `consume` commits a record after it was processed whatever this says.
    pub enable_auto_commit: Option<bool>,
    /// Any other librdkafka consumer setting; the file may also write them beside the keys above.
    pub options: IndexMap<String, Scalar>,
}

/// Where a group without a commit starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OffsetReset {
    /// The oldest record kept.
    Earliest,
    /// Only what comes after now.
    #[default]
    Latest,
}

/// A librdkafka setting's value as YAML may write it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`, `false`.
    Bool(bool),
    /// Whole numbers.
    Integer(i64),
    /// Numbers with a fraction.
    Float(f64),
    /// Everything else.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, `true` or `false`")
            }

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(value))
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(i64::try_from(value).map_or_else(|_| Scalar::Text(value.to_string()), Scalar::Integer))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(value))
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_owned()))
            }
        }

        deserializer.deserialize_any(Any)
    }
}
