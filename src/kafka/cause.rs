//! What a client error means to the person who must mend it: whose it is, whether trying again helps, and its code.
//! Never carries a secret: every text goes through the connection's scrubber first.

use std::fmt;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use serde::Serialize;

use crate::core::fault::{Blame, Fault};

/// Error codes 30–34 that headless output carries as `code`. The document reserves the range; the meaning is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "u8")]
pub enum ErrorCode {
    /// 30: no broker could be reached, or the connection was lost for good.
    Connection,
    /// 31: a broker, or TLS, refused the credentials or certificates.
    Authentication,
    /// 32: reading failed: subscribing, fetching, processing or committing.
    Consumer,
    /// 33: sending failed: a record was refused or never confirmed.
    Producer,
    /// 34: a setting or a record's form is wrong; nothing was sent.
    Configuration,
}

impl ErrorCode {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Connection => 30,
            Self::Authentication => 31,
            Self::Consumer => 32,
            Self::Producer => 33,
            Self::Configuration => 34,
        }
    }

    /// The code of what needs no client at work to be told; none of a mistake of the person's, of a record or of this program.
    pub fn of_blame(blame: Blame) -> Option<Self> {
        match blame {
            Blame::Connection => Some(Self::Connection),
            Blame::Authentication => Some(Self::Authentication),
            Blame::Configuration => Some(Self::Configuration),
            Blame::Operator | Blame::Record | Blame::Program => None,
        }
    }

    /// The code of a fault that came from a Kafka client while `role` (`Consumer` or `Producer`) was at work.
    pub fn of(fault: &Fault, role: Self) -> Self {
        let mistaken = (fault.blame == Blame::Operator).then_some(Self::Configuration);
        Self::of_blame(fault.blame).or(mistaken).unwrap_or(role)
    }
}

impl From<ErrorCode> for u8 {
    fn from(code: ErrorCode) -> Self {
        code.number()
    }
}

/// Why a record was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SendCause {
    /// Larger than `message.max.bytes` of the client, the broker or the topic.
    TooLarge,
    /// Not confirmed within the delivery timeout. It may still be on the topic.
    TimedOut,
    /// The topic or the partition does not exist.
    UnknownTopic,
    /// The user may not write there.
    NotAuthorised,
    /// The broker, or TLS, refused the credentials or certificates.
    Authentication,
    /// No broker could be reached.
    BrokerDown,
    /// The client was closed before the record was sent.
    Closed,
    /// The client was closed after the record was sent and before it was confirmed. It may be on the topic.
    Unconfirmed,
    /// Anything else, with librdkafka's number.
    Other(i32),
}

impl fmt::Display for SendCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("record too large"),
            Self::TimedOut => f.write_str("not confirmed in time"),
            Self::UnknownTopic => f.write_str("unknown topic or partition"),
            Self::NotAuthorised => f.write_str("not authorised"),
            Self::Authentication => f.write_str("authentication failed"),
            Self::BrokerDown => f.write_str("broker unreachable"),
            Self::Closed => f.write_str("client closed"),
            Self::Unconfirmed => f.write_str("closed before it was confirmed: it may be on the topic"),
            Self::Other(code) => write!(f, "error {code}"),
        }
    }
}

/// A record that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct SendFault {
    /// Why, for counting and deciding.
    pub cause: SendCause,
    /// Why, in words.
    pub what: String,
    /// Whether sending it again may help.
    pub retriable: bool,
}

impl SendFault {
    /// From librdkafka's code for one record.
    pub fn of(code: RDKafkaErrorCode) -> Self {
        let cause = send_cause(code);
        let retriable = matches!(cause, SendCause::TimedOut | SendCause::BrokerDown) || is_transient(code);
        let what = match cause {
            SendCause::Other(_) => code.to_string(),
            known => format!("{known} ({code})"),
        };
        Self { cause, what, retriable }
    }

    /// A record lost because the connection itself ended.
    pub fn ended(fault: &Fault) -> Self {
        let cause = match fault.blame {
            Blame::Authentication => SendCause::Authentication,
            Blame::Connection => SendCause::BrokerDown,
            _ => SendCause::Closed,
        };
        Self { cause, what: fault.what.clone(), retriable: false }
    }
}

