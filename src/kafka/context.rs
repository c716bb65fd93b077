//! What every client of ours does with librdkafka's callbacks: log lines go to `tracing`, secrets are struck out,
//! errors are kept for whoever waits, tokens are fetched. Never prints, never blocks save for a token.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::core::fault::Fault;
use crate::core::lock::{WholeMutex, WholeRwLock};
use crate::core::secret::{MASK, Secret};

use super::auth::TokenSource;
use super::cause::{self, Severity};
use super::identity::TopicIds;
use super::outage::Outage;

/// Strikes the secrets of one connection out of any text.
#[derive(Clone, Default)]
pub struct Scrubber {
    secrets: Vec<Secret>,
    /// Tokens fetched since, newest last; clones share them.
    tokens: Arc<RwLock<VecDeque<Secret>>>,
}

/// Fetched tokens that are still struck out: the one in use and those that lines under way may still hold.
const TOKENS_KEPT_MAX: usize = 8;

/// Shorter secrets would strike out half of every line and are no secrets.
const SECRET_LETTERS_MIN: usize = 4;

impl Scrubber {
    /// A scrubber that knows these secrets.
    pub fn new(secrets: Vec<Secret>) -> Self {
        let mut secrets: Vec<_> =
            secrets.into_iter().filter(|secret| secret.expose().len() >= SECRET_LETTERS_MIN).collect();
        // One that contains another goes as a whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { secrets, tokens: Arc::default() }
    }

    /// Strikes out this token, too, which a command or an endpoint gave; of many, the newest.
    pub fn learn(&self, token: &Secret) {
        let mut tokens = self.tokens.change();
        let is_known = tokens.iter().any(|known| known.expose() == token.expose());
        if is_known || token.expose().len() < SECRET_LETTERS_MIN {
            return;
        }
        if tokens.len() == TOKENS_KEPT_MAX {
            tokens.pop_front();
        }
        tokens.push_back(token.clone());
    }

    /// The text with `***` in place of every secret.
    pub fn scrub(&self, text: &str) -> String {
        let tokens = self.tokens.look();
        self.secrets.iter().chain(tokens.iter()).fold(text.to_owned(), |text, secret| {
            if text.contains(secret.expose()) { text.replace(secret.expose(), MASK) } else { text }
        })
    }

    /// A fault without secrets.
    pub fn clean(&self, fault: Fault) -> Fault {
        Fault { what: self.scrub(&fault.what), next: self.scrub(&fault.next), ..fault }
    }
}

/// The newest errors of one client, for whoever waits on it.
#[derive(Default)]
pub struct Watch {
    errors: Mutex<Errors>,
    count: AtomicU64,
    passed: AtomicU64,
    sent: AtomicU64,
    /// Whether a broker had answered when the statistics were last read.
    was_up: AtomicBool,
    ends: Mutex<Ends>,
    /// Which topics it reads, for clients that asked to be told.
    pub ids: TopicIds,
}

/// The next offset to be written, by topic and partition, as the brokers last said.
pub type Ends = HashMap<String, HashMap<i32, i64>>;

#[derive(Default)]
struct Errors {
    ending: Option<Fault>,
    passing: Option<Fault>,
}

impl Watch {
    /// The error after which trying again is pointless, if there was one.
    pub fn ending(&self) -> Option<Fault> {
        // Read on hot paths: no lock while nothing ever went wrong.
        (self.count.load(Ordering::Acquire) > 0).then(|| self.errors.hold().ending.clone()).flatten()
    }

    /// The newest error that the client tries to get over, taken: the next call gives the next one.
    pub fn take_passing(&self) -> Option<Fault> {
        (self.count.load(Ordering::Acquire) > 0).then(|| self.errors.hold().passing.take()).flatten()
    }

    fn has_passing(&self) -> bool {
        self.errors.hold().passing.is_some()
    }

    /// Keeps an error.
    pub fn keep(&self, severity: Severity) {
        let mut errors = self.errors.hold();
        match severity {
            Severity::Final(fault) => {
                errors.ending.get_or_insert(fault);
            }
            Severity::Passing(fault) => {
                errors.passing = Some(fault);
                self.passed.fetch_add(1, Ordering::Release);
            }
        }
        self.count.fetch_add(1, Ordering::Release);
    }

