//! Actions and facts against the effects they must have: the model decides, and touches nothing.

use std::sync::Arc;

use velox::app::action::{Action, DeployRequest, PaneId, QueryRequest, ResendRequest, RunRequest, TailRequest};
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::etls::Rendered;
use velox::app::model::jobs::Work;
use velox::app::model::metrics::Scope;
use velox::app::model::runs::RunReport;
use velox::app::model::{Model, Tone};
use velox::core::environment::Guard;
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, TailCounts, Update};
use velox::core::progress::{Counts, PairProgress, RunProgress};
use velox::core::record::{Message, Record, StartAt};
use velox::sql::deploy::definition::Delivery;

use crate::stage::{NOON_MS, Stage};

fn run(environments: &[&str]) -> RunRequest {
    RunRequest {
        etls: vec!["customer_update".into()],
        environments: environments.iter().map(|name| (*name).to_owned()).collect(),
        count: 10,
        rate: None,
        dry_run: false,
        context: String::new(),
    }
}

fn tail() -> TailRequest {
    TailRequest {
        environment: "sandbox".into(),
        topics: vec!["orders".into()],
        start: StartAt::End,
        search: None,
        partitions: Vec::new(),
    }
}

fn record(offset: i64) -> Record {
    Record {
        topic: "orders".into(),
        partition: 0,
        offset,
        timestamp_ms: None,
        key: None,
        value: None,
        headers: Vec::new(),
        value_bytes: 0,
    }
}

/// The effects of actions, in order, without lines of the audit log.
fn effects(stage: &mut Stage, actions: Vec<Action>) -> Vec<Effect> {
    stage.effects.clear();
    actions.into_iter().for_each(|action| stage.act(action));
    stage.effects.iter().filter(|effect| !matches!(effect, Effect::Audit(_))).cloned().collect()
}

fn ended(stage: &mut Stage, job: u64, phase: Phase) {
    stage.apply(Fact::Job(Update::Phase(JobId(job), phase)));
}

fn note(model: &Model) -> (Tone, &str) {
    let note = model.note.as_ref().expect("something is said");
    (note.tone, &note.text)
}

/// The number of the job that was started last.
fn last_job(stage: &Stage) -> u64 {
    stage.model.jobs.keys().next_back().expect("a job").0
}

#[test]
fn each_action_has_exactly_its_effect() {
    let resend = ResendRequest { environment: "sandbox".into(), messages: vec![Message::default()] };
    for (action, effect) in [
        (Action::Reload, Effect::LoadConfiguration),
        (Action::SelectEnvironment("qa".into()), Effect::Connect("qa".into())),
        (Action::Connect("qa".into()), Effect::Connect("qa".into())),
        (Action::Disconnect("qa".into()), Effect::Disconnect("qa".into())),
        (Action::ListTopics("qa".into()), Effect::ListTopics("qa".into())),
        (Action::Copy("text".into()), Effect::Copy("text".into())),
        (Action::EditResend(resend.clone()), Effect::EditResend(resend)),
        (
            Action::SavePreset { name: "nightly".into(), run: run(&["qa"]) },
            Effect::SavePreset { name: "nightly".into(), run: run(&["qa"]) },
        ),
    ] {
        assert_eq!(effects(&mut Stage::new(), vec![action]), [effect]);
    }
}

#[test]
fn stopping_a_job_stops_it_and_nothing_else() {
    let mut stage = Stage::new();
    let started = effects(&mut stage, vec![Action::OpenTail(tail())]);
    let job = JobId(last_job(&stage));
    assert_eq!(started, [Effect::StartTail { job, tail: tail() }]);
    assert_eq!(stage.model.focus, PaneId::Tail);
    assert_eq!(effects(&mut stage, vec![Action::StopJob(job)]), [Effect::StopJob(job)]);
    ended(&mut stage, job.0, Phase::Stopped);
    assert_eq!(effects(&mut stage, vec![Action::StopJob(job)]), []);
    assert_eq!(note(&stage.model), (Tone::Danger, "this job has ended already"));
}

