//! Expressions as a tree, and what they give for a context. Where a value is not of the kind that payloads are made of,
//! nothing is given, and the interpreter decides: it knows the whole language and names the fault.

use std::fmt::Write;

use minijinja::Error;
use minijinja::value::{Object, Value, ValueKind};

use super::super::json::{self, Style};
use super::super::moment::Moment;
use super::super::python;
use super::clock::Clock;

/// An expression of the template language.
pub(super) enum Expression<'a> {
    Constant(Value),
    Name(Name),
    /// A name that the engine knows too: the context's own, if it has one.
    Shadow(Name),
    /// `of.name`, `of['name']`.
    Attribute(Box<Self>, Value),
    /// `of[from:to]` of a text, in characters.
    Slice(Box<Self>, Option<i64>, Option<i64>),
    /// `a ~ b ~ c`.
    Joined(Vec<Self>),
    /// On whole numbers.
    Arithmetic(Operator, Box<Self>, Box<Self>),
    Not(Box<Self>),
    /// `then if condition else otherwise`.
    Choice {
        condition: Box<Self>,
        then: Box<Self>,
        otherwise: Option<Box<Self>>,
    },
    /// `value | default(other)`.
    Default(Box<Self>, Box<Self>),
    ToJson(Box<Self>),
    IsoDate(Box<Self>),
    /// `'%05d' | format(…)`.
    Format(Vec<Slot>, Vec<Self>),
    /// A filter without arguments.
    Apply(Filter, Box<Self>),
    /// `now()`, `utcnow()`, unless the context has that name.
    Now(Name, Clock),
    /// `uuid4()`, unless the context has that name.
    Uuid(Name),
    /// Of the innermost loop.
    Loop(LoopPart),
    /// Not read here: the interpreter's, this expression alone.
    Foreign(minijinja::Expression<'a, 'static>),
}

pub(super) type Filter = fn(&Value) -> Result<Value, Error>;

/// A name as text and as the key it is looked up by.
pub(super) struct Name {
    pub text: String,
    key: Value,
}

impl Name {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), key: text.into() }
    }
}

#[derive(Clone, Copy)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Remainder,
}

#[derive(Clone, Copy)]
pub(super) enum LoopPart {
    Index,
    Index0,
    First,
    Last,
    Length,
}

/// A part of what `format` fills in.
pub(super) enum Slot {
    Text(String),
    /// `%d`, `%05d`.
    Integer {
        width: usize,
    },
    /// `%s`.
    Anything,
}

/// What expressions see: the context, and above it what the template set itself.
pub(super) struct Frame<'r> {
    pub context: &'r Value,
    pub locals: Vec<(&'r str, Value)>,
    /// Index and length of the loops around, the innermost last.
    pub loops: Vec<(usize, usize)>,
}

impl Frame<'_> {
    /// Undefined where nobody knows the name.
    fn get(&self, name: &Name) -> Option<Value> {
        if !self.locals.is_empty()
            && let Some((_, value)) = self.locals.iter().rev().find(|(local, _)| *local == name.text)
        {
            return Some(value.clone());
        }
        self.context.get_item(&name.key).ok()
    }

    /// Everything in sight as one context.
    fn whole(&self) -> Value {
        if self.locals.is_empty() {
            return self.context.clone();
        }
        let locals = self.locals.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Value::from_object(Sight { locals, context: self.context.clone() })
    }
}

#[derive(Debug)]
struct Sight {
    locals: Vec<(String, Value)>,
    context: Value,
}

impl Object for Sight {
    fn get_value(self: &std::sync::Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let local = self.locals.iter().rev().find(|(local, _)| local == name).map(|(_, value)| value.clone());
        local.or_else(|| self.context.get_item(key).ok().filter(|value| !value.is_undefined()))
    }
}

