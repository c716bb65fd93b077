//! What is done to jobs that survive the console: each act is asked for as the guard of its environment wants, and audited.
//! Pure.

mod words;

use super::action::{DeployRequest, PaneId};
use super::effect::{Beginning, Effect};
use super::elsewhere::Asking;
use super::model::confirmation::Pending;
use super::model::deployments::Deployments;
use super::model::jobs::{Job, Work};
use super::model::pipeline::Checkpoint;
use super::model::{Model, Note};
use crate::core::environment::Guard;
use crate::core::fault::{Blame, Fault};
use crate::core::job::{JobId, JobKind, Phase};
use crate::sql::deploy::definition::Definition;
use crate::sql::deploy::hold::Holder;
use crate::sql::deploy::prepare::nowhere;
use crate::sql::deploy::run::Order;
use crate::sql::deploy::shelf::Kept;
use crate::sql::deploy::status::State;
use crate::sql::parse;
use crate::sql::parse::statement::{Statement, StatementKind};

use words::{question, said, shortened};

/// What a person wants of a deployed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A savepoint, and its end.
    Stop,
    /// Its end, now.
    StopAtOnce,
    /// A savepoint, and to wait.
    Pause,
    /// To go on after a pause.
    GoOn,
    /// To start again from its last checkpoint.
    Restart,
    /// To start again as if it had never run.
    Scratch,
    /// To be gone.
    Drop,
}

/// What is done once nothing stands against it.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A new job is kept and started.
    Deploy(Definition),
    /// Jobs go on.
    Resume(Vec<Definition>),
    /// Something is done to one.
    To(JobId, Wanted),
}

impl Model {
    pub(super) fn is_deployed(&self, job: JobId) -> bool {
        self.jobs.get(&job).is_some_and(|job| job.kind == JobKind::Sql)
    }

    pub(super) fn ask_to_deploy(&mut self, request: DeployRequest) -> Vec<Effect> {
        let definition = Definition {
            statement: request.query.statement,
            delivery: request.delivery,
            checkpoint_interval_ms: request.checkpoint_interval_ms,
            created_ms: self.now_ms,
            ..Definition::new(request.name, request.query.environment, request.query.text)
        };
        if let Some(keeper) = &self.deployments.keeper {
            return self.refuse(&format!("the deployed jobs are held by {keeper}: deploy there"));
        }
        if self.deployments.kept.contains_key(&definition.name) {
            return self.refuse(&format!("there is a job `{}` already: choose another name", definition.name));
        }
        let is_right = definition.check().and_then(|()| writes(&definition));
        match is_right {
            Err(fault) => self.refuse(&fault.to_string()),
            Ok(into) => {
                let mut summary = vec![
                    format!(
                        "{} in {}: rows → {into}, {}",
                        definition.name,
                        definition.environment,
                        definition.delivery.name()
                    ),
                    shortened(&definition.shown_statement()),
                ];
                summary.extend(definition.warning());
                let asking = Asking {
                    question: "Deploy this job?",
                    summary,
                    least: Guard::None,
                    environments: vec![definition.environment.clone()],
                    act: Act::Deploy(definition.clone()),
                };
                self.ask_wherever_they_write(asking, vec![definition])
            }
        }
    }

    /// Resumes those that are named of the jobs that were offered.
    pub(super) fn resume(&mut self, names: &[String]) -> Vec<Effect> {
        let offered = std::mem::take(&mut self.deployments.offered);
        let chosen: Vec<Definition> =
            offered.into_iter().filter(|definition| names.contains(&definition.name)).collect();
        if chosen.is_empty() {
            self.say(Note::plain("nothing was resumed: pane 6 lists what was running"));
            return Vec::new();
        }
        let mut environments: Vec<String> = chosen.iter().map(|one| one.environment.clone()).collect();
        environments.sort();
        environments.dedup();
        let summary = chosen
            .iter()
            .map(|one| format!("{} in {} goes on from its checkpoint", one.name, one.environment))
            .collect();
        let (question, act) = ("Resume these jobs?", Act::Resume(chosen.clone()));
        let asking = Asking { question, summary, least: Guard::None, environments, act };
        self.ask_wherever_they_write(asking, chosen)
    }

