//! Keeps connections: asks the cluster now and then, says how long the answer took, and tries again after a fault with growing
//! pauses. Refused credentials are not tried again.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Runtime, off_the_async_threads};
use crate::app::fact::Fact;
use crate::app::feed::Intake;
use crate::app::model::environments::{Connection as Shown, ConnectionState, TopicRow};
use crate::clock::now_ms;
use crate::core::fault::{Blame, Fault};
use crate::kafka::admin::{Admin, Cluster};
use crate::kafka::health::{refused, unless_refused};
use crate::kafka::settings::Connection;

/// Pause between two questions to a cluster that answers: a lost broker is seen soon, and no broker feels it.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// Longest wait for an answer to such a question, whatever the environment's file allows for work.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// First pause after a fault; it doubles.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause after a fault: a broker that is back is seen within this.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Pause between two knocks at a port that refuses: one packet each, and who started the broker again sees it soon.
const KNOCK_EVERY: Duration = Duration::from_secs(2);

impl Runtime {
    /// Keeps a connection to an environment until it is ended; one that is kept already stays.
    pub(super) fn connect(&mut self, environment: String) {
        let is_kept = self.connections.get(&environment).is_some_and(|kept| !kept.is_cancelled());
        if is_kept {
            return;
        }
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        self.connections.insert(environment.clone(), ended.clone());
        let opening = self.opening(&environment);
        let intake = self.intake().clone();
        self.supervisor.keep("a connection", move |root| async move {
            let keeping = keep(environment, intake, stop.clone(), opening);
            tokio::pin!(keeping);
            tokio::select! {
                () = &mut keeping => {}
                () = async { tokio::select! { () = root.cancelled() => {}, () = ended.cancelled() => {} } } => {
                    stop.cancel();
                    keeping.await;
                }
            }
            ended.cancel();
        });
    }

    /// Asks once which topics there are.
    pub(super) fn list_topics(&self, environment: String) {
        let opening = self.opening(&environment);
        self.supervisor.ask("listing topics", async move {
            let listing = async {
                let (connection, admin) = off_the_async_threads(move || {
                    let connection = opening()?;
                    let admin = Admin::open(&connection)?;
                    Ok((connection, admin))
                })
                .await?;
                let asking = admin.cluster(None, connection.request_timeout());
                let cluster = unless_refused(&connection, asking).await?;
                Ok(topics_of(&cluster))
            };
            let topics = listing.await;
            Fact::Topics { environment, topics }
        });
    }
}

/// One connection as it is told to the model.
struct Telling {
    environment: String,
    intake: Intake,
    shown: Shown,
    brokers_max: u32,
}

/// Keeps the connection until `stop`. `opening` checks the settings, and is asked again after each fault that may pass.
pub async fn keep(
    environment: String,
    intake: Intake,
    stop: CancellationToken,
    opening: impl Fn() -> Result<Connection, Fault> + Clone + Send + 'static,
) {
    let shown = Shown { created_ms: Some(now_ms()), ..Shown::default() };
    let mut telling = Telling { environment, intake, shown, brokers_max: 0 };
    let mut attempt: u32 = 0;
    loop {
        if attempt == 0 {
            telling.become_state(ConnectionState::Connecting).await;
        }
        let outcome = tokio::select! {
            () = stop.cancelled() => break,
            outcome = talk(&mut telling, &mut attempt, opening.clone()) => outcome,
        };
        let fault = outcome;
        let is_final = matches!(fault.blame, Blame::Authentication | Blame::Configuration | Blame::Program);
        attempt += 1;
        telling.failed(fault, if is_final { 0 } else { attempt }).await;
        if is_final {
            return;
        }
        let most = RETRY_PAUSE.saturating_mul(1 << (attempt - 1).min(8)).min(RETRY_PAUSE_MAX);
        tokio::select! {
            () = stop.cancelled() => break,
            () = pause(opening.clone(), most) => {}
        }
    }
    telling.become_state(ConnectionState::Disconnecting).await;
    telling.shown = Shown { created_ms: telling.shown.created_ms, ..Shown::default() };
    telling.become_state(ConnectionState::Disconnected).await;
}

