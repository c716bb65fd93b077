//! The broker inside this process, for `embedded://`: librdkafka's mock cluster, kept by a thread of its own.
//! Keeps nothing on disk, needs no network beyond the loopback, and ends with the process. No SASL, TLS or admin calls.

use std::net::TcpStream;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::core::fault::{Blame, Fault};

/// Topics that a sandbox always has.
pub const SAMPLE_TOPICS: [&str; 4] = ["orders", "payments", "customers", "inventory"];
/// Partitions of a topic nobody asked more for: enough to show keys spread, few enough for a small screen.
pub const PARTITIONS: i32 = 4;
/// Requests that wait for the broker's thread; each is answered in microseconds.
const REQUESTS_MAX: usize = 64;
/// After this time a request that should take microseconds is taken for overheard.
const KNOCK_INTERVAL: Duration = Duration::from_millis(5);
/// Longest wait for the broker's thread, which does nothing but answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// A handle on an embedded broker. The broker ends when its last handle is gone.
#[derive(Clone)]
pub struct EmbeddedBroker {
    bootstrap: Arc<str>,
    requests: SyncSender<(Request, SyncSender<Result<(), String>>)>,
}

enum Request {
    CreateTopic(String, i32),
    Down,
    Up,
    Refuse(usize),
}

impl EmbeddedBroker {
    /// The one broker of this process: started by the first who asks, kept until the end.
    ///
    /// # Errors
    /// The loopback interface cannot be listened on.
    pub fn shared() -> Result<Self, Fault> {
        static SHARED: OnceLock<Result<EmbeddedBroker, Fault>> = OnceLock::new();
        SHARED.get_or_init(Self::start).clone()
    }

    /// A broker of one's own, with the sample topics: for tests that take it down.
    ///
    /// # Errors
    /// The loopback interface cannot be listened on.
    pub fn start() -> Result<Self, Fault> {
        let (requests, inbox) = sync_channel::<(Request, SyncSender<Result<(), String>>)>(REQUESTS_MAX);
        let (ready, started) = sync_channel(1);
        std::thread::Builder::new()
            .name("velox-embedded-broker".into())
            .spawn(move || {
                // One broker: a second would make every leader change a puzzle in a sandbox.
                let cluster = match MockCluster::new(1) {
                    Ok(cluster) => cluster,
                    Err(error) => {
                        ready.send(Err(error.to_string())).ok();
                        return;
                    }
                };
                let address = cluster.bootstrap_servers();
                ready.send(Ok(address.clone())).ok();
                for (request, reply) in inbox {
                    let outcome = awake(&address, || match request {
                        Request::CreateTopic(topic, partitions) => cluster.create_topic(&topic, partitions, 1),
                        Request::Down => cluster.broker_down(-1),
                        Request::Up => cluster.broker_up(-1),
                        Request::Refuse(times) => {
                            let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
                            cluster.request_errors(RDKafkaApiKey::Produce, &vec![error; times]);
                            Ok(())
                        }
                    });
                    reply.send(outcome.map_err(|error| error.to_string())).ok();
                }
            })
            .map_err(|error| failed("start", &error.to_string()))?;
        let bootstrap = started
            .recv()
            .map_err(|error| failed("start", &error.to_string()))?
            .map_err(|error| failed("start", &error))?;
        let broker = Self { bootstrap: bootstrap.into(), requests };
        for topic in SAMPLE_TOPICS {
            broker.create_topic(topic, PARTITIONS)?;
        }
        Ok(broker)
    }

    /// A mark of the broker of this process: its topics end with it, and offsets of another process's say nothing here.
    pub fn incarnation() -> &'static str {
        static MARK: OnceLock<String> = OnceLock::new();
        MARK.get_or_init(|| uuid::Uuid::new_v4().simple().to_string())
    }

    /// `127.0.0.1:port`.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap
    }

    /// Creates a topic; one that exists stays as it is.
    ///
    /// # Errors
    /// The name is not one of a topic.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), Fault> {
        match self.ask(Request::CreateTopic(topic.to_owned(), partitions)) {
            Err(why) if why.contains("already exists") => Ok(()),
            outcome => outcome.map_err(|why| failed(&format!("create the topic `{topic}`"), &why)),
        }
    }

    /// Closes every connection and takes no new ones.
    ///
    /// # Errors
    /// The broker's thread is gone.
    pub fn take_down(&self) -> Result<(), Fault> {
        self.ask(Request::Down).map_err(|why| failed("go down", &why))
    }

    /// Takes connections again; what was stored is still there.
    ///
    /// # Errors
    /// The broker's thread is gone.
    pub fn bring_up(&self) -> Result<(), Fault> {
        self.ask(Request::Up).map_err(|why| failed("come up", &why))
    }

    /// Refuses the next so many requests that bring records, as a broker does whose replicas are away: clients try again.
    ///
    /// # Errors
    /// The broker's thread is gone.
    pub fn refuse(&self, requests: usize) -> Result<(), Fault> {
        self.ask(Request::Refuse(requests)).map_err(|why| failed("refuse records", &why))
    }

    fn ask(&self, request: Request) -> Result<(), String> {
        let (reply, answer) = sync_channel(1);
        self.requests.send((request, reply)).map_err(|_| "its thread has ended".to_owned())?;
        answer.recv_timeout(ANSWER_WAIT).map_err(|error| error.to_string())?
    }
}

/// Carries out a request while somebody knocks at the broker's door. librdkafka's mock cluster can swallow the signal of a
/// request that comes right behind another (`rd_kafka_mock_cluster_io_poll` looks at its requests first and reads the
/// signals of both after), and then sleeps for up to a second; a connection wakes it.
fn awake<T>(address: &str, request: impl FnOnce() -> T) -> T {
    let (done, ended) = sync_channel::<()>(0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while ended.recv_timeout(KNOCK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                // A broker that is down does not open: then it answers by itself, later.
                TcpStream::connect(address).ok();
            }
        });
        let outcome = request();
        drop(done);
        outcome
    })
}

fn failed(doing: &str, why: &str) -> Fault {
    Fault::new(Blame::Program, format!("the embedded broker could not {doing}: {why}"))
}
