//! What the tests share: environments, a receipt book, and conditions to wait for.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use velox::core::environment::Environment;
use velox::core::record::Delivery;
use velox::kafka::auth::AuthRegistry;
use velox::kafka::cause::SendFault;
use velox::kafka::embedded::EmbeddedBroker;
use velox::kafka::producer::Receipts;
use velox::kafka::settings::Connection;

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An environment from its YAML.
pub fn environment(yaml: &str) -> Environment {
    serde_yaml::from_str(yaml).unwrap()
}

/// A plaintext environment at an address.
pub fn plain(name: &str, address: &str) -> Environment {
    environment(&format!(
        "environment: {name}\nkafka:\n  bootstrap_servers: \"{address}\"\n  request_timeout_ms: 5000\n"
    ))
}

/// A checked connection.
pub fn open(environment: &Environment) -> Connection {
    Connection::open(environment, &AuthRegistry::default()).unwrap()
}

/// A broker of the test's own, and a connection to it.
pub fn own_broker() -> (EmbeddedBroker, Connection) {
    let broker = EmbeddedBroker::start().unwrap();
    let connection = open(&plain("own", broker.bootstrap_servers()));
    (broker, connection)
}

/// A topic's name that no other test and no earlier run has.
pub fn fresh_topic(stem: &str) -> String {
    format!("{stem}-{}", uuid::Uuid::new_v4().simple())
}

/// Keeps every receipt in order of arrival.
pub struct Book {
    sender: mpsc::Sender<(usize, Result<Delivery, SendFault>)>,
}

/// The receipts of a [`Book`].
pub type Receipt = (usize, Result<Delivery, SendFault>);

/// A book for at most `capacity` receipts, and where they can be read.
pub fn book(capacity: usize) -> (Arc<Book>, mpsc::Receiver<Receipt>) {
    let (sender, receiver) = mpsc::channel(capacity);
    (Arc::new(Book { sender }), receiver)
}

impl Receipts for Book {
    type Ticket = usize;

    fn settled(&self, ticket: usize, outcome: Result<Delivery, SendFault>) {
        self.sender.try_send((ticket, outcome)).unwrap();
    }
}

/// The next receipt, or a failure after [`PATIENCE`].
pub async fn next(receipts: &mut mpsc::Receiver<Receipt>) -> Receipt {
    tokio::time::timeout(PATIENCE, receipts.recv()).await.unwrap().unwrap()
}

/// Looks until the condition holds, or fails after [`PATIENCE`].
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Real Kafka, as `tests/services` announced it.
pub struct Services {
    pub plaintext: String,
    pub ssl: String,
    pub sasl_plaintext: String,
    pub sasl_ssl: String,
    pub ssl_expired: String,
    pub user: String,
    pub password: String,
    pub key_password: String,
    certificates: String,
}

impl Services {
    /// Real Kafka where its addresses are set. Says so where they are not, and fails where they must be.
    pub fn find() -> Option<Self> {
        let variable = |name: &str| std::env::var(format!("VELOX_KAFKA_{name}")).ok();
        if variable("PLAINTEXT").is_none() {
            let is_required = std::env::var("VELOX_SERVICES_REQUIRED").is_ok_and(|value| value == "1");
            assert!(!is_required, "VELOX_SERVICES_REQUIRED=1 and no VELOX_KAFKA_PLAINTEXT");
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            writeln!(std::io::stderr(), "skipped without real Kafka: {name}").ok();
            return None;
        }
        let set = |name: &str| variable(name).unwrap_or_else(|| panic!("VELOX_KAFKA_{name} is not set"));
        Some(Self {
            plaintext: set("PLAINTEXT"),
            ssl: set("SSL"),
            sasl_plaintext: set("SASL_PLAINTEXT"),
            sasl_ssl: set("SASL_SSL"),
            ssl_expired: set("SSL_EXPIRED"),
            user: set("USER"),
            password: set("PASSWORD"),
            key_password: set("KEY_PASSWORD"),
            certificates: set("CERTS"),
        })
    }

    /// A file among the certificates.
    pub fn certificate(&self, name: &str) -> String {
        format!("{}/{name}", self.certificates)
    }
}
