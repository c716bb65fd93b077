//! What the letters of a pattern stand for: those of Java (`yyyy-MM-dd HH:mm:ss.SSS`), of C's strftime
//! (`%Y-%m-%d %H:%M:%S`) and of MySQL (`%Y-%m-%d %H:%i:%s`), told apart by what is in them.

use datafusion_common::{Result, exec_err};

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    /// A number, written with at least this many digits (0: as many as it has).
    Number(Part, usize),
    MonthName {
        short: bool,
    },
    DayName {
        short: bool,
    },
    AmPm,
    /// Fraction of a second with this many digits.
    Fraction(usize),
    /// `+0000` or `+00:00`.
    Offset {
        colon: bool,
    },
    /// `UTC`, or how far the clock is from it.
    Zone,
    /// Milliseconds or seconds since 1970.
    Epoch,
}

/// A number of a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    Year,
    ShortYear,
    Quarter,
    Month,
    Day,
    DayOfYear,
    IsoYear,
    IsoWeek,
    /// 0 is Sunday.
    Weekday,
    /// 1 is Monday.
    IsoWeekday,
    Hour,
    Hour12,
    Minute,
    Second,
}

/// The pieces of a pattern: with a `%` it is C's, and MySQL's where `%i` (its minutes) is in it; else Java's.
///
/// # Errors
/// A letter that stands for nothing.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>> {
    if text.contains('%') { percent(text, text.contains("%i")) } else { java(text) }
}

fn percent(text: &str, mysql: bool) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            literal(&mut pieces, letter);
            continue;
        }
        let mut bare = false;
        let mut fraction = None;
        let mut of = letters.next();
        if of == Some('-') {
            bare = true;
            of = letters.next();
        }
        if of == Some('.') {
            literal(&mut pieces, '.');
            of = letters.next();
        }
        if let Some(digits) = of.and_then(|letter| letter.to_digit(10)) {
            fraction = usize::try_from(digits).ok();
            of = letters.next();
        }
        let two = |part| Piece::Number(part, if bare { 0 } else { 2 });
        let several = |pieces: &mut Vec<Piece>, text| -> Result<()> {
            pieces.extend(percent(text, mysql)?);
            Ok(())
        };
        let piece = match of {
            Some('%') => {
                literal(&mut pieces, '%');
                continue;
            }
            Some('T') => {
                several(&mut pieces, if mysql { "%H:%i:%S" } else { "%H:%M:%S" })?;
                continue;
            }
            Some('F') => {
                several(&mut pieces, "%Y-%m-%d")?;
                continue;
            }
            Some('D') if !mysql => {
                several(&mut pieces, "%m/%d/%y")?;
                continue;
            }
            Some('R') if !mysql => {
                several(&mut pieces, "%H:%M")?;
                continue;
            }
            Some('r') if mysql => {
                several(&mut pieces, "%h:%i:%S %p")?;
                continue;
            }
            Some('Y') => Piece::Number(Part::Year, 4),
            Some('y') => two(Part::ShortYear),
            Some('m') => two(Part::Month),
            Some('c') if mysql => Piece::Number(Part::Month, 0),
            Some('d') => two(Part::Day),
            Some('e') => Piece::Number(Part::Day, 0),
            Some('j') => Piece::Number(Part::DayOfYear, if bare { 0 } else { 3 }),
            Some('H') => two(Part::Hour),
            Some('k') => Piece::Number(Part::Hour, 0),
            Some('I') => two(Part::Hour12),
            Some('h') if mysql => two(Part::Hour12),
            Some('l') => Piece::Number(Part::Hour12, 0),
            Some('i') if mysql => two(Part::Minute),
            Some('M') if mysql => Piece::MonthName { short: false },
            Some('M') => two(Part::Minute),
            Some('s') if !mysql => Piece::Epoch,
            Some('S' | 's') => two(Part::Second),
            Some('f') => Piece::Fraction(fraction.filter(|digits| *digits > 0).unwrap_or(6)),
            Some('L') => Piece::Fraction(3),
            Some('b' | 'h') => Piece::MonthName { short: true },
            Some('B') => Piece::MonthName { short: false },
            Some('a') => Piece::DayName { short: true },
            Some('A') => Piece::DayName { short: false },
            Some('W') if mysql => Piece::DayName { short: false },
            Some('p' | 'P') => Piece::AmPm,
            Some('G') => Piece::Number(Part::IsoYear, 4),
            Some('x') if mysql => Piece::Number(Part::IsoYear, 4),
            Some('V') => two(Part::IsoWeek),
            Some('v') if mysql => two(Part::IsoWeek),
            Some('w') => Piece::Number(Part::Weekday, 0),
            Some('u') if !mysql => Piece::Number(Part::IsoWeekday, 0),
            Some('q') => Piece::Number(Part::Quarter, 0),
            Some('z') => Piece::Offset { colon: false },
            Some('Z') => Piece::Zone,
            other => {
                let letter = other.map_or_else(|| "the end".to_owned(), |letter| format!("`{letter}`"));
                return exec_err!("`{text}` is no pattern for a time: {letter} after `%` stands for nothing");
            }
        };
        pieces.push(piece);
    }
    Ok(pieces)
}

fn java(text: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        if letter == '\'' {
            at += 1;
            if letters.get(at) == Some(&'\'') {
                literal(&mut pieces, '\'');
            }
            while letters.get(at).is_some_and(|letter| *letter != '\'') {
                literal(&mut pieces, letters[at]);
                at += 1;
            }
            at += 1;
            continue;
        }
        let count = letters[at..].iter().take_while(|other| **other == letter).count();
        at += count;
        let number = |part| Piece::Number(part, if count == 1 { 0 } else { count });
        let piece = match letter {
            'y' | 'u' if count == 2 => Piece::Number(Part::ShortYear, 2),
            'y' | 'u' => Piece::Number(Part::Year, 4),
            'Y' => Piece::Number(Part::IsoYear, 4),
            'Q' | 'q' => number(Part::Quarter),
            'M' | 'L' if count == 3 => Piece::MonthName { short: true },
            'M' | 'L' if count > 3 => Piece::MonthName { short: false },
            'M' | 'L' => number(Part::Month),
            'd' => number(Part::Day),
            'D' => number(Part::DayOfYear),
            'w' => number(Part::IsoWeek),
            'E' => Piece::DayName { short: count < 4 },
            'e' => Piece::Number(Part::IsoWeekday, 0),
            'a' => Piece::AmPm,
            'H' => number(Part::Hour),
            'h' => number(Part::Hour12),
            'm' => number(Part::Minute),
            's' => number(Part::Second),
            'S' => Piece::Fraction(count.min(9)),
            'z' | 'V' => Piece::Zone,
            'Z' => Piece::Offset { colon: false },
            'X' | 'x' => Piece::Offset { colon: count > 2 },
            // ISO 8601 as people type it without quotes.
            'T' => Piece::Literal("T".repeat(count)),
            other if other.is_ascii_alphabetic() => {
                return exec_err!(
                    "`{text}` is no pattern for a time: `{other}` stands for nothing; text stands in quotes, as in `''at''`"
                );
            }
            other => Piece::Literal(other.to_string().repeat(count)),
        };
        pieces.push(piece);
    }
    Ok(pieces)
}

fn literal(pieces: &mut Vec<Piece>, letter: char) {
    match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(letter),
        _ => pieces.push(Piece::Literal(letter.to_string())),
    }
}
