//! Whether an environment answers, step by step: resolve, TCP, TLS, login, metadata, and if asked a record there and
//! back. Each step is timed; the first that fails names the cause, the rest say why they were skipped.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use openssl::ssl::{HandshakeError, SslConnector, SslFiletype, SslMethod, SslVerifyMode};
use openssl::x509::X509VerifyResult;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::core::duration::told;
use crate::core::environment::{KafkaSettings, SslSettings};
use crate::core::fault::{Blame, Fault};
use crate::core::record::{Delivery, StartAt};
use crate::core::words::counted;

use super::admin::{Admin, off_the_async_threads};
use super::cause::SendFault;
use super::producer::{Outgoing, Producer, Receipts};
use super::settings::Connection;
use super::tail::{Tail, TailSettings};

/// Longest wait for a refusal: one that is slower is found by the client, which has its own patience.
const REFUSAL_WAIT: Duration = Duration::from_millis(500);

/// How long an answer may take before it is looked whether it can come at all.
const REFUSAL_LOOK: Duration = Duration::from_millis(500);

/// A step of the check, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The brokers' names have addresses.
    Resolve,
    /// An address takes connections.
    Tcp,
    /// The certificates convince both sides.
    Tls,
    /// The broker accepts the login.
    Authenticate,
    /// The broker tells its cluster.
    Metadata,
    /// A record is stored and read again.
    RoundTrip,
}

impl Step {
    /// All of them in order.
    pub const ALL: [Self; 6] =
        [Self::Resolve, Self::Tcp, Self::Tls, Self::Authenticate, Self::Metadata, Self::RoundTrip];

    /// Its name for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Authenticate => "log in",
            Self::Metadata => "metadata",
            Self::RoundTrip => "produce and consume",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "detail")]
pub enum Outcome {
    /// Well; what was found.
    Ok(String),
    /// Badly.
    Fault(Fault),
    /// Not tried, and why.
    Skipped(String),
}

/// One step's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Which.
    pub step: Step,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took; nothing for a skipped step.
    pub elapsed_ms: u64,
}

/// Checks an environment; `report` gets every step as it ends. Returns them all.
/// `round_trip` names a topic that a record may be written to; none is written without it.
pub async fn check(
    connection: &Connection,
    round_trip: Option<&str>,
    timeout: Duration,
    mut report: impl FnMut(&StepReport),
) -> Vec<StepReport> {
    let mut reports: Vec<StepReport> = Vec::with_capacity(Step::ALL.len());
    let mut addresses: Vec<Address> = Vec::new();
    for step in Step::ALL {
        let begun = Instant::now();
        let failed = reports.iter().find(|done| matches!(done.outcome, Outcome::Fault(_))).map(|done| done.step);
        let outcome = match (failed, skipped(step, connection, round_trip)) {
            (Some(failed), _) => Outcome::Skipped(format!("`{}` failed", failed.name())),
            (None, Some(reason)) => Outcome::Skipped(reason),
            (None, None) => match take(step, connection, round_trip, timeout, &mut addresses).await {
                Ok(found) => Outcome::Ok(found),
                Err(fault) => Outcome::Fault(connection.scrubber().clean(fault)),
            },
        };
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let done = StepReport { step, outcome, elapsed_ms };
        report(&done);
        reports.push(done);
    }
    reports
}

/// The fault of an environment none of whose names has an address, or all of whose addresses refuse connections now: no
/// client need be started to know that. Nothing where one takes them, or is only silent.
pub async fn refused(connection: &Connection) -> Option<Fault> {
    let servers = connection.bootstrap_servers().to_owned();
    off_the_async_threads(move || Ok(out_of_reach(&servers))).await.ok().flatten()
}

fn out_of_reach(servers: &str) -> Option<Fault> {
    let (mut known, mut unknown) = (Vec::new(), None);
    for server in servers.split(',') {
        match resolve(server) {
            Ok(addresses) => known.extend(addresses),
            Err(fault) => unknown = unknown.or(Some(fault)),
        }
    }
    if known.is_empty() { unknown } else { refused_by_all(&known) }
}

/// What is asked of an environment, unless all of its addresses refuse connections meanwhile: then that is the answer, and
/// nobody waits for the client's patience to end.
///
/// # Errors
/// As what is asked, and the refusal.
pub async fn unless_refused<T>(
    connection: &Connection,
    asking: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let refusal = async {
        loop {
            // Who answers does so sooner, and is not knocked at twice.
            tokio::time::sleep(REFUSAL_LOOK).await;
            if let Some(fault) = refused(connection).await {
                return fault;
            }
        }
    };
    tokio::select! {
        biased;
        answer = asking => answer,
        fault = refusal => Err(fault),
    }
}

