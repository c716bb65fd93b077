//! A compiled template that owns what it needs: cloned and rendered from any thread. Never reads its file again.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::{Environment, Error, ErrorKind, Value};
use self_cell::self_cell;

use super::check::check_json;
use super::direct::language::Language;
use super::direct::{Direct, Written};
use super::fault::{TemplateFault, TemplateFaultKind, excerpt, line_and_column};
use super::known;
use super::loader::Folder;
use crate::core::fault::Place;
use crate::core::words::{did_you_mean, nearest};

/// A template in both its forms.
struct Borrowed<'a> {
    interpreted: minijinja::Template<'a, 'a>,
    direct: Option<Direct<'a>>,
}

pub(super) struct Owner {
    pub environment: Arc<Environment<'static>>,
    pub name: String,
    /// What is compiled.
    pub source: String,
    /// Where includes are read from.
    pub folder: Folder,
    /// Filters and functions that are not this house's own. `None` where random values follow from a seed: the
    /// interpreter alone keeps them in their order.
    pub replaced: Option<Arc<BTreeSet<String>>>,
}

impl Owner {
    fn claims_json(&self) -> bool {
        self.name.ends_with(".json.j2")
    }

    fn compile(&self) -> Result<Borrowed<'_>, Error> {
        let interpreted = self.environment.template_from_named_str(&self.name, &self.source)?;
        let direct = self.replaced.as_deref().and_then(|replaced| {
            let language = Language { environment: &self.environment, replaced, folder: &self.folder };
            Direct::of(&self.source, &language, self.claims_json())
        });
        Ok(Borrowed { interpreted, direct })
    }
}

self_cell!(
    struct Cell {
        owner: Owner,
        #[covariant]
        dependent: Borrowed,
    }
);

/// Ready to render. Clones share the compiled form.
#[derive(Clone)]
pub struct Template {
    inner: Arc<Inner>,
}

struct Inner {
    cell: Cell,
    /// What the person wrote.
    original: String,
    place: Place,
    constant: Option<String>,
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Template").field("place", &self.inner.place).finish_non_exhaustive()
    }
}

