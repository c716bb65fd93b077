//! What templates can say beyond Jinja's own: the filters and functions of this house, and Jinja2's where minijinja
//! differs. Registers, and holds what is too short for a file of its own.

use std::fmt::Write;

use jiff::tz::TimeZone;
use md5::Md5;
use minijinja::value::{Kwargs, Rest, Serde, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State};
use rand::RngExt;
use sha2::{Digest, Sha256};

use super::decimal::{Exact, is_exact, operate, rounding};
use super::draw::Draw;
use super::json::{self, Style};
use super::moment::Moment;
use super::{arithmetic, fakes, methods, python};
use crate::clock;
use crate::clock::now_ms;

/// Registers everything; random values come from `draw`.
pub(super) fn register(environment: &mut Environment<'static>, draw: Draw) {
    environment.set_formatter(print);
    environment.set_unknown_method_callback(methods::call);
    register_data(environment);
    register_time(environment);
    register_random(environment, draw);
    register_numbers(environment);
    environment.add_filter("truncate", truncate);
    environment.add_filter("escape", |value: &Value| escape(value));
    environment.add_filter("e", |value: &Value| escape(value));
    environment.add_filter("striptags", minijinja_contrib::filters::striptags);
    environment.add_filter("filesizeformat", minijinja_contrib::filters::filesizeformat);
    environment.add_filter("center", |text: String, width: Option<usize>| methods::centred(&text, width.unwrap_or(80)));
    environment.add_filter("wordcount", |text: String| text.split_whitespace().count());
    environment.add_function("cycler", |items: Rest<Value>| minijinja_contrib::globals::cycler(items.to_vec()));
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
}

/// Every `{{ … }}` ends here.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::String => Ok(out.write_str(value.as_str().unwrap_or_default())?),
        ValueKind::Number if value.is_integer() => Ok(write!(out, "{value}")?),
        // The engine's own formatter names the undefined variable.
        ValueKind::Undefined | ValueKind::Invalid => minijinja::escape_formatter(out, state, value),
        _ => {
            let mut text = String::new();
            python::write_str(&mut text, value)?;
            Ok(out.write_str(&text)?)
        }
    }
}

fn register_data(environment: &mut Environment<'static>) {
    environment.add_filter("to_json", |value: &Value| in_json(value, Style::Compact));
    environment.add_filter("tojson", |value: &Value, indent: Option<usize>, options: Kwargs| {
        if indent.is_some() || options.has("indent") {
            return minijinja::filters::tojson(value, indent.map(Value::from), options);
        }
        options.assert_all_used()?;
        in_json(value, Style::Jinja)
    });
    environment.add_filter("from_json", |text: &str| {
        serde_json::from_str::<serde_json::Value>(text)
            .map(|value| Value::from(Serde(value)))
            .map_err(|error| refuse(format!("from_json: {error}")))
    });
    environment.add_filter("hash_md5", hash_md5);
    environment.add_filter("hash_sha256", hash_sha256);
    environment.add_filter("string", |value: &Value| as_text(value).map(Value::from));
    environment.add_filter("join", join);
    environment.add_filter("mask", mask);
}

/// As markupsafe escapes.
fn escape(value: &Value) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    let mut escaped = String::new();
    for letter in as_text(value)?.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    Ok(Value::from_safe_string(escaped))
}

/// Jinja2's `truncate(length=255, killwords=False, end='...', leeway=5)`.
fn truncate(
    text: &str,
    length: Option<usize>,
    killwords: Option<bool>,
    end: Option<String>,
    options: Kwargs,
) -> Result<String, Error> {
    let length =
        length.map_or_else(|| options.get::<Option<usize>>("length"), |length| Ok(Some(length)))?.unwrap_or(255);
    let killwords = killwords.map_or_else(|| options.get::<Option<bool>>("killwords"), |kill| Ok(Some(kill)))?;
    let end =
        end.map_or_else(|| options.get::<Option<String>>("end"), |end| Ok(Some(end)))?.unwrap_or_else(|| "...".into());
    let leeway = options.get::<Option<usize>>("leeway")?.unwrap_or(5);
    options.assert_all_used()?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text.to_owned());
    }
    let kept: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    let whole_words =
        if killwords == Some(true) { &kept } else { kept.rsplit_once(' ').map_or(&*kept, |(words, _)| words) };
    Ok(format!("{whole_words}{end}"))
}

fn in_json(value: &Value, style: Style) -> Result<Value, Error> {
    let mut text = String::with_capacity(64);
    json::write(&mut text, value, style)?;
    Ok(Value::from_safe_string(text))
}

