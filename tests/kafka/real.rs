//! What only real Kafka shows: times, permissions, bearer tokens, and that a tail leaves no trace.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use velox::core::environment::Environment;
use velox::core::fault::Blame;
use velox::core::record::StartAt;
use velox::kafka::admin::Admin;
use velox::kafka::auth::AuthRegistry;
use velox::kafka::cause::SendCause;
use velox::kafka::client::KafkaProducer;
use velox::kafka::health::{self, Outcome, Step};
use velox::kafka::settings::Connection;
use velox::kafka::state::ConnectionState;
use velox::kafka::tail::{Tail, TailSettings};

use crate::support::{PATIENCE, Services, environment, fresh_topic, open, plain};
use crate::tailing::{read_to_end, send_over};

fn bearer(services: &Services, oauth: &str) -> Environment {
    environment(&format!(
        "environment: real\nkafka:\n  bootstrap_servers: \"{}\"\n  security_protocol: SASL_PLAINTEXT\n  sasl: {{mechanism: OAUTHBEARER, oauth: {{{oauth}}}}}\n",
        services.sasl_plaintext
    ))
}

/// Kafka's unsecured form: a token that nobody signed.
fn unsecured_token(services: &Services) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = format!(r#"{{"sub":"{}","iat":{now},"exp":{}}}"#, services.user, now + 300);
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims))
}

#[tokio::test]
async fn a_bearer_token_logs_in_as_it_stands_and_from_a_command_and_a_forged_one_is_refused() {
    let Some(services) = Services::find() else { return };
    let token = unsecured_token(&services);
    let ask = async |oauth: &str| {
        let connection = Connection::open(&bearer(&services, oauth), &AuthRegistry::default()).unwrap();
        Admin::open(&connection).unwrap().cluster(None, PATIENCE).await
    };
    assert!(!ask(&format!("token: '{token}'")).await.unwrap().brokers.is_empty());
    assert!(!ask(&format!("command: [echo, '{token}']")).await.unwrap().brokers.is_empty());
    let fault = ask("token: forged").await.unwrap_err();
    assert_eq!(fault.blame, Blame::Authentication, "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_finds_a_time_and_no_group_appears() {
    let Some(services) = Services::find() else { return };
    let connection = open(&plain("real", &services.plaintext));
    let topic = fresh_topic("tailing");
    send_over(&connection, &topic, 2, 0..20).await;
    let admin = Admin::open(&connection).unwrap();
    tokio::task::block_in_place(|| {
        let check = |start: StartAt, expected: Vec<usize>| {
            let mut tail = Tail::open(&connection, &topic, &TailSettings::whole(start), PATIENCE).unwrap();
            assert_eq!(read_to_end(&mut tail), expected);
        };
        // Record n carries the time 1,000 + n.
        check(StartAt::Time(1_013), (13..20).collect());
        check(StartAt::Time(9_999), Vec::new());
        check(StartAt::Last(3), (14..20).collect());
        check(StartAt::Beginning, (0..20).collect());
    });
    let groups = admin.groups(PATIENCE).await.unwrap();
    assert!(!groups.iter().any(|group| group.starts_with("velox-tail-")), "{groups:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_of_transactions_comes_to_its_end_without_a_lag() {
    let Some(services) = Services::find() else { return };
    let connection = open(&plain("real", &services.plaintext));
    let topic = fresh_topic("transactions");
    tokio::task::block_in_place(|| {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &services.plaintext)
            .set("transactional.id", &topic)
            .create()
            .unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        for value in ["0", "1", "2"] {
            producer.send(BaseRecord::<str, str>::to(&topic).payload(value).partition(0)).unwrap();
        }
        producer.commit_transaction(PATIENCE).unwrap();
        let mut tail = Tail::open(&connection, &topic, &TailSettings::whole(StartAt::Beginning), PATIENCE).unwrap();
        // The commit has an offset of its own behind the last record.
        assert_eq!((read_to_end(&mut tail), tail.lag()), (vec![0, 1, 2], Some(0)));
    });
}

#[tokio::test]
async fn the_comfortable_producer_connects_sends_and_counts() {
    let Some(services) = Services::find() else { return };
    let mut producer = KafkaProducer::new(open(&plain("real", &services.plaintext)));
    assert_eq!(producer.state(), ConnectionState::Disconnected);
    assert_eq!(producer.send("any", None, None).await.unwrap_err().cause, SendCause::Closed);
    producer.connect().await.unwrap();
    assert_eq!(producer.state(), ConnectionState::Connected);
    assert!(producer.health_check().await);
    let topic = fresh_topic("client");
    assert_eq!(producer.send(&topic, Some(b"k"), Some(b"12345")).await.unwrap().offset, 0);
    producer.disconnect(PATIENCE).await.unwrap();
    let statistics = producer.statistics();
    assert_eq!((statistics.messages_sent, statistics.messages_failed, statistics.bytes_sent), (1, 1, 6));
    assert_eq!(statistics.life.state, ConnectionState::Disconnected);
    assert!(statistics.life.last_activity >= statistics.life.connected);
}

#[tokio::test]
async fn a_healthy_environment_passes_every_step_and_a_broken_one_says_where() {
    let Some(services) = Services::find() else { return };
    let topic = fresh_topic("health");
    let yaml = |password: &str, authority: &str| {
        environment(&format!(
            "environment: real\nkafka:\n  bootstrap_servers: \"{}\"\n  security_protocol: SASL_SSL\n  sasl: {{mechanism: SCRAM-SHA-512, username: {}, password: '{password}'}}\n  ssl: {{cafile: {}}}\n",
            services.sasl_ssl,
            services.user,
            services.certificate(authority)
        ))
    };
    let check = async |environment: Environment, topic: Option<&str>| {
        let mut reported = 0;
        let reports = health::check(&open(&environment), topic, PATIENCE, |_| reported += 1).await;
        assert_eq!(reported, Step::ALL.len());
        reports
    };
    send_over(&open(&plain("real", &services.plaintext)), &topic, 1, 0..1).await;
    for report in check(yaml(&services.password, "ca.pem"), Some(&topic)).await {
        assert!(matches!(report.outcome, Outcome::Ok(_)), "{report:?}");
    }
    let failed = |reports: Vec<health::StepReport>| {
        let at = reports.iter().position(|report| matches!(report.outcome, Outcome::Fault(_))).unwrap();
        assert!(reports[at + 1..].iter().all(|report| matches!(report.outcome, Outcome::Skipped(_))), "{reports:?}");
        reports[at].step
    };
    assert_eq!(failed(check(yaml(&services.password, "wrong-ca.pem"), None).await), Step::Tls);
    assert_eq!(failed(check(yaml("wrong", "ca.pem"), None).await), Step::Authenticate);
    assert_eq!(failed(check(plain("gone", "127.0.0.1:1"), None).await), Step::Tcp);
    assert_eq!(failed(check(plain("gone", "no-such-host.invalid:1"), None).await), Step::Resolve);
}
