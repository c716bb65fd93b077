//! Loads everything: each file on its own, so that a broken one is listed as broken and hides no other.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::core::brokers::{Whose, whose};
use crate::core::environment::Environment;
use crate::core::etl::Etl;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::runner::RunnerConfig;
use crate::core::secret::Secret;

use super::blocks;
use super::check::{self, Check};
use super::console::ConsoleConfig;
use super::dotenv;
use super::extends;
use super::leaf::{Remarks, Renderer};
use super::loaded::{Effective, Loaded, Missing, Origin, Origins};
use super::node::{Kind, Node, Rendered};
use super::scrub::Scrubber;
use super::sources::{SourceFile, Sources};
use super::typed::{self, advice};
use super::variables::Variables;

/// The environment a fresh machine starts in.
pub const FIRST_ENVIRONMENT: &str = "sandbox";
/// The variable that names another.
pub const ACTIVE_ENVIRONMENT: &str = "ACTIVE_ENVIRONMENT";

/// Environments that everybody has, in the order in which a change travels; others follow by name.
const TRAVEL_ORDER: [&str; 7] = ["sandbox", "dev", "qa", "staging", "uat", "preprod", "prod"];

/// The whole configuration, whatever became of its parts.
#[derive(Debug, Clone)]
pub struct Config {
    /// `environments/*.yaml`, in the order in which a change travels.
    pub environments: Vec<Loaded<Environment>>,
    /// `etl/*.yaml` by name.
    pub etls: Vec<Loaded<Etl>>,
    /// `runner.yaml`; the defaults where there is none.
    pub runner: Loaded<RunnerConfig>,
    /// `console.yaml`; the defaults where there is none.
    pub console: Loaded<ConsoleConfig>,
    /// What is odd but stops nothing.
    pub warnings: Vec<Fault>,
    /// Whether these are the files compiled into the program.
    pub is_shipped: bool,
    /// `.env` and the process environment.
    pub variables: Variables,
    secrets: Vec<Secret>,
}

impl Config {
    /// Loads what is there. Never fails as a whole: what is broken is listed as broken.
    pub fn load(sources: &Sources) -> Self {
        let mut warnings = check::folder(sources);
        let variables = Variables::merged(read_dotenv(sources, &mut warnings), &sources.process_environment);
        let loader = Loader { sources, renderer: Renderer::new(&variables) };
        let mut secrets = Vec::new();
        let mut environments = loader.folder::<Environment>("environments", &mut secrets);
        let mut etls = loader.folder::<Etl>("etl", &mut secrets);
        let runner = loader.single::<RunnerConfig>("runner.yaml", &mut secrets);
        let console = loader.single::<ConsoleConfig>("console.yaml", &mut secrets);
        environments.sort_by_key(|environment| (travel_rank(&environment.name), environment.name.clone()));
        etls.sort_by(|one, other| one.name.cmp(&other.name));
        refuse_twins(&mut environments, "environment");
        refuse_twins(&mut etls, "name");
        let is_shipped = sources.uses_shipped();
        let mut config = Self { environments, etls, runner, console, warnings, is_shipped, variables, secrets };
        config.warnings.extend(check::across(&config));
        config.mask();
        config
    }

    /// What is good to know and nothing wrong: that these are the files compiled into the program.
    pub fn note(&self) -> Option<String> {
        let said = "config/ defines nothing: the program's own is used; `velox-tui init` writes it";
        self.is_shipped.then(|| said.to_owned())
    }

    /// An environment by name.
    ///
    /// # Errors
    /// There is none of this name; the advice has the nearest.
    pub fn environment(&self, name: &str) -> Result<&Loaded<Environment>, Fault> {
        find(&self.environments, "environment", name)
    }

    /// Whose the brokers of a list are; `own` is the environment that names them.
    pub fn whose_brokers(&self, list: &str, own: Option<&str>) -> Whose {
        let known = self.environments.iter().filter_map(|loaded| {
            Some((loaded.name.as_str(), loaded.value.as_ref().ok()?.kafka.bootstrap_servers.as_str()))
        });
        whose(list, own, known)
    }

    /// An ETL by name.
    ///
    /// # Errors
    /// There is none of this name; the advice has the nearest.
    pub fn etl(&self, name: &str) -> Result<&Loaded<Etl>, Fault> {
        find(&self.etls, "ETL", name)
    }

    /// The environment the console starts in: `ACTIVE_ENVIRONMENT` if there is one of that name, else `sandbox`, else the first.
    pub fn start_environment(&self) -> Option<&Loaded<Environment>> {
        let asked = self.variables.get(ACTIVE_ENVIRONMENT).map(|name| name.expose().trim().to_owned());
        let found = asked.and_then(|name| self.environments.iter().find(|environment| environment.name == name));
        found
            .or_else(|| self.environments.iter().find(|environment| environment.name == FIRST_ENVIRONMENT))
            .or_else(|| self.environments.first())
    }

