//! Methods of Python's strings that payload templates use and `minijinja-contrib` has not; the rest is passed to it.

use minijinja::value::{Value, from_args};
use minijinja::{Error, State};

/// `text.method(…)` that the engine does not know.
pub(super) fn call(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let Some(text) = value.as_str() else {
        return minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args);
    };
    match method {
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let (sign, rest) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            let width = width.saturating_sub(sign.len());
            Ok(format!("{sign}{rest:0>width$}").into())
        }
        "ljust" | "rjust" | "center" => {
            let (width, fill): (usize, Option<char>) = from_args(args)?;
            let missing = width.saturating_sub(text.chars().count());
            let (left, right) = match method {
                "ljust" => (0, missing),
                "rjust" => (missing, 0),
                _ => (centre_left(missing, width), missing - centre_left(missing, width)),
            };
            Ok(padded(text, left, right, fill.unwrap_or(' ')).into())
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Ok(text.strip_prefix(prefix).unwrap_or(text).into())
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Ok(text.strip_suffix(suffix).unwrap_or(text).into())
        }
        "swapcase" => {
            let () = from_args(args)?;
            let swap = |letter: char| -> String {
                if letter.is_uppercase() { letter.to_lowercase().collect() } else { letter.to_uppercase().collect() }
            };
            Ok(text.chars().map(swap).collect::<String>().into())
        }
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// The `center` filter: as Python's `str.center`.
pub(super) fn centred(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let left = centre_left(missing, width);
    padded(text, left, missing - left, ' ')
}

/// Python's rule: the odd space goes left when the width is odd too.
fn centre_left(missing: usize, width: usize) -> usize {
    missing / 2 + (missing & width & 1)
}

fn padded(text: &str, left: usize, right: usize, fill: char) -> String {
    let fills = |count| std::iter::repeat_n(fill, count);
    fills(left).chain(text.chars()).chain(fills(right)).collect()
}
