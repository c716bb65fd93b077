//! Deployed jobs told what is wanted of them: stop, pause, go on, begin anew, drop; and what leaving the console means to them.

use velox::app::action::Action;
use velox::app::effect::{Beginning, Effect};
use velox::app::fact::Fact;
use velox::core::job::{Phase, Update};
use velox::sql::deploy::run::Order;

use crate::deployed::{at_work, started};

#[test]
fn keys_order_a_deployed_job_about_and_each_order_is_audited() {
    for (key, order) in [("x", Order::Savepoint), ("X", Order::Stop), ("p", Order::Pause)] {
        let (mut stage, job) = at_work("sandbox");
        stage.text(120, 40);
        stage.press(key);
        assert!(matches!(stage.effects[0], Effect::Audit(_)), "{key}: {:?}", stage.effects);
        assert_eq!(stage.effects[1..], [Effect::Order { job, order }], "{key}");
    }
}

#[test]
fn a_guarded_environment_is_asked_before_a_job_is_stopped() {
    let (mut stage, job) = at_work("prod");
    stage.text(120, 40);
    stage.press("x");
    assert_eq!(stage.effects, []);
    assert!(stage.text(120, 40).contains("Stop this job?"));
    stage.types("prod").press("Enter");
    assert!(stage.effects.contains(&Effect::Order { job, order: Order::Savepoint }), "{:?}", stage.effects);
}

#[test]
fn a_paused_job_goes_on_and_a_stopped_one_begins_where_it_is_told() {
    let (mut stage, job) = at_work("sandbox");
    stage.apply(Fact::Job(Update::Phase(job, Phase::Paused)));
    assert!(stage.text(120, 40).contains("paused"));
    stage.press("p");
    assert!(stage.effects.contains(&Effect::Order { job, order: Order::Run }), "{:?}", stage.effects);
    stage.apply(Fact::Job(Update::Phase(job, Phase::Stopped)));
    stage.effects.clear();
    stage.text(120, 40);
    stage.press("G");
    stage.text(120, 40);
    // What it wrote is written again: that is asked even where nothing is guarded.
    stage.press("B");
    assert_eq!(started(&stage), []);
    stage.press("y");
    assert_eq!(started(&stage), [("spend_by_customer".to_owned(), Beginning::Scratch)]);
    assert_eq!(stage.model.jobs.values().filter(|job| job.name == "spend_by_customer").count(), 1, "one row a job");
}

#[test]
fn a_job_is_dropped_only_after_a_yes_and_only_when_it_does_not_run() {
    let (mut stage, job) = at_work("sandbox");
    stage.text(120, 40);
    stage.press("d");
    assert!(stage.text(120, 40).contains("this job still runs: stop it first"));
    stage.apply(Fact::Job(Update::Phase(job, Phase::Stopped)));
    stage.effects.clear();
    stage.act(Action::DropJob(job));
    assert!(stage.text(120, 40).contains("Drop this job?"));
    stage.press("y");
    let is_drop =
        |effect: &Effect| matches!(effect, Effect::DropDeployed(definition) if definition.name == "spend_by_customer");
    assert!(stage.effects.iter().any(is_drop), "{:?}", stage.effects);
    assert!(!stage.model.jobs.contains_key(&job));
}

#[test]
fn leaving_says_that_a_deployed_job_is_offered_next_time() {
    let (mut stage, _) = at_work("sandbox");
    stage.press("q");
    let text = stage.text(120, 40);
    assert!(text.contains("spend_by_customer in sandbox writes a savepoint and is offered next time"), "{text}");
}

#[test]
fn leaving_says_of_a_job_that_was_stopped_that_it_stays_so() {
    let (mut stage, _) = at_work("sandbox");
    stage.text(120, 40);
    stage.press("x q");
    let text = stage.text(120, 40);
    assert!(text.contains("spend_by_customer in sandbox writes its savepoint and stays stopped"), "{text}");
}
