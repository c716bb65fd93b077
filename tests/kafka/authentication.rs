//! Logins against real Kafka: every protocol and mechanism succeeds with what is right and ends at once, with the cause,
//! on what is wrong. The rules that need no broker are checked without one.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use velox::core::environment::Environment;
use velox::core::fault::Blame;
use velox::kafka::admin::Admin;
use velox::kafka::auth::{AuthRegistry, Warning};
use velox::kafka::cause::SendCause;
use velox::kafka::producer::{Outgoing, Producer};
use velox::kafka::settings::Connection;
use velox::kafka::tail::{Tail, TailSettings};

use crate::support::{PATIENCE, Services, book, environment, next};

/// An environment in YAML: `sasl` and `ssl` as flow mappings, empty for none.
fn env(address: &str, protocol: &str, sasl: &str, ssl: &str) -> Environment {
    let mut yaml = format!(
        "environment: real\nkafka:\n  bootstrap_servers: \"{address}\"\n  security_protocol: {protocol}\n  request_timeout_ms: 10000\n"
    );
    for (name, section) in [("sasl", sasl), ("ssl", ssl)] {
        if !section.is_empty() {
            yaml.push_str(&format!("  {name}: {{{section}}}\n"));
        }
    }
    environment(&yaml)
}

fn login(services: &Services, mechanism: &str) -> String {
    format!("mechanism: {mechanism}, username: {}, password: '{}'", services.user, services.password)
}

fn authority(services: &Services) -> String {
    format!("cafile: {}", services.certificate("ca.pem"))
}

fn client_certificate(services: &Services, certificate: &str, key: &str) -> String {
    format!(
        "cafile: {}, certfile: {}, keyfile: {}",
        services.certificate("ca.pem"),
        services.certificate(certificate),
        services.certificate(key)
    )
}

/// Logs in, and fails the test where it cannot.
async fn succeeds(environment: &Environment) {
    let connection = Connection::open(environment, &AuthRegistry::default()).unwrap();
    let cluster = Admin::open(&connection).unwrap().cluster(None, PATIENCE).await.unwrap();
    assert!(!cluster.brokers.is_empty());
}

/// Every kind of client ends at once, long before any timeout, for the same cause.
async fn is_refused(environment: &Environment, cause: &str) {
    let connection = Connection::open(environment, &AuthRegistry::default()).unwrap();
    let begun = Instant::now();
    let fault = Admin::open(&connection).unwrap().cluster(None, PATIENCE).await.unwrap_err();
    assert_eq!(fault.blame, Blame::Authentication, "{fault}");
    assert!(fault.what.contains(cause), "{fault}");

    let (receipts, mut inbox) = book(1);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    if producer.enqueue(Outgoing { topic: "any", value: Some(b"1"), ..Default::default() }, 0).is_ok() {
        assert_eq!(next(&mut inbox).await.1.unwrap_err().cause, SendCause::Authentication);
    }
    assert_eq!(producer.ending().unwrap().blame, Blame::Authentication);
    producer.close().await;

    let fault = tokio::task::spawn_blocking(move || {
        let settings = TailSettings::whole(velox::core::record::StartAt::End);
        Tail::open(&connection, "any", &settings, PATIENCE).err().unwrap()
    })
    .await
    .unwrap();
    assert_eq!(fault.blame, Blame::Authentication, "{fault}");
    assert!(begun.elapsed() < Duration::from_secs(15), "three refusals took {:?}", begun.elapsed());
}

#[tokio::test]
async fn plaintext_needs_nothing_and_warns() {
    let Some(services) = Services::find() else { return };
    let environment = env(&services.plaintext, "PLAINTEXT", "", "");
    succeeds(&environment).await;
    let connection = Connection::open(&environment, &AuthRegistry::default()).unwrap();
    assert_eq!(connection.warnings(), [Warning::Plaintext]);
}