impl From<SendFault> for Fault {
    fn from(fault: SendFault) -> Self {
        let (blame, next) = match fault.cause {
            SendCause::TooLarge => (
                Blame::Record,
                "make the record smaller, or raise `producer.message_max_bytes` and the topic's `max.message.bytes`",
            ),
            SendCause::UnknownTopic => (Blame::Operator, "check the topic's name in this environment"),
            SendCause::NotAuthorised => (Blame::Authentication, "ask for WRITE on the topic, or use another user"),
            SendCause::Authentication => (Blame::Authentication, "check the user, password and certificates"),
            SendCause::TimedOut | SendCause::BrokerDown | SendCause::Unconfirmed => {
                (Blame::Connection, "check that the brokers answer")
            }
            SendCause::Closed => (Blame::Operator, ""),
            SendCause::Other(_) => (Blame::Record, ""),
        };
        Fault::new(blame, fault.what).next(next)
    }
}

fn send_cause(code: RDKafkaErrorCode) -> SendCause {
    use RDKafkaErrorCode as Code;
    match code {
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize => SendCause::TooLarge,
        Code::MessageTimedOut | Code::OperationTimedOut | Code::RequestTimedOut | Code::TimedOutQueue => {
            SendCause::TimedOut
        }
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition | Code::InvalidTopic => {
            SendCause::UnknownTopic
        }
        Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed => SendCause::NotAuthorised,
        Code::Authentication | Code::SaslAuthenticationFailed => SendCause::Authentication,
        Code::BrokerTransportFailure | Code::AllBrokersDown | Code::Resolve | Code::BrokerNotAvailable => {
            SendCause::BrokerDown
        }
        Code::PurgeQueue | Code::BrokerDestroy | Code::DestroyBroker => SendCause::Closed,
        // librdkafka: whether it was delivered cannot be known.
        Code::PurgeInflight => SendCause::Unconfirmed,
        other => SendCause::Other(other as i32),
    }
}

fn is_transient(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::ISRInsufficient
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::NetworkException
            | Code::KafkaStorageError
            | Code::QueueFull
    )
}

/// What a client-wide error is to a job that is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Severity {
    /// Trying again cannot help: the job ends.
    Final(Fault),
    /// The client goes on trying by itself: the job reports it.
    Passing(Fault),
}

impl Severity {
    /// The fault, whatever its weight.
    pub fn fault(&self) -> &Fault {
        match self {
            Self::Final(fault) | Self::Passing(fault) => fault,
        }
    }
}

/// Sorts a client-wide error. Refused credentials and certificates are final; a network that may come back is not.
pub fn severity(code: RDKafkaErrorCode, reason: &str) -> Severity {
    use RDKafkaErrorCode as Code;
    let reason = if reason.is_empty() { code.to_string() } else { said_shortly(reason).to_owned() };
    match code {
        // The handshake's own transport broke: nothing was refused.
        Code::Authentication if reason.contains("handshake failed: Local:") => Severity::Passing(unreachable(&reason)),
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism => {
            Severity::Final(Fault::new(Blame::Authentication, reason).next(advice_on_login()))
        }
        // TLS 1.3 tells of a refused client certificate after the handshake, when the first answer is read.
        Code::BrokerTransportFailure if is_alert_on_certificate(&reason) => {
            let next = advice_on_certificates(&reason);
            Severity::Final(Fault::new(Blame::Authentication, reason).next(next))
        }
        Code::SSL if is_refused_certificate(&reason) => {
            let next = advice_on_certificates(&reason);
            Severity::Final(Fault::new(Blame::Authentication, reason).next(next))
        }
        Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed => Severity::Final(
            Fault::new(Blame::Authentication, reason).next("ask for the missing permission, or use another user"),
        ),
        // Final for a member of a group, which says so itself; a tail has no group to be kept out of.
        Code::GroupAuthorizationFailed => Severity::Passing(
            Fault::new(Blame::Authentication, reason).next("ask for READ on the group, or use another group"),
        ),
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
            Severity::Passing(Fault::new(Blame::Operator, reason).next("check the topic's name in this environment"))
        }
        Code::Fatal | Code::Fenced | Code::OutOfOrderSequenceNumber => {
            Severity::Final(Fault::new(Blame::Connection, reason).next("start again with a new client"))
        }
        _ => Severity::Passing(not_kafka(&reason).unwrap_or_else(|| unreachable(&reason))),
    }
}