#[test]
fn a_run_in_an_unguarded_environment_starts_at_once_and_is_audited() {
    let mut stage = Stage::new();
    stage.act(Action::Run(run(&["sandbox"])));
    let job = JobId(last_job(&stage));
    let [Effect::Audit(entry), Effect::StartRun { job: started, .. }] = &stage.effects[..] else {
        panic!("{:?}", stage.effects)
    };
    assert_eq!((*started, entry.environment.as_str(), entry.result.as_str()), (job, "sandbox", "started"));
    assert_eq!(entry.at_ms, NOON_MS);
}

#[test]
fn a_typed_guard_starts_nothing_until_the_name_is_typed() {
    let mut stage = Stage::new();
    assert_eq!(effects(&mut stage, vec![Action::Run(run(&["sandbox", "prod"]))]), []);
    let wrong = Action::Confirm { typed: "prd".into() };
    assert_eq!(effects(&mut stage, vec![wrong]), []);
    assert!(stage.model.confirmation.is_some(), "a wrong name does not close the question");
    let right = Action::Confirm { typed: "prod".into() };
    assert!(matches!(effects(&mut stage, vec![right])[..], [Effect::StartRun { .. }]));
    assert!(stage.model.confirmation.is_none());
}

#[test]
fn two_typed_environments_want_both_names() {
    let mut stage = Stage::new();
    stage.model.environments[1].guard = Guard::Typed;
    stage.act(Action::Run(run(&["qa", "prod"])));
    assert_eq!(stage.model.confirmation.as_ref().expect("a question").expected, "qa prod");
}

#[test]
fn saying_no_starts_nothing() {
    let mut stage = Stage::new();
    assert_eq!(effects(&mut stage, vec![Action::Run(run(&["prod"])), Action::Cancel]), []);
    assert_eq!(effects(&mut stage, vec![Action::Confirm { typed: "prod".into() }]), [], "the question is gone");
}

#[test]
fn a_read_only_environment_refuses_says_why_and_audits_the_attempt() {
    let mut stage = Stage::new();
    stage.model.environments[1].guard = Guard::ReadOnly;
    for action in [
        Action::Run(run(&["sandbox", "qa"])),
        Action::Resend(ResendRequest { environment: "qa".into(), messages: vec![Message::default()] }),
    ] {
        stage.effects.clear();
        stage.act(action);
        let [Effect::Audit(entry)] = &stage.effects[..] else { panic!("{:?}", stage.effects) };
        assert!(entry.result.starts_with("refused"), "{entry:?}");
        assert!(note(&stage.model).1.contains("read-only"));
    }
}

#[test]
fn a_dry_run_asks_nothing_even_for_prod_and_is_no_change_to_audit() {
    let mut stage = Stage::new();
    stage.effects.clear();
    stage.act(Action::Run(RunRequest { dry_run: true, ..run(&["prod"]) }));
    assert!(matches!(stage.effects[..], [Effect::StartRun { .. }]), "{:?}", stage.effects);
}

#[test]
fn leaving_asks_only_while_something_of_the_persons_runs() {
    let mut stage = Stage::new();
    assert_eq!(effects(&mut stage, vec![Action::Quit]), [Effect::Exit], "sample events are nobody's work");
    stage.act(Action::OpenTail(tail()));
    assert_eq!(effects(&mut stage, vec![Action::Quit]), []);
    assert_eq!(effects(&mut stage, vec![Action::Confirm { typed: String::new() }]), [Effect::Exit]);
}

#[test]
fn only_the_newest_preview_is_shown() {
    let mut stage = Stage::new();
    let asked = |index| {
        Action::Preview(velox::app::action::PreviewRequest {
            etl: "customer_update".into(),
            environment: "sandbox".into(),
            context: String::new(),
            index,
            count: 10,
        })
    };
    let [Effect::Preview { request: first, .. }, Effect::Preview { request: second, .. }] =
        effects(&mut stage, vec![asked(0), asked(1)])[..]
    else {
        panic!("two previews")
    };
    let rendered = |topic: &str| Ok(Rendered { topic: topic.into(), ..Rendered::default() });
    stage.apply(Fact::Previewed { request: second, outcome: rendered("new") });
    stage.apply(Fact::Previewed { request: first, outcome: rendered("old") });
    let preview = stage.model.preview.as_ref().expect("a preview");
    assert_eq!(preview.outcome, Some(rendered("new")));
}