    /// Every secret that the configuration holds, for who must recognise them.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// What takes these secrets out of lines that others wrote.
    pub fn scrubber(&self) -> Scrubber {
        Scrubber::new(self.secrets.iter().cloned())
    }

    /// A secret may also stand in a field that is none, such as a user name: it is masked there too.
    fn mask(&mut self) {
        let scrubber = self.scrubber();
        let origins = self.environments.iter_mut().map(|loaded| &mut loaded.origins);
        let origins = origins.chain(self.etls.iter_mut().map(|loaded| &mut loaded.origins));
        for origins in origins.chain([&mut self.runner.origins, &mut self.console.origins]) {
            for effective in &mut origins.0 {
                effective.shown = scrubber.scrub(&effective.shown).into_owned();
            }
        }
    }
}

fn find<'a, T>(all: &'a [Loaded<T>], kind: &str, name: &str) -> Result<&'a Loaded<T>, Fault> {
    all.iter().find(|loaded| loaded.name == name).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|loaded| loaded.name.as_str()).collect();
        Fault::new(Blame::Operator, format!("there is no {kind} `{name}`")).next(advice(name, &names))
    })
}

fn travel_rank(name: &str) -> usize {
    TRAVEL_ORDER.iter().position(|known| *known == name).unwrap_or(TRAVEL_ORDER.len())
}

/// Two of one name are both refused: neither can be meant without doubt.
fn refuse_twins<T>(all: &mut [Loaded<T>], field: &str) {
    let places: Vec<_> = all.iter().map(|loaded| (loaded.name.clone(), loaded.place_of(field))).collect();
    for (index, loaded) in all.iter_mut().enumerate() {
        let twin = places.iter().enumerate().find(|(other, (name, _))| *other != index && *name == loaded.name);
        let Some((_, (name, place))) = twin else { continue };
        let fault = Fault::new(Blame::Configuration, format!("`{name}` is the name of two files"))
            .at(places[index].1.clone())
            .next(format!("rename one; the other is at {place}"));
        match &mut loaded.value {
            Ok(_) => loaded.value = Err(vec![fault]),
            Err(faults) => faults.push(fault),
        }
    }
}

fn read_dotenv(sources: &Sources, warnings: &mut Vec<Fault>) -> Vec<(String, String, Place)> {
    let Some(path) = &sources.env_file else { return Vec::new() };
    let file = SourceFile::read(path.clone());
    warnings.extend(check::mode(path));
    match &file.text {
        Ok(text) => {
            let (entries, faults) = dotenv::parse(&file.shown(), text);
            warnings.extend(faults);
            entries
        }
        Err(fault) => {
            warnings.push(fault.clone());
            Vec::new()
        }
    }
}

/// What the loader must know of a type of file.
pub trait Part: DeserializeOwned + Serialize + Check {
    /// The field with its name; none for files that are alone.
    const NAME: Option<&'static str>;
    /// Top keys whose templates are rendered for each event.
    const DEFERRED: &'static [&'static str] = &[];
}

impl Part for Environment {
    const NAME: Option<&'static str> = Some("environment");
}

impl Part for Etl {
    const NAME: Option<&'static str> = Some("name");
    const DEFERRED: &'static [&'static str] = &["key_template", "headers"];
}

impl Part for RunnerConfig {
    const NAME: Option<&'static str> = None;
}

impl Part for ConsoleConfig {
    const NAME: Option<&'static str> = None;
}

struct Loader<'a> {
    sources: &'a Sources,
    renderer: Renderer<'a>,
}

