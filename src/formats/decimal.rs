//! Decimals between text and unscaled whole numbers, digit by digit. No number ever passes through a double.

use arrow::datatypes::i256;

/// Why a text is no decimal of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is no number.
    NotANumber,
    /// It has digits behind the point that the scale has no room for.
    TooFine,
    /// It has more digits than the type holds.
    TooLarge,
}

/// A number's parts: sign, digits (as they stand, with the point left out) and how many of them follow the point.
struct Parts<'t> {
    is_negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    exponent: i64,
}

/// Reads a number such as `-123.45` or `1.5e3` as a whole number of `10^-scale`.
///
/// # Errors
/// It is no number, has digits that the scale has no room for (zeros behind the point do not count), or is too large for
/// 38 digits.
pub fn parse(text: &[u8], scale: i8) -> Result<i128, Wrong> {
    if let Some(value) = parse_short(text, scale) {
        return Ok(value);
    }
    let parts = split(text).ok_or(Wrong::NotANumber)?;
    let mut value: i128 = 0;
    let mut push = |digit: u8| -> Result<(), Wrong> {
        value = value.checked_mul(10).and_then(|v| v.checked_add(i128::from(digit - b'0'))).ok_or(Wrong::TooLarge)?;
        Ok(())
    };
    place_digits(&parts, scale, &mut push)?;
    Ok(if parts.is_negative { -value } else { value })
}

/// As [`parse`], up to 76 digits.
///
/// # Errors
/// As [`parse`].
pub fn parse_wide(text: &[u8], scale: i8) -> Result<i256, Wrong> {
    let parts = split(text).ok_or(Wrong::NotANumber)?;
    let mut value = i256::ZERO;
    let ten = i256::from(10);
    let mut push = |digit: u8| -> Result<(), Wrong> {
        let digit = i256::from(i64::from(digit - b'0'));
        value = value.checked_mul(ten).and_then(|v| v.checked_add(digit)).ok_or(Wrong::TooLarge)?;
        Ok(())
    };
    place_digits(&parts, scale, &mut push)?;
    Ok(if parts.is_negative { value.wrapping_neg() } else { value })
}

/// The common case: at most 18 digits, no exponent, no more behind the point than the scale holds.
fn parse_short(text: &[u8], scale: i8) -> Option<i128> {
    let (is_negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if digits.len() > 18 || !(0..=18).contains(&scale) {
        return None;
    }
    let mut value: u64 = 0;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && at > 0 => point = Some(at),
            _ => return None,
        }
    }
    let behind = match point {
        Some(point) => digits.len() - point - 1,
        None if digits.is_empty() => return None,
        None => 0,
    };
    if point.is_some() && behind == 0 {
        return None;
    }
    let missing = usize::try_from(scale).ok()?.checked_sub(behind)?;
    let value = i128::from(value) * i128::from(10_u64.pow(u32::try_from(missing).ok()?));
    Some(if is_negative { -value } else { value })
}

fn split(text: &[u8]) -> Option<Parts<'_>> {
    let (is_negative, rest) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let end = rest.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(rest.len());
    let exponent = match rest.get(end + 1..) {
        Some(digits) => std::str::from_utf8(digits).ok()?.parse().ok()?,
        None => 0,
    };
    let mantissa = &rest[..end];
    let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
    let (whole, fraction) = (&mantissa[..point], mantissa.get(point + 1..).unwrap_or_default());
    let are_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    (are_digits && !(whole.is_empty() && fraction.is_empty())).then_some(Parts {
        is_negative,
        whole,
        fraction,
        exponent,
    })
}

/// Gives the digits that stand before the last place of the scale, and zeros up to it.
fn place_digits(parts: &Parts<'_>, scale: i8, push: &mut impl FnMut(u8) -> Result<(), Wrong>) -> Result<(), Wrong> {
    let all = parts.whole.len() + parts.fraction.len();
    let digits = || parts.whole.iter().chain(parts.fraction).copied();
    if digits().all(|digit| digit == b'0') {
        return Ok(());
    }
    // How many digits there are up to the last place of the scale; it may be fewer or more than are written.
    let kept = i64::try_from(parts.whole.len())
        .unwrap_or(i64::MAX)
        .saturating_add(parts.exponent)
        .saturating_add(i64::from(scale));
    if kept > 200 {
        return Err(Wrong::TooLarge);
    }
    let kept_written = usize::try_from(kept).unwrap_or(0).min(all);
    for digit in digits().take(kept_written) {
        push(digit)?;
    }
    if digits().skip(kept_written).any(|digit| digit != b'0') {
        return Err(Wrong::TooFine);
    }
    for _ in all..usize::try_from(kept).unwrap_or(0).max(all) {
        push(b'0')?;
    }
    Ok(())
}