    /// Errors so far after which the client tried again.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Acquire)
    }

    /// Records that were sent and answered, each as often as it was, as far as the client's statistics know.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// Where the partitions of a topic end, as far as the client's statistics know.
    pub fn ends_of(&self, topic: &str) -> Option<HashMap<i32, i64>> {
        self.ends.hold().get(topic).cloned()
    }

    fn keep_ends(&self, ends: Ends) {
        *self.ends.hold() = ends;
    }
}

/// The context of every client that is not a producer with receipts.
#[derive(Clone)]
pub struct Context {
    environment: Arc<str>,
    scrubber: Arc<Scrubber>,
    tokens: Option<Arc<dyn TokenSource>>,
    /// The newest line of the client's log, and when it was written.
    said: Arc<Mutex<Option<(String, Instant)>>>,
    /// Whether any broker answers any client of the connection.
    pub(super) outage: Arc<Outage>,
    /// What went wrong so far.
    pub watch: Arc<Watch>,
}

/// librdkafka says a lost connection once for each address and attempt; within this time the same line says nothing new.
const SAME_LINE_QUIET: Duration = Duration::from_secs(1);

impl Context {
    /// A context for a client of this environment.
    pub fn new(environment: Arc<str>, scrubber: Arc<Scrubber>, tokens: Option<Arc<dyn TokenSource>>) -> Self {
        Self { environment, scrubber, tokens, said: Arc::default(), outage: Arc::default(), watch: Arc::default() }
    }

    /// The text without this connection's secrets.
    pub fn scrub(&self, text: &str) -> String {
        self.scrubber.scrub(text)
    }

    /// Whether a line of the log was said just now.
    fn is_said(&self, line: &str, now: Instant) -> bool {
        let mut said = self.said.hold();
        let is_same = said
            .as_ref()
            .is_some_and(|(before, at)| before == line && now.saturating_duration_since(*at) < SAME_LINE_QUIET);
        if !is_same {
            *said = Some((line.to_owned(), now));
        }
        is_same
    }

    /// Whether the client must be polled before it can log in.
    pub fn needs_token(&self) -> bool {
        self.tokens.is_some()
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        // Only clients that want to know ids get such lines.
        if matches!(level, RDKafkaLogLevel::Debug) {
            self.watch.ids.hear(line);
            return;
        }
        let (environment, line) = (&*self.environment, self.scrub(cause::said_shortly(line)));
        if self.is_said(&line, Instant::now()) {
            return;
        }
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::error!(target: "librdkafka", environment, facility, "{line}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", environment, facility, "{line}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", environment, facility, "{line}");
            }
            RDKafkaLogLevel::Debug => {}
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        // Only clients that ask for statistics get here: tails, sources, sinks.
        match serde_json::from_slice::<Statistics>(statistics) {
            Ok(statistics) => {
                if statistics.is_up() {
                    self.watch.was_up.store(true, Ordering::Release);
                    self.outage.ends(&self.environment);
                }
                self.watch.sent.store(statistics.sent(), Ordering::Release);
                self.watch.keep_ends(statistics.ends());
            }
            Err(error) => tracing::warn!(target: "librdkafka", "statistics do not parse: {error}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        // The end of a partition is an event of its own for who asked for it, never a trouble.
        if code == RDKafkaErrorCode::PartitionEOF {
            return;
        }
        // One that never had a broker says so to whoever waits for it.
        if code == RDKafkaErrorCode::AllBrokersDown && self.watch.was_up.swap(false, Ordering::AcqRel) {
            self.outage.begins(&self.environment);
        }
        // Says only that all of them failed; how each one did was said before.
        if code == RDKafkaErrorCode::AllBrokersDown && self.watch.has_passing() {
            return;
        }
        // librdkafka counts the address that it began with as one more broker: `2/2 brokers are down` of one.
        let reason = match code {
            RDKafkaErrorCode::AllBrokersDown => "no broker answers".to_owned(),
            _ => self.scrub(reason),
        };
        let severity = match cause::severity(code, &reason) {
            // A token that still serves: the next refresh may succeed.
            Severity::Final(fault) if self.tokens.as_ref().is_some_and(|tokens| tokens.still_serves(&reason)) => {
                Severity::Passing(fault)
            }
            other => other,
        };
        tracing::debug!(target: "librdkafka", environment = &*self.environment, %error, "{reason}");
        self.watch.keep(severity);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let source = self.tokens.as_ref().ok_or("no token source is configured")?;
        let token = source.token().map_err(|fault| self.scrub(&fault.to_string()))?;
        // Before librdkafka has it: no line of its log may be first.
        self.scrubber.learn(&token.text);
        Ok(OAuthToken {
            token: token.text.expose().to_owned(),
            principal_name: token.principal,
            lifetime_ms: token.expires_at_ms,
        })
    }
}

impl ConsumerContext for Context {}

/// The part of librdkafka's statistics that we read.
#[derive(serde::Deserialize)]
struct Statistics {
    #[serde(default)]
    brokers: HashMap<String, BrokerStatistics>,
    topics: HashMap<String, TopicStatistics>,
}

#[derive(serde::Deserialize)]
struct BrokerStatistics {
    state: String,
}

#[derive(serde::Deserialize)]
struct TopicStatistics {
    partitions: HashMap<i32, PartitionStatistics>,
}

#[derive(serde::Deserialize)]
struct PartitionStatistics {
    hi_offset: i64,
    /// Records sent, each as often as it was.
    txmsgs: u64,
    /// Records sent and not answered.
    msgs_inflight: i64,
}

impl Statistics {
    fn is_up(&self) -> bool {
        self.brokers.values().any(|broker| broker.state == "UP")
    }