impl Template {
    pub(super) fn compile(owner: Owner, original: String, place: Place) -> Result<Self, TemplateFault> {
        let has_code = ["{{", "{%", "{#"].iter().any(|opening| original.contains(opening));
        let cell = Cell::try_new_or_recover(owner, Owner::compile).map_err(|(owner, error)| {
            let site = Site { original: &original, place: &place, folder: &owner.folder, name: "" };
            site.fault(&error, None, &[])
        })?;
        let mut inner = Inner { cell, original, place, constant: None };
        if !has_code {
            let rendered = inner.cell.borrow_dependent().interpreted.render(Value::UNDEFINED);
            inner.constant = Some(rendered.map_err(|error| inner.fault(&error, &Value::UNDEFINED))?);
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Renders with the variables of `context`.
    ///
    /// # Errors
    /// An undefined variable, an operation or filter that refuses its values, or the end of the fuel.
    pub fn render(&self, context: &Value) -> Result<String, TemplateFault> {
        if let Some(constant) = &self.inner.constant {
            return Ok(constant.clone());
        }
        let mut out = String::new();
        match self.directly(context, &mut out) {
            Written::Nothing => self.interpret(context),
            Written::Text | Written::Json => Ok(out),
        }
    }

    /// Renders by the interpreter, which knows the whole language.
    pub(super) fn interpret(&self, context: &Value) -> Result<String, TemplateFault> {
        let template = &self.inner.cell.borrow_dependent().interpreted;
        template.render(context.clone()).map_err(|error| self.inner.fault(&error, context))
    }

    /// Renders after what `out` holds already, so that one buffer serves many events.
    ///
    /// # Errors
    /// As [`Template::render`]; `out` is then as it was.
    pub fn render_into(&self, context: &Value, out: &mut String) -> Result<(), TemplateFault> {
        if let Some(constant) = &self.inner.constant {
            out.push_str(constant);
            return Ok(());
        }
        if self.directly(context, out) == Written::Nothing {
            out.push_str(&self.interpret(context)?);
        }
        Ok(())
    }

    /// As [`Template::render_into`], and where the template [claims JSON](Template::claims_json) what it rendered is
    /// checked.
    ///
    /// # Errors
    /// As [`Template::render_into`] and [`check_json`]; after a fault of the check `out` holds what was rendered.
    pub fn render_checked_into(&self, context: &Value, out: &mut String) -> Result<(), TemplateFault> {
        if !self.claims_json() {
            return self.render_into(context, out);
        }
        let before = out.len();
        match self.directly(context, out) {
            Written::Json => return Ok(()),
            Written::Text => {}
            Written::Nothing => out.push_str(&self.interpret(context)?),
        }
        check_json(&out.as_bytes()[before..], self.name())
    }

    /// Renders past the interpreter, where that can be done.
    pub(super) fn directly(&self, context: &Value, out: &mut String) -> Written {
        let direct = self.inner.cell.borrow_dependent().direct.as_ref();
        direct.map_or(Written::Nothing, |direct| direct.render(context, out))
    }

    /// Whether its name ends in `.json.j2`: what it renders is then held to be JSON, see [`super::check_json`].
    pub fn claims_json(&self) -> bool {
        self.inner.cell.borrow_owner().claims_json()
    }

    /// Variables it looks up in the context, without the engine's own functions. What an `include` uses is not seen.
    pub fn variables(&self) -> BTreeSet<String> {
        let owner = self.inner.cell.borrow_owner();
        let globals: BTreeSet<&str> = owner.environment.globals().map(|(name, _)| name).collect();
        let used = self.inner.cell.borrow_dependent().interpreted.undeclared_variables(false);
        used.into_iter().filter(|name| !globals.contains(name.as_str())).collect()
    }

    /// Name it was asked for by; the place's file for a template from text.
    pub fn name(&self) -> &str {
        &self.inner.cell.borrow_owner().name
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.inner.place
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.inner.original
    }
}

impl Inner {
    #[cold]
    fn fault(&self, error: &Error, context: &Value) -> TemplateFault {
        let owner = self.cell.borrow_owner();
        let mut known: Vec<String> =
            context.try_iter().into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)).collect();
        known.extend(owner.environment.globals().map(|(name, _)| name.to_owned()));
        let site = Site { original: &self.original, place: &self.place, folder: &owner.folder, name: &owner.name };
        site.fault(error, Some(&owner.source), &known)
    }
}

/// What is needed to say where an error stands.
struct Site<'a> {
    original: &'a str,
    place: &'a Place,
    folder: &'a Folder,
    name: &'a str,
}

impl Site<'_> {
    fn fault(&self, error: &Error, compiled: Option<&str>, known: &[String]) -> TemplateFault {
        let error = innermost(error);
        let detail = error.detail().unwrap_or_default();
        let (kind, what) = match error.kind() {
            ErrorKind::UndefinedError => match between_backticks(detail) {
                Some(name) => {
                    let what = format!("`{name}` is not defined");
                    (TemplateFaultKind::Undefined { name: name.into() }, what)
                }
                None => (TemplateFaultKind::Undefined { name: String::new() }, "a value is not defined".into()),
            },
            ErrorKind::SyntaxError => (TemplateFaultKind::Syntax, format!("the template is not Jinja: {detail}")),
            ErrorKind::TemplateNotFound => (TemplateFaultKind::NotFound, detail.to_owned()),
            ErrorKind::OutOfFuel => (TemplateFaultKind::Fuel, "the template runs too long".into()),
            kind @ (ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction) => {
                let next = nearest_filter(kind, detail).map(|near| format!("did you mean `{near}`?"));
                let (place, excerpt) = self.place_of(error, compiled, None);
                return TemplateFault::new(TemplateFaultKind::Unknown, absent(kind, detail), place)
                    .excerpt(excerpt)
                    .next(next.unwrap_or_default());
            }
            ErrorKind::UnknownMethod => (TemplateFaultKind::Unknown, format!("there is no such method: {detail}")),
            kind if detail.is_empty() => (TemplateFaultKind::Other, kind.to_string()),
            kind => match between_backticks(detail).filter(|_| detail.contains("is undefined")) {
                Some(name) => {
                    let what = format!("`{name}` is not defined");
                    (TemplateFaultKind::Undefined { name: name.into() }, what)
                }
                None => (TemplateFaultKind::Other, format!("{kind}: {detail}")),
            },
        };
        let next = advice(&kind, known);
        let (place, excerpt) = self.place_of(error, compiled, kind_name(&kind));
        TemplateFault::new(kind, what, place).excerpt(excerpt).next(next)
    }

    /// Where an error stands. Where the engine knows the line alone, the first place of the name in it is meant.
    fn place_of(&self, error: &Error, compiled: Option<&str>, name: Option<&str>) -> (Place, String) {
        let own = self.name.is_empty() || error.name().is_none_or(|name| name == self.name);
        let line = u32::try_from(error.line().unwrap_or_default()).unwrap_or(u32::MAX);
        if own {
            let unchanged = compiled.is_none_or(|compiled| compiled == self.original);
            let column = error.range().filter(|_| unchanged).map(|range| line_and_column(self.original, range.start).1);
            let column = column.or_else(|| column_of(self.original, line, name?)).unwrap_or_default();
            let shown = excerpt(self.original, line, column);
            // A template from text stands inside another file, whose places are its own.
            let place =
                if self.place.line == 0 { Place::at(&self.place.file, line, column) } else { self.place.clone() };
            return (place, shown);
        }
        let file = error.name().unwrap_or_default();
        match self.folder.read(file) {
            Ok(source) => {
                let column = error.range().map(|range| line_and_column(&source.text, range.start).1);
                let column = column.or_else(|| column_of(&source.text, line, name?)).unwrap_or_default();
                (Place::at(source.path.display().to_string(), line, column), excerpt(&source.text, line, column))
            }
            Err(_) => (Place::at(file, line, 0), String::new()),
        }
    }
}

