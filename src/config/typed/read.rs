//! The deserializer over one node. It notes what it passes: origins, missing variables, secrets, unknown keys.

use serde::Deserializer;
use serde::de::Visitor;

use crate::core::fault::Place;
use crate::core::secret::{MASK, Secret};
use crate::core::words::nearest;

use super::super::loaded::{Effective, Missing, Origin};
use super::super::node::{Entry, Kind, Leaf, Node, Rendered};
use super::access::{Field, Fields, Items, Variant};
use super::error::{Error, join};
use super::{OPEN, OPTIONS, Trace, advice, fault};

/// A node to be read; `None` is a stand-in for a field that is missing.
#[derive(Clone)]
pub struct Reader<'a> {
    node: Option<&'a Node>,
    pub path: String,
    place: &'a Place,
    /// Where its key stands; its own place where it has none.
    key: &'a Place,
    trace: &'a Trace,
    secret: bool,
}

/// What stands at a leaf.
enum Given<'a> {
    /// Nothing that means anything: this text stands in.
    StandIn(String),
    Leaf(&'a Leaf),
}

impl<'a> Reader<'a> {
    pub fn root(node: &'a Node, trace: &'a Trace) -> Self {
        Self { node: Some(node), path: String::new(), place: &node.place, key: &node.place, trace, secret: false }
            .stood_in()
    }

    pub fn child(&self, node: &'a Node, path: String, key: &'a Place) -> Self {
        Self { node: Some(node), path, place: &node.place, key, trace: self.trace, secret: false }.stood_in()
    }

    /// What stands in for a field that is missing.
    pub fn stand_in(&self, name: &str) -> Self {
        Self { node: None, path: join(&self.path, name), secret: false, ..self.clone() }
    }

    fn stood_in(mut self) -> Self {
        if self.trace.stand_ins.contains(&self.path) {
            self.node = None;
        }
        self
    }

    fn given(&self) -> Result<Given<'a>, Error> {
        let Some(node) = self.node else { return Ok(Given::StandIn("<not given>".into())) };
        let Kind::Leaf(leaf) = &node.kind else {
            return Err(Error::needs("a single value").located(&self.path, self.place, Some(node.noun().into())));
        };
        self.note(leaf);
        let Some(Rendered::Missing(missing)) = &leaf.rendered else { return Ok(Given::Leaf(leaf)) };
        let mut notes = self.trace.notes.borrow_mut();
        notes.missing.extend(missing.iter().map(|(variable, hint)| Missing {
            variable: variable.clone(),
            field: self.path.clone(),
            place: self.place.clone(),
            hint: hint.clone(),
        }));
        let names: Vec<_> = missing.iter().map(|(variable, _)| variable.as_str()).collect();
        Ok(Given::StandIn(format!("<{} not set>", names.join(", "))))
    }

    fn note(&self, leaf: &Leaf) {
        let mut notes = self.trace.notes.borrow_mut();
        let origin = match &leaf.rendered {
            None => Origin::File(self.place.clone()),
            Some(Rendered::From { origin, .. }) => origin.clone(),
            Some(Rendered::Missing(missing)) => {
                Origin::Missing(missing.first().map(|(variable, _)| variable.clone()).unwrap_or_default())
            }
        };
        let missing = matches!(leaf.rendered, Some(Rendered::Missing(_)));
        let secret = self.secret || sounds_secret(&self.path);
        if secret && !missing {
            notes.secrets.push(Secret::new(leaf.text.as_str()));
        }
        let shown = match (missing, secret) {
            (true, _) => String::new(),
            (_, true) => MASK.to_owned(),
            _ => leaf.text.clone(),
        };
        notes.effective.push(Effective { path: self.path.clone(), shown, origin, place: Some(self.place.clone()) });
    }

    /// What the file has here, as a message may say it: never what a variable brought, never a secret.
    fn showable(&self) -> Option<String> {
        match &self.node?.kind {
            Kind::Leaf(leaf) => match &leaf.rendered {
                _ if self.secret || sounds_secret(&self.path) => None,
                None if leaf.is_null() => Some("nothing".into()),
                None => Some(format!("`{}`", leaf.text)),
                Some(Rendered::From { variables, .. }) if !variables.is_empty() => {
                    Some(format!("what `{}` holds", variables.join("`, `")))
                }
                Some(_) => Some(format!("`{}`", leaf.text)),
            },
            _ => Some(self.node?.noun().into()),
        }
    }

    fn located(&self, error: Error) -> Error {
        let written = match self.node.map(|node| &node.kind) {
            Some(Kind::Leaf(leaf)) if !self.secret && leaf.rendered.is_none() => Some(leaf.text.as_str()),
            _ => None,
        };
        error.named(written).located(&self.path, self.place, self.showable())
    }

    /// A list or mapping is needed: what is there instead may be a password in the wrong line, so it is not quoted.
    fn needs_shape(&self, what: &str) -> Error {
        Error::needs(what).located(&self.path, self.place, self.node.map(|node| node.noun().into()))
    }

    fn needs(&self, what: impl Into<String>) -> Error {
        self.located(Error::needs(what))
    }
}

