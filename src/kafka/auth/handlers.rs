//! The handlers of Kafka's four transports. Each one joins the rules of TLS and SASL that its transport needs.

use std::sync::Arc;

use rdkafka::config::ClientConfig;

use crate::core::environment::KafkaSettings;

use super::oauth::TokenSource;
use super::{AuthFault, AuthHandler, Warning, sasl, tls};

/// `PLAINTEXT`: no encryption, no login.
pub struct PlaintextAuth;

impl AuthHandler for PlaintextAuth {
    fn validate(&self, settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
        // The broker inside this process has no network to listen on.
        let embedded = settings.bootstrap_servers.starts_with(crate::core::environment::EMBEDDED);
        Ok(if embedded { Vec::new() } else { vec![Warning::Plaintext] })
    }

    fn apply(&self, settings: &KafkaSettings, client: &mut ClientConfig) {
        client.set("security.protocol", settings.security_protocol.name());
    }
}

/// `SSL`: encryption, and a login by certificate where one is given.
pub struct SslAuth;

impl AuthHandler for SslAuth {
    fn validate(&self, settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
        joined([not_embedded(settings), tls::validate(settings)])
    }

    fn apply(&self, settings: &KafkaSettings, client: &mut ClientConfig) {
        client.set("security.protocol", settings.security_protocol.name());
        tls::apply(settings, client);
    }
}

/// `SASL_PLAINTEXT`: a login without encryption.
pub struct SaslPlaintextAuth;

impl AuthHandler for SaslPlaintextAuth {
    fn validate(&self, settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
        joined([not_embedded(settings), sasl::validate(settings), Ok(vec![Warning::SaslWithoutEncryption])])
    }

    fn apply(&self, settings: &KafkaSettings, client: &mut ClientConfig) {
        client.set("security.protocol", settings.security_protocol.name());
        sasl::apply(settings, client);
    }

    fn tokens(&self, settings: &KafkaSettings) -> Option<Arc<dyn TokenSource>> {
        sasl::tokens(settings)
    }
}

/// `SASL_SSL`: a login inside encryption.
pub struct SaslSslAuth;

impl AuthHandler for SaslSslAuth {
    fn validate(&self, settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
        joined([not_embedded(settings), tls::validate(settings), sasl::validate(settings)])
    }

    fn apply(&self, settings: &KafkaSettings, client: &mut ClientConfig) {
        client.set("security.protocol", settings.security_protocol.name());
        tls::apply(settings, client);
        sasl::apply(settings, client);
    }

    fn tokens(&self, settings: &KafkaSettings) -> Option<Arc<dyn TokenSource>> {
        sasl::tokens(settings)
    }
}

type Verdict = Result<Vec<Warning>, Vec<AuthFault>>;

fn not_embedded(settings: &KafkaSettings) -> Verdict {
    if settings.bootstrap_servers.starts_with(crate::core::environment::EMBEDDED) {
        return Err(vec![AuthFault::EmbeddedIsPlain(settings.security_protocol)]);
    }
    Ok(Vec::new())
}

/// All warnings, or all faults of all verdicts.
fn joined<const N: usize>(verdicts: [Verdict; N]) -> Verdict {
    let (mut warnings, mut faults) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        match verdict {
            Ok(mut more) => warnings.append(&mut more),
            Err(mut more) => faults.append(&mut more),
        }
    }
    if faults.is_empty() { Ok(warnings) } else { Err(faults) }
}