#[test]
fn what_comes_for_a_job_that_has_ended_is_ignored() {
    let mut stage = Stage::new();
    stage.act(Action::OpenTail(tail()));
    let job = last_job(&stage);
    ended(&mut stage, job, Phase::Done);
    ended(&mut stage, job, Phase::Running);
    ended(&mut stage, job, Phase::Panicked("late".into()));
    assert_eq!(stage.model.jobs[&JobId(job)].phase, Phase::Done);
}

#[test]
fn a_job_that_stops_does_not_become_running_again() {
    let mut stage = Stage::new();
    stage.act(Action::OpenTail(tail()));
    let job = last_job(&stage);
    stage.act(Action::StopJob(JobId(job)));
    ended(&mut stage, job, Phase::Running);
    assert_eq!(stage.model.jobs[&JobId(job)].phase, Phase::Stopping);
}

#[test]
fn every_ending_of_a_run_is_audited_with_its_result() {
    let fault = Fault::new(Blame::Connection, "no broker answered");
    for (phase, said) in [
        (Phase::Done, "done"),
        (Phase::Stopped, "stopped"),
        (Phase::Failed(fault), "no broker answered"),
        (Phase::Panicked("index".into()), "defect"),
    ] {
        let mut stage = Stage::new();
        stage.act(Action::Run(run(&["sandbox"])));
        let job = last_job(&stage);
        stage.effects.clear();
        ended(&mut stage, job, phase);
        let [Effect::Audit(entry)] = &stage.effects[..] else { panic!("{:?}", stage.effects) };
        assert!(entry.result.contains(said), "{entry:?}");
    }
}

#[test]
fn a_run_that_ends_between_two_samples_is_counted_whole_and_what_was_not_sent_is_not() {
    let mut stage = Stage::new();
    stage.act(Action::Run(run(&["sandbox"])));
    let job = JobId(last_job(&stage));
    let counts = Counts { planned: 10, acknowledged: 6, failed: 1, not_sent: 3 };
    let pair = PairProgress { counts, bytes: 600, ..PairProgress::default() };
    let progress = RunProgress { pairs: vec![pair], ..RunProgress::default() };
    stage.apply(Fact::RunReport { job, report: Arc::new(RunReport { progress, ..RunReport::default() }) });
    ended(&mut stage, job.0, Phase::Stopped);
    stage.apply(Fact::Tick { now_ms: NOON_MS + 1_000 });
    let totals = stage.model.metrics.totals[&Scope::Etl("customer_update".into())];
    assert_eq!((totals.events, totals.ok, totals.failed, totals.bytes), (7, 6, 1, 600));
}

