//! Colours as theme files write them, and what becomes of them on a terminal with fewer. Never reads the environment itself.

use ratatui::style::Color;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None (`NO_COLOR`, `TERM=dumb`): bold, dim and reversed carry the meaning.
    Mono,
    /// The sixteen named ones.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// Red, green and blue of eight bits each.
    True,
}

impl Depth {
    /// What the variables of a process say about its terminal; `variable` looks one up.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        // https://no-color.org: set and not empty, whatever the value.
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" {
            return Self::Mono;
        }
        let says_true = matches!(variable("COLORTERM").as_deref(), Some("truecolor" | "24bit"));
        if says_true || ["-direct", "kitty", "alacritty", "ghostty", "wezterm"].iter().any(|name| term.contains(name)) {
            Self::True
        } else if term.contains("256color") {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }
}

/// The sixteen by name, in the order of their numbers.
const NAMED: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// A colour as a theme file writes it; `None` where it is none.
pub fn parse(text: &str) -> Option<Color> {
    let text = text.trim();
    if text == "default" {
        return Some(Color::Reset);
    }
    if let Some(digits) = text.strip_prefix('#') {
        return hexadecimal(digits);
    }
    if let Some((_, colour)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Some(*colour);
    }
    text.parse().ok().map(Color::Indexed)
}

fn hexadecimal(digits: &str) -> Option<Color> {
    if !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    let byte = |shift: u32| (number >> shift & 0xff) as u8;
    let nibble = |shift: u32| (number >> shift & 0xf) as u8 * 0x11;
    match digits.len() {
        6 => Some(Color::Rgb(byte(16), byte(8), byte(0))),
        3 => Some(Color::Rgb(nibble(8), nibble(4), nibble(0))),
        _ => None,
    }
}

/// The nearest colour that a terminal of this depth shows.
pub fn degrade(colour: Color, depth: Depth) -> Color {
    match (depth, colour) {
        (Depth::Mono, _) => Color::Reset,
        (Depth::Indexed, Color::Rgb(red, green, blue)) => Color::Indexed(nearest_of_256(red, green, blue)),
        (Depth::Sixteen, Color::Rgb(red, green, blue)) => nearest_of_16(red, green, blue),
        (Depth::Sixteen, Color::Indexed(index)) => {
            let (red, green, blue) = rgb_of_256(index);
            nearest_of_16(red, green, blue)
        }
        (_, colour) => colour,
    }
}

/// Steps of the 6x6x6 cube that begins at 16.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_of_256(red: u8, green: u8, blue: u8) -> u8 {
    let step = |value: u8| (0..6).min_by_key(|&at| CUBE[at].abs_diff(value)).unwrap_or(0);
    let (r, g, b) = (step(red), step(green), step(blue));
    let cube = (16 + 36 * r + 6 * g + b) as u8;
    let grey = 232 + (((u16::from(red) + u16::from(green) + u16::from(blue)) / 3).saturating_sub(3) / 10).min(23) as u8;
    [cube, grey].into_iter().min_by_key(|&index| distance(rgb_of_256(index), (red, green, blue))).unwrap_or(cube)
}

fn rgb_of_256(index: u8) -> (u8, u8, u8) {
    match index {
        0..=15 => {
            let full = if index < 8 { 170 } else { 255 };
            let bit = |mask: u8| if index & mask == 0 { full - 170 } else { full };
            (bit(1), bit(2), bit(4))
        }
        16..=231 => {
            let at = usize::from(index - 16);
            (CUBE[at / 36], CUBE[at / 6 % 6], CUBE[at % 6])
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

fn distance(one: (u8, u8, u8), other: (u8, u8, u8)) -> u32 {
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    2 * square(one.0, other.0) + 4 * square(one.1, other.1) + 3 * square(one.2, other.2)
}

/// Saturation under which a colour counts as a grey, of 255: pastel accents keep their hue, blueish greys lose it.
const GREY_BELOW: u16 = 52;

/// By hue, not by distance: a pastel red must stay red, though white is nearer.
fn nearest_of_16(red: u8, green: u8, blue: u8) -> Color {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let spread = u16::from(most - least);
    let saturation = spread * 255 / u16::from(most).max(1);
    if saturation < GREY_BELOW || most < 60 {
        return match (u16::from(most) + u16::from(least)) / 2 {
            0..=63 => Color::Black,
            64..=150 => Color::DarkGray,
            151..=225 => Color::Gray,
            _ => Color::White,
        };
    }
    // A channel is lit when it is in the upper half of the colour's own range.
    let middle = (u16::from(most) + u16::from(least)) / 2;
    let lit = |value: u8| u8::from(u16::from(value) > middle);
    let bright = if most > 200 { 8 } else { 0 };
    NAMED[usize::from(lit(red) + 2 * lit(green) + 4 * lit(blue) + bright)].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_colour_is_read_and_nothing_else() {
        assert_eq!(parse("#f85149"), Some(Color::Rgb(0xf8, 0x51, 0x49)));
        assert_eq!(parse("#fa0"), Some(Color::Rgb(0xff, 0xaa, 0)));
        assert_eq!(parse("bright-red"), Some(Color::LightRed));
        assert_eq!(parse("208"), Some(Color::Indexed(208)));
        assert_eq!(parse("default"), Some(Color::Reset));
        for wrong in ["", "#", "#ff", "#gggggg", "256", "-1", "reddish", "#+12345", "#é12"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_terminal_is_known_by_its_variables() {
        let depth = |pairs: &[(&str, &str)]| {
            Depth::detect(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm-kitty")]), Depth::True);
        assert_eq!(depth(&[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(depth(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), Depth::Mono);
        assert_eq!(depth(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Depth::Mono);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Indexed);
    }

    #[test]
    fn a_hue_survives_on_sixteen_colours() {
        let sixteen = |text: &str| parse(text).map(|colour| degrade(colour, Depth::Sixteen));
        assert_eq!(sixteen("#f85149"), Some(Color::LightRed));
        assert_eq!(sixteen("#f38ba8"), Some(Color::LightRed));
        assert_eq!(sixteen("#3fb950"), Some(Color::Green));
        assert_eq!(sixteen("#d29922"), Some(Color::LightYellow));
        assert_eq!(sixteen("#0550ae"), Some(Color::Blue));
        assert_eq!(sixteen("#d4d7dd"), Some(Color::Gray));
        assert_eq!(sixteen("#000000"), Some(Color::Black));
    }

    #[test]
    fn the_cube_and_the_greys_give_the_nearest_of_256() {
        assert_eq!(degrade(Color::Rgb(255, 0, 0), Depth::Indexed), Color::Indexed(196));
        assert_eq!(degrade(Color::Rgb(128, 128, 128), Depth::Indexed), Color::Indexed(244));
        assert_eq!(degrade(Color::Rgb(1, 2, 3), Depth::Mono), Color::Reset);
    }
}