    pub(super) fn ask_of(&mut self, id: JobId, wanted: Wanted) -> Vec<Effect> {
        let Some(job) = self.jobs.get(&id) else { return self.refuse("this job is forgotten") };
        let Work::Deployed(definition) = &job.work else { return self.refuse("this is for deployed jobs") };
        let definition = definition.clone();
        let name = definition.name.clone();
        if let Some(holder) = self.deployments.holder(&name) {
            let words = format!("`{name}` is run by {holder}: do it there, or with: velox-tui jobs stop {name}");
            return self.refuse(&words);
        }
        if let Some(keeper) = &self.deployments.keeper {
            return self.refuse(&format!("the deployed jobs are held by {keeper}: this console only reads"));
        }
        let (runs, is_paused) = (!job.phase.is_ending(), job.phase == Phase::Paused);
        let stands_against = match wanted {
            Wanted::Stop | Wanted::StopAtOnce if !runs => Some("this job does not run"),
            Wanted::Pause if !runs || is_paused => Some("this job does not run"),
            Wanted::GoOn if !is_paused => Some("this job does not wait"),
            Wanted::Restart | Wanted::Scratch if runs => Some("this job still runs: stop it first"),
            Wanted::Drop if runs => Some("this job still runs: stop it first"),
            _ => None,
        };
        if let Some(why) = stands_against {
            return self.refuse(why);
        }
        let environment = definition.environment.clone();
        let act = Act::To(id, wanted);
        let line = format!("{name} in {environment} {}", said(wanted));
        if act.runs() {
            let least = if wanted == Wanted::Scratch { Guard::Confirm } else { Guard::None };
            let (question, summary, environments) = (question(wanted), vec![line], vec![environment]);
            let asking = Asking { question, summary, least, environments, act };
            return self.ask_wherever_they_write(asking, vec![definition]);
        }
        let then = Pending::Deployed(act);
        match wanted {
            // What writes on in an environment that is read-only now may always be stopped.
            Wanted::Stop | Wanted::StopAtOnce | Wanted::Pause
                if self.environment(&environment).is_none_or(|row| row.guard == Guard::ReadOnly) =>
            {
                self.asked_at_least(Guard::Confirm, &[], question(wanted), vec![line], then)
            }
            Wanted::Drop if self.environment(&environment).is_none() => {
                self.asked_at_least(Guard::Confirm, &[], question(wanted), vec![line], then)
            }
            Wanted::Drop => self.asked_at_least(Guard::Confirm, &[environment], question(wanted), vec![line], then),
            _ => self.guarded(&[environment], question(wanted), vec![line], then),
        }
    }

    pub(super) fn act(&mut self, act: Act) -> Vec<Effect> {
        match act {
            Act::Deploy(definition) => {
                let said = format!("`{}` is checked and then starts: pane 6 shows it", definition.name);
                match definition.warning() {
                    Some(warning) => self.say(Note::warning(format!("{said}; {warning}"))),
                    None => self.point_to(PaneId::Jobs, Note::success(said)),
                }
                self.start_deployed(definition, Beginning::New)
            }
            Act::Resume(definitions) => definitions
                .into_iter()
                .flat_map(|definition| self.start_deployed(definition, Beginning::Checkpoint))
                .collect(),
            Act::To(id, wanted) => self.act_on(id, wanted),
        }
    }