#[test]
fn a_held_tail_counts_what_came_and_shows_it_when_released() {
    let mut stage = Stage::new();
    stage.act(Action::OpenTail(tail()));
    let job = JobId(last_job(&stage));
    let came =
        |from: i64| Fact::Job(Update::Records { job, records: vec![record(from), record(from + 1)], skipped: 0 });
    stage.apply(came(0));
    stage.act(Action::PauseTail { job, paused: true });
    stage.apply(came(2));
    stage.apply(came(4));
    assert_eq!(stage.model.tails[&job].records.len(), 2);
    assert_eq!(stage.model.tails[&job].came_since_pause(), 4);
    stage.act(Action::PauseTail { job, paused: false });
    let offsets: Vec<i64> = stage.model.tails[&job].records.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn rates_are_what_came_within_the_last_second() {
    let mut stage = Stage::new();
    stage.act(Action::OpenTail(tail()));
    let job = JobId(last_job(&stage));
    for (second, read) in [(1, 500), (2, 1_500), (3, 1_500)] {
        stage.apply(Fact::Job(Update::Tail(job, TailCounts { read, ..TailCounts::default() })));
        stage.apply(Fact::Tick { now_ms: NOON_MS + second * 1_000 });
        let expected = [500.0, 1_000.0, 0.0][second as usize - 1];
        assert!((stage.model.jobs[&job].rate - expected).abs() < 1e-9, "second {second}");
        assert!((stage.model.metrics.total_rate() - expected).abs() < 1e-9, "second {second}");
    }
}

#[test]
fn time_alone_makes_no_new_frame_within_a_second() {
    let mut stage = Stage::new();
    let before = stage.model.revision;
    stage.apply(Fact::Tick { now_ms: NOON_MS + 40 });
    stage.apply(Fact::Tick { now_ms: NOON_MS + 990 });
    assert_eq!(stage.model.revision, before);
    stage.apply(Fact::Tick { now_ms: NOON_MS + 1_000 });
    assert_eq!(stage.model.revision, before + 1);
}

#[test]
fn ended_jobs_do_not_pile_up() {
    let mut stage = Stage::new();
    for _ in 0..300 {
        stage.act(Action::CheckHealth("qa".into()));
        let job = last_job(&stage);
        ended(&mut stage, job, Phase::Done);
    }
    assert!(stage.model.jobs.len() <= 202, "{}", stage.model.jobs.len());
    assert!(matches!(stage.model.jobs[&JobId(1)].work, Work::Generate(_)), "what runs is never forgotten");
}

#[test]
fn read_only_is_lifted_by_name_for_a_quarter_of_an_hour_and_both_ends_are_audited() {
    let mut stage = Stage::new();
    stage.model.environments[1].guard = Guard::ReadOnly;
    let audited = |stage: &mut Stage| {
        let effects = std::mem::take(&mut stage.effects);
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Audit(entry) => Some(format!("{}: {}", entry.what, entry.result)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    stage.act(Action::LiftReadOnly("sandbox".into()));
    assert!(stage.model.confirmation.is_none(), "what is not read-only is not lifted");
    stage.act(Action::LiftReadOnly("qa".into()));
    stage.act(Action::Confirm { typed: "q".into() });
    assert!(!stage.model.is_lifted("qa"), "another name lifts nothing");
    stage.act(Action::Confirm { typed: "qa".into() });
    assert!(stage.model.is_lifted("qa"));
    assert_eq!(audited(&mut stage), ["lift read_only for 15 minutes: done"]);

    let resend = ResendRequest { environment: "qa".into(), messages: Vec::new() };
    stage.act(Action::Resend(resend.clone()));
    let asked = stage.model.confirmation.clone().expect("a question: it is no free pass");
    assert_eq!((asked.guard, asked.expected.as_str()), (Guard::Typed, "qa"));
    stage.act(Action::Cancel);

    stage.act(Action::Run(run(&["sandbox", "qa"])));
    stage.act(Action::Confirm { typed: "qa".into() });
    let lifted = stage.effects.iter().find_map(|effect| match effect {
        Effect::StartRun { lifted, .. } => Some(lifted.clone()),
        _ => None,
    });
    assert_eq!(lifted, Some(vec!["qa".to_owned()]), "the run knows what it may write to");
    let query = QueryRequest { environment: "qa".into(), text: "INSERT INTO b SELECT * FROM a".into(), statement: 0 };
    let delivery = Delivery::AtLeastOnce;
    stage.act(Action::Deploy(DeployRequest { name: "b".into(), query, delivery, checkpoint_interval_ms: 10_000 }));
    assert!(stage.model.confirmation.is_none());
    let refused = audited(&mut stage).pop().unwrap_or_default();
    assert!(refused.ends_with("a deployed job would outlive them"), "{refused}");

    stage.apply(Fact::Tick { now_ms: NOON_MS + 15 * 60 * 1_000 });
    assert!(!stage.model.is_lifted("qa"));
    assert_eq!(audited(&mut stage), ["read_only in force again: the 15 minutes are over"]);
    stage.act(Action::Resend(resend));
    assert!(stage.model.confirmation.is_none(), "it is refused again");
}

#[test]
fn the_readme_names_every_command_that_can_be_bound() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let keymap = velox::ui::keymap::Keymap::new(&velox::ui::panes::roster());
    let missing: Vec<&str> = keymap
        .entries()
        .iter()
        .map(|entry| entry.command.0)
        .filter(|name| !readme.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