impl Expression<'_> {
    /// Appends what `{{ … }}` prints; `None` where the interpreter has to decide.
    pub fn write(&self, frame: &Frame<'_>, out: &mut String) -> Option<()> {
        match self {
            Self::ToJson(of) => {
                let value = of.defined(frame)?;
                json::write(out, &value, Style::Compact).ok()
            }
            Self::IsoDate(of) => match &**of {
                Self::Now(name, clock) => frame.get(name)?.is_undefined().then(|| clock.now().write_iso(out, 'T')),
                of => {
                    Moment::of(&of.defined(frame)?).ok()?.write_iso(out, 'T');
                    Some(())
                }
            },
            Self::Uuid(name) => frame.get(name)?.is_undefined().then(|| write_uuid(out)),
            Self::Joined(parts) => parts.iter().try_for_each(|part| part.write_joined(frame, out)),
            Self::Format(slots, arguments) => fill(slots, arguments, frame, out),
            Self::Default(value, other) => {
                let value = value.evaluate(frame)?;
                if value.is_undefined() {
                    return other.write(frame, out);
                }
                other.check(frame)?;
                print(&value, out)
            }
            Self::Choice { condition, then, otherwise } => match (condition.is_true(frame)?, otherwise) {
                (true, _) => then.write(frame, out),
                (false, Some(otherwise)) => otherwise.write(frame, out),
                (false, None) => Some(()),
            },
            _ => print(&self.evaluate(frame)?, out),
        }
    }

    /// The value; undefined for a name that nobody knows, `None` where the interpreter has to decide.
    pub fn evaluate(&self, frame: &Frame<'_>) -> Option<Value> {
        Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Name(name) => frame.get(name)?,
            Self::Shadow(name) => frame.get(name).filter(|value| !value.is_undefined())?,
            Self::Attribute(of, name) => of.defined(frame)?.get_item(name).ok()?,
            Self::Slice(of, from, to) => slice(of.defined(frame)?.as_str()?, *from, *to)?.into(),
            Self::Arithmetic(..) => self.integer(frame)?.into(),
            Self::Not(of) => (!of.is_true(frame)?).into(),
            Self::Choice { condition, then, otherwise } => match condition.is_true(frame)? {
                true => then.evaluate(frame)?,
                false => otherwise.as_ref()?.evaluate(frame)?,
            },
            Self::Default(value, other) => {
                let value = value.evaluate(frame)?;
                if value.is_undefined() {
                    return other.evaluate(frame);
                }
                other.check(frame)?;
                value
            }
            Self::Apply(filter, of) => filter(&of.defined(frame)?).ok()?,
            Self::Now(name, clock) => frame.get(name)?.is_undefined().then(|| Value::from_object(clock.now()))?,
            Self::Loop(part) => {
                let (index, length) = *frame.loops.last()?;
                match part {
                    LoopPart::Index => (index + 1).into(),
                    LoopPart::Index0 => index.into(),
                    LoopPart::First => (index == 0).into(),
                    LoopPart::Last => (index + 1 == length).into(),
                    LoopPart::Length => length.into(),
                }
            }
            Self::Foreign(expression) => expression.eval(frame.whole()).ok()?,
            Self::ToJson(_) => Value::from_safe_string(self.text(frame)?),
            Self::IsoDate(_) | Self::Uuid(_) | Self::Joined(_) | Self::Format(..) => self.text(frame)?.into(),
        })
    }

    /// Fails as evaluating would, and spares what cannot fail: a default that is not needed must still be sound.
    fn check(&self, frame: &Frame<'_>) -> Option<()> {
        match self {
            Self::Constant(_) | Self::Name(_) | Self::Loop(_) => Some(()),
            Self::Now(name, _) | Self::Uuid(name) => frame.get(name)?.is_undefined().then_some(()),
            Self::Slice(of, ..) if matches!(**of, Self::Uuid(_)) => of.check(frame),
            Self::Joined(parts) => parts.iter().try_for_each(|part| match part {
                Self::Name(_) => part.defined(frame).map(drop),
                part => part.check(frame),
            }),
            Self::Format(slots, arguments) => {
                let wanted = slots.iter().filter(|slot| !matches!(slot, Slot::Text(_)));
                wanted.zip(arguments).try_for_each(|(slot, argument)| match slot {
                    Slot::Integer { .. } => argument.integer(frame).map(drop),
                    _ => argument.defined(frame).map(drop),
                })
            }
            _ => self.evaluate(frame).map(drop),
        }
    }

    pub fn is_true(&self, frame: &Frame<'_>) -> Option<bool> {
        Some(self.defined(frame)?.is_true())
    }

    fn defined(&self, frame: &Frame<'_>) -> Option<Value> {
        self.evaluate(frame).filter(|value| !value.is_undefined())
    }

    fn integer(&self, frame: &Frame<'_>) -> Option<i64> {
        if let Self::Arithmetic(operator, left, right) = self {
            return calculate(*operator, left.integer(frame)?, right.integer(frame)?);
        }
        integer(self.evaluate(frame)?)
    }

    fn text(&self, frame: &Frame<'_>) -> Option<String> {
        let mut text = String::new();
        self.write(frame, &mut text)?;
        Some(text)
    }

    /// `~` spells texts and whole numbers as printing does, and nothing else for certain.
    fn write_joined(&self, frame: &Frame<'_>, out: &mut String) -> Option<()> {
        match self {
            Self::Uuid(_) | Self::Joined(_) | Self::Format(..) | Self::ToJson(_) | Self::IsoDate(_) => {
                self.write(frame, out)
            }
            _ => plain(&self.evaluate(frame)?, out),
        }
    }
}