#[tokio::test]
async fn every_password_mechanism_logs_in_on_both_sasl_protocols_and_a_wrong_password_is_refused() {
    let Some(services) = Services::find() else { return };
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let right = login(&services, mechanism);
        let wrong = right.replace(&services.password, "wrong");
        succeeds(&env(&services.sasl_plaintext, "SASL_PLAINTEXT", &right, "")).await;
        succeeds(&env(&services.sasl_ssl, "SASL_SSL", &right, &authority(&services))).await;
        is_refused(&env(&services.sasl_plaintext, "SASL_PLAINTEXT", &wrong, ""), "uthentication").await;
        is_refused(&env(&services.sasl_ssl, "SASL_SSL", &wrong, &authority(&services)), "uthentication").await;
    }
}

#[tokio::test]
async fn a_client_certificate_logs_in_with_a_plain_and_with_an_encrypted_key() {
    let Some(services) = Services::find() else { return };
    let plain = client_certificate(&services, "client.pem", "client.key");
    let encrypted = client_certificate(&services, "client.pem", "client-encrypted.key");
    succeeds(&env(&services.ssl, "SSL", "", &plain)).await;
    let phrase = format!("{encrypted}, password: '{}'", services.key_password);
    succeeds(&env(&services.ssl, "SSL", "", &phrase)).await;
}

#[tokio::test]
async fn certificates_that_nobody_vouches_for_or_that_have_expired_are_refused() {
    let Some(services) = Services::find() else { return };
    let wrong_authority = format!("cafile: {}", services.certificate("wrong-ca.pem"));
    let login = login(&services, "SCRAM-SHA-512");
    is_refused(&env(&services.sasl_ssl, "SASL_SSL", &login, &wrong_authority), "certificate verify failed").await;
    is_refused(&env(&services.ssl, "SSL", "", &wrong_authority), "certificate verify failed").await;
    let client = client_certificate(&services, "client.pem", "client.key");
    is_refused(&env(&services.ssl_expired, "SSL", "", &client), "certificate").await;
    let expired = client_certificate(&services, "expired-client.pem", "expired-client.key");
    is_refused(&env(&services.ssl, "SSL", "", &expired), "certificate").await;
    let untrusted = client_certificate(&services, "untrusted-client.pem", "untrusted-client.key");
    is_refused(&env(&services.ssl, "SSL", "", &untrusted), "certificate").await;
}

#[test]
fn files_and_phrases_are_checked_before_any_connection_and_name_their_field() {
    let Some(services) = Services::find() else { return };
    let check = |ssl: &str, expected: &[(&str, &str)]| {
        let environment = env("localhost:1", "SSL", "", ssl);
        let faults = AuthRegistry::default().validate(&environment.kafka).unwrap_err();
        let found: Vec<(&str, String)> = faults.iter().map(|fault| (fault.field(), fault.to_string())).collect();
        let expected: Vec<(&str, String)> = expected.iter().map(|(field, what)| (*field, (*what).to_owned())).collect();
        assert_eq!(found, expected);
    };
    let (ca, certificate) = (services.certificate("ca.pem"), services.certificate("client.pem"));
    let (key, encrypted) = (services.certificate("client.key"), services.certificate("client-encrypted.key"));
    check("cafile: ''", &[("kafka.ssl.cafile", "SSL needs `kafka.ssl.cafile`, the authority that signed the brokers")]);
    check("cafile: /no/ca.pem", &[("kafka.ssl.cafile", "`kafka.ssl.cafile`: there is no file `/no/ca.pem`")]);
    check(
        &format!("cafile: {key}"),
        &[("kafka.ssl.cafile", &format!("`kafka.ssl.cafile`: `{key}` holds no certificate in PEM form"))],
    );
    check(
        &format!("cafile: {ca}, certfile: {certificate}"),
        &[("kafka.ssl.keyfile", "`kafka.ssl.certfile` is given without `kafka.ssl.keyfile`")],
    );
    check(
        &format!("cafile: {ca}, keyfile: {key}"),
        &[("kafka.ssl.certfile", "`kafka.ssl.keyfile` is given without `kafka.ssl.certfile`")],
    );
    check(
        &format!("cafile: {ca}, certfile: {certificate}, keyfile: {encrypted}, password: wrong"),
        &[("kafka.ssl.password", &format!("`kafka.ssl.password` does not open the key `{encrypted}`"))],
    );
    check(
        &format!("cafile: {ca}, certfile: {certificate}, keyfile: {encrypted}"),
        &[("kafka.ssl.password", &format!("the key `{encrypted}` is encrypted and `kafka.ssl.password` is missing"))],
    );
    let other = services.certificate("untrusted-client.key");
    check(
        &format!("cafile: {ca}, certfile: {certificate}, keyfile: {other}"),
        &[("kafka.ssl.certfile", "`kafka.ssl.certfile` and `kafka.ssl.keyfile` do not belong together")],
    );
}