fn refused_by_all(addresses: &[Address]) -> Option<Fault> {
    let sockets: Vec<&SocketAddr> = addresses.iter().flat_map(|address| &address.sockets).collect();
    let refuses = |socket: &SocketAddr| {
        let outcome = TcpStream::connect_timeout(socket, REFUSAL_WAIT);
        outcome.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    if sockets.is_empty() || !sockets.iter().all(|socket| refuses(socket)) {
        return None;
    }
    let all = sockets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Some(
        Fault::new(Blame::Connection, format!("no broker takes connections: {all} refused"))
            .next("is Kafka running there? `kafka.bootstrap_servers` says where it is looked for"),
    )
}

#[derive(Clone)]
struct Address {
    host: String,
    sockets: Vec<SocketAddr>,
}

fn skipped(step: Step, connection: &Connection, round_trip: Option<&str>) -> Option<String> {
    let protocol = connection.environment().kafka.security_protocol;
    match step {
        Step::Tls if !protocol.has_tls() => Some(format!("{} has no TLS", protocol.name())),
        Step::Authenticate if !protocol.has_sasl() => Some(format!("{} has no login step", protocol.name())),
        Step::RoundTrip if round_trip.is_none() => Some("`health.round_trip_topic` names no topic".into()),
        _ => None,
    }
}

async fn take(
    step: Step,
    connection: &Connection,
    round_trip: Option<&str>,
    timeout: Duration,
    addresses: &mut Vec<Address>,
) -> Result<String, Fault> {
    match step {
        Step::Resolve => {
            let servers = connection.bootstrap_servers().to_owned();
            *addresses = off_the_async_threads(move || resolve(&servers)).await?;
            Ok(addresses.iter().flat_map(|one| &one.sockets).map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Step::Tcp => {
            let addresses = addresses.clone();
            off_the_async_threads(move || {
                let (_, _, socket) = first_open(&addresses, timeout)?;
                Ok(format!("{socket} takes connections"))
            })
            .await
        }
        Step::Tls => {
            let (addresses, connection) = (addresses.clone(), connection.clone());
            off_the_async_threads(move || handshake(&addresses, &connection.environment().kafka, timeout)).await
        }
        Step::Authenticate => {
            // Kafka answers nothing to a client that has not logged in, so an answer is the proof.
            Admin::open(connection)?.cluster(None, timeout).await?;
            let mechanism = connection.environment().kafka.sasl.as_ref().map_or("", |sasl| sasl.mechanism.name());
            Ok(format!("{mechanism} accepted"))
        }
        Step::Metadata => {
            let cluster = Admin::open(connection)?.cluster(None, timeout).await?;
            let [brokers, topics] = [cluster.brokers.len(), cluster.topics.len()].map(|count| count as u64);
            Ok(format!("{}, {}", counted(brokers, "broker"), counted(topics, "topic")))
        }
        Step::RoundTrip => there_and_back(connection, round_trip.unwrap_or_default(), timeout).await,
    }
}

fn resolve(servers: &str) -> Result<Vec<Address>, Fault> {
    servers
        .split(',')
        .map(|server| {
            let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
            let sockets: Vec<SocketAddr> = server.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
            if sockets.is_empty() {
                return Err(Fault::new(Blame::Connection, format!("`{host}` has no address"))
                    .next("check `kafka.bootstrap_servers` and the name service"));
            }
            Ok(Address { host: host.trim_matches(['[', ']']).to_owned(), sockets })
        })
        .collect()
}

/// The first address that takes a connection: the brokers after it are librdkafka's to find.
fn first_open(addresses: &[Address], timeout: Duration) -> Result<(TcpStream, String, SocketAddr), Fault> {
    let mut last = None;
    for address in addresses {
        for socket in &address.sockets {
            match TcpStream::connect_timeout(socket, timeout) {
                Ok(stream) => return Ok((stream, address.host.clone(), *socket)),
                Err(error) => last = Some(format!("{socket}: {}", error.kind())),
            }
        }
    }
    let why = last.unwrap_or_else(|| "no address".into());
    Err(Fault::new(Blame::Connection, format!("no broker takes connections ({why})"))
        .next("is Kafka running there, and does a firewall let us through?"))
}

fn handshake(addresses: &[Address], settings: &KafkaSettings, timeout: Duration) -> Result<String, Fault> {
    let refused = |what: String, next: &'static str| Fault::new(Blame::Authentication, what).next(next);
    let (stream, host, socket) = first_open(addresses, timeout)?;
    stream
        .set_read_timeout(Some(timeout))
        .and_then(|()| stream.set_write_timeout(Some(timeout)))
        .map_err(|error| Fault::new(Blame::Connection, error.to_string()))?;
    let ssl = settings.ssl.as_ref().ok_or_else(|| refused("`kafka.ssl` is missing".into(), ""))?;
    let connector = connector(ssl).map_err(|error| {
        refused(format!("the certificates do not load: {error}"), "check the files under `kafka.ssl`")
    })?;
    let client = connector
        .configure()
        .map(|client| client.verify_hostname(ssl.check_hostname))
        .map_err(|error| refused(error.to_string(), ""))?;
    match client.connect(&host, stream) {
        Ok(session) => {
            let certificate = session.ssl().peer_certificate();
            let until = certificate.map_or_else(String::new, |one| format!(", certificate until {}", one.not_after()));
            Ok(format!("{} with {socket}{until}", session.ssl().version_str()))
        }
        Err(HandshakeError::Failure(broken)) => {
            let verdict = broken.ssl().verify_result();
            if verdict == X509VerifyResult::OK {
                let why = broken.error().to_string();
                return Err(refused(
                    format!("TLS with {socket} failed: {why}"),
                    "does the broker want a client certificate, and is this its TLS port?",
                ));
            }
            Err(refused(
                format!("the certificate of {socket} is not believed: {}", verdict.error_string()),
                "check `kafka.ssl.cafile`, and whether the broker's certificate is still valid and for this name",
            ))
        }
        Err(error) => Err(Fault::new(Blame::Connection, format!("TLS with {socket} broke off: {error}"))),
    }
}

fn connector(ssl: &SslSettings) -> Result<SslConnector, openssl::error::ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_verify(SslVerifyMode::PEER);
    let given = |path: &Option<String>| path.clone().filter(|path| !path.trim().is_empty());
    if let Some(cafile) = given(&ssl.cafile) {
        builder.set_ca_file(cafile)?;
    }
    if let (Some(certificate), Some(key)) = (given(&ssl.certfile), given(&ssl.keyfile)) {
        builder.set_certificate_chain_file(certificate)?;
        match &ssl.password {
            Some(phrase) if !phrase.expose().is_empty() => {
                let pem = std::fs::read(key).unwrap_or_default();
                let key = openssl::pkey::PKey::private_key_from_pem_passphrase(&pem, phrase.expose().as_bytes())?;
                builder.set_private_key(&key)?;
            }
            _ => builder.set_private_key_file(key, SslFiletype::PEM)?,
        }
    }
    Ok(builder.build())
}

/// Waits for one receipt.
struct OneReceipt;

impl Receipts for OneReceipt {
    type Ticket = oneshot::Sender<Result<Delivery, SendFault>>;

    fn settled(&self, ticket: Self::Ticket, outcome: Result<Delivery, SendFault>) {
        ticket.send(outcome).ok();
    }
}

async fn there_and_back(connection: &Connection, topic: &str, timeout: Duration) -> Result<String, Fault> {
    let slow =
        |doing: &str| Fault::new(Blame::Connection, format!("{doing} `{topic}` took longer than {}", told(timeout)));
    let mark = uuid::Uuid::new_v4().to_string();
    let producer = Producer::open(connection, &connection.environment().producer, Arc::new(OneReceipt))?;
    let (ticket, receipt) = oneshot::channel();
    let probe = Outgoing {
        topic,
        key: Some(b"velox-health-check"),
        value: Some(mark.as_bytes()),
        headers: &[("velox-health-check", Some(b"1"))],
        ..Default::default()
    };
    producer.enqueue(probe, ticket).map_err(|(fault, _)| match fault {
        super::producer::EnqueueFault::Refused(fault) => Fault::from(fault),
        super::producer::EnqueueFault::QueueFull => slow("writing to"),
    })?;
    let delivery = tokio::time::timeout(timeout, receipt)
        .await
        .map_err(|_| producer.ending().or_else(|| producer.take_trouble()).unwrap_or_else(|| slow("writing to")))?
        .map_err(|_| slow("writing to"))?
        .map_err(Fault::from)?;
    producer.close().await;
    let settings =
        TailSettings { partitions: vec![delivery.partition], ..TailSettings::whole(StartAt::Offset(delivery.offset)) };
    let (connection, name) = (connection.clone(), topic.to_owned());
    let found = off_the_async_threads(move || {
        let deadline = Instant::now() + timeout;
        let mut tail = Tail::open(&connection, &name, &settings, timeout)?;
        while Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            let batch = tail.next_batch(64, left, || false)?;
            if batch.records.iter().any(|record| record.value.as_deref() == Some(mark.as_bytes())) {
                return Ok(true);
            }
        }
        Ok(false)
    })
    .await?;
    if !found {
        return Err(slow("reading from"));
    }
    Ok(format!("{topic}[{}] offset {}", delivery.partition, delivery.offset))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_cannot_answer_is_known_at_once_and_what_may_is_left_to_the_client() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = taken.local_addr().unwrap().to_string();
        let said = |servers: &str| out_of_reach(servers).map(|fault| fault.what);
        assert_eq!(said("127.0.0.1:1").unwrap(), "no broker takes connections: 127.0.0.1:1 refused");
        assert_eq!(said("without-a-port").unwrap(), "`without-a-port` has no address");
        assert_eq!(said("without-a-port,127.0.0.1:1").unwrap(), "no broker takes connections: 127.0.0.1:1 refused");
        assert_eq!(said(&format!("without-a-port,127.0.0.1:1,{open}")), None);
    }
}
