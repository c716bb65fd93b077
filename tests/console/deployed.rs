//! Deployed jobs: what is asked before one is touched, what is offered on start, what pane 6 shows of them.

use std::sync::Arc;

use velox::app::action::{Action, DeployRequest, PaneId, QueryRequest};
use velox::app::effect::{Beginning, Effect};
use velox::app::fact::Fact;
use velox::app::model::log::{Level, LogLine};
use velox::app::model::pipeline::{Checkpoint, NodeRole, Pipeline, PipelineNode};
use velox::core::brokers::Whose;
use velox::core::environment::Guard;
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, Update};
use velox::sql::deploy::definition::{Definition, Delivery, Wish};
use velox::sql::deploy::hold::Holder;
use velox::sql::deploy::shelf::Kept;
use velox::sql::deploy::status::{State, Status};

use crate::stage::{NOON_MS, Stage};

const SQL: &str = "CREATE STREAM large AS SELECT * FROM orders WHERE amount > 100;
INSERT INTO spend.v1
SELECT customer_id, SUM(amount) AS spent, COUNT(*) AS n
FROM large
WINDOW TUMBLING(10s)
GROUP BY customer_id";

fn request(name: &str, environment: &str) -> DeployRequest {
    let query = QueryRequest { environment: environment.into(), text: SQL.into(), statement: 1 };
    DeployRequest { name: name.into(), query, delivery: Delivery::ExactlyOnce, checkpoint_interval_ms: 10_000 }
}

fn definition(name: &str, environment: &str) -> Definition {
    Definition {
        statement: 1,
        delivery: Delivery::ExactlyOnce,
        created_ms: NOON_MS - 3_600_000,
        ..Definition::new(name, environment, SQL)
    }
}

pub fn kept(name: &str, environment: &str) -> Kept {
    let mut status = Status::beginning(NOON_MS - 600_000);
    status.state = State::Running;
    (status.checkpoint, status.checkpoint_ms) = (Some(41), Some(NOON_MS - 90_000));
    Kept { definition: definition(name, environment), status: Some(status), holder: None }
}

pub fn folder(stage: &mut Stage, keeper: Option<Holder>, kept: Vec<Kept>) {
    stage.apply(Fact::Deployments { keeper, kept, faults: Vec::new() });
}

pub fn other() -> Holder {
    Holder { process: 4_711, host: "etl-2".into(), program: "console".into(), since_ms: NOON_MS - 60_000 }
}

/// What was started, and where it begins.
pub fn started(stage: &Stage) -> Vec<(String, Beginning)> {
    let start = |effect: &Effect| match effect {
        Effect::StartDeployed { definition, from, .. } => Some((definition.name.clone(), *from)),
        _ => None,
    };
    stage.effects.iter().filter_map(start).collect()
}

#[test]
fn a_deploy_starts_a_new_job_and_is_audited() {
    let mut stage = Stage::new();
    folder(&mut stage, None, Vec::new());
    stage.act(Action::Deploy(request("spend", "sandbox")));
    assert_eq!(started(&stage), [("spend".to_owned(), Beginning::New)]);
    assert!(matches!(&stage.effects[0], Effect::Audit(entry) if entry.what == "job spend"), "{:?}", stage.effects);
    // Where to see it is said until it is seen.
    stage.act(Action::Focus(PaneId::Tail));
    assert!(stage.model.note.as_ref().is_some_and(|note| note.text.contains("pane 6")), "{:?}", stage.model.note);
    stage.act(Action::Focus(PaneId::Jobs));
    assert_eq!(stage.model.note, None);
}

#[test]
fn a_job_that_was_refused_before_it_was_kept_starts_anew_and_leaves_without_a_trace() {
    let mut stage = Stage::new();
    folder(&mut stage, None, Vec::new());
    for again in [None, Some(Action::RestartJob(JobId(2)))] {
        stage.effects.clear();
        stage.act(again.unwrap_or(Action::Deploy(request("spend", "sandbox"))));
        assert_eq!(started(&stage), [("spend".to_owned(), Beginning::New)]);
        let job = stage.model.deployments.rows["spend"];
        let fault = Fault::new(Blame::Operator, "there is no column `amuont`");
        stage.apply(Fact::Job(Update::Phase(job, Phase::Failed(fault))));
    }
    stage.effects.clear();
    stage.act(Action::ForgetJob(stage.model.deployments.rows["spend"]));
    stage.act(Action::Confirm { typed: String::new() });
    assert!(!stage.effects.iter().any(|effect| matches!(effect, Effect::DropDeployed(_))), "{:?}", stage.effects);
    assert!(stage.model.deployments.rows.is_empty());
}

