//! Live queries: one at a time, a second replaces the first. Pure.

use super::action::QueryRequest;
use super::effect::Effect;
use super::model::jobs::Work;
use super::model::queries::Query;
use super::model::{Model, Note};
use crate::core::job::JobId;

impl Model {
    /// Stops the query that runs, forgets those that were replaced before, and starts this one.
    pub(super) fn run_query(&mut self, query: QueryRequest) -> Vec<Effect> {
        if self.environment(&query.environment).is_none() {
            return self.refuse(&format!("there is no environment `{}`", query.environment));
        }
        if query.statement_text().is_empty() {
            return self.refuse("there is no statement to run");
        }
        let is_another = |query_that_runs: &Query| {
            let runs = self.jobs.get(&query_that_runs.job).is_some_and(|job| !job.phase.is_ending());
            runs && query_that_runs.request.statement_text() != query.statement_text()
        };
        if self.queries.values().any(is_another) {
            self.say(Note::plain("the statement that ran is stopped: one is looked at at a time, F8 deploys more"));
        }
        let mut effects = Vec::new();
        let replaced: Vec<JobId> = self.queries.keys().copied().collect();
        for job in replaced {
            match self.jobs.get(&job).is_some_and(|job| !job.phase.is_ending()) {
                true => effects.extend(self.stop(job)),
                false => self.forget_what_it_did(job),
            }
        }
        effects.extend(self.start(Work::Query(query)));
        effects
    }

    pub(super) fn start_query(&mut self, job: JobId, query: QueryRequest) -> Effect {
        self.queries.insert(job, Query::new(job, query.clone()));
        self.query = Some(job);
        Effect::StartQuery { job, query }
    }
}
