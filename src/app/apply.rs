//! Facts become changes of the model, sometimes with effects that follow from them. Pure: it touches nothing else.

use std::sync::Arc;

use super::action::Action;
use super::effect::Effect;
use super::fact::{Fact, Loaded};
use super::jobs::said_of;
use super::model::environments::{CheckStep, EnvironmentRow, StepOutcome, Topics};
use super::model::jobs::Work;
use super::model::log::{Level, LogLine};
use super::model::pipeline::{Drawn, Pipeline};
use super::model::{Model, Note};
use crate::core::fault::Fault;
use crate::core::job::{JobId, Phase, Update};
use crate::core::progress::RunProgress;
use crate::core::words::{counted, grouped};

impl Model {
    /// Takes a fact in and says what has to be done because of it.
    pub fn apply(&mut self, fact: Fact) -> Vec<Effect> {
        if let Fact::Tick { now_ms } = fact {
            return self.tick(now_ms);
        }
        self.revision += 1;
        match fact {
            Fact::Tick { .. } => {}
            Fact::Job(update) => return self.apply_update(update),
            Fact::Loaded(loaded) => return self.loaded(*loaded),
            Fact::Connection { environment, connection } => {
                self.assist.lost(&environment, connection.fault.as_ref());
                if let Some(row) = self.environment_mut(&environment) {
                    row.connection = connection;
                }
            }
            Fact::CheckStep { job, step } => self.check_step(job, step),
            Fact::Topics { environment, topics } => {
                let is_news = self.assist.listed(&environment, &topics, self.now_ms);
                let effects = if is_news { self.topics_changed(&environment) } else { Vec::new() };
                if let Some(row) = self.environment_mut(&environment) {
                    row.topics = topics.map_or_else(Topics::Failed, Topics::Known);
                }
                return effects;
            }
            Fact::Diagnosed { request, outcome } => return self.diagnosed(request, outcome),
            Fact::Sampled { environment, topic, outcome } => return self.sampled(&environment, &topic, outcome),
            Fact::Previewed { request, outcome } => {
                if let Some(preview) = self.preview.as_mut().filter(|preview| preview.request == request) {
                    preview.outcome = Some(outcome);
                }
            }
            Fact::Planned { request, outcome } => {
                if let Some(plan) = self.plan.as_mut().filter(|plan| plan.request == request) {
                    plan.outcome = Some(outcome.clone());
                    return self.run_planned(&outcome);
                }
            }
            Fact::ConditionChecked { request, outcome } => {
                if let Some(check) = self.condition.as_mut().filter(|check| check.request == request) {
                    check.outcome = Some(outcome);
                }
            }
            Fact::TailSurveyed { request, outcome } => {
                if let Some(survey) = self.survey.as_mut().filter(|survey| survey.request == request) {
                    survey.outcome = Some(outcome);
                }
            }
            Fact::RunReport { job, report } => {
                self.progressed(job, Arc::new(report.progress.clone()));
                self.sample_last_latency(job, &report);
                if let Some(run) = self.runs.get_mut(&job) {
                    run.report = Some(report);
                }
            }
            Fact::QuerySchema { job, schema } => {
                if let Some(query) = self.queries.get_mut(&job) {
                    query.schema = Some(schema);
                }
            }
            Fact::QueryRows { job, rows, skipped } => {
                if let Some(query) = self.queries.get_mut(&job) {
                    query.take(rows, skipped);
                }
            }
            Fact::Pipeline { job, pipeline } => self.piped(job, pipeline),
            Fact::Deployments { keeper, kept, faults } => return self.deployments_read(keeper, kept, &faults),
            Fact::Deployed { job, from, configuration } => {
                self.deployments.configurations.insert(job, configuration);
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.checkpoint = from;
                }
            }
            Fact::SqlRead { files, kept } => return self.sql_read(files, kept),
            Fact::SqlKept => {}
            Fact::SqlFiles(files) => self.desk.files = files,
            Fact::SqlSaved { buffer, name, path, text } => self.sql_saved(&buffer, name, &path, text),
            Fact::SqlExplained { request, outcome } => self.sql_explained(request, outcome),
            Fact::BrokersFound { request, outcome } => return self.brokers_found(request, outcome),
            Fact::Themes(themes) => self.themes = Arc::new(themes),
            Fact::PresetSaved(preset) => {
                self.say(Note::success(format!("saved as `{}`", preset.name)));
                self.presets.retain(|saved| saved.name != preset.name);
                self.presets.push(preset);
            }
            Fact::PresetForgotten(name) => {
                self.say(Note::success(format!("preset `{name}` is forgotten")));
                self.presets.retain(|saved| saved.name != name);
            }
            Fact::Log { lines, skipped } => self.logged(lines, skipped),
            Fact::Audited(entry) => self.audit.push(entry),
            Fact::Said(note) => self.say(note),
        }
        Vec::new()
    }

    fn loaded(&mut self, loaded: Loaded) -> Vec<Effect> {
        let before = std::mem::take(&mut self.environments);
        self.environments = loaded.environments;
        for row in &mut self.environments {
            if let Some(old) = before.iter().find(|old| old.name == row.name) {
                row.connection = old.connection.clone();
                row.check.clone_from(&old.check);
                row.topics = old.topics.clone();
            }
        }
        // What was seen in other brokers says nothing of these.
        let settings = |rows: &[EnvironmentRow], name: &str| {
            rows.iter().find(|row| row.name == name).map(|row| row.settings.clone())
        };
        for old in &before {
            if settings(&self.environments, &old.name).as_ref() != Some(&old.settings) {
                self.assist.forget(&old.name);
            }
        }
        self.etls = loaded.etls;
        self.presets = loaded.presets;
        self.themes = Arc::new(loaded.themes);
        self.faults = loaded.faults;
        let is_broken = |faults: &[Fault]| !faults.is_empty();
        let broken = (
            self.environments.iter().filter(|row| is_broken(&row.faults)).count(),
            self.etls.iter().filter(|row| is_broken(&row.faults)).count(),
        );
        if let Some(fault) = self.faults.first() {
            let text = fault.to_string();
            self.say(Note::danger(text));
        } else if let Some(warning) = loaded.warnings.first() {
            self.say(Note::warning(warning.to_string()));
        } else if before.is_empty() && 0 < broken.0 + broken.1 {
            let broken =
                [(broken.0, "environment", 1), (broken.1, "ETL", 2)].into_iter().filter(|(count, ..)| 0 < *count);
            let said = broken.map(|(count, noun, pane)| format!("{} (pane {pane})", counted(count as u64, noun)));
            let said = said.collect::<Vec<_>>().join(" and ");
            self.say(Note::warning(format!("files that cannot be used, and say why there: {said}")));
        } else if before.is_empty() {
            loaded.note.into_iter().for_each(|note| self.say(Note::plain(note)));
        } else {
            let counts = [(self.environments.len(), "environment"), (self.etls.len(), "ETL")];
            let [environments, etls] = counts.map(|(count, noun)| counted(count as u64, noun));
            let read = format!("read again: {environments}, {etls}");
            self.say(match broken.0 + broken.1 {
                0 => Note::plain(read),
                broken => Note::warning(format!("{read}, {broken} broken")),
            });
        }
        if before.is_empty() {
            return self.wake_active();
        }
        // What is previewed may have been edited just now.
        let previewed = self.preview.as_ref().map(|preview| preview.asked.clone());
        previewed.map_or_else(Vec::new, |asked| self.update(Action::Preview(asked)))
    }

    /// Connects to the active environment; where it is the broker inside this process, brings it to life.
    fn wake_active(&mut self) -> Vec<Effect> {
        let Some(row) = self.active_environment() else { return Vec::new() };
        let (name, embedded) = (row.name.clone(), row.embedded);
        let mut effects = vec![Effect::Connect(name.clone())];
        if embedded {
            effects.extend(self.start(Work::Generate(name)));
        }
        effects.push(Effect::WatchDeployments);
        effects
    }

    fn apply_update(&mut self, update: Update) -> Vec<Effect> {
        match update {
            Update::Phase(id, phase) => return self.phase(id, phase),
            Update::Records { job, records, skipped } => {
                if let Some(tail) = self.tails.get_mut(&job) {
                    tail.skipped += skipped;
                    let into = if tail.paused { &mut tail.waiting } else { &mut tail.records };
                    records.into_iter().for_each(|record| into.push(record));
                }
            }
            Update::Tail(id, counts) => {
                if let Some(tail) = self.tails.get_mut(&id) {
                    tail.counts = counts;
                }
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.records = counts.read;
                    job.bytes = counts.bytes;
                    job.lag = counts.lag;
                }
            }
            Update::Run(id, progress) => self.progressed(id, progress),
        }
        Vec::new()
    }

    /// The newest counts of a run; the report brings the last ones. What was not sent is no event that passed.
    fn progressed(&mut self, id: JobId, progress: Arc<RunProgress>) {
        let total = progress.total();
        if let Some(job) = self.jobs.get_mut(&id) {
            job.records = total.acknowledged + total.failed;
            job.errors = total.failed;
            job.bytes = progress.pairs.iter().map(|pair| pair.bytes).sum();
        }
        if let Some(run) = self.runs.get_mut(&id) {
            run.progress = progress;
        }
    }

    /// The newest counts of a job of operators.
    fn piped(&mut self, id: JobId, pipeline: Arc<Pipeline>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.records = pipeline.rows_read;
        job.bytes = pipeline.bytes_read;
        job.errors = pipeline.bad;
        job.lag = pipeline.lag;
        job.late = pipeline.late;
        job.watermark_ms = pipeline.watermark_ms;
        job.checkpoint = pipeline.checkpoint.or(job.checkpoint);
        let before = self.pipelines.remove(&id);
        // The last reading may come behind the ending.
        let is_at_rest = job.phase.is_ending();
        self.pipelines.insert(id, Drawn { is_at_rest, ..Drawn::take(before, pipeline) });
    }

    fn phase(&mut self, id: JobId, phase: Phase) -> Vec<Effect> {
        let now_ms = self.now_ms;
        let Some(job) = self.jobs.get_mut(&id).filter(|job| !job.phase.is_ending()) else { return Vec::new() };
        if matches!(job.phase, Phase::Stopping) && !phase.is_ending() {
            return Vec::new();
        }
        let is_lost_since_before = matches!(job.phase, Phase::Reconnecting { .. });
        if let Phase::Reconnecting { attempt, .. } = phase {
            // Since when it is lost matters, not since the last of many attempts.
            if !is_lost_since_before {
                // One that asks on by itself is not started again.
                (job.restarts, job.phase_since_ms) = (job.restarts + u32::from(attempt > 0), now_ms);
            }
        } else {
            job.phase_since_ms = now_ms;
        }
        job.phase = phase.clone();
        if phase.is_ending() {
            job.rate = 0.0;
            if let Some(drawn) = self.pipelines.get_mut(&id) {
                drawn.is_at_rest = true;
            }
        }
        let (work, environment) = (job.work.clone(), job.environment.clone());
        if let Work::Check(name) = &work
            && let Some(check) = self.environment_mut(name).and_then(|row| row.check.as_mut())
            && check.job == id
        {
            check.phase = phase.clone();
        }
        if !phase.is_ending() {
            return Vec::new();
        }
        self.ended(id, &work, &environment, &phase)
    }

    fn ended(&mut self, id: JobId, work: &Work, environment: &str, phase: &Phase) -> Vec<Effect> {
        let how = match phase {
            Phase::Failed(_) => "failed",
            Phase::Panicked(_) => "failed by a defect of this program",
            Phase::Stopped => "stopped",
            _ => "done",
        };
        let counts = self.runs.get(&id).map(|run| {
            let total = run.progress.total();
            let done = if run.request.dry_run { "rendered" } else { "acknowledged" };
            let [acknowledged, failed, not_sent] = [total.acknowledged, total.failed, total.not_sent].map(grouped);
            format!("{acknowledged} {done}, {failed} failed, {not_sent} not sent")
        });
        let why = match phase {
            Phase::Failed(fault) => Some(fault.to_string()),
            Phase::Panicked(message) => Some(message.clone()),
            _ => None,
        };
        let name = match work {
            // A statement is longer than a footer, and it stands in the pane that it runs in.
            Work::Query(_) => "the query".to_owned(),
            Work::Check(environment) => format!("health check of {environment}"),
            _ => work.name(),
        };
        // The counts first: what comes of a fault is long, and says at its end what to do.
        let told: Vec<String> = counts.into_iter().chain(why).collect();
        let colon = if told.is_empty() { "" } else { ": " };
        let text = match (work, phase) {
            (Work::Resend(resend), Phase::Done) => {
                let mut topics: Vec<&str> = resend.messages.iter().map(|message| &*message.topic).collect();
                topics.dedup();
                format!("{name} sent again to {} of {environment}", topics.join(", "))
            }
            _ => format!("{name} {how}{colon}{}", told.join("; ")),
        };
        let failed_events = self.runs.get(&id).is_some_and(|run| run.progress.total().failed > 0);
        // Nobody asked for the end of a query that another one took the place of, and the other one runs.
        if matches!((work, phase), (Work::Query(_), Phase::Stopped)) && self.query != Some(id) {
            return Vec::new();
        }
        // A tail says in its own pane that it is over, and what it has to say more should stay to be read.
        if matches!((work, phase), (Work::Tail(_), Phase::Done | Phase::Stopped)) {
            return Vec::new();
        }
        match phase {
            Phase::Failed(fault) if matches!(work, Work::Run(_)) => {
                self.say_logged(Note::danger(failed_in_a_line(work, fault)));
            }
            Phase::Failed(_) | Phase::Panicked(_) => self.say_logged(Note::danger(text.clone())),
            _ if failed_events => self.say(Note::warning(text.clone())),
            Phase::Done => self.say(Note::success(text.clone())),
            _ => self.say(Note::plain(text.clone())),
        }
        match work {
            Work::Run(run) if !run.dry_run => vec![Effect::Audit(self.entry(environment, said_of(work), text))],
            Work::Resend(_) | Work::Deployed(_) => vec![Effect::Audit(self.entry(environment, said_of(work), text))],
            _ => Vec::new(),
        }
    }

    fn check_step(&mut self, id: JobId, step: CheckStep) {
        let Some(environment) = self.jobs.get(&id).map(|job| job.environment.clone()) else { return };
        if let StepOutcome::Failed(fault) = &step.outcome {
            let fault: &Fault = fault;
            self.say(Note::danger(format!("{environment}: {fault}")));
        }
        let Some(row) = self.environment_mut(&environment) else { return };
        if let Some(check) = row.check.as_mut().filter(|check| check.job == id) {
            check.steps.push(step);
        }
    }

    fn logged(&mut self, lines: Vec<LogLine>, skipped: u64) {
        self.log.skipped += skipped;
        for line in lines {
            // What helps to find a defect is in the log pane and in the file; a job's own log is for whoever runs it.
            if Level::Info <= line.level
                && let Some(job) = line.job.and_then(|id| self.jobs.get_mut(&id))
            {
                job.log.push(line.clone());
            }
            self.log.lines.push(line);
        }
    }
}

/// That a run failed, in a line: its fault shows lines of a template, and stands in full beside the run.
fn failed_in_a_line(work: &Work, fault: &Fault) -> String {
    /// Letters of the line: they fit 80 cells.
    const LETTERS_MAX: usize = 76;
    /// Letters of the cause at least: fewer tell nothing.
    const CAUSE_LETTERS_MIN: usize = 24;
    const WHERE: &str = " (Runs says all)";
    let name = match work {
        Work::Run(run) if run.etls.len() > 1 => format!("the run of {} ETLs", run.etls.len()),
        _ => work.name(),
    };
    let begun = format!("{name} failed: ");
    let room = LETTERS_MAX.saturating_sub(begun.chars().count() + WHERE.len()).max(CAUSE_LETTERS_MIN);
    let what = fault.what.lines().next().unwrap_or_default();
    match what.char_indices().nth(room) {
        Some((end, _)) => format!("{begun}{}…{WHERE}", what[..end].trim_end()),
        None => format!("{begun}{what}{WHERE}"),
    }
}