#[test]
fn a_guarded_environment_is_asked_before_anything_is_deployed() {
    let mut stage = Stage::new();
    folder(&mut stage, None, Vec::new());
    stage.act(Action::Deploy(request("spend", "prod")));
    assert_eq!(stage.effects, []);
    let text = stage.text(120, 40);
    assert!(text.contains("Deploy this job?") && text.contains("spend.v1") && text.contains("type prod"), "{text}");
    stage.types("prod").press("Enter");
    assert_eq!(started(&stage), [("spend".to_owned(), Beginning::New)]);
}

#[test]
fn the_guard_of_the_brokers_that_a_job_writes_to_is_asked_and_audited_too() {
    let elsewhere = |environments: &[&str], unknown: &[&str]| {
        let mut stage = Stage::new();
        folder(&mut stage, None, vec![kept("kept", "sandbox")]);
        let names = |given: &[&str]| given.iter().map(|&name| name.to_owned()).collect();
        stage.elsewhere = Whose { environments: names(environments), unknown: names(unknown) };
        stage
    };
    let mut stage = elsewhere(&["prod"], &[]);
    for act in [Action::Deploy(request("spend", "sandbox")), Action::ResumeJobs(vec!["kept".into()])] {
        stage.effects.clear();
        stage.act(act);
        let asked = stage.model.confirmation.clone().expect("a question");
        assert_eq!((asked.guard, asked.expected.as_str()), (Guard::Typed, "prod"));
        assert!(asked.summary.contains(&"rows go to brokers of prod".to_owned()), "{:?}", asked.summary);
        assert_eq!(started(&stage), [], "not before it is typed");
        stage.act(Action::Confirm { typed: "prod".into() });
        assert_eq!(started(&stage).len(), 1);
        assert!(
            matches!(&stage.effects[0], Effect::Audit(entry) if entry.environment == "prod"),
            "{:?}",
            stage.effects
        );
    }
    let mut stage = elsewhere(&[], &["b:9092"]);
    stage.act(Action::Deploy(request("spend", "sandbox")));
    let asked = stage.model.confirmation.clone().expect("a question");
    assert_eq!((asked.guard, asked.expected.as_str()), (Guard::Confirm, ""));
    let said = "rows go to brokers of no environment: b:9092".to_owned();
    assert!(asked.summary.contains(&said), "{:?}", asked.summary);
}

#[test]
fn what_cannot_be_deployed_is_refused_with_the_reason() {
    let mut nowhere = request("spend", "sandbox");
    nowhere.query.text = "SELECT * FROM orders".into();
    nowhere.query.statement = 0;
    let mut broken = request("spend", "sandbox");
    broken.query.text = SQL.replace("SUM(", "SUM(((");
    for (request, reason) in [
        (request("../spend", "sandbox"), "cannot be the name of a job"),
        (request("old", "sandbox"), "there is a job `old` already"),
        (request("spend", "nowhere"), "there is no environment `nowhere`"),
        (nowhere, "does not say where its rows go"),
        (broken, "query:"),
    ] {
        let mut stage = Stage::new();
        let mut old = kept("old", "sandbox");
        old.definition.wish = Wish::Stopped;
        folder(&mut stage, None, vec![old]);
        stage.act(Action::Deploy(request.clone()));
        let said = stage.model.note.as_ref().map(|note| note.text.clone()).unwrap_or_default();
        assert!(said.contains(reason), "{request:?}: {said}");
        assert_eq!(started(&stage), []);
    }
}

#[test]
fn what_was_running_is_offered_on_start_and_resumed_from_its_checkpoint() {
    let mut stage = Stage::new();
    let mut stopped = kept("stopped", "sandbox");
    stopped.definition.wish = Wish::Stopped;
    let mut done = kept("done", "sandbox");
    done.status.as_mut().expect("a status").state = State::Done;
    folder(&mut stage, None, vec![kept("a", "sandbox"), kept("b", "sandbox"), done, stopped]);
    for (width, height) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("resume_{width}x{height}"), stage.text(width, height));
    }
    // The second is left out; nothing else of the console is reached meanwhile.
    stage.press("j Space 6 Enter");
    assert_eq!(started(&stage), [("a".to_owned(), Beginning::Checkpoint)]);
    assert!(!stage.text(80, 24).contains("Resume what was running?"));
    // The next look at the folder asks no more.
    folder(&mut stage, None, vec![kept("a", "sandbox"), kept("b", "sandbox")]);
    assert!(!stage.text(80, 24).contains("Resume what was running?"));
}