impl Loader<'_> {
    fn folder<T: Part>(&self, folder: &str, secrets: &mut Vec<Secret>) -> Vec<Loaded<T>> {
        self.sources.folder_files(folder).iter().map(|file| self.load(file, secrets)).collect()
    }

    fn single<T: Part + Default>(&self, name: &str, secrets: &mut Vec<Secret>) -> Loaded<T> {
        match self.sources.file(name) {
            Some(file) => self.load(&file, secrets),
            None => {
                let value = T::default();
                let origins = Origins(defaults(&value, &[]));
                let name = name.trim_end_matches(".yaml").to_owned();
                Loaded { file: "default".into(), name, value: Ok(Arc::new(value)), missing: Vec::new(), origins }
            }
        }
    }

    fn load<T: Part>(&self, file: &SourceFile, secrets: &mut Vec<Secret>) -> Loaded<T> {
        let mut faults = Vec::new();
        let mut seen = Vec::new();
        let tree = self.tree(file, &mut seen).and_then(|(node, of_file)| {
            faults.extend(of_file);
            extends::resolve(&file.path, node, &mut |path| {
                let (node, of_base) = self.tree(&self.sources.by_path(path), &mut seen)?;
                if of_base.is_empty() { Ok(node) } else { Err(of_base) }
            })
        });
        let mut loaded = Loaded {
            name: file.stem(),
            file: file.shown(),
            value: Err(Vec::new()),
            missing: Vec::new(),
            origins: Origins::default(),
        };
        match tree {
            Err(more) => faults.extend(more),
            Ok(mut tree) => {
                let mut remarks = Remarks::default();
                self.renderer.render(&mut tree, T::DEFERRED, &mut remarks);
                faults.extend(remarks.faults);
                secrets.extend(remarks.secrets);
                if let Some(name) = T::NAME.and_then(|field| name_in(&tree, field)) {
                    loaded.name = name;
                }
                let reading = typed::read::<T>(&tree);
                secrets.extend(reading.secrets);
                loaded.missing = reading.missing;
                loaded.origins = Origins(reading.effective);
                match reading.value {
                    Err(more) => faults.extend(more),
                    Ok(value) => {
                        faults.extend(wrong(&value, &loaded));
                        let written = std::mem::take(&mut loaded.origins.0);
                        let defaults = defaults(&value, &written);
                        loaded.origins.0 = written.into_iter().chain(defaults).collect();
                        loaded.value = Ok(Arc::new(value));
                    }
                }
            }
        }
        if !faults.is_empty() {
            let scrubber = Scrubber::new(seen);
            for fault in &mut faults {
                fault.what = scrubber.scrub(&fault.what).into_owned();
                fault.next = scrubber.scrub(&fault.next).into_owned();
            }
            loaded.value = Err(faults);
        }
        loaded
    }

    fn tree(&self, file: &SourceFile, seen: &mut Vec<Secret>) -> Result<(Node, Vec<Fault>), Vec<Fault>> {
        let text = file.text.as_ref().map_err(|fault| vec![fault.clone()])?;
        let parsed = blocks::parse(&file.shown(), text, self.renderer.variables()).map_err(|fault| vec![fault])?;
        seen.extend(parsed.seen);
        let node = match parsed.node.kind {
            Kind::Leaf(leaf) if leaf.is_null() => Node { place: parsed.node.place, kind: Kind::Map(Vec::new()) },
            kind => Node { place: parsed.node.place, kind },
        };
        Ok((node, parsed.faults))
    }
}

/// The name that a tree gives itself, if it can be read.
fn name_in(tree: &Node, field: &str) -> Option<String> {
    match &tree.get(field)?.value.kind {
        Kind::Leaf(leaf) if !leaf.text.trim().is_empty() && !matches!(leaf.rendered, Some(Rendered::Missing(_))) => {
            Some(leaf.text.clone())
        }
        _ => None,
    }
}

/// What is wrong with a value though it has the right types; fields that stand in for a missing variable are not judged.
fn wrong<T: Check>(value: &T, loaded: &Loaded<T>) -> Vec<Fault> {
    let stands_in = |path: &str| loaded.missing.iter().any(|missing: &Missing| missing.field == path);
    value
        .check()
        .into_iter()
        .filter(|wrong| !stands_in(&wrong.path))
        .map(|wrong| {
            Fault::new(Blame::Configuration, format!("`{}` {}", wrong.path, wrong.what))
                .at(loaded.place_of(&wrong.path))
                .next(wrong.next)
        })
        .collect()
}

/// The values that the file does not write.
fn defaults<T: Serialize>(value: &T, written: &[Effective]) -> Vec<Effective> {
    fn walk(path: &str, value: &serde_json::Value, written: &[Effective], into: &mut Vec<Effective>) {
        use serde_json::Value;
        match value {
            Value::Null => {}
            Value::Object(map) => {
                for (key, value) in map {
                    let key = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    walk(&key, value, written, into);
                }
            }
            Value::Array(_) => {}
            value => {
                let beside =
                    path.replacen("producer.options.", "producer.", 1).replacen("consumer.options.", "consumer.", 1);
                if !written.iter().any(|effective| effective.path == path || effective.path == beside) {
                    let shown = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                    into.push(Effective { path: path.to_owned(), shown, origin: Origin::Default, place: None });
                }
            }
        }
    }
    let mut found = Vec::new();
    if let Ok(json) = serde_json::to_value(value) {
        walk("", &json, written, &mut found);
    }
    found
}

impl Sources {
    /// A base file, from the disk or from the files compiled in.
    fn by_path(&self, path: &Path) -> SourceFile {
        let inside = path.strip_prefix(&self.config_dir).ok().filter(|_| self.uses_shipped());
        inside.and_then(|name| self.file(&name.to_string_lossy())).unwrap_or_else(|| SourceFile::read(path.to_owned()))
    }
}

#[cfg(test)]
mod tests;
