//! The Jinja engine: one configured environment, a cache of compiled payload templates, and templates from text.
//! Never reads a file outside its template folder.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, RwLock};

use minijinja::functions::Function;
use minijinja::value::{FunctionArgs, FunctionResult};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::arithmetic;
use super::compiled::{Owner, Template};
use super::draw::Draw;
use super::fault::TemplateFault;
use super::language;
use super::loader::Folder;
use crate::core::fault::Place;
use crate::core::lock::WholeRwLock;

/// Instructions one render may run. A payload of 1 KB takes about a hundred; a loop over ten thousand line items
/// a few hundred thousand; a loop that never ends stops within a second.
pub const FUEL_INSTRUCTIONS: u64 = 10_000_000;

/// Compiles and keeps templates. Clones share everything.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    folder: Folder,
    /// See [`Owner::replaced`].
    replaced: Option<Arc<BTreeSet<String>>>,
    state: RwLock<Compiled>,
}

struct Compiled {
    environment: Arc<Environment<'static>>,
    payloads: HashMap<String, Template>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("folder", &self.shared.folder.path()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine for the templates under `folder`, which need not exist until a payload is asked for.
    pub fn builder(folder: impl Into<Folder>) -> EngineBuilder {
        EngineBuilder::new(folder.into())
    }

    /// The template `payloads/NAME`, or `NAME` directly under the folder; compiled once and kept until [`Self::reload`].
    ///
    /// # Errors
    /// Not there, outside the folder, not readable, or not Jinja.
    pub fn payload(&self, name: &str) -> Result<Template, TemplateFault> {
        let state = self.shared.state.look();
        if let Some(template) = state.payloads.get(name) {
            return Ok(template.clone());
        }
        let environment = state.environment.clone();
        drop(state);
        let source = self.shared.folder.read(name)?;
        let place = Place::file(source.path.display().to_string());
        let template = self.compile(environment, name.to_owned(), place, source.text)?;
        let mut state = self.shared.state.change();
        state.payloads.insert(name.to_owned(), template.clone());
        Ok(template)
    }

    /// A template from text that stands at `place`, such as a leaf of a YAML file. Not kept by the engine.
    ///
    /// # Errors
    /// The text is not Jinja.
    pub fn inline(&self, place: Place, source: &str) -> Result<Template, TemplateFault> {
        let environment = self.shared.state.look().environment.clone();
        self.compile(environment, place.file.clone(), place, source.to_owned())
    }

    /// Forgets every compiled file, so that the next use reads it again. Templates already handed out stay as they are.
    pub fn reload(&self) {
        let mut state = self.shared.state.change();
        let mut environment = (*state.environment).clone();
        environment.clear_templates();
        *state = Compiled { environment: Arc::new(environment), payloads: HashMap::new() };
    }

    /// The folder templates are read from.
    pub fn folder(&self) -> &Path {
        self.shared.folder.path()
    }

    fn compile(
        &self,
        environment: Arc<Environment<'static>>,
        name: String,
        place: Place,
        original: String,
    ) -> Result<Template, TemplateFault> {
        let source = arithmetic::rewritten(&original).unwrap_or_else(|| original.clone());
        let (folder, replaced) = (self.shared.folder.clone(), self.shared.replaced.clone());
        Template::compile(Owner { environment, name, source, folder, replaced }, original, place)
    }
}

/// Collects what an engine is made of.
pub struct EngineBuilder {
    folder: Folder,
    environment: Environment<'static>,
    replaced: BTreeSet<String>,
    seeded: bool,
}

impl EngineBuilder {
    fn new(folder: Folder) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_debug(true);
        environment.set_fuel(Some(FUEL_INSTRUCTIONS));
        let loaded_from = folder.clone();
        environment.set_loader(move |name| match loaded_from.read(name) {
            Ok(source) => Ok(Some(arithmetic::rewritten(&source.text).unwrap_or(source.text))),
            Err(fault) => Err(Error::new(ErrorKind::TemplateNotFound, fault.what)),
        });
        language::register(&mut environment, Draw { seed: None });
        Self { folder, environment, replaced: BTreeSet::new(), seeded: false }
    }

    /// Makes every random value (`uuid4`, `random_int`, `random_choice`, `fake`) follow from `seed`, the template, and
    /// the context's `environment` and `event_index`: the same run gives the same events in whatever order they render.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        language::register_random(&mut self.environment, Draw { seed: Some(seed) });
        self.seeded = true;
        self
    }

    /// Instructions one render may run; [`FUEL_INSTRUCTIONS`] where not called.
    #[must_use]
    pub fn fuel(mut self, instructions: u64) -> Self {
        self.environment.set_fuel(Some(instructions));
        self
    }

    /// Registers `value | name(arguments)`.
    #[must_use]
    pub fn filter<F, Rv, Args>(mut self, name: impl Into<Cow<'static, str>>, filter: F) -> Self
    where
        F: Function<Rv, Args>,
        Rv: FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        let name = name.into();
        self.replaced.insert(name.to_string());
        self.environment.add_filter(name, filter);
        self
    }

    /// Registers `name(arguments)`.
    #[must_use]
    pub fn function<F, Rv, Args>(mut self, name: impl Into<Cow<'static, str>>, function: F) -> Self
    where
        F: Function<Rv, Args>,
        Rv: FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        let name = name.into();
        self.replaced.insert(name.to_string());
        self.environment.add_function(name, function);
        self
    }

    /// Registers a variable that every template knows; the context's own variable of that name wins.
    #[must_use]
    pub fn global(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        let name = name.into();
        self.replaced.insert(name.to_string());
        self.environment.add_global(name, value);
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        let state = Compiled { environment: Arc::new(self.environment), payloads: HashMap::new() };
        let replaced = (!self.seeded).then(|| Arc::new(self.replaced));
        Engine { shared: Arc::new(Shared { folder: self.folder, replaced, state: RwLock::new(state) }) }
    }
}
