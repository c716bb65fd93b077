//! Plans as tables: a request in, the plan's own sentences out.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::core::fault::Blame;
use crate::core::runner::Filters;
use crate::etl::examples::etl;

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register(etl("orders", &["dev", "qa", "prod"]));
    registry.register(Etl { enabled: false, ..etl("old", &["dev"]) });
    registry.register(etl("payments", &["qa", "dev"]));
    registry
}

fn targets() -> Vec<Target> {
    let target = |name: &str| Target {
        name: name.into(),
        guard: Guard::default_for(name),
        rate_limit_events_per_second: None,
        fault: None,
    };
    ["dev", "qa", "prod"].map(target).to_vec()
}

fn request(count: u64) -> Request {
    Request { events: EventConfig { count, ..EventConfig::default() }, ..Request::default() }
}

fn with_limits(count: u64, limits: Limits) -> Request {
    let runner = RunnerConfig { limits, ..RunnerConfig::default() };
    Request { runner, ..request(count) }
}

fn with_filters(filters: Filters) -> Request {
    Request { runner: RunnerConfig { filters, ..RunnerConfig::default() }, ..request(1) }
}

fn planned(request: &Request) -> String {
    match Plan::make(&registry(), &targets(), request) {
        Ok(plan) => plan.to_string(),
        Err(fault) => fault.to_string(),
    }
}

fn check(request: &Request, lines: &[&str]) {
    assert_eq!(planned(request).lines().collect::<Vec<_>>(), lines);
}

#[test]
fn without_filters_every_enabled_etl_goes_to_every_environment_it_has_a_topic_for() {
    check(
        &request(50),
        &[
            "50 events of orders to dev (dev.orders)",
            "50 events of orders to qa (qa.orders)",
            "50 events of orders to prod (prod.orders)",
            "50 events of payments to dev (dev.payments)",
            "50 events of payments to qa (qa.payments)",
            "not old: is disabled",
            "250 events in all",
        ],
    );
}

#[test]
fn max_events_per_etl_counts_one_etl_over_all_its_environments() {
    check(
        &with_limits(50, Limits { max_events_per_etl: Some(70), ..Limits::default() }),
        &[
            "50 events of orders to dev (dev.orders)",
            "20 events of orders to qa (qa.orders), 30 fewer because of max_events_per_etl",
            "50 events of payments to dev (dev.payments)",
            "20 events of payments to qa (qa.payments), 30 fewer because of max_events_per_etl",
            "not old: is disabled",
            "not orders to prod: max_events_per_etl leaves nothing for it",
            "140 events in all",
        ],
    );
}

#[test]
fn max_events_per_environment_counts_one_environment_over_all_etls() {
    let limits = Limits { max_events_per_environment: Some(60), ..Limits::default() };
    let plan = planned(&with_limits(50, limits));
    assert!(
        plan.contains("10 events of payments to dev (dev.payments), 40 fewer because of max_events_per_environment")
    );
    assert!(plan.ends_with("170 events in all"), "{plan}");
}

#[test]
fn max_total_events_counts_everything_and_the_first_are_served_first() {
    check(
        &with_limits(50, Limits { max_total_events: Some(60), ..Limits::default() }),
        &[
            "50 events of orders to dev (dev.orders)",
            "10 events of orders to qa (qa.orders), 40 fewer because of max_total_events",
            "not old: is disabled",
            "not orders to prod: max_total_events leaves nothing for it",
            "not payments to dev: max_total_events leaves nothing for it",
            "not payments to qa: max_total_events leaves nothing for it",
            "60 events in all",
        ],
    );
}

#[test]
fn max_etls_and_max_environments_keep_the_first_of_each() {
    let limits = Limits { max_etls: Some(1), max_environments: Some(2), ..Limits::default() };
    check(
        &with_limits(1, limits),
        &[
            "1 event of orders to dev (dev.orders)",
            "1 event of orders to qa (qa.orders)",
            "not old: is disabled",
            "not orders to prod: max_environments leaves nothing for it",
            "not payments to dev: max_etls leaves nothing for it",
            "not payments to qa: max_etls leaves nothing for it",
            "2 events in all",
        ],
    );
}

#[test]
fn a_name_that_is_not_known_is_a_fault_with_the_nearest() {
    let etls = Filters { etls: vec!["ordres".into()], ..Filters::default() };
    assert_eq!(planned(&with_filters(etls)), "no ETL is called `ordres`; did you mean `orders`?");
    let environments = Filters { environments: vec!["prd".into()], ..Filters::default() };
    assert_eq!(planned(&with_filters(environments)), "no environment is called `prd`; did you mean `prod`?");
}