/// What answers there speaks another protocol. librdkafka reads the first four bytes of an answer as its size and refuses
/// what is too large (`Invalid response size`, rdkafka_transport.c, with the advice to allow larger ones): those bytes
/// tell who answered.
fn not_kafka(reason: &str) -> Option<Fault> {
    const REFUSED: &str = "Invalid response size ";
    /// RFC 8446, 5.1: the content type of an alert, then the version 3.x.
    const TLS_ALERT: [u8; 2] = [21, 3];
    let (peer, said) = reason.split_once(REFUSED)?;
    let size: i32 = said.split([' ', ':']).next()?.parse().ok()?;
    let first = size.to_be_bytes();
    let peer = peer.split(": ").next().filter(|peer| peer.contains("://")).unwrap_or("the address");
    if first.starts_with(&TLS_ALERT) {
        return Some(
            Fault::new(Blame::Connection, format!("{peer}: what answers there wants TLS"))
                .next("set `kafka.security_protocol` to SSL or SASL_SSL, or use the port for plain connections"),
        );
    }
    let word = std::str::from_utf8(&first).ok().filter(|word| word.bytes().all(|byte| byte.is_ascii_graphic()))?;
    let who = if word == "HTTP" { "an HTTP server".to_owned() } else { format!("it begins with `{word}`") };
    Some(
        Fault::new(Blame::Connection, format!("{peer}: what answers there is not Kafka: {who}"))
            .next("check host and port in `kafka.bootstrap_servers`, and whether a proxy stands between"),
    )
}

fn unreachable(reason: &str) -> Fault {
    Fault::new(Blame::Connection, reason).next("check the address and that the brokers answer")
}

fn advice_on_login() -> &'static str {
    "check `kafka.sasl`: mechanism, username and password"
}

/// An alert is what the other side says: it is ours that did not convince there.
fn advice_on_certificates(reason: &str) -> &'static str {
    if reason.to_lowercase().contains("alert") {
        return "the brokers want a certificate of this client, or do not believe the one they got: check `certfile` and \
                `keyfile` under `kafka.ssl`: are they given, signed by an authority of the brokers, and still valid?";
    }
    "check `kafka.ssl`: is `cafile` the authority that signed the brokers, and are the certificates still valid?"
}

/// A handshake that broke halfway may work next time; one in which a certificate was refused will not.
fn is_refused_certificate(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["certificate", "alert", "verify", "hostname"].iter().any(|word| reason.contains(word))
}

fn is_alert_on_certificate(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    reason.contains("tls alert")
        && ["certificate", "unknown ca", "access denied"].iter().any(|word| reason.contains(word))
}

/// What librdkafka says, without the name of its thread in front (`[thrd:…]: `) and its counters at the end
/// (` (after 0ms in state CONNECT, 1 identical error(s) suppressed)`): the same trouble is the same text.
pub(super) fn said_shortly(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix("[thrd:").and_then(|line| line.split_once("]: ")).map_or(line, |(_, said)| said);
    let end = line.find(" (after ").unwrap_or(line.len());
    line[..end].trim_end_matches(':')
}

/// A failed call as a fault: `doing` says what was tried (`read the topics of qa`).
pub fn call_fault(doing: &str, error: &KafkaError) -> Fault {
    use RDKafkaErrorCode as Code;
    let said = match error {
        KafkaError::ClientConfig(_, why, key, _) => {
            return Fault::new(Blame::Configuration, format!("could not {doing}: `{key}`: {why}"));
        }
        KafkaError::ClientCreation(why) => return creation_fault(doing, why),
        other => other.to_string(),
    };
    let fault = match error.rdkafka_error_code() {
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
            Fault::new(Blame::Operator, said).next("check the topic's name in this environment")
        }
        Some(code) => severity(code, &code.to_string()).fault().clone(),
        None => Fault::new(Blame::Connection, said),
    };
    Fault { what: format!("could not {doing}: {}", fault.what), ..fault }
}

