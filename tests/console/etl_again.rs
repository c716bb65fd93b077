//! Pane 2, what ran or was kept: each is set up again with its plan, and keys act on the one under the cursor.

use velox::app::action::{Action, RunRequest};
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::runs::Preset;
use velox::core::job::{JobId, Phase, Update};

use crate::etl_runs::{RUN, ended, last_plan, planned, running, started};
use crate::etls::{load, stage};
use crate::stage::Stage;

/// The run after [`RUN`].
const AGAIN: JobId = JobId(3);

#[test]
fn a_run_is_repeated_and_kept_under_a_name() {
    let mut stage = running();
    ended(&mut stage);
    let first = started(&stage).expect("started");
    stage.effects.clear();
    stage.press("R");
    assert_eq!(started(&stage), None, "nothing is sent by one key");
    assert_eq!(last_plan(&stage).map(|(_, asked)| asked), Some(first.clone()), "the plan is shown");
    planned(&mut stage);
    assert!(stage.text(120, 40).contains("2,000 events are sent"), "{}", stage.text(120, 40));
    stage.press("Enter");
    assert_eq!(started(&stage), Some(first.clone()));
    stage.effects.clear();
    stage.press("w");
    assert!(stage.text(120, 40).contains("customer_update-sandbox-qa-1000"));
    // What stands there already is replaced, as in the fields of a run.
    stage.types("nightly").press("Enter");
    assert_eq!(stage.effects, [Effect::SavePreset { name: "nightly".into(), run: first }]);
}

/// The run before has ended, and another of the same is going.
pub fn running_again() -> Stage {
    let mut stage = running();
    ended(&mut stage);
    stage.text(160, 40);
    stage.press("R");
    planned(&mut stage);
    stage.press("Enter");
    stage.apply(Fact::Job(Update::Phase(AGAIN, Phase::Running)));
    stage.text(160, 40);
    stage.effects.clear();
    stage.model.note = None;
    stage
}

#[test]
fn keys_act_on_the_run_under_the_cursor_and_on_no_other() {
    let mut stage = running_again();
    let footer = |stage: &mut Stage| stage.text(160, 40).lines().last().unwrap_or_default().to_owned();
    assert!(footer(&mut stage).contains("x stop"), "the cursor is on the run that has just begun");
    stage.press("Down");
    assert!(!footer(&mut stage).contains("x stop"), "{}", footer(&mut stage));
    stage.press("x");
    assert_eq!(stage.effects, [], "what the cursor is not on goes on");
    stage.press("o");
    assert!(matches!(stage.effects[..], [Effect::Export(_)]), "the report of the one that has ended");
    stage.effects.clear();
    stage.press("Up x");
    assert_eq!(stage.effects, [Effect::StopJob(AGAIN)]);
}

#[test]
fn a_run_restarted_among_the_jobs_asks_with_what_it_sends() {
    let mut stage = running();
    ended(&mut stage);
    stage.effects.clear();
    stage.act(Action::RestartJob(RUN));
    assert_eq!(stage.effects, []);
    let asked = stage.model.confirmation.clone().expect("a question");
    assert!(asked.summary[0].starts_with("1,000 events"), "{asked:?}");
    stage.act(Action::Confirm { typed: String::new() });
    assert!(started(&stage).is_some());
}

fn nightly() -> RunRequest {
    RunRequest {
        etls: vec!["customer_update".into()],
        environments: vec!["qa".into()],
        count: 500,
        rate: Some(50),
        dry_run: false,
        context: "customer_id: C-1".into(),
    }
}

/// The cursor is on an ETL of which a preset is kept.
pub fn with_preset() -> Stage {
    let mut stage = stage();
    let etls = stage.model.etls.clone();
    load(&mut stage, etls, vec![Preset { name: "nightly".into(), run: nightly() }]);
    stage.press("j");
    stage
}

#[test]
fn a_preset_is_listed_and_set_up_again_with_its_plan() {
    let mut stage = with_preset();
    stage.press("Enter [");
    insta::assert_snapshot!("etls_preset_80x24", stage.text(80, 24));
    stage.press("Enter");
    assert_eq!(last_plan(&stage).map(|(_, asked)| asked), Some(nightly()));
}

#[test]
fn a_preset_is_forgotten_after_a_yes() {
    let mut stage = with_preset();
    stage.press("Enter [");
    stage.text(120, 40);
    stage.effects.clear();
    stage.press("d");
    assert_eq!(stage.effects, []);
    assert!(stage.text(120, 40).contains("Forget this preset?"));
    stage.act(Action::Confirm { typed: String::new() });
    assert_eq!(stage.effects, [Effect::ForgetPreset("nightly".into())]);
    stage.apply(Fact::PresetForgotten("nightly".into()));
    assert!(!stage.text(120, 40).contains("preset nightly "), "{}", stage.text(120, 40));
}