/// Whether a whole number has at most `precision` digits.
pub fn fits(value: i128, precision: u8) -> bool {
    value.unsigned_abs() < 10_u128.saturating_pow(u32::from(precision))
}

/// Appends `unscaled` as decimal text with exactly `scale` digits behind the point.
pub fn write(unscaled: i128, scale: i8, out: &mut Vec<u8>) {
    if unscaled < 0 {
        out.push(b'-');
    }
    let value = unscaled.unsigned_abs();
    let mut buffer = itoa::Buffer::new();
    let digits = match u64::try_from(value) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(value),
    };
    place_point(digits.as_bytes(), scale, out);
}

/// As [`write()`], for the wide ones.
pub fn write_wide(unscaled: i256, scale: i8, out: &mut Vec<u8>) {
    let text = unscaled.to_string();
    let digits = match text.strip_prefix('-') {
        Some(digits) => {
            out.push(b'-');
            digits
        }
        None => &text,
    };
    place_point(digits.as_bytes(), scale, out);
}

fn place_point(digits: &[u8], scale: i8, out: &mut Vec<u8>) {
    match usize::try_from(scale) {
        Ok(0) => out.extend_from_slice(digits),
        Ok(scale) => {
            let before = digits.len().saturating_sub(scale);
            if before == 0 {
                out.push(b'0');
            }
            out.extend_from_slice(&digits[..before]);
            out.push(b'.');
            out.extend(std::iter::repeat_n(b'0', scale.saturating_sub(digits.len())));
            out.extend_from_slice(&digits[before..]);
        }
        Err(_) => {
            out.extend_from_slice(digits);
            if digits != b"0" {
                out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, scale: i8, expected: Result<i128, Wrong>) {
        assert_eq!(parse(text.as_bytes(), scale), expected, "{text} at {scale}");
        assert_eq!(parse_wide(text.as_bytes(), scale), expected.map(i256::from_i128), "{text} at {scale}, wide");
    }

    #[test]
    fn every_digit_is_kept() {
        check("123.45", 2, Ok(12_345));
        check("-0.1", 4, Ok(-1_000));
        check("7", 0, Ok(7));
        check("1.5e3", 2, Ok(150_000));
        check("15E-1", 1, Ok(15));
        check("12345678901234567890.123456789", 9, Ok(12_345_678_901_234_567_890_123_456_789));
        check("0.00000000", 2, Ok(0));
        check("1.2300", 2, Ok(123));
        check("1200", -2, Ok(12));
    }

    #[test]
    fn a_number_that_does_not_fit_is_no_other_number() {
        check("1.234", 2, Err(Wrong::TooFine));
        check("1e-3", 2, Err(Wrong::TooFine));
        for text in ["", "-", ".", "1.2.3", "abc", "1e", "NaN", "0x1", "1 "] {
            check(text, 2, Err(Wrong::NotANumber));
        }
        assert_eq!(parse(&[b'9'; 39], 0), Err(Wrong::TooLarge));
        assert_eq!(parse(b"1e40", 0), Err(Wrong::TooLarge));
        assert_eq!(parse(b"1e999999999999", 0), Err(Wrong::TooLarge));
        assert!(fits(99, 2) && !fits(100, 2) && !fits(-100, 2) && fits(i128::MAX, 39));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any::<i128>(), scale in 0_i8..=38) {
            let mut text = Vec::new();
            write(value / 10, scale, &mut text);
            prop_assert_eq!(parse(&text, scale), Ok(value / 10));
            let mut wide = Vec::new();
            write_wide(i256::from_i128(value / 10), scale, &mut wide);
            prop_assert_eq!(text, wide);
        }
    }
}