#[test]
fn not_now_leaves_the_jobs_in_pane_6_where_each_can_be_started() {
    let mut stage = Stage::new();
    folder(&mut stage, None, vec![kept("a", "sandbox")]);
    stage.text(120, 40);
    stage.press("Esc");
    assert_eq!(started(&stage), []);
    stage.act(Action::Focus(PaneId::Jobs));
    let text = stage.text(120, 40);
    assert!(text.contains("stopped") && text.contains(" a "), "{text}");
    stage.press("G");
    stage.text(120, 40);
    stage.press("R");
    assert_eq!(started(&stage), [("a".to_owned(), Beginning::Checkpoint)]);
    stage.text(120, 40);
    stage.press("B");
    let said = stage.model.note.as_ref().map(|note| note.text.clone()).unwrap_or_default();
    assert!(!said.contains("deployed jobs"), "the cursor went with the job that was started again: {said}");
}

#[test]
fn a_second_console_only_reads_and_says_who_holds_the_jobs() {
    let mut stage = Stage::new();
    let mut held = kept("a", "sandbox");
    held.holder = Some(other());
    if let Some(status) = &mut held.status {
        status.at_ms = NOON_MS;
    }
    folder(&mut stage, Some(other()), vec![held, kept("b", "sandbox")]);
    let said = |stage: &Stage| stage.model.note.as_ref().map(|note| note.text.clone()).unwrap_or_default();
    assert!(said(&stage).contains("process 4711 on etl-2"), "{}", said(&stage));
    stage.act(Action::Focus(PaneId::Jobs));
    let text = stage.text(120, 40);
    assert!(!text.contains("Resume what was running?") && text.contains("running"), "{text}");
    let job = stage.model.deployments.rows["a"];
    for action in [
        Action::StopJob(job),
        Action::PauseJob { job, paused: true },
        Action::RestartFromScratch(job),
        Action::DropJob(job),
        Action::RestartJob(stage.model.deployments.rows["b"]),
        Action::Deploy(request("c", "sandbox")),
    ] {
        stage.model.note = None;
        stage.act(action.clone());
        assert!(said(&stage).contains("process 4711 on etl-2"), "{action:?}: {}", said(&stage));
    }
    assert_eq!(stage.effects, []);
}

#[test]
fn what_another_process_reads_is_its_rate_and_no_traffic_of_this_console() {
    let mut stage = Stage::new();
    let mut held = kept("a", "sandbox");
    held.holder = Some(other());
    let status = held.status.as_mut().expect("a status");
    (status.at_ms, status.rows_read, status.rows_per_second) = (NOON_MS, 5_000_000, 18_400.0);
    let mut ended = kept("b", "sandbox");
    ended.status.as_mut().expect("a status").rows_read = 7_000_000;
    folder(&mut stage, Some(other()), vec![held, ended]);
    for second in 1..=3 {
        stage.apply(Fact::Tick { now_ms: NOON_MS + second * 1_000 });
    }
    stage.act(Action::Focus(PaneId::Jobs));
    let text = stage.text(120, 40);
    assert!(text.contains("18.4k/s") && text.contains("   0 msg/s"), "{text}");
}

#[test]
fn a_job_that_goes_on_says_from_which_checkpoint_until_it_has_written_one_of_its_own() {
    let mut stage = Stage::new();
    folder(&mut stage, None, vec![kept("a", "sandbox")]);
    stage.act(Action::ResumeJobs(vec!["a".into()]));
    let job = stage.model.deployments.rows["a"];
    let from = Checkpoint { epoch: 41, bytes: 0, took_ms: 0, at_ms: NOON_MS - 90_000 };
    stage.apply(Fact::Deployed { job, from: Some(from), configuration: Vec::new() });
    stage.apply(Fact::Job(Update::Phase(job, Phase::Running)));
    stage.act(Action::Focus(PaneId::Jobs));
    let text = stage.text(149, 40);
    assert!(text.contains("checkpoint goes on from 41, 11:58:30; one every 10 s"), "{text}");
    assert!(text.lines().any(|line| line.contains(" a ") && line.contains("01:30")), "its age: {text}");
    let own = Checkpoint { epoch: 42, bytes: 84_000, took_ms: 40, at_ms: NOON_MS };
    let pipeline = Pipeline { checkpoint: Some(own), went_on_ms: Some(NOON_MS - 5_000), ..Pipeline::default() };
    stage.apply(Fact::Pipeline { job, pipeline: Arc::new(pipeline) });
    let text = stage.text(149, 40);
    assert!(text.contains("checkpoint 42, now, 84 KB; one every 10 s"), "{text}");
    assert!(text.contains("0 failed, since it went on 5 s ago"), "{text}");
}

