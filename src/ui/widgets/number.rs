//! Numbers as people read them: grouped, or three significant digits with a unit. Pure text, no drawing.

pub use crate::core::words::{counted, grouped};

/// At most three significant digits with a unit of thousands: `18.4k`, `1.2M`, `999`, `0.25`.
pub fn short(number: f64) -> String {
    scaled(number, &["", "k", "M", "G", "T"])
}

/// A rate: `18.4k/s`.
pub fn rate(per_second: f64) -> String {
    format!("{}/s", short(per_second))
}

/// Bytes, a thousand to a kilobyte: `412 B`, `1.2 MB`.
pub fn bytes(bytes: u64) -> String {
    scaled(bytes as f64, &[" B", " KB", " MB", " GB", " TB"])
}

/// A latency: `84 µs`, `4.2 ms`, `1.2 s`.
pub fn latency(microseconds: f64) -> String {
    scaled(microseconds, &[" µs", " ms", " s"])
}

/// A share of one: `99.98 %`. Never 100 % where something is missing, never 0 % where something is there.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "n/a".into();
    }
    match share * 100.0 {
        whole if whole == 0.0 || whole >= 100.0 => format!("{whole:.0} %"),
        little if little < 0.01 => "< 0.01 %".into(),
        much if much > 99.99 => "> 99.99 %".into(),
        some => format!("{some:.2} %"),
    }
}

fn scaled(number: f64, units: &[&str]) -> String {
    if !number.is_finite() {
        return "n/a".into();
    }
    let (mut number, mut unit) = (number, 0);
    // 999.5 would round up to four digits.
    while number.abs() >= 999.5 && unit + 1 < units.len() {
        number /= 1000.0;
        unit += 1;
    }
    format!("{}{}", three_digits(number), units[unit])
}

/// `18.4`, `1.2`, `999`, `0.25`; zeros at the end of a fraction are left out.
fn three_digits(number: f64) -> String {
    let decimals = match number.abs() {
        n if n >= 99.95 => 0,
        n if n >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{number:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false if number >= 1000.0 => grouped(number.round() as u64),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_204_332, "1,204,332")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn three_digits_and_a_unit_are_enough() {
        for (number, text) in [
            (0.0, "0"),
            (0.251, "0.25"),
            (9.996, "10"),
            (99.96, "100"),
            (999.4, "999"),
            (999.6, "1k"),
            (1_204.0, "1.2k"),
            (18_432.0, "18.4k"),
            (999_600.0, "1M"),
            (2.5e15, "2,500T"),
        ] {
            assert_eq!(short(number), text);
        }
        assert_eq!(rate(18_432.0), "18.4k/s");
        assert_eq!(bytes(412), "412 B");
        assert_eq!(bytes(1_200_000), "1.2 MB");
        assert_eq!(latency(4_200.0), "4.2 ms");
        assert_eq!(latency(f64::NAN), "n/a");
    }

    #[test]
    fn a_share_is_whole_only_when_it_is() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999_999), "> 99.99 %");
        assert_eq!(percent(0.000_01), "< 0.01 %");
        assert_eq!(percent(0.5), "50.00 %");
        assert_eq!(percent(0.0), "0 %");
    }
}
