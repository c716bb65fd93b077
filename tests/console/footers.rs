//! Each key that a footer names acts in the state in which it is named: nothing there, the broker gone, at work, filtered to
//! nothing. That something is said is no act.

use velox::app::action::{Action, PaneId};
use velox::app::fact::Fact;
use velox::app::model::environments::{Connection, ConnectionState};
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, Update};

use crate::stage::Stage;
use crate::{deployed, environments, etl_again, etl_runs, etls, jobs, log, metrics, sql, tail};

/// What the footer of a console names, save where it names nothing.
fn footer(stage: &mut Stage) -> Vec<String> {
    let text = stage.text(160, 40);
    let line = text.lines().last().unwrap_or_default();
    line.split("  ")
        .filter_map(|part| part.trim().split(' ').next())
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The keys of a footer that change nothing and have nothing done; and that there is none at all.
fn idle(console: &dyn Fn() -> Stage) -> Vec<String> {
    let quiet = |stage: &mut Stage| {
        stage.model.note = None;
        (stage.text(160, 40), stage.styles(160, 40), stage.effects.len())
    };
    let keys = footer(&mut console());
    if keys.is_empty() {
        return vec!["no key at all".into()];
    }
    let acts = |key: &String| {
        let mut stage = console();
        let before = quiet(&mut stage);
        stage.press(if key == "↵" { "Enter" } else { key });
        before != quiet(&mut stage)
    };
    keys.into_iter().filter(|key| !acts(key)).collect()
}

type State = (&'static str, Box<dyn Fn() -> Stage>);

/// Fails with every state that has an idle key.
fn check(states: Vec<State>) {
    let mut faults = Vec::new();
    for (what, console) in &states {
        let console = || {
            let mut stage = console();
            stage.model.note = None;
            stage
        };
        let idle = idle(&console);
        if !idle.is_empty() {
            faults.push(format!("{what}: {idle:?} in\n{}", console().text(160, 40)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// The state that some keys lead to, each seen before the next is pressed.
fn after(console: impl Fn() -> Stage + 'static, keys: &'static str) -> Box<dyn Fn() -> Stage> {
    Box::new(move || {
        let mut stage = console();
        for key in keys.split(' ') {
            stage.text(160, 40);
            stage.press(key);
        }
        stage.text(160, 40);
        stage
    })
}

fn as_it_is(console: impl Fn() -> Stage + 'static) -> Box<dyn Fn() -> Stage> {
    Box::new(move || {
        let mut stage = console();
        stage.text(160, 40);
        stage
    })
}

/// Nothing that a row has matches it.
const NOTHING: &str = "/ ¤ ¤ Enter";

fn nothing_configured(pane: PaneId) -> Stage {
    let mut stage = Stage::new();
    stage.apply(Fact::Loaded(Box::default()));
    stage.model.active = None;
    stage.apply(Fact::Job(Update::Phase(JobId(1), Phase::Stopped)));
    stage.act(Action::ForgetEndedJobs);
    stage.act(Action::Focus(pane));
    stage.effects.clear();
    stage
}

fn on(pane: PaneId) -> Stage {
    let mut stage = Stage::new();
    stage.act(Action::Focus(pane));
    stage.effects.clear();
    stage
}

/// The same console, its broker gone.
fn lost(mut stage: Stage) -> Stage {
    let fault = || Fault::new(Blame::Connection, "no broker of sandbox answers").next("start it");
    stage.apply(Fact::Topics { environment: "sandbox".into(), topics: Err(fault()) });
    let connection =
        Connection { state: ConnectionState::Error, fault: Some(fault()), attempt: 3, ..Connection::default() };
    stage.apply(Fact::Connection { environment: "sandbox".into(), connection });
    stage.effects.clear();
    stage
}

#[test]
fn environments_name_only_keys_that_act() {
    check(vec![
        ("nothing there", as_it_is(|| nothing_configured(PaneId::Environments))),
        ("the list", after(environments::four, "j")),
        ("the detail", after(environments::four, "j i")),
        ("a broken file", after(environments::four, "j j j")),
        ("broker gone", as_it_is(|| lost(environments::four()))),
        ("a filter is typed", after(environments::four, "/ q")),
        ("filtered to nothing", after(environments::four, NOTHING)),
    ]);
}

#[test]
fn etls_name_only_keys_that_act() {
    let ended = || {
        let mut stage = etl_runs::running();
        etl_runs::ended(&mut stage);
        stage
    };
    let previewed = || {
        let mut stage = etls::on_update();
        stage.press("p");
        etls::previewed(&mut stage, Ok(etls::rendered()));
        stage
    };
    let only = |row: fn() -> velox::app::model::etls::EtlRow| {
        move || {
            let mut stage = Stage::new();
            etls::load(&mut stage, vec![row()], Vec::new());
            stage.act(Action::Focus(PaneId::Etls));
            stage.effects.clear();
            stage
        }
    };
    let disabled = || etls::disabled(etls::row("customer_purge", "customer", &["sandbox"]));
    let faulty = || etls::faulty(etls::row("chargeback", "payments", &["sandbox"]));
    let unreadable = || etls::unreadable("order_event");
    check(vec![
        ("nothing there", as_it_is(|| nothing_configured(PaneId::Etls))),
        ("a category", as_it_is(etls::stage)),
        ("a category of what is broken", after(only(unreadable), "g")),
        ("the list", after(etls::on_update, "k j")),
        ("definition", after(etls::on_update, "Enter")),
        ("template", after(etls::on_update, "Enter ]")),
        ("no runs", after(etls::on_update, "Enter [")),
        ("a preview", as_it_is(previewed)),
        ("a disabled one", as_it_is(only(disabled))),
        ("a disabled one in detail", after(only(disabled), "Enter")),
        ("the runs of a disabled one", after(only(disabled), "Enter [")),
        ("a faulty one", as_it_is(only(faulty))),
        ("the template of a faulty one", after(only(faulty), "Enter ]")),
        ("the preview of a faulty one", after(only(faulty), "p")),
        ("an unreadable one", as_it_is(only(unreadable))),
        ("an unreadable one in detail", after(only(unreadable), "Enter")),
        ("the preview of an unreadable one", after(only(unreadable), "p")),
        ("the runs of an unreadable one", after(only(unreadable), "Enter [")),
        ("broker gone", as_it_is(|| lost(etls::on_update()))),
        ("a run", as_it_is(etl_runs::running)),
        ("a run, broker gone", as_it_is(|| lost(etl_runs::running()))),
        ("a run that has ended", as_it_is(ended)),
        ("an older run that has ended while another runs", after(etl_again::running_again, "Down")),
        ("a preset", after(etl_again::with_preset, "Enter [")),
        ("a filter is typed", after(etls::stage, "/ q")),
        ("filtered to nothing", after(etls::stage, NOTHING)),
    ]);
}

#[test]
fn sql_names_only_keys_that_act() {
    const SELECT: &str = "SELECT * FROM orders";
    let with_rows = || {
        let mut stage = sql::running();
        stage.text(160, 40);
        stage.press("Esc");
        stage
    };
    let ended = |phase: Phase| {
        move || {
            let mut stage = with_rows();
            stage.apply(Fact::Job(Update::Phase(JobId(2), phase.clone())));
            stage
        }
    };
    let known = || {
        let mut stage = sql::writing(SELECT);
        sql::known(&mut stage);
        stage.effects.clear();
        stage
    };
    check(vec![
        ("nothing there", as_it_is(|| nothing_configured(PaneId::Sql))),
        ("nothing there, no letters", after(|| nothing_configured(PaneId::Sql), "Esc")),
        ("nothing written", as_it_is(sql::sitting)),
        ("nothing written, no letters", after(sql::sitting, "Esc")),
        ("nothing written, broker gone", as_it_is(|| lost(sql::sitting()))),
        ("only a remark", as_it_is(|| sql::writing("-- later"))),
        ("a statement", as_it_is(|| sql::writing(SELECT))),
        ("a statement, no letters", after(|| sql::writing(SELECT), "Esc")),
        ("a statement, broker gone", as_it_is(|| lost(sql::writing(SELECT)))),
        ("at work", as_it_is(sql::running)),
        ("at work, its rows", as_it_is(with_rows)),
        ("at work, broker gone", as_it_is(move || lost(with_rows()))),
        ("rows filtered to nothing", after(with_rows, NOTHING)),
        ("one row", after(with_rows, "Enter")),
        ("the plan", after(with_rows, "F6")),
        ("stopped", as_it_is(ended(Phase::Stopped))),
        ("failed", as_it_is(ended(Phase::Failed(Fault::new(Blame::Operator, "no such topic"))))),
        ("the catalog", after(known, "F2")),
        ("the catalog, a filter is typed", after(known, "F2 / o")),
        ("the catalog filtered to nothing", after(known, "F2 / ¤ ¤ Enter")),
        ("the catalog, nothing there", after(|| nothing_configured(PaneId::Sql), "F2")),
    ]);
}

#[test]
fn the_tail_names_only_keys_that_act() {
    let ended = |phase: Phase| {
        move || {
            let mut stage = tail::reading(40);
            tail::phase(&mut stage, phase.clone());
            stage
        }
    };
    let listed = || {
        let mut stage = on(PaneId::Tail);
        tail::topics(&mut stage);
        stage
    };
    let fault = || Fault::new(Blame::Connection, "no broker of sandbox answers");
    check(vec![
        ("nothing there", as_it_is(|| nothing_configured(PaneId::Tail))),
        ("nothing is read", as_it_is(|| on(PaneId::Tail))),
        ("nothing is read, topics are known", as_it_is(listed)),
        ("broker gone", as_it_is(|| lost(on(PaneId::Tail)))),
        ("no record yet", as_it_is(|| tail::reading(0))),
        ("records", as_it_is(|| tail::reading(40))),
        ("records, broker gone", as_it_is(ended(Phase::Reconnecting { fault: fault(), attempt: 0 }))),
        ("one record", after(|| tail::reading(40), "Enter")),
        ("held", after(|| tail::reading(40), "Space")),
        ("stopped", as_it_is(ended(Phase::Stopped))),
        ("failed", as_it_is(ended(Phase::Failed(fault())))),
        ("a filter is typed", after(|| tail::reading(40), "/ q")),
        ("filtered to nothing", after(|| tail::reading(40), NOTHING)),
    ]);
}

#[test]
fn metrics_name_only_keys_that_act() {
    check(vec![
        ("nothing there", as_it_is(|| nothing_configured(PaneId::Metrics))),
        ("nothing measured", as_it_is(|| on(PaneId::Metrics))),
        ("broker gone", as_it_is(|| lost(on(PaneId::Metrics)))),
        ("charts", as_it_is(|| metrics::measured(90))),
        ("a cursor", after(|| metrics::measured(90), "Left")),
        ("a filter is typed", after(|| metrics::measured(90), "/ q")),
        ("filtered to nothing", after(|| metrics::measured(90), NOTHING)),
    ]);
}

#[test]
fn jobs_name_only_keys_that_act() {
    let at_work = || deployed::at_work("sandbox").0;
    let phase = |phase: Phase| {
        move || {
            let (mut stage, job) = deployed::at_work("sandbox");
            stage.apply(Fact::Job(Update::Phase(job, phase.clone())));
            stage
        }
    };
    let ended = || {
        let mut stage = jobs::busy();
        for job in 1..=3 {
            stage.apply(Fact::Job(Update::Phase(JobId(job), Phase::Stopped)));
        }
        stage
    };
    let elsewhere = || {
        let mut stage = Stage::new();
        let mut held = deployed::kept("a", "sandbox");
        held.holder = Some(deployed::other());
        deployed::folder(&mut stage, Some(deployed::other()), vec![held, deployed::kept("b", "sandbox")]);
        stage.act(Action::Focus(PaneId::Jobs));
        stage
    };
    let check_job = || {
        let mut stage = jobs::busy();
        stage.act(Action::CheckHealth("prod".into()));
        stage.act(Action::Focus(PaneId::Jobs));
        stage.effects.clear();
        stage.text(160, 40);
        stage.press("g");
        stage
    };
    let fault = || Fault::new(Blame::Connection, "no broker of sandbox answers");
    check(vec![
        ("nothing there", as_it_is(|| nothing_configured(PaneId::Jobs))),
        ("a run", as_it_is(jobs::busy)),
        ("a tail", after(jobs::busy, "j")),
        ("events", after(jobs::busy, "j j")),
        ("a check", as_it_is(check_job)),
        ("a run, its detail", after(jobs::busy, "i")),
        ("a run alone", after(jobs::busy, "Enter")),
        ("broker gone", as_it_is(|| lost(jobs::busy()))),
        ("a run that has ended", as_it_is(ended)),
        ("a tail that has ended", after(ended, "j")),
        ("a deployed job", as_it_is(at_work)),
        ("a deployed job alone", after(at_work, "Enter")),
        ("one that waits", as_it_is(phase(Phase::Paused))),
        ("one that stops", as_it_is(phase(Phase::Stopping))),
        ("one that lost its broker", as_it_is(phase(Phase::Reconnecting { fault: fault(), attempt: 2 }))),
        ("one that failed", as_it_is(phase(Phase::Failed(fault())))),
        ("one that another console runs", as_it_is(elsewhere)),
        ("one that another console keeps", after(elsewhere, "j")),
        ("a filter is typed", after(jobs::busy, "/ q")),
        ("filtered to nothing", after(jobs::busy, NOTHING)),
    ]);
}

#[test]
fn the_log_names_only_keys_that_act() {
    check(vec![
        ("nothing there", after(Stage::new, "Ctrl+L")),
        ("the newest line", after(log::logged, "G")),
        ("an older one", after(log::logged, "g")),
        ("the audit", after(log::logged, "a")),
        ("a filter is typed", after(log::logged, "/ q")),
        ("filtered to nothing", after(log::logged, NOTHING)),
        ("the audit filtered to nothing", after(log::logged, "a / ¤ ¤ Enter")),
    ]);
}
