//! Logins: what each mechanism needs, and its names in librdkafka. Never connects.

use std::sync::Arc;

use rdkafka::config::ClientConfig;

use crate::core::environment::{KafkaSettings, SaslMechanism, SaslSettings};

use super::oauth::{self, TokenSource};
use super::{AuthFault, Warning, given, given_secret};

/// A mechanism needs its credentials.
pub fn validate(settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
    let Some(sasl) = &settings.sasl else { return Err(vec![AuthFault::SaslMissing(settings.security_protocol)]) };
    let faults = match sasl.mechanism {
        SaslMechanism::Plain | SaslMechanism::ScramSha256 | SaslMechanism::ScramSha512 => password_faults(sasl),
        SaslMechanism::OauthBearer => oauth::faults(sasl),
        SaslMechanism::Gssapi => kerberos_faults(sasl),
    };
    if faults.is_empty() { Ok(Vec::new()) } else { Err(faults) }
}

/// Writes the login into a client's configuration.
pub fn apply(settings: &KafkaSettings, client: &mut ClientConfig) {
    let Some(sasl) = &settings.sasl else { return };
    client.set("sasl.mechanisms", sasl.mechanism.name());
    let pairs = match sasl.mechanism {
        SaslMechanism::Plain | SaslMechanism::ScramSha256 | SaslMechanism::ScramSha512 => vec![
            ("sasl.username", given(sasl.username.as_ref())),
            ("sasl.password", given_secret(sasl.password.as_ref())),
        ],
        SaslMechanism::OauthBearer => Vec::new(),
        SaslMechanism::Gssapi => vec![
            ("sasl.kerberos.service.name", given(sasl.kerberos_service_name.as_ref())),
            ("sasl.kerberos.keytab", given(sasl.kerberos_keytab.as_ref())),
            ("sasl.kerberos.principal", given(sasl.kerberos_principal.as_ref())),
        ],
    };
    for (name, value) in pairs {
        if let Some(value) = value {
            client.set(name, value);
        }
    }
}

/// Where OAUTHBEARER gets its tokens.
pub fn tokens(settings: &KafkaSettings) -> Option<Arc<dyn TokenSource>> {
    let sasl = settings.sasl.as_ref()?;
    (sasl.mechanism == SaslMechanism::OauthBearer).then(|| sasl.oauth.as_ref().and_then(oauth::source)).flatten()
}

fn password_faults(sasl: &SaslSettings) -> Vec<AuthFault> {
    let mut faults = Vec::new();
    if given(sasl.username.as_ref()).is_none() {
        faults.push(AuthFault::UsernameMissing(sasl.mechanism));
    }
    if given_secret(sasl.password.as_ref()).is_none() {
        faults.push(AuthFault::PasswordMissing(sasl.mechanism));
    }
    faults
}

fn kerberos_faults(sasl: &SaslSettings) -> Vec<AuthFault> {
    if !cfg!(feature = "gssapi") {
        return vec![AuthFault::GssapiMissing];
    }
    let field = "kafka.sasl.kerberos_keytab";
    match given(sasl.kerberos_keytab.as_ref()) {
        Some(path) if !std::path::Path::new(path).exists() => {
            vec![AuthFault::FileMissing { field, path: path.to_owned() }]
        }
        Some(path) => std::fs::File::open(path)
            .err()
            .map(|error| AuthFault::FileUnreadable { field, path: path.to_owned(), why: error.to_string() })
            .into_iter()
            .collect(),
        None => Vec::new(),
    }
}