    fn act_on(&mut self, id: JobId, wanted: Wanted) -> Vec<Effect> {
        let Some(Work::Deployed(definition)) = self.jobs.get(&id).map(|job| job.work.clone()) else {
            return self.refuse("this job is forgotten");
        };
        let (name, environment) = (definition.name.clone(), definition.environment.clone());
        let order = |order| Effect::Order { job: id, order };
        // Seen in the folder, or at work here before that was looked at.
        let is_kept = self.deployments.kept.contains_key(&name) || self.deployments.configurations.contains_key(&id);
        let mut effects = vec![Effect::Audit(self.entry(&environment, format!("job {name}"), said(wanted).into()))];
        match wanted {
            Wanted::Stop | Wanted::StopAtOnce => {
                let now_ms = self.now_ms;
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.phase = Phase::Stopping;
                    job.phase_since_ms = now_ms;
                }
                effects.push(order(if wanted == Wanted::Stop { Order::Savepoint } else { Order::Stop }));
            }
            Wanted::Pause => effects.push(order(Order::Pause)),
            Wanted::GoOn => effects.push(order(Order::Run)),
            // It was refused before it was kept.
            Wanted::Restart | Wanted::Scratch if !is_kept => {
                effects.extend(self.start_deployed(definition, Beginning::New));
            }
            Wanted::Restart => effects.extend(self.start_deployed(definition, Beginning::Checkpoint)),
            Wanted::Scratch => effects.extend(self.start_deployed(definition, Beginning::Scratch)),
            Wanted::Drop => {
                self.forget_what_it_did(id);
                self.deployments.rows.remove(&name);
                self.deployments.kept.remove(&name);
                if is_kept {
                    effects.push(Effect::DropDeployed(definition));
                }
            }
        }
        effects
    }

    /// A job has one row: the one of its last start is replaced.
    fn start_deployed(&mut self, definition: Definition, from: Beginning) -> Vec<Effect> {
        if let Some(row) = self.deployments.rows.remove(&definition.name) {
            self.forget_what_it_did(row);
        }
        self.deployments.offered.retain(|offered| offered.name != definition.name);
        let mut effects = self.start(Work::Deployed(definition));
        for effect in &mut effects {
            if let Effect::StartDeployed { from: beginning, .. } = effect {
                *beginning = from;
            }
        }
        effects
    }

    /// The folder of deployed jobs was looked at.
    pub(super) fn deployments_read(
        &mut self,
        keeper: Option<Holder>,
        kept: Vec<Kept>,
        faults: &[Fault],
    ) -> Vec<Effect> {
        if let Some(fault) = faults.first() {
            self.say(Note::danger(fault.to_string()));
        }
        let is_first = !std::mem::replace(&mut self.deployments.is_known, true);
        if is_first && let Some(keeper) = &keeper {
            self.say(Note::warning(format!(
                "deployed jobs and the texts of pane 3 are held by {keeper}: this console only reads them"
            )));
        }
        if is_first && keeper.is_none() {
            let running = kept.iter().filter(|kept| Deployments::was_running(kept));
            self.deployments.offered = running.map(|kept| kept.definition.clone()).collect();
        }
        let is_taken_over = self.deployments.keeper.is_some() && keeper.is_none();
        self.deployments.keeper = keeper;
        let names: Vec<&str> = kept.iter().map(|kept| kept.definition.name.as_str()).collect();
        // One that was never seen there is about to be written, or could not be.
        let was_there = |name: &&String| self.deployments.kept.contains_key(*name) && !names.contains(&name.as_str());
        let gone: Vec<String> = self.deployments.rows.keys().filter(was_there).cloned().collect();
        for name in gone {
            if let Some(id) = self.deployments.rows.get(&name).copied()
                && self.jobs.get(&id).is_none_or(|job| job.phase.is_ending())
            {
                self.deployments.rows.remove(&name);
                self.forget_what_it_did(id);
            }
        }
        for one in &kept {
            self.row_of(one);
        }
        self.deployments.kept = kept.into_iter().map(|kept| (kept.definition.name.clone(), kept)).collect();
        if !is_taken_over {
            return Vec::new();
        }
        self.say(Note::plain(
            "the console that held the deployed jobs has ended: they and the texts are held here now",
        ));
        match self.desk.is_asked {
            true => {
                self.desk.joins = true;
                vec![Effect::ReadSql]
            }
            false => Vec::new(),
        }
    }

    /// The row of a job that this console does not run says what its folder says.
    fn row_of(&mut self, kept: &Kept) {
        let name = &kept.definition.name;
        let id = match self.deployments.rows.get(name) {
            Some(id) => *id,
            None => {
                let id = JobId(self.next_job);
                self.next_job += 1;
                let mut job = Job::new(id, Work::Deployed(kept.definition.clone()), self.now_ms);
                job.phase = Phase::Stopped;
                job.since_ms = kept.definition.created_ms;
                job.phase_since_ms = kept.definition.created_ms;
                self.jobs.insert(id, job);
                self.deployments.rows.insert(name.clone(), id);
                id
            }
        };
        let was_held = self.deployments.holder(name).is_some();
        let is_held = kept.holder.as_ref().is_some_and(|holder| !holder.is_this());
        let Some(job) = self.jobs.get_mut(&id) else { return };
        // What this console runs reports by itself; its own row is newer than its file.
        let runs_here = kept.holder.as_ref().is_some_and(Holder::is_this);
        if !is_held && !was_held && !job.phase.is_ending() && !runs_here {
            return;
        }
        job.work = Work::Deployed(kept.definition.clone());
        if runs_here {
            return;
        }
        job.environment.clone_from(&kept.definition.environment);
        let Some(status) = &kept.status else { return };
        job.phase = match (is_held, kept.state().unwrap_or(status.state)) {
            (true, State::Starting) => Phase::Starting,
            (true, State::Paused) => Phase::Paused,
            (true, State::Reconnecting) => {
                let fault = Fault::new(Blame::Connection, status.fault.clone().unwrap_or_default());
                Phase::Reconnecting { fault, attempt: 0 }
            }
            (true, _) => Phase::Running,
            (false, State::Done) => Phase::Done,
            (false, State::Failed) => {
                Phase::Failed(Fault::new(Blame::Operator, status.fault.clone().unwrap_or_default()))
            }
            (false, _) => Phase::Stopped,
        };
        job.since_ms = status.since_ms;
        job.phase_since_ms = if is_held { status.since_ms } else { status.at_ms };
        job.records = status.rows_read;
        job.errors = status.bad;
        job.restarts = status.restarts;
        job.lag = status.lag_records;
        job.late = status.late;
        job.watermark_ms = status.watermark_ms;
        job.checkpoint = status.checkpoint.zip(status.checkpoint_ms).map(|(epoch, at_ms)| Checkpoint {
            epoch,
            bytes: 0,
            took_ms: 0,
            at_ms,
        });
    }
}

/// Where a definition's statement writes.
fn writes(definition: &Definition) -> Result<String, Fault> {
    let script = parse::parse(&definition.sql, "query");
    let spans = parse::statements(&definition.sql);
    let Some(span) = spans.get(definition.statement) else {
        return Err(Fault::new(Blame::Operator, "there is no statement to deploy"));
    };
    if let Some(error) = script.errors.iter().find(|error| error.span.start < span.end) {
        return Err(error.fault.clone());
    }
    let found =
        script.statements.iter().find(|statement| span.start <= statement.span.start && statement.span.end <= span.end);
    found.and_then(into).ok_or_else(nowhere)
}

/// Where a statement says that its rows go, for people.
pub fn into(statement: &Statement) -> Option<String> {
    use crate::sql::parse::statement::EndName::{Name, Uri};
    let end = match &statement.kind {
        StatementKind::Insert { sink, .. } => Some(sink),
        StatementKind::Query(query) => query.into.as_ref(),
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made) => made.query.into.as_ref(),
        _ => None,
    };
    end.map(|(Name(name) | Uri(name))| parse::uri_without_secrets(name).into_owned())
}