/// Whether a field of this path is masked whatever its type.
pub fn sounds_secret(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default().to_lowercase();
    let sounds =
        ["password", "passwd", "secret", "token", "passphrase", "jaas", "credential", "api_key", "private_key"];
    sounds.iter().any(|word| name.contains(word)) && !name.ends_with("_endpoint") && !name.ends_with("_url")
}

macro_rules! whole_number {
    ($method:ident, $visit:ident, $type:ty) => {
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = match self.given()? {
                Given::StandIn(_) => 0,
                Given::Leaf(leaf) => leaf
                    .text
                    .trim()
                    .parse::<$type>()
                    .map_err(|_| self.needs(format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX)))?,
            };
            visitor.$visit(number).map_err(|error| self.located(error))
        }
    };
}

impl<'a> Deserializer<'a> for Reader<'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(node) = self.node else { return visitor.visit_unit().map_err(|error| self.located(error)) };
        match &node.kind {
            Kind::List(_) => self.deserialize_seq(visitor),
            Kind::Map(_) => self.deserialize_map(visitor),
            Kind::Leaf(_) => match self.given()? {
                Given::StandIn(text) => visitor.visit_string(text),
                Given::Leaf(leaf) if !leaf.plain => visitor.visit_str(&leaf.text),
                Given::Leaf(leaf) => plain(&leaf.text, visitor),
            }
            .map_err(|error| self.located(error)),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let truth = match self.given()? {
            Given::StandIn(_) => false,
            Given::Leaf(leaf) => match leaf.text.trim().to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => true,
                "false" | "no" | "off" | "0" => false,
                _ => return Err(self.needs("`true` or `false`")),
            },
        };
        visitor.visit_bool(truth)
    }

    whole_number!(deserialize_i8, visit_i8, i8);
    whole_number!(deserialize_i16, visit_i16, i16);
    whole_number!(deserialize_i32, visit_i32, i32);
    whole_number!(deserialize_i64, visit_i64, i64);
    whole_number!(deserialize_u8, visit_u8, u8);
    whole_number!(deserialize_u16, visit_u16, u16);
    whole_number!(deserialize_u32, visit_u32, u32);
    whole_number!(deserialize_u64, visit_u64, u64);

    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = match self.given()? {
            Given::StandIn(_) => 0.0,
            Given::Leaf(leaf) => leaf.text.trim().parse().map_err(|_| self.needs("a number"))?,
        };
        visitor.visit_f64(number)
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.given()? {
            Given::StandIn(text) => visitor.visit_string(text),
            Given::Leaf(leaf) if leaf.is_null() => Err(Error::needs("a text")),
            Given::Leaf(leaf) => visitor.visit_str(&leaf.text),
        }
        .map_err(|error| self.located(error))
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.map(|node| &node.kind) {
            None => visitor.visit_none(),
            Some(Kind::Leaf(leaf)) if leaf.is_absent(sounds_secret(&self.path)) => {
                self.note(leaf);
                visitor.visit_none()
            }
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(mut self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.secret |= name == Secret::NAME;
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = match self.node.map(|node| &node.kind) {
            None => [].iter(),
            Some(Kind::List(items)) => items.iter(),
            Some(Kind::Leaf(leaf)) if leaf.is_absent(false) => [].iter(),
            Some(Kind::Leaf(leaf)) if matches!(leaf.rendered, Some(Rendered::Missing(_))) => {
                self.given()?;
                [].iter()
            }
            Some(_) => return Err(self.needs_shape("a list")),
        };
        visitor.visit_seq(Items { items: items.enumerate(), list: &self }).map_err(|error| self.located(error))
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = self.entries()?.iter().map(Field::Written).collect();
        visitor.visit_map(Fields::new(entries, &self)).map_err(|error| self.located(error))
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let known: Vec<&'static str> =
            fields.iter().copied().filter(|field| *field != OPTIONS || !OPEN.contains(&name)).collect();
        let spelt =
            |key: &str| known.iter().copied().find(|field| key.contains('.') && key.replace('.', "_") == *field);
        let mut entries = Vec::new();
        let mut options = Vec::new();
        for entry in self.entries()? {
            match &entry.value.kind {
                Kind::Leaf(leaf) if leaf.is_null() && fields.contains(&entry.key.as_str()) => {
                    self.child(&entry.value, join(&self.path, &entry.key), &entry.place).note(leaf);
                }
                _ if known.contains(&entry.key.as_str()) => entries.push(Field::Written(entry)),
                Kind::Map(nested) if OPEN.contains(&name) && entry.key == OPTIONS => options.extend(nested),
                Kind::Leaf(leaf) if OPEN.contains(&name) && !leaf.is_null() && spelt(&entry.key).is_some() => {
                    entries.extend(spelt(&entry.key).map(|field| Field::Spelt(entry, field)));
                }
                // Dots make it librdkafka's own name, however near it is to one of ours.
                Kind::Leaf(_)
                    if OPEN.contains(&name)
                        && (entry.key.contains('.') || nearest(&entry.key, known.iter().copied()).is_none()) =>
                {
                    options.push(entry);
                }
                _ => self.trace.notes.borrow_mut().unknown.push(fault(
                    format!("`{}` is not a known key", join(&self.path, &entry.key)),
                    entry.place.clone(),
                    advice(&entry.key, &known),
                )),
            }
        }
        if !options.is_empty() {
            entries.push(Field::Options(options));
        }
        let absent = fields.iter().filter(|field| self.trace.stand_ins.contains(&join(&self.path, field)));
        let absent: Vec<_> = absent
            .filter(|field| {
                !entries.iter().any(|entry| match entry {
                    Field::Written(entry) => entry.key == **field,
                    Field::Spelt(_, name) => name == *field,
                    Field::Absent(_) | Field::Options(_) => false,
                })
            })
            .map(|field| Field::Absent(field))
            .collect();
        entries.extend(absent);
        visitor.visit_map(Fields::new(entries, &self)).map_err(|error| error.located(&self.path, self.key, None))
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name = match self.given()? {
            Given::StandIn(_) => variants.first().copied().unwrap_or_default(),
            Given::Leaf(leaf) => leaf.text.trim(),
        };
        visitor.visit_enum(Variant(name)).map_err(|error| self.located(error))
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { <V: Visitor<'a>> bytes byte_buf unit unit_struct tuple tuple_struct identifier }
}

impl<'a> Reader<'a> {
    fn entries(&self) -> Result<&'a [Entry], Error> {
        match self.node.map(|node| &node.kind) {
            None => Ok(&[]),
            Some(Kind::Map(entries)) => Ok(entries),
            Some(Kind::Leaf(leaf)) if leaf.is_null() => Ok(&[]),
            Some(_) => Err(self.needs_shape("a mapping")),
        }
    }
}

/// A text without quotes, of the type that YAML's core schema gives it.
fn plain<'a, V: Visitor<'a>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    match text.trim() {
        "" | "~" | "null" | "Null" | "NULL" => visitor.visit_unit(),
        "true" | "True" | "TRUE" => visitor.visit_bool(true),
        "false" | "False" | "FALSE" => visitor.visit_bool(false),
        trimmed => {
            let first = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
            let numeric = first.starts_with(|digit: char| digit.is_ascii_digit() || digit == '.');
            match (numeric, trimmed.parse::<u64>(), trimmed.parse::<i64>(), trimmed.parse::<f64>()) {
                (true, Ok(number), _, _) => visitor.visit_u64(number),
                (true, _, Ok(number), _) => visitor.visit_i64(number),
                (true, _, _, Ok(number)) if number.is_finite() => visitor.visit_f64(number),
                _ => visitor.visit_str(text),
            }
        }
    }
}