/// Waits before the next attempt; brokers that refuse connections are knocked at meanwhile, and asked as soon as they take one.
async fn pause(opening: impl FnOnce() -> Result<Connection, Fault> + Send + 'static, most: Duration) {
    let until = tokio::time::Instant::now() + most;
    if let Ok(Ok(connection)) = tokio::task::spawn_blocking(opening).await
        && refused(&connection).await.is_some()
    {
        while tokio::time::Instant::now() + KNOCK_EVERY < until {
            tokio::time::sleep(KNOCK_EVERY).await;
            if refused(&connection).await.is_none() {
                return;
            }
        }
    }
    tokio::time::sleep_until(until).await;
}

/// Asks the cluster again and again; gives the fault that ended it.
async fn talk(
    telling: &mut Telling,
    attempt: &mut u32,
    opening: impl Fn() -> Result<Connection, Fault> + Send + 'static,
) -> Fault {
    // Starts the embedded broker where that is asked for, and reads certificates: not for an async thread.
    let opened = tokio::task::spawn_blocking(move || {
        let connection = opening()?;
        let admin = Admin::open(&connection)?;
        Ok((connection, admin))
    });
    let (connection, admin) = match opened.await {
        Ok(Ok(opened)) => opened,
        Ok(Err(fault)) => return fault,
        Err(error) => return Fault::new(Blame::Program, format!("opening a connection failed: {error}")),
    };
    let wait = connection.request_timeout().min(ANSWER_WAIT_MAX);
    telling.asks(connection.bootstrap_servers(), wait).await;
    loop {
        let asked = Instant::now();
        match unless_refused(&connection, admin.cluster(None, wait)).await {
            Ok(cluster) => {
                *attempt = 0;
                telling.answered(&cluster, asked.elapsed()).await;
            }
            Err(fault) => return fault,
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

impl Telling {
    async fn become_state(&mut self, state: ConnectionState) {
        self.shown.state = state;
        self.shown.since_ms = now_ms();
        self.shown.trying = None;
        self.tell().await;
    }

    /// Says what is waited for, where nothing has answered yet.
    async fn asks(&mut self, servers: &str, wait: Duration) {
        if self.shown.state == ConnectionState::Connecting {
            let seconds = wait.as_secs_f64().ceil();
            self.shown.trying = Some(format!("waiting for an answer of {servers}, at most {seconds} s"));
            self.tell().await;
        }
    }

    async fn answered(&mut self, cluster: &Cluster, took: Duration) {
        let now_ms = now_ms();
        if self.shown.state != ConnectionState::Connected {
            self.shown.state = ConnectionState::Connected;
            self.shown.since_ms = now_ms;
            self.shown.connected_ms = Some(now_ms);
            tracing::info!(target: "velox::connection", "{}: connected", self.environment);
        }
        let up = u32::try_from(cluster.brokers.len()).unwrap_or(u32::MAX);
        // Metadata names the living only; the most ever seen is what should be there.
        self.brokers_max = self.brokers_max.max(up);
        self.shown.brokers = Some((up, self.brokers_max));
        self.shown.round_trip_ms = Some(took.as_secs_f64() * 1_000.0);
        self.shown.last_activity_ms = Some(now_ms);
        (self.shown.fault, self.shown.trying) = (None, None);
        self.shown.attempt = 0;
        let topics = Fact::Topics { environment: self.environment.clone(), topics: Ok(topics_of(cluster)) };
        self.intake.tell(topics).await;
        self.tell().await;
    }

    async fn failed(&mut self, fault: Fault, attempt: u32) {
        tracing::warn!(target: "velox::connection", "{}: {fault}", self.environment);
        if self.shown.state != ConnectionState::Error {
            self.shown.since_ms = now_ms();
        }
        self.shown.state = ConnectionState::Error;
        self.shown.trying = None;
        self.shown.brokers = self.shown.brokers.map(|(_, all)| (0, all));
        self.shown.round_trip_ms = None;
        self.shown.fault = Some(fault);
        self.shown.attempt = attempt;
        self.tell().await;
    }

    async fn tell(&self) {
        let fact = Fact::Connection { environment: self.environment.clone(), connection: self.shown.clone() };
        self.intake.tell(fact).await;
    }
}

/// Topics in order of name.
pub fn topics_of(cluster: &Cluster) -> Vec<TopicRow> {
    let mut topics: Vec<TopicRow> = cluster
        .topics
        .iter()
        .map(|topic| TopicRow {
            name: topic.name.clone(),
            partitions: u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX),
        })
        .collect();
    topics.sort_by(|one, other| one.name.cmp(&other.name));
    topics
}
