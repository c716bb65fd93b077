//! A question that waits for a yes before something is written, stopped or left.

use crate::app::action::{ResendRequest, RunRequest};
use crate::app::deploy::Act;
use crate::core::environment::Guard;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmation {
    /// Headline, a question.
    pub question: String,
    /// Exactly what will happen, one line each.
    pub summary: Vec<String>,
    /// How the yes is given: [`Guard::Confirm`] by a key, [`Guard::Typed`] by typing `expected`.
    pub guard: Guard,
    /// What must be typed; empty where nothing must.
    pub expected: String,
    /// What happens on yes.
    pub then: Pending,
}

/// What happens on yes.
#[derive(Debug, Clone, PartialEq)]
pub enum Pending {
    /// The run starts.
    Run(RunRequest),
    /// The preset and its file are gone.
    ForgetPreset(String),
    /// The records are sent.
    Resend(ResendRequest),
    /// The `read_only` of an environment is lifted for a while.
    Lift(String),
    /// Something is done to deployed jobs.
    Deployed(Act),
    /// The same, where rows go to brokers that are not those of the jobs' environments: of these, or these themselves.
    Elsewhere(Vec<String>, Act),
    /// The console is left; its jobs are stopped.
    Quit,
}
