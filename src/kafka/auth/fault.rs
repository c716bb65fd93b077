//! What can be wrong with authentication settings: one variant a rule, each naming its field. Never holds a secret.

use std::fmt;

use crate::core::environment::{SaslMechanism, SecurityProtocol};
use crate::core::fault::{Blame, Fault, Place};

/// A rule of authentication that the settings break. `Display` says what is wrong, [`AuthFault::field`] where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthFault {
    /// `SSL` and `SASL_SSL` without a certificate authority.
    #[error("{} needs `kafka.ssl.cafile`, the authority that signed the brokers", .0.name())]
    CaMissing(SecurityProtocol),
    /// A certificate that nothing proves to be ours.
    #[error("`kafka.ssl.certfile` is given without `kafka.ssl.keyfile`")]
    CertificateWithoutKey,
    /// A key that belongs to nothing.
    #[error("`kafka.ssl.keyfile` is given without `kafka.ssl.certfile`")]
    KeyWithoutCertificate,
    /// A path that leads nowhere.
    #[error("`{field}`: there is no file `{path}`")]
    FileMissing {
        /// Field that names the file.
        field: &'static str,
        /// The path as given.
        path: String,
    },
    /// A file that this user may not read, or that is a folder.
    #[error("`{field}`: cannot read `{path}`: {why}")]
    FileUnreadable {
        /// Field that names the file.
        field: &'static str,
        /// The path as given.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A file that is read but is not what its field promises.
    #[error("`{field}`: `{path}` {why}")]
    FileWrong {
        /// Field that names the file.
        field: &'static str,
        /// The path as given.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The phrase does not open the key.
    #[error("`kafka.ssl.password` does not open the key `{path}`")]
    KeyPhraseWrong {
        /// The key's path.
        path: String,
    },
    /// An encrypted key without its phrase.
    #[error("the key `{path}` is encrypted and `kafka.ssl.password` is missing")]
    KeyPhraseMissing {
        /// The key's path.
        path: String,
    },
    /// The certificate was made for another key.
    #[error("`kafka.ssl.certfile` and `kafka.ssl.keyfile` do not belong together")]
    KeyOfAnotherCertificate,
    /// A SASL transport without a login.
    #[error("{} needs `kafka.sasl`", .0.name())]
    SaslMissing(SecurityProtocol),
    /// PLAIN or SCRAM without a user.
    #[error("{} needs `kafka.sasl.username`", .0.name())]
    UsernameMissing(SaslMechanism),
    /// PLAIN or SCRAM without a password.
    #[error("{} needs `kafka.sasl.password`", .0.name())]
    PasswordMissing(SaslMechanism),
    /// OAUTHBEARER without a source of tokens, or with two.
    #[error(
        "OAUTHBEARER needs exactly one of `token`, `command` and `token_endpoint` under `kafka.sasl.oauth`; {0} are given"
    )]
    TokenSources(usize),
    /// An OIDC endpoint without its client.
    #[error("`kafka.sasl.oauth.token_endpoint` needs `{0}`")]
    OidcClientMissing(&'static str),
    /// An OIDC endpoint that is no HTTP address.
    #[error("`kafka.sasl.oauth.token_endpoint` must start with `https://` (or `http://` for a test)")]
    OidcEndpointForm,
    /// SASL extensions, which the client library does not pass on.
    #[error(
        "`kafka.sasl.oauth.extensions` cannot be sent: the client library passes no SASL extensions with its own tokens"
    )]
    ExtensionsUnsupported,
    /// Kerberos in a build without it.
    #[error("GSSAPI is not in this build")]
    GssapiMissing,
    /// The embedded broker behind anything but `PLAINTEXT`.
    #[error("the embedded broker speaks PLAINTEXT only, not {}", .0.name())]
    EmbeddedIsPlain(SecurityProtocol),
}

impl AuthFault {
    /// The field that must change, as a path from the top of the environment's file.
    pub fn field(&self) -> &'static str {
        match self {
            Self::CaMissing(_) => "kafka.ssl.cafile",
            Self::CertificateWithoutKey => "kafka.ssl.keyfile",
            Self::KeyWithoutCertificate | Self::KeyOfAnotherCertificate => "kafka.ssl.certfile",
            Self::FileMissing { field, .. } | Self::FileUnreadable { field, .. } | Self::FileWrong { field, .. } => {
                field
            }
            Self::KeyPhraseWrong { .. } | Self::KeyPhraseMissing { .. } => "kafka.ssl.password",
            Self::SaslMissing(_) => "kafka.sasl",
            Self::UsernameMissing(_) => "kafka.sasl.username",
            Self::PasswordMissing(_) => "kafka.sasl.password",
            Self::TokenSources(_) => "kafka.sasl.oauth",
            Self::OidcClientMissing(field) => field,
            Self::OidcEndpointForm => "kafka.sasl.oauth.token_endpoint",
            Self::ExtensionsUnsupported => "kafka.sasl.oauth.extensions",
            Self::GssapiMissing => "kafka.sasl.mechanism",
            Self::EmbeddedIsPlain(_) => "kafka.security_protocol",
        }
    }

    /// What to do about it; empty where the message says it.
    fn advice(&self) -> &'static str {
        match self {
            Self::TokenSources(_) => "keep one",
            Self::ExtensionsUnsupported => "remove them, or put what they say into the token",
            Self::GssapiMissing => "build with `--features gssapi`, or use SCRAM-SHA-512",
            Self::EmbeddedIsPlain(_) => "remove `security_protocol`",
            Self::KeyPhraseWrong { .. } | Self::KeyPhraseMissing { .. } => "set the phrase the key was made with",
            _ => "",
        }
    }

    /// The same as a [`Fault`], with the place of its field where the caller knows it.
    pub fn to_fault(&self, place: Option<Place>) -> Fault {
        Fault { place, ..Fault::new(Blame::Configuration, self.to_string()).next(self.advice()) }
    }
}

/// Settings that work and are unwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// Nothing is encrypted and nobody logs in.
    Plaintext,
    /// The password or token crosses the network as it is.
    SaslWithoutEncryption,
    /// Any server with a certificate of the authority is believed.
    HostnameUnchecked,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plaintext => "PLAINTEXT: no encryption and no login; for development only",
            Self::SaslWithoutEncryption => "SASL_PLAINTEXT: the login is not encrypted; use SASL_SSL",
            Self::HostnameUnchecked => "`kafka.ssl.check_hostname` is off: the broker's name is not checked",
        })
    }
}
