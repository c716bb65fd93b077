//! Quoted numbers: the number that a text says, whole, with a fraction or with an exponent, and the function that takes it of
//! a column. What is none is refused or NULL, never zero.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Float64Array};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Digits of a Decimal128.
pub const DIGITS_MAX: u8 = 38;

/// Powers of ten are as good as this one where they are further from 1: no decimal has so many digits.
const EXPONENT_MAX: i32 = 1_000;

/// What becomes of a text that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoNumber {
    /// It is refused.
    Refused,
    /// There is none: NULL.
    Null,
}

/// The constant that a text says, of the narrowest type that has every digit of it.
pub fn literal(text: &str) -> Option<ScalarValue> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(ScalarValue::Int64(Some(whole)));
    }
    let said = Said::of(text)?;
    if said.exponent == 0
        && let Ok(precision) = u8::try_from(said.count())
        && precision <= DIGITS_MAX
    {
        let (precision, scale) = (precision.max(1), said.scale()?);
        return Some(ScalarValue::Decimal128(Some(said.decimal(scale)?), precision, i8::try_from(scale).ok()?));
    }
    float(text).map(|value| ScalarValue::Float64(Some(value)))
}

/// The function that makes a text the number `made`, a decimal or a DOUBLE.
pub fn number(made: DataType, none: NoNumber) -> ScalarUDF {
    ScalarUDF::new_from_impl(Quoted { made, none, signature: Signature::string(1, Volatility::Immutable) })
}

/// A number as it is written: its digits before and behind the point, and its power of ten.
struct Said<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

impl<'a> Said<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (number, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let said = Self { is_negative: text.starts_with('-'), whole, fraction, exponent };
        let is_number = said.count() > 0 && said.digits().all(|digit| digit.is_ascii_digit());
        is_number.then_some(said)
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    fn count(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    fn scale(&self) -> Option<u8> {
        u8::try_from(self.fraction.len()).ok()
    }

    /// The number as a decimal of this scale, rounded half away from zero; none where it has too many digits.
    fn decimal(&self, scale: u8) -> Option<i128> {
        let raised = i32::from(scale) - i32::from(self.scale()?) + self.exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX);
        let cut = usize::try_from(-raised).unwrap_or_default();
        let Some(kept) = self.count().checked_sub(cut) else { return Some(0) };
        let mut digits = self.digits().map(|digit| i128::from(digit - b'0'));
        let whole =
            digits.by_ref().take(kept).try_fold(0_i128, |made, digit| made.checked_mul(10)?.checked_add(digit))?;
        let value = match digits.next() {
            Some(lost) => whole + i128::from(lost >= 5),
            None if whole == 0 => 0,
            None => whole.checked_mul(10_i128.checked_pow(raised.unsigned_abs())?)?,
        };
        let fits = value < 10_i128.pow(u32::from(DIGITS_MAX));
        fits.then_some(if self.is_negative { -value } else { value })
    }
}

fn float(text: &str) -> Option<f64> {
    Said::of(text)?;
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A text as a number.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Quoted {
    made: DataType,
    none: NoNumber,
    signature: Signature,
}

impl Quoted {
    fn column(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let texts = arrow::compute::cast(texts, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        match self.made {
            DataType::Decimal128(precision, scale) => {
                let places = u8::try_from(scale).unwrap_or_default();
                let made = self.each(texts, |text| Said::of(text)?.decimal(places))?;
                Ok(Arc::new(Decimal128Array::from(made).with_precision_and_scale(precision, scale)?))
            }
            _ => Ok(Arc::new(Float64Array::from(self.each(texts, float)?))),
        }
    }

    fn each<T>(&self, texts: &arrow::array::StringArray, number: impl Fn(&str) -> Option<T>) -> Result<Vec<Option<T>>> {
        let one = |text: Option<&str>| match text.map(|text| (text, number(text.trim()))) {
            Some((text, None)) if self.none == NoNumber::Refused => {
                exec_err!("`{text}` stands beside a number and is none")
            }
            Some((_, made)) => Ok(made),
            None => Ok(None),
        };
        texts.iter().map(one).collect()
    }
}

impl ScalarUDFImpl for Quoted {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "quoted_number"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.made.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &args.args[..] {
            [ColumnarValue::Array(texts)] => self.column(texts).map(ColumnarValue::Array),
            [ColumnarValue::Scalar(text)] => {
                let made = self.column(&text.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?))
            }
            _ => exec_err!("a number is made of one text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_number_that_it_says_or_none() {
        let decimal = |value, precision, scale| Some(ScalarValue::Decimal128(Some(value), precision, scale));
        for (text, expected) in [
            ("10", Some(ScalarValue::Int64(Some(10)))),
            ("01", Some(ScalarValue::Int64(Some(1)))),
            ("-3.50", decimal(-350, 3, 2)),
            (".5", decimal(5, 1, 1)),
            (" 7 ", Some(ScalarValue::Int64(Some(7)))),
            ("99999999999999999999", decimal(99_999_999_999_999_999_999, 20, 0)),
            ("1e3", Some(ScalarValue::Float64(Some(1_000.0)))),
            ("abc", None),
            ("inf", None),
            ("", None),
            ("-", None),
            ("1.2.3", None),
        ] {
            assert_eq!(literal(text), expected, "{text}");
        }
    }

    #[test]
    fn a_decimal_of_a_text_is_rounded_where_it_has_more_places() {
        let made = |text, scale| Said::of(text).and_then(|said| said.decimal(scale));
        for (text, scale, expected) in [
            ("99.50", 2, Some(9_950)),
            ("99.50", 4, Some(995_000)),
            ("-0.125", 2, Some(-13)),
            ("1e3", 1, Some(10_000)),
            ("125e-2", 1, Some(13)),
            ("0.004", 2, Some(0)),
            ("1e-40", 18, Some(0)),
            ("000000000000000000000000000000000000000000001", 0, Some(1)),
            ("1e30", 18, None),
            ("0e99", 18, Some(0)),
            ("1e-2147483648", 2, Some(0)),
            ("1e2147483647", 2, None),
            ("5e-3", 2, Some(1)),
            ("1_000", 2, None),
            ("", 2, None),
        ] {
            assert_eq!(made(text, scale), expected, "{text}");
        }
    }
}
