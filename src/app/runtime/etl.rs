//! Previews, plans and runs of ETLs: from what a person set up in the console to the engine's own request, and back to values
//! that the model shows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::app::action::{PreviewRequest, RunRequest};
use crate::app::fact::Fact;
use crate::app::model::etls::{PlanSummary, PlannedPair, Rendered};
use crate::app::model::runs::{RunReport as Shown, StepTiming};
use crate::app::supervisor::Assignment;
use crate::config::Config;
use crate::core::environment::Environment;
use crate::core::fault::{Blame, Fault};
use crate::core::runner::{EventConfig, Filters, RunnerConfig};
use crate::core::words::counted;
use crate::etl::plan::{Plan, Request, Target};
use crate::etl::preview::preview as render;
use crate::etl::registry::Registry;
use crate::etl::rehearse::rehearse;
use crate::etl::report::{Percentiles, RunReport};
use crate::etl::run::{Deps, RunOptions, run as carry_out};
use crate::kafka::auth::AuthRegistry;
use crate::template::Engine;

/// Renders one event.
///
/// # Errors
/// The context is no mapping, or the ETL cannot be rendered there.
pub fn preview(config: &Config, engine: &Engine, asked: &PreviewRequest) -> Result<Rendered, Fault> {
    let event_context = context_of(&asked.context)?;
    let names = names_of(config, asked, &event_context);
    let request = Request {
        runner: runner_of(config),
        events: EventConfig { count: asked.count, event_context, ..EventConfig::default() },
        ..Request::default()
    };
    let registry = Registry::load_all(config);
    let made = render(&registry, engine, (&asked.etl, &asked.environment), &request, asked.index)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Rendered {
        topic: made.topic,
        key: made.key.as_deref().map(text),
        headers: made.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        payload: text(&made.value),
        bytes: made.bytes,
        context: names,
    })
}

/// What a run would send. What the run itself would be refused for is said here already, before anybody asks for it.
///
/// # Errors
/// The context is no mapping, nothing can run, or a template fails for its first event.
pub fn plan(config: &Config, engine: &Engine, asked: &RunRequest, lifted: &[String]) -> Result<PlanSummary, Fault> {
    let plan = make(config, &request_of(config, asked)?, lifted)?;
    rehearsed(&plan, engine)?;
    Ok(PlanSummary {
        pairs: plan
            .pairs
            .iter()
            .map(|pair| PlannedPair {
                etl: pair.etl.name.clone(),
                environment: pair.environment.to_string(),
                topic: pair.topic.to_string(),
                events: pair.events,
                guard: pair.guard,
            })
            .collect(),
        left_out: left_out(&plan),
    })
}

/// A run that was permitted.
pub struct Asked {
    /// What to run.
    pub run: RunRequest,
    /// Environments whose `read_only` was lifted, and whose name was typed.
    pub lifted: Vec<String>,
}

/// Runs, and tells progress and report. Fails where nothing could be sent at all.
pub async fn run(
    config: Arc<Config>,
    engine: Engine,
    auth: Arc<AuthRegistry>,
    asked: Asked,
    assignment: Assignment,
) -> Result<(), Fault> {
    let Assignment { stop, out } = assignment;
    let Asked { run: asked, lifted } = asked;
    let request = request_of(&config, &asked)?;
    let plan = make(&config, &request, &lifted)?;
    let (planned, rehearsing) = (plan.clone(), engine.clone());
    super::off_the_async_threads(move || rehearsed(&planned, &rehearsing)).await?;
    let environments = environments_of(&config, &plan, asked.dry_run)?;
    for line in left_out(&plan) {
        tracing::warn!(target: "velox::run", job = out.job().0, "left out: {line}");
    }
    let deps = Deps { engine, environments, reached: HashSet::new(), auth };
    let report = carry_out(&plan, RunOptions::of(&request), deps, stop, |progress| out.progress(progress)).await;
    let fault = report.faults.first().cloned().filter(|_| report.total.counts.acknowledged == 0);
    out.tell(Fact::RunReport { job: out.job(), report: Arc::new(shown(&report)) }).await;
    fault.map_or(Ok(()), Err)
}

fn rehearsed(plan: &Plan, engine: &Engine) -> Result<(), Fault> {
    rehearse(plan, engine).into_iter().next().map_or(Ok(()), Err)
}

fn make(config: &Config, request: &Request, lifted: &[String]) -> Result<Plan, Fault> {
    let mut targets = Target::all(config, request.runner.dry_run);
    for target in targets.iter_mut().filter(|target| lifted.contains(&target.name)) {
        // What is lifted asks for its name and no longer refuses: the console has asked.
        target.guard = target.guard.lifted();
    }
    Plan::make(&Registry::load_all(config), &targets, request)
}

fn left_out(plan: &Plan) -> Vec<String> {
    let cuts = plan.pairs.iter().filter_map(|pair| {
        let cut = pair.cut?;
        Some(format!(
            "{} of {} to {}: {}",
            counted(cut.events, "event"),
            pair.etl.name,
            pair.environment,
            cut.limit.name()
        ))
    });
    plan.skipped.iter().map(ToString::to_string).chain(cuts).collect()
}

fn request_of(config: &Config, asked: &RunRequest) -> Result<Request, Fault> {
    let mut runner = runner_of(config);
    runner.dry_run = asked.dry_run;
    // What was ticked in the console is exactly what is meant; the file's own filters are for headless runs.
    runner.filters =
        Filters { environments: asked.environments.clone(), etls: asked.etls.clone(), ..Filters::default() };
    Ok(Request {
        runner,
        events: EventConfig {
            count: asked.count,
            event_context: context_of(&asked.context)?,
            ..EventConfig::default()
        },
        rate_events_per_second: asked.rate,
        ..Request::default()
    })
}