#[test]
fn an_etl_named_though_disabled_or_without_topic_says_so() {
    let disabled = Filters { etls: vec!["old".into()], ..Filters::default() };
    assert!(planned(&with_filters(disabled)).starts_with("nothing to run: old: is disabled"));
    let no_topic = Filters { etls: vec!["payments".into()], environments: vec!["prod".into()], ..Filters::default() };
    assert!(planned(&with_filters(no_topic)).contains("payments to prod: it has no topic there"));
}

#[test]
fn where_nothing_can_run_the_advice_is_that_of_the_reason() {
    let only = |environment: &str| Filters { environments: vec![environment.into()], ..Filters::default() };
    let mut targets = targets();
    targets[2].fault =
        Some(Fault::new(Blame::Configuration, "`prod` needs `KAFKA_PASSWORD`, not set").next("set it in .env"));
    let orders = Filters { etls: vec!["orders".into()], ..only("prod") };
    let fault =
        |request: &Request, targets: &[Target]| Plan::make(&registry(), targets, request).unwrap_err().to_string();
    assert_eq!(
        fault(&with_filters(orders.clone()), &targets),
        "nothing to run: orders to prod: the environment cannot be used: `prod` needs `KAFKA_PASSWORD`, not set; set it in .env"
    );
    targets[2] = Target { guard: Guard::ReadOnly, fault: None, ..targets[2].clone() };
    assert_eq!(
        fault(&with_filters(orders), &targets),
        "nothing to run: orders to prod: the environment is read-only; a dry run renders what would be sent"
    );
    let cut = with_limits(1, Limits { max_total_events: Some(0), ..Limits::default() });
    let said = fault(&Request { runner: RunnerConfig { filters: only("dev"), ..cut.runner.clone() }, ..cut }, &targets);
    assert!(said.ends_with("lets it run; raise the limit"), "{said}");
}

#[test]
fn a_broken_environment_is_left_out_and_the_others_run() {
    let mut targets = targets();
    targets[1].fault = Some(Fault::new(Blame::Configuration, "`bootstrap_servers` is missing"));
    let plan = Plan::make(&registry(), &targets, &request(1)).unwrap();
    assert_eq!(plan.total, 3);
    assert!(plan.skipped.iter().any(|skipped| skipped.why.contains("`bootstrap_servers` is missing")));
}

#[test]
fn a_read_only_environment_is_only_planned_for_a_dry_run() {
    let mut targets = targets();
    targets[2].guard = Guard::ReadOnly;
    let mut request = request(1);
    assert_eq!(Plan::make(&registry(), &targets, &request).unwrap().total, 4);
    request.runner.dry_run = true;
    let plan = Plan::make(&registry(), &targets, &request).unwrap();
    assert_eq!(plan.total, 5);
    assert_eq!(plan.guarded(), [("prod".into(), Guard::ReadOnly)]);
}

#[test]
fn iterating_makes_one_event_an_item_and_count_passes_over_the_list() {
    let events = EventConfig { count: 3, iterate_over: Some("lines".into()), ..EventConfig::default() };
    let context = json!({"lines": [1, 2, 3, 4]}).as_object().unwrap().clone();
    let plan = Plan::make(&registry(), &targets(), &Request { events, context, ..Request::default() }).unwrap();
    assert!(plan.pairs.iter().all(|pair| pair.events == 12));
}

#[test]
fn iterating_over_what_is_not_there_is_said() {
    let events = EventConfig { iterate_over: Some("lines".into()), ..EventConfig::default() };
    let said = planned(&Request { events, ..Request::default() });
    assert!(said.contains("orders: `iterate_over` names `lines`, which is not in its context"), "{said}");
}

proptest::proptest! {
    #[test]
    fn no_limit_is_ever_exceeded_and_nothing_is_lost(
        count in 0_u64..100,
        etl in proptest::option::of(0_u64..200),
        environment in proptest::option::of(0_u64..200),
        total in proptest::option::of(0_u64..300),
    ) {
        let limits = Limits {
            max_events_per_etl: etl,
            max_events_per_environment: environment,
            max_total_events: total,
            ..Limits::default()
        };
        let Ok(plan) = Plan::make(&registry(), &targets(), &with_limits(count, limits)) else { return Ok(()) };
        let sum = |keep: &dyn Fn(&PlannedPair) -> bool| {
            plan.pairs.iter().filter(|pair| keep(pair)).map(|pair| pair.events).sum::<u64>()
        };
        proptest::prop_assert_eq!(plan.total, sum(&|_| true));
        proptest::prop_assert!(total.is_none_or(|most| plan.total <= most));
        for pair in &plan.pairs {
            proptest::prop_assert!(etl.is_none_or(|most| sum(&|other| other.etl.name == pair.etl.name) <= most));
            let there = sum(&|other| other.environment == pair.environment);
            proptest::prop_assert!(environment.is_none_or(|most| there <= most));
            proptest::prop_assert_eq!(pair.events + pair.cut.map_or(0, |cut| cut.events), count);
        }
    }
}
