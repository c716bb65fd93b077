//! Environments as the console shows them: connection, health, effective settings with their origins. No secret is in here.

pub use crate::core::connection::ConnectionState;
use crate::core::environment::Guard;
use crate::core::fault::{Fault, Place};
use crate::core::job::{JobId, Phase};

/// One environment.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentRow {
    /// Name.
    pub name: String,
    /// One line on what it is for.
    pub description: String,
    /// Safety in force.
    pub guard: Guard,
    /// Protocol, as in `SASL_SSL`; `embedded` for the broker inside this process; empty where the file is broken.
    pub protocol: String,
    /// SASL mechanism.
    pub mechanism: Option<String>,
    /// Where the brokers are.
    pub bootstrap: String,
    /// Whether the broker is the one inside this process.
    pub embedded: bool,
    /// The connection.
    pub connection: Connection,
    /// The last health check.
    pub check: Option<HealthCheck>,
    /// Every effective setting, in the order of the file.
    pub settings: Vec<Setting>,
    /// Variables that are needed and not set.
    pub missing: Vec<MissingVariable>,
    /// What is wrong with its file.
    pub faults: Vec<Fault>,
    /// Its file.
    pub file: String,
    /// Its topics, once asked for.
    pub topics: Topics,
}

impl EnvironmentRow {
    /// An environment of which only name and file are known yet.
    pub fn new(name: impl Into<String>, file: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            guard: Guard::default_for(&name),
            name,
            description: String::new(),
            protocol: String::new(),
            mechanism: None,
            bootstrap: String::new(),
            embedded: false,
            connection: Connection::default(),
            check: None,
            settings: Vec::new(),
            missing: Vec::new(),
            faults: Vec::new(),
            file: file.into(),
            topics: Topics::Unknown,
        }
    }
}

impl EnvironmentRow {
    /// Why what its brokers said before may not hold any more: they cannot be asked now.
    pub fn lost(&self) -> Option<&Fault> {
        self.connection.fault.as_ref().filter(|_| self.connection.state == ConnectionState::Error)
    }
}

/// A connection at one moment. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Connection {
    /// State.
    pub state: ConnectionState,
    /// What is waited for while it connects.
    pub trying: Option<String>,
    /// Since when it is in this state.
    pub since_ms: i64,
    /// When it was made.
    pub created_ms: Option<i64>,
    /// When the brokers first answered.
    pub connected_ms: Option<i64>,
    /// When the brokers last answered.
    pub last_activity_ms: Option<i64>,
    /// Time of the last question and its answer, milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Brokers that are up, and brokers in all.
    pub brokers: Option<(u32, u32)>,
    /// Why it is in error.
    pub fault: Option<Fault>,
    /// The attempt that comes next while reconnecting, from 1.
    pub attempt: u32,
}

/// A health check that runs or ran.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    /// Its job.
    pub job: JobId,
    /// When it began, milliseconds since 1970.
    pub at_ms: i64,
    /// Where it is in its life.
    pub phase: Phase,
    /// Steps that ended, in order.
    pub steps: Vec<CheckStep>,
}

/// Names of the steps, in order: what is being tried while fewer have ended.
pub const CHECK_STEPS: [&str; 6] = ["resolve", "TCP", "TLS", "log in", "metadata", "produce and consume"];

impl HealthCheck {
    /// Whether steps are still to come.
    pub fn is_running(&self) -> bool {
        !self.phase.is_ending()
    }

    /// Whether it went through all steps and none failed.
    pub fn is_healthy(&self) -> bool {
        self.phase == Phase::Done && self.steps.iter().all(|step| !matches!(step.outcome, StepOutcome::Failed(_)))
    }

    /// The step that is being tried.
    pub fn current_step(&self) -> Option<&'static str> {
        CHECK_STEPS.get(self.steps.len()).copied().filter(|_| self.is_running())
    }

    /// When that step began, milliseconds since 1970.
    pub fn current_since_ms(&self) -> i64 {
        self.at_ms + self.steps.iter().map(|step| step.took_ms).sum::<f64>() as i64
    }
}

/// One step: resolve, connect, TLS, authenticate, metadata, loop.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckStep {
    /// Name.
    pub name: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Milliseconds it took.
    pub took_ms: f64,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum StepOutcome {
    /// Well; with what was found, as `3 brokers`.
    Passed(String),
    /// Not tried, and why: not part of this protocol, not allowed here, or a step before it failed.
    Skipped(String),
    /// Badly.
    Failed(Fault),
}

/// One effective setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Path in the file, as `kafka.sasl.password`.
    pub path: String,
    /// Value; `***` for a secret.
    pub value: String,
    /// Where it came from: `config/environments/qa.yaml:7`, `KAFKA_QA_PASSWORD in .env:3`,
    /// `KAFKA_QA_PASSWORD in the process environment`, `default`.
    pub origin: String,
    /// The place to change it, where it is in a file.
    pub place: Option<Place>,
}

/// A variable that a setting needs and nothing sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVariable {
    /// Its name.
    pub variable: String,
    /// The setting that needs it.
    pub path: String,
    /// Where it is used.
    pub place: Place,
}

/// Topics of an environment.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Topics {
    /// Never asked for.
    #[default]
    Unknown,
    /// Asked for, at this time (milliseconds since 1970).
    Waiting(i64),
    /// In order of name.
    Known(Vec<TopicRow>),
    /// Could not be had.
    Failed(Fault),
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRow {
    /// Name.
    pub name: String,
    /// Partitions.
    pub partitions: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_named_as_the_check_names_them() {
        assert_eq!(CHECK_STEPS, crate::kafka::health::Step::ALL.map(crate::kafka::health::Step::name));
    }
}