fn creation_fault(doing: &str, why: &str) -> Fault {
    let what = format!("could not {doing}: {why}");
    if why.contains("ssl.key.location") || why.contains("ssl.certificate.location") || why.contains("ssl.ca.location") {
        return Fault::new(Blame::Authentication, what)
            .next("check the files under `kafka.ssl` and the phrase of the key (`kafka.ssl.password`)");
    }
    Fault::new(Blame::Configuration, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_believed_is_the_one_to_check() {
        let next = |reason| severity(RDKafkaErrorCode::SSL, reason).fault().next.clone();
        let theirs = next("ssl://b:1: SSL handshake failed: certificate verify failed");
        assert!(theirs.contains("`cafile`") && !theirs.contains("`certfile`"), "{theirs}");
        let ours = next("ssl://b:1: SSL handshake failed: ssl/tls alert bad certificate");
        assert!(ours.contains("`certfile` and `keyfile`") && !ours.contains("`cafile`"), "{ours}");
    }

    #[test]
    fn refused_credentials_and_certificates_end_a_job_and_a_lost_network_does_not() {
        let is_final = |code, reason: &str| matches!(severity(code, reason), Severity::Final(_));
        assert!(is_final(RDKafkaErrorCode::Authentication, "sasl_ssl://b:1: SASL authentication error: no"));
        assert!(is_final(RDKafkaErrorCode::SSL, "ssl://b:1: SSL handshake failed: certificate verify failed"));
        assert!(is_final(RDKafkaErrorCode::SSL, "ssl://b:1: sslv3 alert handshake failure"));
        assert!(!is_final(RDKafkaErrorCode::SSL, "ssl://b:1: SSL handshake failed: Disconnected"));
        assert!(is_final(
            RDKafkaErrorCode::BrokerTransportFailure,
            "Receive failed: error:0A000416:SSL routines::ssl/tls alert certificate unknown: SSL alert number 46"
        ));
        assert!(!is_final(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down"));
        assert!(!is_final(
            RDKafkaErrorCode::Authentication,
            "SASL PLAIN mechanism handshake failed: Local: Broker transport failure: broker's supported mechanisms:"
        ));
    }

    #[test]
    fn the_counters_of_librdkafka_are_left_out() {
        let reason = "b:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: refused (after 0ms in state CONNECT, 3 identical error(s) suppressed)";
        let fault = severity(RDKafkaErrorCode::BrokerTransportFailure, reason).fault().clone();
        assert_eq!(fault.what, "b:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: refused");
    }

    #[test]
    fn an_answer_of_another_protocol_is_told_by_its_first_bytes() {
        let fault = |size: i32| {
            let reason = format!(
                "plaintext://b:9092/bootstrap: Receive failed: Invalid response size {size} (0..100000000): increase receive.message.max.bytes"
            );
            severity(RDKafkaErrorCode::BrokerTransportFailure, &reason).fault().clone()
        };
        let http = fault(i32::from_be_bytes(*b"HTTP"));
        assert_eq!(http.what, "plaintext://b:9092/bootstrap: what answers there is not Kafka: an HTTP server");
        assert!(fault(i32::from_be_bytes(*b"SSH-")).what.ends_with("it begins with `SSH-`"));
        let tls = fault(i32::from_be_bytes([21, 3, 3, 0]));
        assert!(tls.what.ends_with("wants TLS") && tls.next.contains("security_protocol"), "{tls:?}");
        assert!(fault(200_000_000).next.contains("brokers answer"), "a size that is no text is told as it was");
    }

    #[test]
    fn codes_run_from_30_to_34() {
        use ErrorCode::{Authentication, Configuration, Connection, Consumer, Producer};
        let numbers: Vec<u8> =
            [Connection, Authentication, Consumer, Producer, Configuration].iter().map(|code| code.number()).collect();
        assert_eq!(numbers, [30, 31, 32, 33, 34]);
        assert_eq!(ErrorCode::of(&Fault::new(Blame::Record, ""), Producer), Producer);
        assert_eq!(ErrorCode::of(&Fault::new(Blame::Authentication, ""), Producer), Authentication);
    }

    #[test]
    fn only_causes_that_may_pass_are_worth_another_attempt() {
        assert!(SendFault::of(RDKafkaErrorCode::MessageTimedOut).retriable);
        assert!(SendFault::of(RDKafkaErrorCode::NotEnoughReplicas).retriable);
        assert!(!SendFault::of(RDKafkaErrorCode::MessageSizeTooLarge).retriable);
        assert!(!SendFault::of(RDKafkaErrorCode::TopicAuthorizationFailed).retriable);
        assert_eq!(SendFault::of(RDKafkaErrorCode::PurgeQueue).cause, SendCause::Closed);
        assert_eq!(SendFault::of(RDKafkaErrorCode::PurgeInflight).cause, SendCause::Unconfirmed);
    }
}
