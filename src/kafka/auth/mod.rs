//! How a client proves who it is: one handler a transport, chosen from a registry that takes handlers of your own.
//! Handlers check settings and apply them; they never connect and never print a secret.
//!
//! A handler of your own replaces the one of its transport:
//!
//! ```
//! use std::sync::Arc;
//! use rdkafka::config::ClientConfig;
//! use velox::core::environment::{KafkaSettings, SecurityProtocol};
//! use velox::core::fault::Fault;
//! use velox::core::secret::Secret;
//! use velox::kafka::auth::{AuthFault, AuthHandler, AuthRegistry, Token, TokenSource, Warning};
//!
//! /// Tokens of the company's own vault.
//! struct VaultTokens;
//!
//! impl TokenSource for VaultTokens {
//!     fn token(&self) -> Result<Token, Fault> {
//!         Ok(Token { text: Secret::new("from the vault"), principal: "velox".into(), expires_at_ms: i64::MAX })
//!     }
//! }
//!
//! struct VaultAuth;
//!
//! impl AuthHandler for VaultAuth {
//!     fn validate(&self, _: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
//!         Ok(Vec::new())
//!     }
//!
//!     fn apply(&self, _: &KafkaSettings, client: &mut ClientConfig) {
//!         client.set("security.protocol", "SASL_SSL").set("sasl.mechanisms", "OAUTHBEARER");
//!     }
//!
//!     fn tokens(&self, _: &KafkaSettings) -> Option<Arc<dyn TokenSource>> {
//!         Some(Arc::new(VaultTokens))
//!     }
//! }
//!
//! let mut registry = AuthRegistry::default();
//! registry.register(SecurityProtocol::SaslSsl, Arc::new(VaultAuth));
//! ```

mod fault;
mod handlers;
mod oauth;
mod sasl;
mod tls;

use std::collections::HashMap;
use std::sync::Arc;

use rdkafka::config::ClientConfig;

use crate::core::environment::{KafkaSettings, SecurityProtocol};
use crate::core::secret::Secret;

pub use fault::{AuthFault, Warning};
pub use handlers::{PlaintextAuth, SaslPlaintextAuth, SaslSslAuth, SslAuth};
pub use oauth::{Token, TokenSource};

/// One transport: what its settings must hold, and what they mean to librdkafka.
pub trait AuthHandler: Send + Sync {
    /// Checks the settings without connecting: what is missing, what contradicts, which file cannot be read.
    ///
    /// # Errors
    /// Every rule that is broken, not only the first.
    fn validate(&self, settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>>;

    /// Writes validated settings into a client's configuration.
    fn apply(&self, settings: &KafkaSettings, client: &mut ClientConfig);

    /// Where bearer tokens come from, if the mechanism needs them.
    fn tokens(&self, settings: &KafkaSettings) -> Option<Arc<dyn TokenSource>> {
        let _ = settings;
        None
    }
}

/// Handlers by transport. [`AuthRegistry::default`] knows Kafka's four.
#[derive(Clone)]
pub struct AuthRegistry {
    handlers: HashMap<SecurityProtocol, Arc<dyn AuthHandler>>,
}

impl Default for AuthRegistry {
    fn default() -> Self {
        let mut registry = Self { handlers: HashMap::new() };
        registry.register(SecurityProtocol::Plaintext, Arc::new(PlaintextAuth));
        registry.register(SecurityProtocol::Ssl, Arc::new(SslAuth));
        registry.register(SecurityProtocol::SaslPlaintext, Arc::new(SaslPlaintextAuth));
        registry.register(SecurityProtocol::SaslSsl, Arc::new(SaslSslAuth));
        registry
    }
}

impl AuthRegistry {
    /// Puts a handler in the place of the one its transport had.
    pub fn register(&mut self, protocol: SecurityProtocol, handler: Arc<dyn AuthHandler>) {
        self.handlers.insert(protocol, handler);
    }

    /// The handler of a transport. Every transport has one from the beginning.
    pub fn handler(&self, protocol: SecurityProtocol) -> &dyn AuthHandler {
        self.handlers.get(&protocol).map_or(&PlaintextAuth as &dyn AuthHandler, |handler| handler.as_ref())
    }

    /// Checks an environment's connection settings without connecting.
    ///
    /// # Errors
    /// Every rule that is broken.
    pub fn validate(&self, settings: &KafkaSettings) -> Result<Vec<Warning>, Vec<AuthFault>> {
        self.handler(settings.security_protocol).validate(settings)
    }
}

/// Every secret of these settings, for the scrubber.
pub fn secrets(settings: &KafkaSettings) -> Vec<Secret> {
    let sasl = settings.sasl.iter().flat_map(|sasl| {
        let oauth = sasl.oauth.iter().flat_map(|oauth| [oauth.token.clone(), oauth.client_secret.clone()]);
        oauth.chain([sasl.password.clone()])
    });
    sasl.chain(settings.ssl.iter().map(|ssl| ssl.password.clone())).flatten().collect()
}

/// A text that is there and not empty: `{{ X | default('') }}` means "not set".
fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}

/// A secret that is there and not empty.
fn given_secret(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose).filter(|text| !text.is_empty())
}