    fn sent(&self) -> u64 {
        let partitions = self.topics.values().flat_map(|topic| topic.partitions.values());
        partitions.map(|partition| partition.txmsgs.saturating_sub(partition.msgs_inflight.max(0).unsigned_abs())).sum()
    }

    fn ends(self) -> Ends {
        let known = |partition: &(i32, i64)| partition.0 >= 0 && partition.1 >= 0;
        let ends_of = |topic: TopicStatistics| {
            topic.partitions.into_iter().map(|(id, partition)| (id, partition.hi_offset)).filter(known).collect()
        };
        self.topics.into_iter().map(|(name, topic)| (name, ends_of(topic))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fault::Blame;

    #[test]
    fn secrets_are_struck_out_and_very_short_ones_do_not_shred_the_text() {
        let scrubber = Scrubber::new(vec![Secret::new("s3cret#1"), Secret::new("a")]);
        assert_eq!(scrubber.scrub("login of a user with s3cret#1 failed"), "login of a user with *** failed");
    }

    #[test]
    fn a_token_that_was_fetched_is_struck_out_in_every_clone_and_old_ones_are_let_go() {
        let scrubber = Scrubber::new(Vec::new());
        let earlier = scrubber.clone();
        for number in 0..=TOKENS_KEPT_MAX {
            scrubber.learn(&Secret::new(format!("token-{number}")));
            scrubber.learn(&Secret::new(format!("token-{number}")));
        }
        assert_eq!(earlier.scrub("token-0 token-1 token-8"), "token-0 *** ***");
    }

    #[test]
    fn the_same_line_of_the_log_is_written_once_a_second() {
        let context = Context::new("qa".into(), Arc::default(), None);
        let (lost, begun) =
            ("b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused", Instant::now());
        let raw =
            format!("[thrd:b:9092/bootstrap]: {lost} (after 0ms in state CONNECT, 1 identical error(s) suppressed)");
        assert_eq!(cause::said_shortly(&raw), lost);
        assert!(!context.is_said(lost, begun) && context.is_said(lost, begun));
        assert!(!context.is_said("another", begun) && !context.is_said(lost, begun), "it is news after another line");
        assert!(!context.is_said(lost, begun + SAME_LINE_QUIET));
    }

    #[test]
    fn the_first_ending_stays_and_the_newest_passing_error_is_given_once() {
        let watch = Watch::default();
        assert_eq!((watch.ending(), watch.take_passing()), (None, None));
        for what in ["first", "second"] {
            watch.keep(Severity::Final(Fault::new(Blame::Authentication, what)));
            watch.keep(Severity::Passing(Fault::new(Blame::Connection, what)));
        }
        assert_eq!(watch.ending().expect("an ending").what, "first");
        assert_eq!(watch.take_passing().expect("an error").what, "second");
        assert_eq!(watch.take_passing(), None);
    }
}
