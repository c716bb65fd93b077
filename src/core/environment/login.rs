//! How an environment is logged into: transport, mechanism, credentials, certificates. Values only: nothing here reads a file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::secret::Secret;

/// Kafka's four transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum SecurityProtocol {
    /// No encryption, no login.
    #[default]
    #[serde(rename = "PLAINTEXT")]
    Plaintext,
    /// TLS, with a client certificate where given.
    #[serde(rename = "SSL")]
    Ssl,
    /// Login without encryption.
    #[serde(rename = "SASL_PLAINTEXT")]
    SaslPlaintext,
    /// Login inside TLS.
    #[serde(rename = "SASL_SSL")]
    SaslSsl,
}

impl SecurityProtocol {
    /// Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// Whether it encrypts.
    pub fn has_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// Whether it logs in.
    pub fn has_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

/// SASL mechanisms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SaslMechanism {
    /// User name and password as they are.
    #[serde(rename = "PLAIN")]
    Plain,
    /// Salted challenge, SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// Salted challenge, SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
    /// A bearer token.
    #[serde(rename = "OAUTHBEARER")]
    OauthBearer,
    /// Kerberos; only in builds with the `gssapi` feature.
    #[serde(rename = "GSSAPI")]
    Gssapi,
}

impl SaslMechanism {
    /// The name in the SASL handshake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::OauthBearer => "OAUTHBEARER",
            Self::Gssapi => "GSSAPI",
        }
    }
}

/// `kafka.sasl:`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaslSettings {
    /// How to log in.
    pub mechanism: SaslMechanism,
    /// User (PLAIN, SCRAM).
    #[serde(default)]
    pub username: Option<String>,
    /// Password (PLAIN, SCRAM).
    #[serde(default)]
    pub password: Option<Secret>,
    /// Where an OAUTHBEARER token comes from.
    #[serde(default)]
    pub oauth: Option<OauthSettings>,
    /// Kerberos service name (GSSAPI); `kafka` where absent.
    #[serde(default)]
    pub kerberos_service_name: Option<String>,
    /// Kerberos key table (GSSAPI).
    #[serde(default)]
    pub kerberos_keytab: Option<String>,
    /// Kerberos principal (GSSAPI).
    #[serde(default)]
    pub kerberos_principal: Option<String>,
}

/// `kafka.sasl.oauth:`; exactly one of `token`, `command`, `token_endpoint` says where tokens come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthSettings {
    /// A token, as it is.
    #[serde(default)]
    pub token: Option<Secret>,
    /// A program and its arguments that prints a token; run again before the token expires.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// OIDC token endpoint for the client credentials grant.
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// OIDC client.
    #[serde(default)]
    pub client_id: Option<String>,
    /// OIDC client's secret.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// OIDC scope.
    #[serde(default)]
    pub scope: Option<String>,
    /// SASL extensions sent with the token.
    #[serde(default)]
    pub extensions: IndexMap<String, String>,
}

/// `kafka.ssl:`. An empty text counts as absent, so that `{{ X | default('') }}` means "not set".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SslSettings {
    /// Certificate authority that signed the brokers (PEM).
    #[serde(default)]
    pub cafile: Option<String>,
    /// Client certificate (PEM); needs `keyfile`.
    #[serde(default)]
    pub certfile: Option<String>,
    /// Client key (PEM); needs `certfile`.
    #[serde(default)]
    pub keyfile: Option<String>,
    /// Phrase of an encrypted key.
    #[serde(default, alias = "key_password")]
    pub password: Option<Secret>,
    /// Whether the broker's name must be in its certificate.
    #[serde(default = "yes")]
    pub check_hostname: bool,
}

fn yes() -> bool {
    true
}
