//! `produce --template`: messages rendered from a payload template. It is a run of one ETL made of the flags, so it
//! has a run's rate limits, retries and report.

use crate::cli::arguments::Global;
use crate::cli::output::Output;
use crate::cli::run as running;
use crate::cli::session::Session;
use crate::cli::{Exit, Failure};
use crate::core::etl::Etl;
use crate::core::fault::{Blame, Fault};
use crate::core::runner::{EventConfig, Execution, Filters, Limits, RunnerConfig};
use crate::etl::plan::Request;
use crate::etl::registry::Registry;

use super::arguments::{OnError, ProduceArguments};

/// What the ETL made of the flags is called in the report, in `etl_name`, and in faults.
const NAME: &str = "produce";

/// Renders and sends.
pub async fn run(
    arguments: &ProduceArguments,
    template: &str,
    environment: &str,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut registry = Registry::new();
    registry.register(etl(arguments, template, environment)?);
    let request = request(arguments, environment, session)?;
    running::carry_out_registered(&registry, &request, &arguments.guard, session, output).await
}

fn etl(arguments: &ProduceArguments, template: &str, environment: &str) -> Result<Etl, Failure> {
    let headers: serde_json::Map<String, serde_json::Value> =
        arguments.header.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let described = serde_json::json!({
        "name": NAME,
        "topics": { environment: arguments.topic },
        "payload_template": template,
        "key_template": arguments.key,
        "headers": headers,
        "partition": arguments.partition,
    });
    let defect = |error: serde_json::Error| Fault::new(Blame::Program, format!("the flags make no ETL: {error}"));
    Ok(serde_json::from_value(described).map_err(defect)?)
}

fn request(arguments: &ProduceArguments, environment: &str, session: &Session<'_>) -> Result<Request, Failure> {
    let runner = (**session.config.runner.ready()?).clone();
    let Global { verbose, .. } = session.global;
    Ok(Request {
        runner: RunnerConfig {
            execution: Execution { fail_fast: arguments.on_error == OnError::Stop, ..runner.execution },
            filters: Filters { environments: vec![environment.to_owned()], ..Filters::default() },
            limits: Limits::default(),
            dry_run: false,
            verbose: *verbose,
            ..runner
        },
        events: EventConfig { count: arguments.count, ..EventConfig::default() },
        context: arguments.context.load()?,
        rate_events_per_second: arguments.rate,
    })
}