fn print(value: &Value, out: &mut String) -> Option<()> {
    match value.kind() {
        ValueKind::String | ValueKind::Number => plain(value, out).or_else(|| python::write_str(out, value).ok()),
        ValueKind::Undefined | ValueKind::Invalid => None,
        _ => python::write_str(out, value).ok(),
    }
}

/// A text or a whole number.
fn plain(value: &Value, out: &mut String) -> Option<()> {
    if let Some(text) = value.as_str() {
        out.push_str(text);
        return Some(());
    }
    python::write_integer(out, integer(value.clone())?);
    Some(())
}

/// A truth or a float counts as a number to the language too, with rules of its own.
fn integer(value: Value) -> Option<i64> {
    if value.is_integer() { i64::try_from(value).ok() } else { None }
}

fn write_uuid(out: &mut String) {
    let mut buffer = uuid::Uuid::encode_buffer();
    out.push_str(uuid::Uuid::new_v4().hyphenated().encode_lower(&mut buffer));
}

/// Python's rule: a negative place counts from the end, and what lies outside is cut.
fn slice(text: &str, from: Option<i64>, to: Option<i64>) -> Option<String> {
    let length = i64::try_from(text.chars().count()).ok()?;
    let place = |at: i64| if at < 0 { (length + at).max(0) } else { at.min(length) };
    let (from, to) = (from.map_or(0, place), to.map_or(length, place));
    let (skipped, taken) = (usize::try_from(from).ok()?, usize::try_from((to - from).max(0)).ok()?);
    Some(match text.is_ascii() {
        true => text[skipped..skipped + taken].to_owned(),
        false => text.chars().skip(skipped).take(taken).collect(),
    })
}

fn calculate(operator: Operator, left: i64, right: i64) -> Option<i64> {
    match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        // For a divisor above zero Euclid's remainder is Python's.
        Operator::Remainder => (right > 0).then(|| left.rem_euclid(right)),
    }
}

fn fill(slots: &[Slot], arguments: &[Expression<'_>], frame: &Frame<'_>, out: &mut String) -> Option<()> {
    let mut arguments = arguments.iter();
    slots.iter().try_for_each(|slot| match slot {
        Slot::Text(text) => {
            out.push_str(text);
            Some(())
        }
        Slot::Integer { width } => write!(out, "{:0width$}", arguments.next()?.integer(frame)?).ok(),
        Slot::Anything => plain(&arguments.next()?.evaluate(frame)?, out),
    })
}