/// What the value prints as.
pub(super) fn as_text(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let mut text = String::new();
    python::write_str(&mut text, value)?;
    Ok(text)
}

pub(super) fn hash_md5(value: &Value) -> Result<Value, Error> {
    hexadecimal(&Md5::digest(as_text(value)?))
}

pub(super) fn hash_sha256(value: &Value) -> Result<Value, Error> {
    hexadecimal(&Sha256::digest(as_text(value)?))
}

fn hexadecimal(bytes: &[u8]) -> Result<Value, Error> {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text.into())
}

fn join(values: &Value, between: Option<&str>, options: Kwargs) -> Result<String, Error> {
    let attribute: Option<&str> = options.get("attribute")?;
    options.assert_all_used()?;
    let mut joined = String::new();
    for (index, value) in values.try_iter()?.enumerate() {
        if 0 < index {
            joined.push_str(between.unwrap_or_default());
        }
        let value = match attribute {
            Some(path) => path.split('.').try_fold(value, |value, name| value.get_attr(name))?,
            None => value,
        };
        joined.push_str(&as_text(&value)?);
    }
    Ok(joined)
}

/// `value | mask`, `value | mask(2)`, `value | mask(4, '#')`: all but the last `visible` characters hidden.
pub(super) fn mask(value: &Value, visible: Option<usize>, with: Option<char>) -> Result<String, Error> {
    let text = as_text(value)?;
    let count = text.chars().count();
    let visible = visible.unwrap_or(4);
    let hidden = if count <= visible { count } else { count - visible };
    Ok(std::iter::repeat_n(with.unwrap_or('*'), hidden).chain(text.chars().skip(hidden)).collect())
}

fn register_time(environment: &mut Environment<'static>) {
    let zone = TimeZone::system();
    environment.add_function("now", move || Value::from_object(Moment::new(clock::now(), &zone)));
    environment.add_function("utcnow", || Value::from_object(Moment::new(clock::now(), &TimeZone::UTC)));
    // An event has a number of this name, which is also what its call gives; elsewhere the call gives the time now.
    environment.add_function(arithmetic::TIMESTAMP_MS, now_ms);
    environment.add_function(arithmetic::MILLISECONDS, |state: &State<'_, '_>| {
        let of_event = state.lookup(arithmetic::TIMESTAMP_MS).and_then(|value| value.as_i64());
        of_event.unwrap_or_else(now_ms)
    });
    environment.add_filter("iso_date", |value: &Value| Moment::of(value).map(|moment| moment.iso()));
    environment.add_filter("timestamp", |value: &Value| Moment::of(value).map(|moment| moment.timestamp().as_second()));
}

/// Replaces what draws random values by what draws them through `draw`.
pub(super) fn register_random(environment: &mut Environment<'static>, draw: Draw) {
    let uuid = move |state: &mut State<'_, '_>| {
        let uuid = match draw.seed {
            None => uuid::Uuid::new_v4(),
            Some(_) => draw.with(state, fakes::uuid),
        };
        Value::from(&*uuid.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]))
    };
    environment.add_function("uuid4", uuid);
    environment.add_filter("uuid", move |state: &mut State<'_, '_>, _: Value| uuid(state));
    environment.add_function("random_int", move |state: &mut State<'_, '_>, low: i64, high: i64| {
        if high < low {
            return Err(refuse(format!("random_int({low}, {high}): the second is the largest it may give")));
        }
        Ok(draw.with(state, |rng| rng.random_range(low..=high)))
    });
    let choose = move |state: &mut State<'_, '_>, choices: Value| {
        let mut choices: Vec<Value> = choices.try_iter()?.collect();
        if choices.is_empty() {
            return Err(refuse("random_choice has nothing to choose from"));
        }
        let chosen = draw.with(state, |rng| rng.random_range(0..choices.len()));
        Ok(choices.swap_remove(chosen))
    };
    environment.add_function("random_choice", choose);
    environment.add_filter("random", choose);
    environment.add_function("fake", move |state: &mut State<'_, '_>, kind: String| {
        draw.with(state, |rng| fakes::invent(&kind, rng))
    });
}

