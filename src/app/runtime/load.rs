//! From the loaded configuration to what the model shows. Reads template files for display; a secret is masked before it is here.

use std::path::Path;

use super::files;
use super::places::places;
use crate::app::fact::Loaded as Facts;
use crate::app::model::environments::{EnvironmentRow, MissingVariable, Setting};
use crate::app::model::etls::EtlRow;
use crate::config::{Config, Loaded, Origin};
use crate::core::environment::Environment;
use crate::core::etl::Etl;
use crate::core::fault::Fault;
use crate::core::secret::MASK;
use crate::template::Engine;

/// Largest file that is shown, bytes: what the configuration reads at most.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What the files said, for the model.
pub fn facts(config: &Config, engine: &Engine, state: Option<&Path>) -> Facts {
    let (presets, preset_faults) = state.map(files::presets).unwrap_or_default();
    let mut warnings = config.warnings.clone();
    warnings.extend(preset_faults);
    let mut faults: Vec<Fault> = Vec::new();
    faults.extend(config.runner.value.as_ref().err().into_iter().flatten().cloned());
    faults.extend(config.console.value.as_ref().err().into_iter().flatten().cloned());
    Facts {
        environments: config.environments.iter().map(environment).collect(),
        etls: config.etls.iter().map(|loaded| etl(loaded, config, engine)).collect(),
        presets,
        faults,
        warnings,
        note: config.note(),
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
            place: match &effective.origin {
                Origin::File(place) | Origin::DotEnv { place, .. } => Some(place.clone()),
                Origin::SecretFile(_) | Origin::Missing(_) | Origin::Process(_) => effective.place.clone(),
                Origin::Default => None,
            },
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

fn etl(loaded: &Loaded<Etl>, config: &Config, engine: &Engine) -> EtlRow {
    let mut row = EtlRow {
        name: loaded.name.clone(),
        file: loaded.file.clone(),
        etl: loaded.value.as_ref().ok().cloned(),
        text: String::new(),
        places: Vec::new(),
        template_file: String::new(),
        template: String::new(),
        faults: loaded.value.as_ref().err().cloned().unwrap_or_default(),
    };
    match &row.etl {
        Some(etl) => {
            // What is in force, not what is written: merged, rendered, with secrets as `***`.
            row.text = serde_yaml::to_string(&**etl).unwrap_or_default();
            row.places = places(&row.text, &loaded.origins);
            match engine.payload(&etl.payload_template) {
                Ok(template) => {
                    row.template_file.clone_from(&template.place().file);
                    template.source().clone_into(&mut row.template);
                }
                Err(fault) => {
                    let fault = Fault::from(fault);
                    if let Some(place) = &fault.place {
                        row.template_file.clone_from(&place.file);
                        row.template = bounded_text(Path::new(&place.file));
                    }
                    row.faults.push(fault);
                }
            }
        }
        None => row.text = without_secrets(&bounded_text(Path::new(&loaded.file)), config),
    }
    row
}

/// The text of a file of usual size; nothing where it is larger or cannot be read.
fn bounded_text(path: &Path) -> String {
    let small = std::fs::metadata(path).is_ok_and(|data| data.len() <= FILE_BYTES_MAX);
    small.then(|| std::fs::read_to_string(path).ok()).flatten().unwrap_or_default()
}

/// A file that could not be read into values may hold a password as it is: whatever such a key says is masked.
fn without_secrets(text: &str, config: &Config) -> String {
    let masked = text.lines().map(|line| match line.split_once(':') {
        Some((key, value)) if !value.trim().is_empty() && sounds_secret(key) => format!("{key}: {MASK}"),
        _ => line.to_owned(),
    });
    config.scrubber().scrub(&masked.collect::<Vec<_>>().join("\n")).into_owned()
}

fn sounds_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "secret", "token", "keytab"].iter().any(|word| key.contains(word))
}
