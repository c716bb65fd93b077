//! The life of jobs in the model: work gets a number and starts, is stopped, started again, opened where it belongs, forgotten. Pure.

use std::sync::Arc;

use super::action::{PaneId, RunRequest};
use super::deploy::Wanted;
use super::effect::{Beginning, Effect};
use super::model::environments::HealthCheck;
use super::model::jobs::{ENDED_JOBS_MAX, Job, Work};
use super::model::runs::Run;
use super::model::{Model, Opened};
use crate::core::environment::Guard;
use crate::core::job::{JobId, JobKind, Phase};
use crate::core::progress::RunProgress;
use crate::core::words::counted;

impl Model {
    /// Gives the work a number and starts it.
    pub(super) fn start(&mut self, work: Work) -> Vec<Effect> {
        let id = JobId(self.next_job);
        self.next_job += 1;
        let job = Job::new(id, work.clone(), self.now_ms);
        let mut effects = Vec::new();
        if matches!(&work, Work::Run(RunRequest { dry_run: false, .. }) | Work::Resend(_) | Work::Deployed(_)) {
            effects.push(Effect::Audit(self.entry(&job.environment, said_of(&work), "started".into())));
        }
        effects.push(match work {
            Work::Run(run) => {
                let progress = Arc::new(RunProgress::default());
                self.runs
                    .insert(id, Run { job: id, request: run.clone(), since_ms: self.now_ms, progress, report: None });
                let lifted = self.lifted_of(&run);
                Effect::StartRun { job: id, run, lifted }
            }
            Work::Tail(tail) => self.start_tail(id, tail),
            Work::Check(environment) => {
                let check = HealthCheck { job: id, at_ms: self.now_ms, phase: Phase::Starting, steps: Vec::new() };
                if let Some(row) = self.environment_mut(&environment) {
                    row.check = Some(check);
                }
                Effect::CheckHealth { job: id, environment }
            }
            Work::Generate(environment) => Effect::StartGenerator { job: id, environment },
            Work::Resend(resend) => Effect::StartResend { job: id, resend },
            Work::Query(query) => self.start_query(id, query),
            Work::Deployed(definition) => {
                self.deployments.rows.insert(definition.name.clone(), id);
                Effect::StartDeployed { job: id, definition, from: Beginning::Checkpoint }
            }
        });
        self.jobs.insert(id, job);
        self.forget_oldest_ended();
        effects
    }

    pub(super) fn stop(&mut self, id: JobId) -> Vec<Effect> {
        let now_ms = self.now_ms;
        match self.jobs.get_mut(&id).filter(|job| !job.phase.is_ending()) {
            Some(job) => {
                job.phase = Phase::Stopping;
                job.phase_since_ms = now_ms;
                vec![Effect::StopJob(id)]
            }
            None => self.refuse("this job has ended already"),
        }
    }

    pub(super) fn restart(&mut self, id: JobId) -> Vec<Effect> {
        match self.jobs.get(&id).map(|job| (job.phase.is_ending(), job.work.clone())) {
            Some((true, Work::Run(run))) => self.ask_to_run_at_least(Guard::Confirm, run),
            Some((true, Work::Resend(resend))) => self.ask_to_resend(resend),
            Some((true, Work::Query(query))) => self.run_query(query),
            Some((true, work)) => self.start(work),
            Some((false, _)) => self.refuse("this job still runs: stop it first"),
            None => self.refuse("this job is forgotten"),
        }
    }

    pub(super) fn forget(&mut self, id: JobId) -> Vec<Effect> {
        if self.jobs.get(&id).is_some_and(|job| !job.phase.is_ending()) {
            return self.refuse("this job still runs: stop it first");
        }
        if self.is_deployed(id) {
            return self.ask_of(id, Wanted::Drop);
        }
        self.forget_what_it_did(id);
        Vec::new()
    }

    pub(super) fn forget_ended(&mut self) -> Vec<Effect> {
        // A deployed job is kept for as long as its folder is.
        let forgotten = |job: &&Job| job.phase.is_ending() && job.kind != JobKind::Sql;
        let ended: Vec<JobId> = self.jobs.values().filter(forgotten).map(|job| job.id).collect();
        for job in ended {
            self.forget(job);
        }
        Vec::new()
    }

    pub(super) fn open_job(&mut self, id: JobId) -> Vec<Effect> {
        let Some(job) = self.jobs.get(&id) else { return self.refuse("this job is forgotten") };
        self.focus = match &job.work {
            Work::Tail(_) if self.tails.contains_key(&id) => {
                self.tail = Some(id);
                PaneId::Tail
            }
            Work::Tail(_) => return self.refuse("this tail was closed in its pane; restart it to read again"),
            Work::Run(_) => PaneId::Etls,
            Work::Check(_) | Work::Generate(_) => PaneId::Environments,
            Work::Resend(_) => PaneId::Tail,
            Work::Query(_) => PaneId::Sql,
            Work::Deployed(_) => PaneId::Jobs,
        };
        self.opened = Some(Opened { job: id, request: self.number_request() });
        if self.focus == PaneId::Sql { self.sit_down() } else { Vec::new() }
    }

    fn forget_oldest_ended(&mut self) {
        // A deployed job is kept for as long as its folder is.
        let forgotten = |job: &&Job| job.phase.is_ending() && job.kind != JobKind::Sql;
        let ended: Vec<JobId> = self.jobs.values().filter(forgotten).map(|job| job.id).collect();
        for id in ended.iter().take(ended.len().saturating_sub(ENDED_JOBS_MAX)) {
            self.forget_what_it_did(*id);
        }
    }

    pub(super) fn forget_what_it_did(&mut self, id: JobId) {
        self.jobs.remove(&id);
        self.runs.remove(&id);
        self.tails.remove(&id);
        self.queries.remove(&id);
        self.pipelines.remove(&id);
        self.deployments.configurations.remove(&id);
        if self.tail == Some(id) {
            self.tail = self.tails.keys().next_back().copied();
        }
        if self.query == Some(id) {
            self.query = None;
        }
    }
}

/// The work in words, for the audit log.
pub(super) fn said_of(work: &Work) -> String {
    match work {
        Work::Run(run) => format!("run {}, {} each", run.etls.join(", "), counted(run.count, "event")),
        Work::Resend(resend) => format!("send {}", counted(resend.messages.len() as u64, "record")),
        Work::Deployed(definition) => format!("job {}", definition.name),
        Work::Tail(_) | Work::Check(_) | Work::Generate(_) | Work::Query(_) => work.name(),
    }
}
