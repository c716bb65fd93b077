//! Bearer tokens for OAUTHBEARER: one as it stands, one that a command prints, or one from an OIDC endpoint by the
//! client credentials grant. Runs on librdkafka's polling thread, so every wait is short and bounded.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::clock::now_ms;
use crate::core::environment::{OauthSettings, SaslSettings};
use crate::core::fault::{Blame, Fault};
use crate::core::secret::Secret;

use super::{AuthFault, given, given_secret};

/// Longest wait for a token. The thread that waits also confirms deliveries, so a minute would time them out.
pub const TOKEN_WAIT: Duration = Duration::from_secs(10);
/// Life of a token that does not say when it expires: short enough to notice a new one, long enough to be no load.
pub const TOKEN_LIFE_UNKNOWN: Duration = Duration::from_secs(3_600);
/// Longest answer of a command or an endpoint; a token is a few kilobytes.
pub const TOKEN_BYTES_MAX: u64 = 1 << 20;
/// How often a running command is looked at.
const COMMAND_POLL: Duration = Duration::from_millis(10);

/// A bearer token.
pub struct Token {
    /// The token itself.
    pub text: Secret,
    /// Who it speaks for; shown in broker logs only.
    pub principal: String,
    /// Milliseconds since 1970. librdkafka asks for the next one at four fifths of the way.
    pub expires_at_ms: i64,
}

/// Where tokens come from.
pub trait TokenSource: Send + Sync {
    /// A token that is valid now. May block for ten seconds, not longer.
    ///
    /// # Errors
    /// Why there is none; never with the token or a secret in it.
    fn token(&self) -> Result<Token, Fault>;

    /// Whether the error that librdkafka reports leaves an older token that is still valid.
    fn still_serves(&self, reason: &str) -> bool {
        let _ = reason;
        false
    }
}

/// What is wrong with the token settings.
pub fn faults(sasl: &SaslSettings) -> Vec<AuthFault> {
    let Some(oauth) = &sasl.oauth else { return vec![AuthFault::TokenSources(0)] };
    let mut faults = Vec::new();
    let sources = [
        given_secret(oauth.token.as_ref()).is_some(),
        command_of(oauth).is_some(),
        given(oauth.token_endpoint.as_ref()).is_some(),
    ];
    let count = sources.iter().filter(|is_given| **is_given).count();
    if count != 1 {
        faults.push(AuthFault::TokenSources(count));
    }
    if let Some(endpoint) = given(oauth.token_endpoint.as_ref()) {
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            faults.push(AuthFault::OidcEndpointForm);
        }
        if given(oauth.client_id.as_ref()).is_none() {
            faults.push(AuthFault::OidcClientMissing("kafka.sasl.oauth.client_id"));
        }
        if given_secret(oauth.client_secret.as_ref()).is_none() {
            faults.push(AuthFault::OidcClientMissing("kafka.sasl.oauth.client_secret"));
        }
    }
    if !oauth.extensions.is_empty() {
        faults.push(AuthFault::ExtensionsUnsupported);
    }
    faults
}

/// The source that the settings name; none where they are not valid.
pub fn source(oauth: &OauthSettings) -> Option<Arc<dyn TokenSource>> {
    let origin = if given_secret(oauth.token.as_ref()).is_some() {
        Origin::Static(oauth.token.clone()?)
    } else if let Some(command) = command_of(oauth) {
        Origin::Command(command.to_vec())
    } else {
        Origin::Oidc {
            endpoint: given(oauth.token_endpoint.as_ref())?.to_owned(),
            client_id: given(oauth.client_id.as_ref())?.to_owned(),
            client_secret: oauth.client_secret.clone()?,
            scope: given(oauth.scope.as_ref()).map(str::to_owned),
        }
    };
    Some(Arc::new(Tokens { origin, valid_until_ms: AtomicI64::new(0) }))
}

fn command_of(oauth: &OauthSettings) -> Option<&[String]> {
    oauth.command.as_deref().filter(|command| command.first().is_some_and(|program| !program.is_empty()))
}

struct Tokens {
    origin: Origin,
    valid_until_ms: AtomicI64,
}

