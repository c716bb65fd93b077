//! Exact decimal numbers in templates. What would lose a digit is an error, never a silent rounding.

use std::fmt::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind};
use rust_decimal::{Decimal, RoundingStrategy};

use super::python;

/// A decimal in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exact(pub Decimal);

impl Exact {
    /// Digits without an exponent.
    pub fn write(&self, out: &mut impl Write) {
        let _ = write!(out, "{}", self.0);
    }

    /// The decimal that a value spells: text and whole numbers as they are, a float by its shortest digits.
    pub fn of(value: &Value) -> Result<Self, Error> {
        if let Some(exact) = value.downcast_object_ref::<Self>() {
            return Ok(*exact);
        }
        let text = match value.kind() {
            ValueKind::String => value.as_str().unwrap_or_default().trim().to_owned(),
            ValueKind::Number if value.is_integer() => value.to_string(),
            ValueKind::Number => {
                let mut text = String::new();
                python::write_float(&mut text, f64::try_from(value.clone())?);
                text
            }
            ValueKind::Undefined => {
                return Err(Error::new(ErrorKind::UndefinedError, "an undefined value is no decimal"));
            }
            kind => return Err(refuse(format!("a value of type {kind} is not a decimal"))),
        };
        let text = text.strip_prefix('+').unwrap_or(&text);
        let parsed = if text.contains(['e', 'E']) {
            Decimal::from_scientific(text)
        } else {
            Decimal::from_str_exact(text)
                .or_else(|error| if text.contains('_') { Err(error) } else { exact_or(text, error) })
        };
        parsed.map(Self).map_err(|error| refuse(format!("`{text}` is not a decimal: {error}")))
    }

    pub fn rounded(self, digits: u32, how: RoundingStrategy) -> Self {
        let mut rounded = self.0.round_dp_with_strategy(digits, how);
        rounded.rescale(digits);
        Self(rounded)
    }
}

/// `from_str_exact` refuses `1.` and `.5`, which Python reads.
fn exact_or(text: &str, error: rust_decimal::Error) -> Result<Decimal, rust_decimal::Error> {
    let sized = text.chars().filter(char::is_ascii_digit).count() <= SIGNIFICANT_DIGITS_SURE;
    if sized { Decimal::from_str(text) } else { Err(error) }
}

/// Digits that always fit a 96-bit decimal.
const SIGNIFICANT_DIGITS_SURE: usize = 28;

/// How a person may name a rounding; `half_even` is the banker's.
pub(super) fn rounding(name: &str) -> Result<RoundingStrategy, Error> {
    Ok(match name {
        "common" | "half_up" => RoundingStrategy::MidpointAwayFromZero,
        "half_even" | "bankers" => RoundingStrategy::MidpointNearestEven,
        "half_down" => RoundingStrategy::MidpointTowardZero,
        "ceil" => RoundingStrategy::ToPositiveInfinity,
        "floor" => RoundingStrategy::ToNegativeInfinity,
        "down" => RoundingStrategy::ToZero,
        "up" => RoundingStrategy::AwayFromZero,
        _ => {
            let known = "half_up, half_even, half_down, ceil, floor, up or down";
            return Err(refuse(format!("`{name}` is no rounding: {known}")));
        }
    })
}

/// `left operator right` where at least one is a decimal; `None` where the operator is not for decimals.
pub(super) fn operate(operator: &str, left: &Value, right: &Value) -> Result<Value, Error> {
    if matches!(operator, "==" | "!=") && ![left, right].iter().all(|side| side.is_number() || is_exact(side)) {
        return Ok(Value::from(operator == "!="));
    }
    let (a, b) = (Exact::of(left)?.0, Exact::of(right)?.0);
    let nonzero = || if b.is_zero() { Err(refuse(format!("{a} {operator} 0: division by zero"))) } else { Ok(()) };
    let result = match operator {
        "+" => a.checked_add(b).filter(|sum| a.scale().max(b.scale()) <= sum.scale()),
        "-" => a.checked_sub(b).filter(|difference| a.scale().max(b.scale()) <= difference.scale()),
        "*" => a.checked_mul(b).filter(|product| product.is_zero() || a.scale() + b.scale() <= product.scale()),
        "/" => nonzero().map(|()| a.checked_div(b))?,
        "//" => nonzero().map(|()| a.checked_div(b).map(|quotient| quotient.trunc()))?,
        "%" => nonzero().map(|()| a.checked_rem(b))?,
        "==" => return Ok(Value::from(a == b)),
        "!=" => return Ok(Value::from(a != b)),
        "<" => return Ok(Value::from(a < b)),
        ">" => return Ok(Value::from(a > b)),
        "<=" => return Ok(Value::from(a <= b)),
        ">=" => return Ok(Value::from(a >= b)),
        _ => return Err(refuse(format!("`{operator}` is not for decimals"))),
    };
    result.map(|number| Value::from_object(Exact(number))).ok_or_else(|| {
        refuse(format!("{a} {operator} {b} needs more digits than a decimal holds (28): round its sides first"))
    })
}

/// Whether a value is a decimal.
pub(super) fn is_exact(value: &Value) -> bool {
    value.downcast_object_ref::<Exact>().is_some()
}

fn refuse(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

impl Object for Exact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_zero()
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        other.downcast_ref::<Self>().map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