#[test]
fn every_mechanism_needs_its_credentials_and_an_empty_text_counts_as_none() {
    let check = |protocol: &str, sasl: &str, expected: &[&str]| {
        let environment = env("localhost:1", protocol, sasl, "");
        let faults = AuthRegistry::default().validate(&environment.kafka).unwrap_err();
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    };
    check("SASL_PLAINTEXT", "", &["SASL_PLAINTEXT needs `kafka.sasl`"]);
    check(
        "SASL_PLAINTEXT",
        "mechanism: PLAIN, username: '', password: ''",
        &["PLAIN needs `kafka.sasl.username`", "PLAIN needs `kafka.sasl.password`"],
    );
    check(
        "SASL_SSL",
        "mechanism: SCRAM-SHA-256, username: u",
        &[
            "SASL_SSL needs `kafka.ssl.cafile`, the authority that signed the brokers",
            "SCRAM-SHA-256 needs `kafka.sasl.password`",
        ],
    );
    #[cfg(not(feature = "gssapi"))]
    check("SASL_PLAINTEXT", "mechanism: GSSAPI", &["GSSAPI is not in this build"]);
}

/// Answers one token request and gives back what was asked.
fn token_endpoint(status: &str, body: &str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/token", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut chunk = [0; 4_096];
        while !String::from_utf8_lossy(&asked).contains("grant_type") {
            let read = stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the request broke off");
            asked.extend_from_slice(&chunk[..read]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(asked).unwrap()
    });
    (address, server)
}

fn oidc(endpoint: &str) -> Environment {
    let sasl = format!(
        "mechanism: OAUTHBEARER, oauth: {{token_endpoint: '{endpoint}', client_id: etl, client_secret: 'cana:ry', scope: kafka}}"
    );
    env("localhost:1", "SASL_PLAINTEXT", &sasl, "")
}

#[test]
fn an_oidc_endpoint_grants_a_token_for_the_clients_credentials() {
    let (endpoint, server) = token_endpoint("200 OK", r#"{"access_token":"opaque","expires_in":300}"#);
    let environment = oidc(&endpoint);
    let registry = AuthRegistry::default();
    let tokens = registry.handler(environment.kafka.security_protocol).tokens(&environment.kafka).unwrap();
    let token = tokens.token().unwrap();
    assert_eq!(token.text.expose(), "opaque");
    let life = token.expires_at_ms - jiff::Timestamp::now().as_millisecond();
    assert!((290_000..=300_000).contains(&life), "{life}");
    let asked = server.join().unwrap();
    // base64("etl:cana%3Ary")
    assert!(asked.to_lowercase().contains("authorization: basic zxrsomnhbmelm0fyeq=="), "{asked}");
    assert!(asked.contains("grant_type=client_credentials") && asked.contains("scope=kafka"), "{asked}");
}

#[test]
fn an_oidc_endpoint_that_refuses_is_quoted_without_the_secret() {
    let (endpoint, server) = token_endpoint("401 Unauthorized", r#"{"error":"invalid_client"}"#);
    let environment = oidc(&endpoint);
    let registry = AuthRegistry::default();
    let tokens = registry.handler(environment.kafka.security_protocol).tokens(&environment.kafka).unwrap();
    let fault = tokens.token().err().unwrap();
    server.join().unwrap();
    assert_eq!(fault.blame, Blame::Authentication);
    assert!(fault.what.ends_with("refused with 401: invalid_client"), "{fault}");
    assert!(!fault.to_string().contains("cana"), "{fault}");
}

#[tokio::test]
async fn a_token_command_that_fails_ends_the_login_at_once() {
    let sasl = "mechanism: OAUTHBEARER, oauth: {command: ['false']}";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let environment = env(&listener.local_addr().unwrap().to_string(), "SASL_PLAINTEXT", sasl, "");
    is_refused(&environment, "`false` ended with exit status: 1").await;
}