fn register_numbers(environment: &mut Environment<'static>) {
    environment.add_filter("decimal", |value: &Value| Exact::of(value).map(Value::from_object));
    environment.add_filter("round", round);
    environment.add_filter("abs", |value: Value| match value.downcast_object_ref::<Exact>() {
        Some(exact) => Ok(Value::from_object(Exact(exact.0.abs()))),
        None => minijinja::filters::abs(value),
    });
    environment.add_filter("int", int);
    environment.add_filter("sum", sum);
    environment.add_filter("float", |state: &State<'_, '_>, value: &Value, default: Option<Value>, options: Kwargs| {
        match value.downcast_object_ref::<Exact>() {
            Some(exact) => Ok(Value::from(exact.0.to_string().parse::<f64>().unwrap_or(f64::NAN))),
            None => minijinja::filters::float(state, value, default, options),
        }
    });
    environment.add_function(
        arithmetic::OPERATE,
        |state: &mut State<'_, '_>, operator: &str, left: Value, right: Value, names: Rest<String>| {
            for (side, name) in [&left, &right].into_iter().zip(names.iter()) {
                if side.is_undefined() {
                    return Err(Error::new(ErrorKind::UndefinedError, format!("`{name}` is undefined")));
                }
            }
            if is_exact(&left) || is_exact(&right) {
                return operate(operator, &left, &right);
            }
            // Not about decimals after all: the language's own operator.
            let expression = format!("left {operator} right");
            let sides = Value::from_pairs([("left", left), ("right", right)]);
            state.env().compile_expression_owned(expression)?.eval(sides)
        },
    );
}

/// What is no number gives the default, zero where none is named: Jinja2's rule.
fn int(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    base: Option<u32>,
    options: Kwargs,
) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let named = options.get::<Option<Value>>("default")?;
    let default = default.or(named).unwrap_or_else(|| Value::from(0));
    let whole = value.downcast_object_ref::<Exact>().map(|exact| Value::from(exact.0.trunc().to_string()));
    Ok(minijinja::filters::int(state, whole.as_ref().unwrap_or(value), None, base, options).unwrap_or(default))
}

/// As Python rounds: floats to the nearest, halves to even, by their exact binary value; decimals exactly, halves up
/// unless told `half_even`.
fn round(value: &Value, digits: Option<i32>, method: Option<&str>, options: Kwargs) -> Result<Value, Error> {
    let digits = digits.map_or_else(|| options.get::<Option<i32>>("precision").map(Option::unwrap_or_default), Ok)?;
    let method = match method {
        Some(method) => method,
        None => options.get::<Option<&str>>("method")?.unwrap_or("common"),
    };
    options.assert_all_used()?;
    if let Some(exact) = value.downcast_object_ref::<Exact>() {
        let places = u32::try_from(digits).map_err(|_| refuse("a decimal rounds to zero or more places"))?;
        return Ok(Value::from_object(exact.rounded(places, rounding(method)?)));
    }
    let number = f64::try_from(value.clone())?;
    let scale = 10_f64.powi(digits);
    let rounded = match method {
        "common" if 0 <= digits => {
            format!("{number:.places$}", places = usize::try_from(digits).unwrap_or_default()).parse().unwrap_or(number)
        }
        "common" => (number * scale).round_ties_even() / scale,
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        _ => return Err(refuse(format!("`{method}` rounds decimals; floats round by common, ceil or floor"))),
    };
    Ok(Value::from(rounded))
}

fn sum(values: &Value, attribute: Option<&str>, options: Kwargs) -> Result<Value, Error> {
    let attribute = match attribute {
        Some(attribute) => Some(attribute),
        None => options.get::<Option<&str>>("attribute")?,
    };
    let start = options.get::<Option<Value>>("start")?.unwrap_or_else(|| Value::from(0));
    options.assert_all_used()?;
    let items: Vec<Value> = values
        .try_iter()?
        .map(|value| match attribute {
            Some(path) => path.split('.').try_fold(value, |value, name| value.get_attr(name)),
            None => Ok(value),
        })
        .collect::<Result<_, _>>()?;
    if items.iter().chain([&start]).any(is_exact) {
        return items.iter().try_fold(start, |sum, item| operate("+", &Value::from_object(Exact::of(&sum)?), item));
    }
    if items.iter().chain([&start]).all(Value::is_integer) {
        let total = items
            .iter()
            .chain([&start])
            .try_fold(0_i128, |sum, item| i128::try_from(item.clone()).ok().and_then(|item| sum.checked_add(item)));
        return total
            .map(|total| i64::try_from(total).map_or_else(|_| Value::from(total), Value::from))
            .ok_or_else(|| refuse("the sum is too large"));
    }
    let mut total = f64::try_from(start)?;
    for item in &items {
        total += f64::try_from(item.clone())?;
    }
    Ok(Value::from(total))
}

fn refuse(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}
