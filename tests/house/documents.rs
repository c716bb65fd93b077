//! The YAML and `.env` blocks that the requirements print, letter by letter in `tests/documents/`, load unchanged.

use std::path::{Path, PathBuf};

use velox::config::{Config, Sources};
use velox::core::environment::{Acks, Compression, OffsetReset, SaslMechanism, SecurityProtocol};
use velox::core::runner::{Execution, Filters, Limits, RunnerConfig};

fn printed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents").join(name);
    std::fs::read_to_string(path).expect("a printed block")
}

/// A configuration folder with these files, and the printed `.env` beside it.
fn loaded(files: &[(&str, &str)]) -> Config {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a written file");
    }
    let mut sources = Sources::folder(folder.path());
    sources.env_file = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/documents/env"));
    Config::load(&sources)
}

#[test]
fn the_printed_environment_loads_with_the_printed_variables() {
    let config = loaded(&[("environments/qa.yaml", &printed("qa.yaml"))]);
    let qa = config.environment("qa").expect("qa").ready().expect("nothing missing");
    let kafka = &qa.kafka;
    assert_eq!(kafka.bootstrap_servers, "kafka-qa.example.com:9093");
    assert_eq!(kafka.security_protocol, SecurityProtocol::SaslSsl);
    assert_eq!(kafka.client_id.as_deref(), Some("velox-qa"));
    let sasl = kafka.sasl.as_ref().expect("a login");
    assert_eq!((sasl.mechanism, sasl.username.as_deref()), (SaslMechanism::Plain, Some("qa_service_account")));
    assert_eq!(sasl.password.as_ref().expect("a password").expose(), "secret_password_here");
    let ssl = kafka.ssl.as_ref().expect("certificates");
    assert_eq!((ssl.cafile.as_deref(), ssl.check_hostname), (Some("/path/to/qa-ca.pem"), true));
    let producer = &qa.producer;
    assert_eq!((producer.batch_size, producer.linger_ms, producer.retries), (16_384, 5, 3));
    assert_eq!((producer.acks, producer.compression_type), (Acks::All, Compression::Gzip));
    assert_eq!((producer.enable_idempotence, producer.options.len()), (Some(false), 0));
    assert_eq!(qa.consumer.group_id.as_deref(), Some("velox-qa-group"));
    assert_eq!((qa.consumer.auto_offset_reset, qa.consumer.enable_auto_commit), (OffsetReset::Earliest, Some(true)));
    assert_eq!(kafka.request_timeout_ms, 30_000);
}

#[test]
fn the_printed_etl_loads() {
    let config = loaded(&[("etl/customer_update.yaml", &printed("customer_update.yaml"))]);
    let etl = config.etl("customer_update").expect("customer_update").ready().expect("nothing missing");
    assert_eq!((etl.category.as_str(), etl.enabled, etl.topics.len(), etl.headers.len()), ("customer", true, 6, 5));
    assert_eq!(etl.topics["preprod"], "preprod.customer.updates.v1");
    assert_eq!(etl.key_template.as_deref(), Some("{{ customer_id }}"));
    assert_eq!(etl.headers["X-Correlation-ID"], "{{ correlation_id }}");
    assert_eq!((etl.partition, etl.auth_override.is_none(), etl.batch_size), (None, true, Some(100)));
    assert_eq!(etl.extra["compression"].to_string(), "lz4");
}

#[test]
fn the_printed_runner_loads_and_says_the_defaults() {
    let config = loaded(&[("runner.yaml", &printed("runner.yaml"))]);
    let runner = config.runner.ready().expect("nothing missing");
    assert_eq!(**runner, RunnerConfig::default());
    assert_eq!((&runner.filters, &runner.limits), (&Filters::default(), &Limits::default()));
}

#[test]
fn the_printed_tuning_loads() {
    let environment = |block: &str| format!("environment: e\nkafka: {{bootstrap_servers: b}}\n{}", printed(block));
    let config = loaded(&[
        ("environments/high.yaml", &environment("producer_high_throughput.yaml").replace(": e\n", ": high\n")),
        ("environments/low.yaml", &environment("producer_low_latency.yaml").replace(": e\n", ": low\n")),
        ("runner.yaml", &printed("runner_parallel.yaml")),
    ]);
    let high = &config.environment("high").expect("high").ready().expect("whole").producer;
    assert_eq!((high.batch_size, high.linger_ms, high.acks), (65_536, 50, Acks::Leader));
    let low = &config.environment("low").expect("low").ready().expect("whole").producer;
    assert_eq!((low.linger_ms, low.compression_type, low.acks), (0, Compression::None, Acks::All));
    let execution = &config.runner.ready().expect("whole").execution;
    let expected =
        Execution { parallel_workers: 20, connection_pool_size: 10, batch_size: 200, ..Execution::default() };
    assert_eq!(execution, &expected);
}

#[test]
fn the_printed_variables_choose_the_start_environment() {
    let text = |name: &str| format!("environment: {name}\nkafka: {{bootstrap_servers: b}}\n");
    let config = loaded(&[("environments/dev.yaml", &text("dev")), ("environments/sandbox.yaml", &text("sandbox"))]);
    assert_eq!(config.start_environment().expect("one").name, "dev");
    assert_eq!(config.variables.names().count(), 15);
}

#[test]
fn the_shipped_files_hold_the_printed_blocks() {
    let shipped = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        std::fs::read_to_string(path).expect("a shipped file")
    };
    assert!(shipped("config/environments/qa.yaml").ends_with(&printed("qa.yaml")));
    assert!(shipped("config/runner.yaml").ends_with(&printed("runner.yaml")));
    assert!(shipped(".env.example").contains(&printed("env")));
    let etl = shipped("config/etl/customer_update.yaml").replace("  sandbox: \"sandbox.customer.updates.v1\"\n", "");
    // The printed key needs a `customer_id`; the shipped one runs without any context.
    let etl = etl
        .replace("; one of 400 customers where the context names none", "")
        .replace(" | default('CUST-%05d' | format(event_index % 400 + 1))", "");
    assert!(etl.ends_with(&printed("customer_update.yaml")));
}
