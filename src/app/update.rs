//! Actions become changes of the model and effects. Pure: it touches nothing else.

use super::action::{Action, PaneId, ResendRequest, RunRequest};
use super::deploy::Wanted;
use super::effect::Effect;
use super::model::assist::Draft;
use super::model::audit::AuditEntry;
use super::model::confirmation::{Confirmation, Pending};
use super::model::environments::Topics;
use super::model::etls::{Plan, PlanSummary, Preview};
use super::model::jobs::Work;
use super::model::{Model, Note};
use crate::core::environment::Guard;
use crate::core::fault::Fault;
use crate::core::job::{JobKind, Phase};
use crate::core::words::counted;

impl Model {
    /// Carries out an action on the model and says what else has to be done.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        self.revision += 1;
        match action {
            Action::Focus(pane) => {
                self.turn_the_page(pane);
                self.focus = pane;
                if pane == PaneId::Sql { self.sit_down() } else { Vec::new() }
            }
            Action::Quit => self.quit(),
            Action::Reload => vec![Effect::LoadConfiguration],
            Action::SelectEnvironment(name) => self.select_environment(name),
            Action::Connect(name) => vec![Effect::Connect(name)],
            Action::Disconnect(name) => {
                let reading = self.live_jobs().filter(|job| {
                    job.environment == name && matches!(job.kind, JobKind::Tail | JobKind::Query | JobKind::Sql)
                });
                let reading = reading.count() as u64;
                if 0 < reading {
                    let goes_on = if reading == 1 { "reads" } else { "read" };
                    let said = format!(
                        "{} of {name} {goes_on} on with a connection of its own: pane 6",
                        counted(reading, "job")
                    );
                    self.say(Note::plain(said));
                }
                vec![Effect::Disconnect(name)]
            }
            Action::CheckHealth(environment) => self.check_health(environment),
            Action::LiftReadOnly(environment) => self.ask_to_lift(environment),
            Action::ListTopics(environment) => self.list_topics(environment),
            Action::Preview(asked) => {
                let request = self.number_request();
                self.preview = Some(Preview { request, asked: asked.clone(), since_ms: self.now_ms, outcome: None });
                vec![Effect::Preview { request, preview: asked }]
            }
            Action::PlanRun(asked) => {
                let request = self.number_request();
                // Whoever plans something else meanwhile has thought of something else.
                self.runs_when_planned.take_if(|run| *run != asked);
                self.plan = Some(Plan { request, asked: asked.clone(), since_ms: self.now_ms, outcome: None });
                let lifted = self.lifted_of(&asked);
                vec![Effect::PlanRun { request, run: asked, lifted }]
            }
            Action::Run(run) => {
                // What was said before is not about this one.
                self.note = None;
                self.ask_to_run(run)
            }
            Action::RunWhenPlanned(run) => {
                let outcome = self.plan.as_ref().filter(|plan| plan.asked == run).map(|plan| plan.outcome.clone());
                self.runs_when_planned = Some(run.clone());
                match outcome {
                    Some(Some(outcome)) => self.run_planned(&outcome),
                    Some(None) => Vec::new(),
                    None => self.update(Action::PlanRun(run)),
                }
            }
            Action::SavePreset { name, run } => vec![Effect::SavePreset { name, run }],
            Action::ForgetPreset(name) => self.ask_to_forget_preset(name),
            Action::Confirm { typed } => self.confirm(&typed),
            Action::Cancel => {
                if self.confirmation.take().is_some() {
                    self.say(Note::plain("nothing was done"));
                }
                Vec::new()
            }
            Action::StopJob(job) if self.is_deployed(job) => self.ask_of(job, Wanted::Stop),
            Action::StopJob(job) => self.stop(job),
            Action::RestartJob(job) if self.is_deployed(job) => self.ask_of(job, Wanted::Restart),
            Action::RestartJob(job) => self.restart(job),
            Action::ForgetJob(job) => self.forget(job),
            Action::ForgetEndedJobs => self.forget_ended(),
            Action::OpenJob(job) => self.open_job(job),
            Action::OpenTail(_)
            | Action::CloseTail(_)
            | Action::PauseTail { .. }
            | Action::FilterTail { .. }
            | Action::SearchTail { .. }
            | Action::CheckCondition(_)
            | Action::SurveyTail(_)
            | Action::ClearTail(_) => self.update_tails(action),
            Action::Resend(resend) => self.ask_to_resend(resend),
            Action::Deploy(request) => self.ask_to_deploy(request),
            Action::StopAtOnce(job) => self.ask_of(job, Wanted::StopAtOnce),
            Action::PauseJob { job, paused: true } => self.ask_of(job, Wanted::Pause),
            Action::PauseJob { job, paused: false } => self.ask_of(job, Wanted::GoOn),
            Action::RestartFromScratch(job) => self.ask_of(job, Wanted::Scratch),
            Action::DropJob(job) => self.ask_of(job, Wanted::Drop),
            Action::ResumeJobs(names) => self.resume(&names),
            Action::RunQuery(query) => {
                self.desk.remember(query.statement_text());
                // What the run before said is not about this one.
                self.note = None;
                self.run_query(query)
            }
            Action::EditSql { buffer, text, caret } => self.sql_written(buffer, text, caret),
            Action::ShowSql(buffer) => {
                self.desk.show(buffer);
                self.sql_in_front()
            }
            Action::NewSql => self.new_sql(),
            Action::CloseSql => self.close_sql(),
            Action::ListSql => vec![Effect::ListSql],
            Action::OpenSql { name, is_starter } => self.open_sql(&name, is_starter),
            Action::SaveSql(name) => self.save_sql(name),
            Action::EditSqlOutside => self.edit_sql_outside(),
            Action::ExplainSql { query, is_said } => self.explain_sql(query, is_said),
            Action::ExportRows(export) => vec![Effect::ExportRows(export)],
            Action::PauseQuery { job, paused } => {
                if let Some(query) = self.queries.get_mut(&job) {
                    query.pause(paused);
                }
                Vec::new()
            }
            Action::CheckSql { environment, text } => self.check_sql(Draft { environment, text }),
            Action::ReadCatalog(environment) => self.list_topics(environment),
            Action::SampleTopic { environment, topic } => self.sample_topic(environment, topic),
            Action::Copy(text) => {
                let letters = text.chars().count();
                self.say(Note::success(format!("copied {}", counted(letters as u64, "character"))));
                vec![Effect::Copy(text)]
            }
            Action::EditFile { path, line } => vec![Effect::EditFile { path, line }],
            Action::EditResend(resend) => vec![Effect::EditResend(resend)],
            Action::Export(export) => vec![Effect::Export(export)],
            Action::SetTheme(name) => {
                let kept = format!("`theme: {name}` in config/console.yaml keeps it");
                self.say(Note::plain(format!("theme `{name}` for this session: {kept}")));
                self.theme = name;
                Vec::new()
            }
            Action::ReadThemes => vec![Effect::ReadThemes],
            Action::SetLogLevel(level) => {
                self.log.level = level;
                Vec::new()
            }
            Action::Hush => {
                self.note = None;
                Vec::new()
            }
            Action::Say(note) => {
                self.say(note);
                Vec::new()
            }
        }
    }

    fn quit(&mut self) -> Vec<Effect> {
        let summary: Vec<String> = self
            .live_jobs()
            // What is only looked at is not missed.
            .filter(|job| !matches!(job.work, Work::Generate(_) | Work::Query(_)))
            .filter(|job| self.deployments.holder(&job.name).is_none() || job.kind != JobKind::Sql)
            .map(|job| match job.kind {
                JobKind::Sql if job.phase == Phase::Stopping => {
                    format!("{} in {} writes its savepoint and stays stopped", job.name, job.environment)
                }
                JobKind::Sql => {
                    format!("{} in {} writes a savepoint and is offered next time", job.name, job.environment)
                }
                _ => format!("{} in {} is stopped; what is in flight is finished", job.name, job.environment),
            })
            .collect();
        if summary.is_empty() {
            let mut effects = self.keep_sql();
            effects.push(Effect::Exit);
            return effects;
        }
        self.confirmation = Some(Confirmation {
            question: "Leave while jobs run?".into(),
            summary,
            guard: Guard::Confirm,
            expected: String::new(),
            then: Pending::Quit,
        });
        Vec::new()
    }

    fn select_environment(&mut self, name: String) -> Vec<Effect> {
        let Some(row) = self.environment(&name) else {
            return self.refuse(&format!("there is no environment `{name}`"));
        };
        if let Some(fault) = row.faults.first() {
            let text = fault.to_string();
            return self.refuse(&text);
        }
        self.active = Some(name.clone());
        self.say(Note::success(format!("`{name}` is the active environment")));
        let mut effects = vec![Effect::Connect(name)];
        if self.desk.is_asked {
            // The same text names other topics now.
            effects.extend(self.sql_in_front());
        }
        effects
    }

    fn check_health(&mut self, environment: String) -> Vec<Effect> {
        match self.environment(&environment).and_then(|row| row.check.as_ref()) {
            Some(check) if check.is_running() => self.refuse(&format!("`{environment}` is being checked already")),
            _ => self.start(Work::Check(environment)),
        }
    }

    pub(super) fn list_topics(&mut self, environment: String) -> Vec<Effect> {
        let now_ms = self.now_ms;
        match self.environment_mut(&environment) {
            Some(row) => {
                if !matches!(row.topics, Topics::Known(_)) {
                    row.topics = Topics::Waiting(now_ms);
                }
                vec![Effect::ListTopics(environment)]
            }
            None => self.refuse(&format!("there is no environment `{environment}`")),
        }
    }

    /// Runs what was to be run as soon as it was planned; says why not where nothing would be sent.
    pub(super) fn run_planned(&mut self, outcome: &Result<PlanSummary, Fault>) -> Vec<Effect> {
        let Some(run) = self.runs_when_planned.take() else { return Vec::new() };
        match outcome {
            Ok(plan) if plan.events() == 0 => {
                let why = plan.left_out.first().map(|why| format!(": {why}")).unwrap_or_default();
                self.say(Note::warning(format!("nothing was sent{why}")));
                Vec::new()
            }
            Ok(_) => self.update(Action::Run(run)),
            Err(fault) => self.refuse(&fault.to_string()),
        }
    }

    pub(super) fn ask_to_run(&mut self, run: RunRequest) -> Vec<Effect> {
        self.ask_to_run_at_least(Guard::None, run)
    }

    /// The same, asked at least as strictly as `least` says: of what is run again nobody has seen the plan.
    pub(super) fn ask_to_run_at_least(&mut self, least: Guard, run: RunRequest) -> Vec<Effect> {
        if run.etls.is_empty() || run.environments.is_empty() {
            return self.refuse("choose at least one ETL and one environment");
        }
        if run.dry_run {
            return self.start(Work::Run(run));
        }
        let mut summary: Vec<String> = match self.plan.as_ref().filter(|plan| plan.asked == run) {
            Some(Plan { outcome: Some(Ok(plan)), .. }) => plan
                .pairs
                .iter()
                .map(|pair| {
                    format!("{} of {} → {} ({})", counted(pair.events, "event"), pair.etl, pair.topic, pair.environment)
                })
                .collect(),
            _ => vec![format!(
                "{} of each of {} into each of {}",
                counted(run.count, "event"),
                run.etls.join(", "),
                run.environments.join(", ")
            )],
        };
        if let Some(rate) = run.rate {
            summary.push(format!("at most {} a second in each environment", counted(rate.into(), "event")));
        }
        let environments = run.environments.clone();
        self.asked_at_least(least, &environments, "Send these events?", summary, Pending::Run(run))
    }

    fn ask_to_forget_preset(&mut self, name: String) -> Vec<Effect> {
        self.confirmation = Some(Confirmation {
            question: "Forget this preset?".into(),
            summary: vec![format!("`{name}` and its file; what it ran stays")],
            guard: Guard::Confirm,
            expected: String::new(),
            then: Pending::ForgetPreset(name),
        });
        Vec::new()
    }

    pub(super) fn ask_to_resend(&mut self, resend: ResendRequest) -> Vec<Effect> {
        let mut topics: Vec<&str> = resend.messages.iter().map(|message| &*message.topic).collect();
        topics.sort_unstable();
        topics.dedup();
        let summary = vec![format!(
            "{} → {} ({})",
            counted(resend.messages.len() as u64, "record"),
            topics.join(", "),
            resend.environment
        )];
        let environments = [resend.environment.clone()];
        self.guarded(&environments, "Send these records?", summary, Pending::Resend(resend))
    }

    fn confirm(&mut self, typed: &str) -> Vec<Effect> {
        match self.confirmation.take() {
            Some(asked) if asked.guard == Guard::Typed && typed.trim() != asked.expected => {
                self.say(Note::warning(format!("type `{}` to go on, or Esc", asked.expected)));
                self.confirmation = Some(asked);
                Vec::new()
            }
            Some(asked) => self.carry_out(asked.then),
            None => Vec::new(),
        }
    }

    pub(super) fn carry_out(&mut self, pending: Pending) -> Vec<Effect> {
        match pending {
            Pending::Run(run) => self.start(Work::Run(run)),
            Pending::ForgetPreset(name) => vec![Effect::ForgetPreset(name)],
            Pending::Resend(resend) => self.start(Work::Resend(resend)),
            Pending::Deployed(act) => self.act(act),
            Pending::Elsewhere(elsewhere, act) => self.act_elsewhere(&elsewhere, act),
            Pending::Lift(environment) => self.lift(environment),
            Pending::Quit => {
                let mut effects = self.keep_sql();
                effects.push(Effect::Exit);
                effects
            }
        }
    }

    pub(super) fn number_request(&mut self) -> u64 {
        let request = self.next_request;
        self.next_request += 1;
        request
    }

    pub(super) fn refuse(&mut self, why: &str) -> Vec<Effect> {
        self.say(Note::danger(why));
        Vec::new()
    }

    pub(super) fn entry(&self, environment: &str, what: String, result: String) -> AuditEntry {
        AuditEntry { at_ms: self.now_ms, environment: environment.into(), what, result }
    }
}