/// A console with a deployed job at work, 12 s later.
pub fn at_work(environment: &str) -> (Stage, JobId) {
    let mut stage = Stage::new();
    stage.apply(Fact::Job(Update::Phase(JobId(1), Phase::Running)));
    folder(&mut stage, None, Vec::new());
    stage.act(Action::Deploy(request("spend_by_customer", environment)));
    if environment == "prod" {
        stage.act(Action::Confirm { typed: "prod".into() });
    }
    let job = stage.model.deployments.rows["spend_by_customer"];
    stage.apply(Fact::Job(Update::Phase(job, Phase::Running)));
    stage.model.now_ms = NOON_MS + 12_000;
    let node = |id, role, label: &str, inputs: &[usize], busy_share| PipelineNode {
        id,
        role,
        label: label.into(),
        inputs: inputs.to_vec(),
        in_per_second: 17_900.0,
        out_per_second: 18_400.0,
        rows_in: 240_000,
        rows_out: 200_000,
        busy_share,
        ..PipelineNode::default()
    };
    let mut source = node(0, NodeRole::Source, "read orders", &[], 0.2);
    (source.backlog, source.bad) = (120, 2);
    let mut window = node(2, NodeRole::Operator, "window TUMBLING(10s) by customer_id", &[1], 0.7);
    (window.state_bytes, window.state_rows, window.watermark_ms) = (1_400_000, 96, Some(NOON_MS + 10_800));
    let nodes = vec![
        source,
        node(1, NodeRole::Operator, "filter amount > 100", &[0], 0.1),
        window,
        node(3, NodeRole::Sink, "write spend.v1", &[2], 0.05),
    ];
    let checkpoint = Checkpoint { epoch: 2, bytes: 84_000, took_ms: 40, at_ms: NOON_MS + 8_000 };
    let pipeline = Pipeline {
        nodes,
        elapsed_ms: 12_000,
        rows_read: 220_800,
        rows_written: 1_204,
        bytes_read: 40_000_000,
        late: 3,
        bad: 2,
        state_bytes: 1_400_000,
        lag: Some(120),
        watermark_ms: Some(NOON_MS + 10_800),
        checkpoint: Some(checkpoint),
        ..Pipeline::default()
    };
    for _ in 0..3 {
        stage.apply(Fact::Pipeline { job, pipeline: Arc::new(pipeline.clone()) });
    }
    let configuration = vec![("orders.topic".into(), "orders".into()), ("spend.v1.sasl.password".into(), "***".into())];
    stage.apply(Fact::Deployed { job, from: Some(checkpoint), configuration });
    let line = LogLine {
        at_ms: NOON_MS + 1_000,
        level: Level::Info,
        target: "velox::sql".into(),
        message: "goes on from checkpoint 1 in /state/jobs/spend_by_customer".into(),
        correlation: None,
        job: Some(job),
    };
    stage.apply(Fact::Log { lines: vec![line], skipped: 0 });
    stage.act(Action::Focus(PaneId::Jobs));
    stage.model.note = None;
    stage.effects.clear();
    (stage, job)
}

#[test]
fn the_pipeline_of_a_job_fits_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 40), (200, 60)] {
        let (mut stage, _) = at_work("sandbox");
        stage.text(width, height);
        stage.press("Enter");
        insta::assert_snapshot!(format!("pipeline_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn the_log_of_a_job_is_for_whoever_runs_it_and_what_finds_defects_is_in_the_log_pane() {
    let (mut stage, job) = at_work("sandbox");
    let line = |level, message: &str| LogLine {
        at_ms: NOON_MS + 2_000,
        level,
        target: "velox::sql".into(),
        message: message.into(),
        correlation: None,
        job: Some(job),
    };
    let lines = vec![line(Level::Debug, "ended task=sink ok=true"), line(Level::Warn, "the sink is tried again")];
    stage.apply(Fact::Log { lines, skipped: 0 });
    let said: Vec<&str> = stage.model.jobs[&job].log.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(said, ["goes on from checkpoint 1 in /state/jobs/spend_by_customer", "the sink is tried again"]);
    assert_eq!(stage.model.log.lines.iter().count(), 3, "the log pane has all of them");
}

#[test]
fn the_slowest_box_and_what_failed_have_their_colours() {
    let (mut stage, _) = at_work("sandbox");
    stage.text(200, 60);
    stage.press("Enter");
    insta::assert_snapshot!("pipeline_styles_200x60", stage.styles(200, 60));
}
