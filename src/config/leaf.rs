//! Renders the texts of a tree: Jinja with the variables, `${env:NAME}` and `${file:/path}`. A value that comes in is never rendered again.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use crate::core::fault::{Blame, Fault, Place};
use crate::core::secret::{MASK, Secret};

use super::loaded::Origin;
use super::node::{Kind, Leaf, Node, Rendered};
use super::sources::read_text;
use super::variables::{SetBy, Variables};

/// Steps one text may take; a value needs a few dozen.
const FUEL: u64 = 50_000;

/// Renders texts with one set of variables.
pub struct Renderer<'a> {
    engine: Environment<'static>,
    variables: &'a Variables,
}

/// What a render left to say.
#[derive(Default)]
pub struct Remarks {
    pub faults: Vec<Fault>,
    /// What `${file:…}` brought in: secrets, whatever field they went to.
    pub secrets: Vec<Secret>,
}

impl<'a> Renderer<'a> {
    pub fn new(variables: &'a Variables) -> Self {
        Self { engine: engine(), variables }
    }

    /// The variables it renders with.
    pub fn variables(&self) -> &Variables {
        self.variables
    }

    /// Renders every text of a tree in place, but for those under `deferred`: top keys whose templates are rendered for each event.
    pub fn render(&self, root: &mut Node, deferred: &[&str], remarks: &mut Remarks) {
        if let Kind::Map(entries) = &mut root.kind {
            for entry in entries.iter_mut().filter(|entry| !deferred.contains(&entry.key.as_str())) {
                self.descend(&mut entry.value, remarks);
            }
        }
    }

    fn descend(&self, node: &mut Node, remarks: &mut Remarks) {
        match &mut node.kind {
            Kind::Leaf(leaf) if is_template(&leaf.text) => self.leaf(leaf, &node.place, remarks),
            Kind::Leaf(_) => {}
            Kind::List(items) => items.iter_mut().for_each(|item| self.descend(item, remarks)),
            Kind::Map(entries) => entries.iter_mut().for_each(|entry| self.descend(&mut entry.value, remarks)),
        }
    }

    fn leaf(&self, leaf: &mut Leaf, place: &Place, remarks: &mut Remarks) {
        let referred = without_references(&leaf.text);
        let mut scope = BTreeMap::new();
        let mut origins = Vec::new();
        let mut missing = Vec::new();
        for (alias, reference) in &referred.references {
            match self.resolve(reference) {
                Some((value, origin)) => {
                    if let Reference::File(_) = reference {
                        remarks.secrets.push(value.clone());
                    }
                    origins.push((referred.text.find(alias.as_str()), reference.name(), origin));
                    scope.insert(alias.clone(), value.expose().to_owned());
                }
                None => {
                    missing.push((reference.name(), reference.hint()));
                    scope.insert(alias.clone(), String::new());
                }
            }
        }
        let template = match self.engine.template_from_str(&referred.text) {
            Ok(template) => template,
            Err(error) => return remarks.faults.push(said(&error, &scope).at(place.clone())),
        };
        let named = template.undeclared_variables(false);
        let mut unset: Vec<&String> = Vec::new();
        for name in named.iter().filter(|name| !scope.contains_key(*name)).collect::<Vec<_>>() {
            match (self.variables.get(name), self.variables.set_by(name)) {
                (Some(value), Some(set_by)) => {
                    let origin = match set_by {
                        SetBy::DotEnv(place) => Origin::DotEnv { variable: name.clone(), place: place.clone() },
                        SetBy::Process => Origin::Process(name.clone()),
                    };
                    origins.push((referred.text.find(name.as_str()), name.clone(), origin));
                    scope.insert(name.clone(), value.expose().to_owned());
                }
                _ if self.engine.globals().any(|(global, _)| global == name) => {}
                _ => unset.push(name),
            }
        }
        unset.sort_by_key(|name| referred.text.find(name.as_str()));
        loop {
            match template.render(&scope) {
                Ok(text) => {
                    leaf.text = text;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::UndefinedError && !unset.is_empty() => {
                    let around = error.range().and_then(|range| referred.text.get(range)).unwrap_or_default();
                    let position = unset.iter().position(|name| around.contains(name.as_str())).unwrap_or(0);
                    let name = unset.remove(position);
                    missing.push((name.clone(), hint(name)));
                    scope.insert(name.clone(), String::new());
                }
                Err(error) => {
                    if missing.is_empty() {
                        remarks.faults.push(said(&error, &scope).at(place.clone()));
                    }
                    break;
                }
            }
        }
        origins.sort_by_key(|(position, _, _)| *position);
        leaf.rendered = Some(if missing.is_empty() {
            let variables = origins.iter().map(|(_, name, _)| name.clone()).collect();
            let origin =
                origins.into_iter().next().map_or_else(|| Origin::File(place.clone()), |(_, _, origin)| origin);
            Rendered::From { variables, origin }
        } else {
            Rendered::Missing(missing)
        });
    }

    fn resolve(&self, reference: &Reference) -> Option<(Secret, Origin)> {
        match reference {
            Reference::Variable(name) => {
                let origin = match self.variables.set_by(name)? {
                    SetBy::DotEnv(place) => Origin::DotEnv { variable: name.clone(), place: place.clone() },
                    SetBy::Process => Origin::Process(name.clone()),
                };
                Some((self.variables.get(name)?.clone(), origin))
            }
            Reference::File(path) => {
                let text = read_text(Path::new(path)).ok()?;
                let text =
                    text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
                Some((Secret::new(text), Origin::SecretFile(path.clone())))
            }
        }
    }
}

/// The engine of configuration: the language of payloads, strict, no files, no automatic escapes.
pub fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    engine.set_syntax(syntax.unwrap_or_default());
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    crate::template::teach(&mut engine);
    engine.set_fuel(Some(FUEL));
    engine.set_debug(true);
    engine
}