fn kind_name(kind: &TemplateFaultKind) -> Option<&str> {
    match kind {
        TemplateFaultKind::Undefined { name } => name.split(['.', '[']).next(),
        _ => None,
    }
}

/// The column (from 1, in characters) of a name in a line, where it stands inside of a tag.
fn column_of(text: &str, line: u32, name: &str) -> Option<u32> {
    let shown = text.lines().nth((line as usize).checked_sub(1)?)?;
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let stands_alone = |at: &usize| {
        let (before, after) = (&shown[..*at], &shown[at + name.len()..]);
        let inside = ["{{", "{%"].iter().any(|tag| before.contains(tag));
        inside && !name.is_empty() && !before.ends_with(is_letter) && !after.starts_with(is_letter)
    };
    let at = shown.match_indices(name).map(|(at, _)| at).find(stands_alone)?;
    u32::try_from(shown[..at].chars().count() + 1).ok()
}

/// The engine's `filter upcase is unknown` in our words.
fn absent(kind: ErrorKind, detail: &str) -> String {
    let what = match kind {
        ErrorKind::UnknownFilter => "filter",
        ErrorKind::UnknownTest => "test",
        _ => "function",
    };
    format!("there is no {what} `{}`", absent_name(detail))
}

fn absent_name(detail: &str) -> &str {
    let name = detail.strip_suffix(" is unknown").unwrap_or(detail);
    name.rsplit(' ').next().unwrap_or(name)
}

fn nearest_filter(kind: ErrorKind, detail: &str) -> Option<&'static str> {
    if kind != ErrorKind::UnknownFilter {
        return None;
    }
    nearest(absent_name(detail), known::FILTERS.iter().copied())
}

fn advice(kind: &TemplateFaultKind, known: &[String]) -> String {
    match kind {
        TemplateFaultKind::Undefined { name } => {
            let root = name.split(['.', '[']).next().unwrap_or_default();
            if root != name {
                return format!("see what `{root}` holds, or write `{name} | default(…)`");
            }
            match did_you_mean(name, known.iter().map(String::as_str)) {
                Some(meant) => meant,
                None if name.is_empty() => String::new(),
                None => format!("give it in the context, or write `{name} | default(…)`"),
            }
        }
        TemplateFaultKind::Fuel => "shorten its loops".into(),
        _ => String::new(),
    }
}

/// Includes and blocks wrap the error of the template that really failed.
fn innermost(error: &Error) -> &Error {
    let mut found = error;
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(inner) = inner.downcast_ref::<Error>() {
            found = inner;
        }
        cause = inner.source();
    }
    found
}

fn between_backticks(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}
