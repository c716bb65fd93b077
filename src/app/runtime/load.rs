//! From the loaded configuration to what the model shows. Reads template files for display; a secret is masked before it is here.

use std::path::Path;

use crate::app::fact::Loaded as Facts;
use crate::app::model::environments::{EnvironmentRow, MissingVariable, Setting};
use crate::app::model::etls::EtlRow;
use crate::config::{Config, Loaded, Sources};
use crate::core::environment::Environment;
use crate::core::etl::Etl;
use crate::core::fault::Fault;

/// What the files said, for the model.
pub fn facts(config: &Config, sources: &Sources) -> Facts {
    let mut faults: Vec<Fault> = Vec::new();
    faults.extend(config.runner.value.as_ref().err().into_iter().flatten().cloned());
    faults.extend(config.console.value.as_ref().err().into_iter().flatten().cloned());
    Facts {
        environments: config.environments.iter().map(environment).collect(),
        etls: config.etls.iter().map(|loaded| etl(loaded, sources)).collect(),
        presets: Vec::new(),
        faults,
        warnings: config.warnings.clone(),
    }
}

fn environment(loaded: &Loaded<Environment>) -> EnvironmentRow {
    let mut row = EnvironmentRow::new(&loaded.name, &loaded.file);
    row.settings = loaded
        .origins
        .iter()
        .map(|effective| Setting {
            path: effective.path.clone(),
            value: effective.shown.clone(),
            origin: effective.origin.to_string(),
        })
        .collect();
    row.missing = loaded
        .missing
        .iter()
        .map(|missing| MissingVariable {
            variable: missing.variable.clone(),
            path: missing.field.clone(),
            place: missing.place.clone(),
        })
        .collect();
    match &loaded.value {
        Ok(environment) => {
            row.description.clone_from(&environment.description);
            row.guard = environment.guard();
            row.embedded = environment.is_embedded();
            row.protocol = match row.embedded {
                true => "embedded".into(),
                false => environment.kafka.security_protocol.name().into(),
            };
            row.mechanism = environment.kafka.sasl.as_ref().map(|sasl| sasl.mechanism.name().into());
            row.bootstrap = shown(loaded, "kafka.bootstrap_servers", &environment.kafka.bootstrap_servers);
        }
        Err(faults) => row.faults.clone_from(faults),
    }
    row
}

/// A value as it may be shown; what stands in for a missing variable is not shown as if it were the value.
fn shown<T>(loaded: &Loaded<T>, path: &str, value: &str) -> String {
    match loaded.missing.iter().find(|missing| missing.field == path) {
        Some(missing) => format!("{} is not set", missing.variable),
        None => loaded.origins.get(path).map_or_else(|| value.to_owned(), |effective| effective.shown.clone()),
    }
}

fn etl(loaded: &Loaded<Etl>, sources: &Sources) -> EtlRow {
    let etl = loaded.value.as_ref().ok().cloned();
    let payload = etl.as_ref().map(|etl| Path::new("payloads").join(&etl.payload_template));
    EtlRow {
        name: loaded.name.clone(),
        file: loaded.file.clone(),
        text: sources.text_of(&loaded.file),
        template_file: payload.as_ref().map(|path| sources.template_dir.join(path).display().to_string()).unwrap_or_default(),
        template: String::new(),
        faults: loaded.value.as_ref().err().cloned().unwrap_or_default(),
        etl,
    }
}