/// Whether a text is to be rendered.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#", "${env:", "${file:"].iter().any(|mark| text.contains(mark))
}

/// An error of the template as a fault; values of variables are taken out of its words.
pub fn said(error: &minijinja::Error, scope: &BTreeMap<String, String>) -> Fault {
    let mut what =
        error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    let mut values: Vec<&String> = scope.values().filter(|value| !value.is_empty()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        what = what.replace(value.as_str(), MASK);
    }
    Fault::new(Blame::Configuration, format!("this text cannot be rendered: {what}"))
}

/// What can be done about a variable that nobody set.
pub fn hint(variable: &str) -> String {
    format!("set it in .env or the process environment, or give a default: {{{{ {variable} | default('…') }}}}")
}

/// `${env:NAME}` or `${file:/path}`.
enum Reference {
    Variable(String),
    File(String),
}

impl Reference {
    fn name(&self) -> String {
        match self {
            Self::Variable(name) => name.clone(),
            Self::File(path) => format!("file:{path}"),
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Variable(_) => "set it in .env or the process environment".into(),
            Self::File(_) => "create the file, or make it readable for you".into(),
        }
    }
}

/// A text whose references have become Jinja variables of a name that nobody uses.
struct Referred {
    text: String,
    references: Vec<(String, Reference)>,
}

/// Turns `${…}` outside of Jinja's own tags into variables; `$${` is a plain `${`.
fn without_references(text: &str) -> Referred {
    let mut referred = Referred { text: String::with_capacity(text.len()), references: Vec::new() };
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let tag = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")].into_iter().find(|(open, _)| rest.starts_with(open));
        let taken = if let Some((_, close)) = tag {
            rest.find(close).map_or(rest.len(), |at| at + close.len())
        } else if rest.starts_with("$${") {
            referred.text.push_str("${");
            rest = &rest[3..];
            continue;
        } else if let Some((reference, length)) = reference(rest) {
            let alias = format!("velox_reference_{}", referred.references.len());
            referred.text.push_str(&format!("{{{{ {alias} }}}}"));
            referred.references.push((alias, reference));
            rest = &rest[length..];
            continue;
        } else {
            letter.len_utf8()
        };
        referred.text.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    referred
}

fn reference(text: &str) -> Option<(Reference, usize)> {
    let end = text.find('}')?;
    let inside = text.strip_prefix("${")?.get(..end.checked_sub(2)?)?;
    let reference = match inside.split_once(':')? {
        ("env", name) if !name.is_empty() => Reference::Variable(name.to_owned()),
        ("file", path) if !path.is_empty() => Reference::File(path.to_owned()),
        _ => return None,
    };
    Some((reference, end + 1))
}