enum Origin {
    Static(Secret),
    Command(Vec<String>),
    Oidc { endpoint: String, client_id: String, client_secret: Secret, scope: Option<String> },
}

impl TokenSource for Tokens {
    fn token(&self) -> Result<Token, Fault> {
        let token = match &self.origin {
            Origin::Static(token) => from_text(token.expose(), None),
            Origin::Command(command) => printed_by(command, TOKEN_WAIT).and_then(|text| from_text(&text, None)),
            Origin::Oidc { endpoint, client_id, client_secret, scope } => {
                granted_by(endpoint, client_id, client_secret, scope.as_deref())
            }
        }?;
        self.valid_until_ms.store(token.expires_at_ms, Ordering::Release);
        Ok(token)
    }

    fn still_serves(&self, reason: &str) -> bool {
        reason.starts_with("Failed to acquire SASL OAUTHBEARER token")
            && self.valid_until_ms.load(Ordering::Acquire) > now_ms()
    }
}

/// A token with what its claims say. Claims are read, not verified: that is the broker's business.
fn from_text(text: &str, lifetime: Option<Duration>) -> Result<Token, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(refused("the token is empty"));
    }
    let claims = claims(text).unwrap_or(Value::Null);
    let expires_at_ms = match (claims["exp"].as_f64(), lifetime) {
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 as milliseconds fit 64 bits")]
        (Some(seconds), _) => (seconds * 1_000.0) as i64,
        (None, lifetime) => after(lifetime.unwrap_or(TOKEN_LIFE_UNKNOWN)),
    };
    if expires_at_ms <= now_ms() {
        return Err(refused("the token has expired").next("get a new token"));
    }
    let principal = claims["sub"].as_str().or(claims["client_id"].as_str()).unwrap_or("velox").to_owned();
    Ok(Token { text: Secret::new(text), principal, expires_at_ms })
}

fn claims(token: &str) -> Option<Value> {
    let body = token.split('.').nth(1)?.trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
}

fn printed_by(command: &[String], wait: Duration) -> Result<String, Fault> {
    let program = &command[0];
    let failed = |why: String| refused(format!("the token command `{program}` {why}"));
    let mut child = Command::new(program)
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("did not start: {error}")).next("check `kafka.sasl.oauth.command`"))?;
    let output = child.stdout.take();
    let (printed, prints) = sync_channel(1);
    // It is never joined: a child of the command that holds the pipe open would make it last as long as itself.
    std::thread::Builder::new()
        .name("velox-token".into())
        .spawn(move || {
            let mut text = String::new();
            output.map(|output| output.take(TOKEN_BYTES_MAX).read_to_string(&mut text));
            printed.send(text).ok();
        })
        .map_err(|error| failed(format!("could not be read: {error}")))?;
    let deadline = Instant::now() + wait;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(COMMAND_POLL),
            Ok(None) => {
                child.kill().and_then(|()| child.wait()).ok();
                return Err(failed(format!("printed nothing within {} s", wait.as_secs())));
            }
            Err(error) => return Err(failed(error.to_string())),
        }
    };
    if !status.success() {
        return Err(failed(format!("ended with {status}")).next("run it by hand to see why"));
    }
    prints.recv_timeout(deadline.saturating_duration_since(Instant::now())).map_err(|_| {
        let why = format!("ended, but something that it started still holds its output after {} s", wait.as_secs());
        failed(why).next("let what it starts in the background print elsewhere")
    })
}

