//! Jobs may write to brokers that are not those of their environment. Before one is run it is found out whose they are, and
//! those guards are asked too. Pure.

use super::deploy::{Act, Wanted};
use super::effect::Effect;
use super::model::Model;
use super::model::confirmation::Pending;
use crate::core::brokers::Whose;
use crate::core::environment::Guard;
use crate::core::fault::Fault;
use crate::sql::deploy::definition::Definition;

/// A question that waits until it is known where jobs write.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// Headline, a question.
    pub question: &'static str,
    /// What will happen, one line each.
    pub summary: Vec<String>,
    /// How strictly it is asked whatever the environments want.
    pub least: Guard,
    /// Environments of the jobs.
    pub environments: Vec<String>,
    /// What happens on yes.
    pub act: Act,
}

impl Act {
    /// Whether a job runs on after it, for longer than this console.
    pub(super) fn runs(&self) -> bool {
        match self {
            Self::Deploy(_) | Self::Resume(_) => true,
            Self::To(_, wanted) => matches!(wanted, Wanted::GoOn | Wanted::Restart | Wanted::Scratch),
        }
    }
}

impl Model {
    /// Asks as the guards of the jobs' environments want, and of all others whose brokers they write to.
    pub(super) fn ask_wherever_they_write(&mut self, asking: Asking, jobs: Vec<Definition>) -> Vec<Effect> {
        let request = self.number_request();
        self.deployments.asking = Some((request, asking));
        vec![Effect::FindBrokers { request, jobs }]
    }

    pub(super) fn brokers_found(&mut self, request: u64, outcome: Result<Whose, Fault>) -> Vec<Effect> {
        let Some((_, asking)) = self.deployments.asking.take_if(|(asked, _)| *asked == request) else {
            return Vec::new();
        };
        let Asking { question, mut summary, mut least, mut environments, act } = asking;
        let whose = match outcome {
            Ok(whose) => whose,
            Err(fault) => return self.refuse(&fault.to_string()),
        };
        let mut elsewhere = whose.environments;
        elsewhere.retain(|name| !environments.contains(name));
        summary.extend(elsewhere.iter().map(|name| format!("rows go to brokers of {name}")));
        environments.extend(elsewhere.iter().cloned());
        if !whose.unknown.is_empty() {
            summary.push(format!("rows go to brokers of no environment: {}", whose.unknown.join(", ")));
            // Nobody said how much care they need.
            least = if least == Guard::None { Guard::Confirm } else { least };
            elsewhere.extend(whose.unknown);
        }
        let then = if elsewhere.is_empty() { Pending::Deployed(act) } else { Pending::Elsewhere(elsewhere, act) };
        self.asked_at_least(least, &environments, question, summary, then)
    }

    /// What is done to jobs that write elsewhere is noted for everywhere.
    pub(super) fn act_elsewhere(&mut self, elsewhere: &[String], act: Act) -> Vec<Effect> {
        let noted = elsewhere.iter().map(|name| {
            Effect::Audit(self.entry(
                name,
                "a deployed job of another environment writes here".into(),
                "started".into(),
            ))
        });
        let mut effects: Vec<Effect> = noted.collect();
        effects.extend(self.act(act));
        effects
    }
}
