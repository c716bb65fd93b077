//! From the loaded configuration to what the model shows. Reads template files for display; a secret is masked before it is here.

use std::path::Path;

use super::files;
use super::places::places;
use super::themes;
use crate::app::fact::Loaded as Facts;
use crate::app::model::environments::{EnvironmentRow, MissingVariable, Setting};
use crate::app::model::etls::EtlRow;
use crate::config::{Config, Loaded, Origin, Scrubber, outline};
use crate::core::environment::Environment;
use crate::core::etl::Etl;
use crate::core::fault::Fault;
use crate::template::Engine;

/// Largest file that is shown, bytes: what the configuration reads at most.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What the files said, for the model.
pub fn facts(config: &Config, engine: &Engine, state: Option<&Path>) -> Facts {
    let scrubber = config.scrubber();
    let (presets, preset_faults) = state.map(files::presets).unwrap_or_default();
    let mut warnings = config.warnings.clone();
    warnings.extend(preset_faults);
    let mut faults: Vec<Fault> = Vec::new();
    faults.extend(config.runner.value.as_ref().err().into_iter().flatten().cloned());
    faults.extend(config.console.value.as_ref().err().into_iter().flatten().cloned());
    log_faults(config);
    Facts {
        environments: config.environments.iter().map(environment).collect(),
        etls: config.etls.iter().map(|loaded| etl(loaded, &scrubber, engine)).collect(),
        presets,
        themes: themes::read(Path::new(themes::THEMES)),
        faults,
        warnings,
        note: config.note(),
    }
}

/// A line of the log for each file that cannot be used.
fn log_faults(config: &Config) {
    let of_environments = config.environments.iter().filter_map(|loaded| loaded.preview().err());
    let of_etls = config.etls.iter().filter_map(|loaded| loaded.preview().err());
    for fault in of_environments.chain(of_etls) {
        tracing::warn!(target: "velox::config", "{fault}");
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

fn etl(loaded: &Loaded<Etl>, scrubber: &Scrubber, engine: &Engine) -> EtlRow {
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
            row.text = scrubber.scrub(&row.text).into_owned();
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
        None => row.text = outline(&bounded_text(Path::new(&loaded.file))),
    }
    row
}

/// The text of a file of usual size; nothing where it is larger or cannot be read.
fn bounded_text(path: &Path) -> String {
    let small = std::fs::metadata(path).is_ok_and(|data| data.len() <= FILE_BYTES_MAX);
    small.then(|| std::fs::read_to_string(path).ok()).flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    use crate::config::Sources;
    use crate::core::lock::WholeMutex;

    /// What was logged, as text.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.hold().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_file_that_cannot_be_used_is_a_line_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("etl/one.yaml", "nonsense: 1\n"), ("environments/two.yaml", "kafka: [\n")] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let config = Config::load(&Sources::folder(folder.path()));
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, || facts(&config, &Engine::builder(folder.path()).build(), None));
        let said = String::from_utf8(lines.0.hold().clone()).unwrap();
        assert!(said.lines().any(|line| line.contains("WARN") && line.contains("one.yaml:1")), "{said}");
        assert!(said.lines().any(|line| line.contains("WARN") && line.contains("two.yaml:")), "{said}");
    }

    #[test]
    fn no_password_of_an_etl_is_shown_whether_or_not_its_file_can_be_read() {
        let login = "auth_override: {sasl: {mechanism: PLAIN, username: me, password: hunter2flow}}\n";
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("etl")).unwrap();
        for (name, text) in [
            ("broken", format!("name: broken\n{login}passphrase: |\n  hunter2block: hunter2\nnonsense: 1\ntopics: [")),
            (
                "whole",
                format!(
                    "name: whole\ntopics: {{qa: t}}\npayload_template: none.j2\n{login}variables: {{api_key: hunter2key}}\n"
                ),
            ),
        ] {
            std::fs::write(folder.path().join(format!("etl/{name}.yaml")), text).unwrap();
        }
        let config = Config::load(&Sources::folder(folder.path()));
        let facts = facts(&config, &Engine::builder(folder.path()).build(), None);
        let [broken, whole] = &facts.etls[..] else { panic!("{:?}", facts.etls) };
        assert!(broken.etl.is_none() && broken.text.contains("auth_override: ***"), "{broken:?}");
        assert!(whole.etl.is_some() && whole.text.contains("api_key: ***"), "{}{:?}", whole.text, whole.faults);
        assert!(!broken.text.contains("hunter2") && !whole.text.contains("hunter2"), "{}\n{}", broken.text, whole.text);
    }
}