fn granted_by(endpoint: &str, id: &str, secret: &Secret, scope: Option<&str>) -> Result<Token, Fault> {
    let failed = |why: String| refused(format!("the token endpoint {endpoint} {why}"));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TOKEN_WAIT))
        .http_status_as_error(false)
        .tls_config(
            ureq::tls::TlsConfig::builder()
                .provider(ureq::tls::TlsProvider::NativeTls)
                .root_certs(ureq::tls::RootCerts::PlatformVerifier)
                .build(),
        )
        .build()
        .into();
    let login = STANDARD.encode(format!("{}:{}", form_encoded(id), form_encoded(secret.expose())));
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend(scope.map(|scope| ("scope", scope)));
    let mut response = agent
        .post(endpoint)
        .header("Authorization", format!("Basic {login}"))
        .header("Accept", "application/json")
        .send_form(form)
        .map_err(|error| failed(format!("did not answer: {error}")))?;
    let status = response.status();
    let body = response
        .body_mut()
        .with_config()
        .limit(TOKEN_BYTES_MAX)
        .read_to_string()
        .map_err(|error| failed(format!("broke off: {error}")))?;
    let answer: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    if !status.is_success() {
        let why = answer["error_description"].as_str().or(answer["error"].as_str()).unwrap_or("no reason given");
        return Err(failed(format!("refused with {}: {why}", status.as_u16()))
            .next("check `client_id`, `client_secret` and `scope` under `kafka.sasl.oauth`"));
    }
    let token = answer["access_token"].as_str().ok_or_else(|| failed("answered without `access_token`".into()))?;
    from_text(token, answer["expires_in"].as_u64().map(Duration::from_secs))
}

/// RFC 6749 §2.3.1: id and secret are form-encoded before they become the Basic login.
fn form_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

fn refused(what: impl Into<String>) -> Fault {
    Fault::new(Blame::Authentication, what)
}

fn after(life: Duration) -> i64 {
    now_ms().saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_says_whose_it_is_and_when_it_ends() {
        let token = from_text(&jwt(r#"{"sub":"etl","exp":32503680000}"#), None).unwrap();
        assert_eq!((token.principal.as_str(), token.expires_at_ms), ("etl", 32_503_680_000_000));
    }

    #[test]
    fn an_expired_token_is_refused_before_it_is_sent() {
        let fault = from_text(&jwt(r#"{"sub":"etl","exp":1}"#), None).err().unwrap();
        assert_eq!(fault.what, "the token has expired");
    }

    #[test]
    fn a_command_prints_a_token_and_its_failure_is_named() {
        let command = |line: &str| ["sh", "-c", line].map(str::to_owned).to_vec();
        assert_eq!(printed_by(&command("echo opaque"), TOKEN_WAIT).unwrap(), "opaque\n");
        let fault = printed_by(&command("exit 3"), TOKEN_WAIT).unwrap_err();
        assert!(fault.what.contains("`sh` ended with exit status: 3"), "{fault}");
        let fault = printed_by(&["/no/such/program".to_owned()], TOKEN_WAIT).unwrap_err();
        assert!(fault.what.contains("did not start"), "{fault}");
    }

    #[test]
    fn a_child_that_keeps_the_output_of_a_command_does_not_keep_us() {
        let command = ["sh", "-c", "sleep 30 & echo opaque"].map(str::to_owned);
        let begun = Instant::now();
        let fault = printed_by(&command, Duration::from_secs(1)).unwrap_err();
        assert!(fault.what.contains("still holds its output"), "{fault}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    #[test]
    fn exactly_one_source_of_tokens_is_allowed() {
        let check = |oauth: OauthSettings, expected: &[AuthFault]| {
            let sasl = SaslSettings {
                mechanism: crate::core::environment::SaslMechanism::OauthBearer,
                username: None,
                password: None,
                oauth: Some(oauth),
                kerberos_service_name: None,
                kerberos_keytab: None,
                kerberos_principal: None,
            };
            assert_eq!(faults(&sasl), expected);
        };
        let token = Some(Secret::new("t"));
        check(OauthSettings::default(), &[AuthFault::TokenSources(0)]);
        check(OauthSettings { token: token.clone(), ..Default::default() }, &[]);
        check(
            OauthSettings { token, command: Some(vec!["x".into()]), ..Default::default() },
            &[AuthFault::TokenSources(2)],
        );
        check(
            OauthSettings { token_endpoint: Some("ftp://x".into()), ..Default::default() },
            &[
                AuthFault::OidcEndpointForm,
                AuthFault::OidcClientMissing("kafka.sasl.oauth.client_id"),
                AuthFault::OidcClientMissing("kafka.sasl.oauth.client_secret"),
            ],
        );
    }
}