fn runner_of(config: &Config) -> RunnerConfig {
    config.runner.preview().map(|runner| RunnerConfig::clone(runner)).unwrap_or_default()
}

fn environments_of(config: &Config, plan: &Plan, dry_run: bool) -> Result<HashMap<String, Arc<Environment>>, Fault> {
    let mut environments = HashMap::new();
    for pair in plan.pairs.iter().filter(|_| !dry_run) {
        let loaded = config.environment(&pair.environment)?;
        environments.insert(loaded.name.clone(), loaded.ready()?.clone());
    }
    Ok(environments)
}

/// A context as it is typed: YAML, a mapping, or nothing.
fn context_of(text: &str) -> Result<Map<String, Value>, Fault> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    let refuse = |what: String| Fault::new(Blame::Operator, what).next("write it as YAML: `name: value`, one a line");
    match serde_yaml::from_str::<Value>(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(refuse("the context must be a mapping of names to values".into())),
        Err(error) => Err(refuse(format!("the context is not YAML: {error}"))),
    }
}

/// Names that the template can use, weakest layer first.
fn names_of(config: &Config, asked: &PreviewRequest, event: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let etl = config.etl(&asked.etl).ok().and_then(|loaded| loaded.preview().ok());
    let runner = runner_of(config);
    let layers = etl.into_iter().flat_map(|etl| etl.variables.keys()).chain(runner.context.keys()).chain(event.keys());
    for name in layers.map(String::as_str).chain(crate::etl::context::BUILT_IN) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn shown(report: &RunReport) -> Shown {
    let steps = &report.total.steps;
    let step = |name: &str, times: &Option<Percentiles>| {
        times.map(|times| StepTiming {
            step: name.to_owned(),
            count: times.count,
            p50_us: microseconds(times.p50_ms),
            p95_us: microseconds(times.p95_ms),
            p99_us: microseconds(times.p99_ms),
            max_us: microseconds(times.max_ms),
        })
    };
    let plan_us = microseconds(report.plan_ms);
    let plan = StepTiming {
        step: "plan".into(),
        count: 1,
        p50_us: plan_us,
        p95_us: plan_us,
        p99_us: plan_us,
        max_us: plan_us,
    };
    let timed = [step("render", &steps.render), step("queue", &steps.queue), step("acknowledge", &steps.acknowledge)];
    Shown {
        progress: progress_of(report),
        timings: std::iter::once(plan).chain(timed.into_iter().flatten()).collect(),
        success_rate: report.total.success_rate / 100.0,
        events_per_second: report.total.events_per_second,
        bytes: report.total.bytes,
        json: serde_json::to_string_pretty(report).unwrap_or_default(),
    }
}

fn progress_of(report: &RunReport) -> crate::core::progress::RunProgress {
    use crate::core::progress::{PairProgress, RunProgress};
    RunProgress {
        pairs: report
            .pairs
            .iter()
            .map(|pair| PairProgress {
                etl: pair.etl.clone(),
                environment: pair.environment.clone(),
                topic: pair.topic.clone(),
                counts: pair.tally.counts,
                bytes: pair.tally.bytes,
                causes: pair.tally.causes.clone(),
            })
            .collect(),
        elapsed_ms: report.elapsed_ms as u64,
        events_per_second: report.total.events_per_second,
        latency: None,
    }
}

fn microseconds(ms: f64) -> u64 {
    (ms * 1_000.0).round() as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::config::Sources;
    use crate::core::environment::Guard;

    /// The configuration of a folder with one ETL, `orders`, and the engine of its templates.
    fn orders(folder: &Path, template: &str) -> (Config, Engine) {
        for (name, text) in [
            ("environments/qa.yaml", "environment: qa\nguard: read_only\nkafka:\n  bootstrap_servers: \"h:1\"\n"),
            (
                "etl/orders.yaml",
                "name: orders\ntopics:\n  qa: qa.orders\nkey_template: K\npayload_template: orders.json.j2\n",
            ),
            ("templates/payloads/orders.json.j2", template),
        ] {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        (Config::load(&Sources::folder(folder)), Engine::builder(folder.join("templates")).build())
    }

    fn one_to_qa() -> RunRequest {
        RunRequest {
            etls: vec!["orders".into()],
            environments: vec!["qa".into()],
            count: 1,
            rate: None,
            dry_run: false,
            context: String::new(),
        }
    }

    #[test]
    fn a_run_may_write_where_read_only_is_lifted_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let (config, engine) = orders(folder.path(), "{}");
        let refused = plan(&config, &engine, &one_to_qa(), &[]).unwrap_err();
        assert!(refused.what.contains("the environment is read-only"), "{refused}");
        let lifted = plan(&config, &engine, &one_to_qa(), &["qa".to_owned()]).unwrap();
        let pairs: Vec<_> = lifted.pairs.iter().map(|pair| (pair.topic.as_str(), pair.guard)).collect();
        assert_eq!(pairs, [("qa.orders", Guard::Typed)]);
    }

    #[test]
    fn what_a_run_would_be_refused_for_is_told_by_its_plan() {
        let folder = tempfile::tempdir().unwrap();
        let (config, engine) = orders(folder.path(), "{\"id\": \"{{ order_id }}\"}");
        let refused = plan(&config, &engine, &one_to_qa(), &["qa".to_owned()]).unwrap_err();
        assert!(refused.to_string().contains("orders.json.j2:1:12: `order_id` is not defined"), "{refused}");
        let given = RunRequest { context: "order_id: ORD-1".into(), ..one_to_qa() };
        assert_eq!(plan(&config, &engine, &given, &["qa".to_owned()]).unwrap().pairs.len(), 1);
    }
}
