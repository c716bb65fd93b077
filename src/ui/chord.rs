//! A key with its modifiers, as `Ctrl+P`, `F5`, `Shift+Tab`, `?`: parsed, printed and compared with what a terminal sends.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One chord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMED: [(&str, KeyCode); 16] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift+Tab", KeyCode::BackTab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
];

impl Chord {
    /// The chord of a key that was pressed.
    pub fn of(event: &KeyEvent) -> Self {
        Self::normal(event.code, event.modifiers)
    }

    /// Reads a chord; none where it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        loop {
            if let Some((_, code)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest)) {
                return Some(Self::normal(*code, modifiers));
            }
            match rest.split_once('+') {
                Some((first, after)) if !first.is_empty() && !after.is_empty() => {
                    modifiers |= match first.to_ascii_lowercase().as_str() {
                        "ctrl" => KeyModifiers::CONTROL,
                        "alt" => KeyModifiers::ALT,
                        "shift" => KeyModifiers::SHIFT,
                        _ => return None,
                    };
                    rest = after;
                }
                _ => break,
            }
        }
        let mut letters = rest.chars();
        match (letters.next(), letters.as_str()) {
            (Some(letter), "") => Some(Self::normal(KeyCode::Char(letter), modifiers)),
            (Some('F' | 'f'), number) => {
                let number = number.parse().ok().filter(|number| (1..=24).contains(number))?;
                Some(Self::normal(KeyCode::F(number), modifiers))
            }
            _ => None,
        }
    }

    /// The key event that a terminal sends for it.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// Whether a text input would take it as a letter.
    pub fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && (self.modifiers - KeyModifiers::SHIFT).is_empty()
    }

    /// Terminals differ in whether `G` comes with Shift, and `Ctrl+P` as `p` or `P`; nobody means Shift by `Alt+S`: one spelling
    /// for each.
    fn normal(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let known = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::Char(letter) if known.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                Self { code: KeyCode::Char(letter.to_ascii_lowercase()), modifiers: known - KeyModifiers::SHIFT }
            }
            KeyCode::Char(letter) if known.contains(KeyModifiers::SHIFT) => {
                let upper = letter.to_uppercase().next().unwrap_or(letter);
                Self { code: KeyCode::Char(upper), modifiers: known - KeyModifiers::SHIFT }
            }
            KeyCode::BackTab => Self { code, modifiers: known - KeyModifiers::SHIFT },
            KeyCode::Tab if known.contains(KeyModifiers::SHIFT) => {
                Self { code: KeyCode::BackTab, modifiers: known - KeyModifiers::SHIFT }
            }
            _ => Self { code, modifiers: known },
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, modifier) in
            [("Ctrl+", KeyModifiers::CONTROL), ("Alt+", KeyModifiers::ALT), ("Shift+", KeyModifiers::SHIFT)]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match (self.code, NAMED.iter().find(|(_, code)| *code == self.code)) {
            (_, Some((name, _))) => f.write_str(name),
            (KeyCode::Char(letter), None) if !self.modifiers.is_empty() => {
                write!(f, "{}", letter.to_ascii_uppercase())
            }
            (KeyCode::Char(letter), None) => write!(f, "{letter}"),
            (KeyCode::F(number), None) => write!(f, "F{number}"),
            (other, None) => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back_the_same() {
        for text in
            ["Ctrl+P", "F5", "Shift+Tab", "?", "g", "G", "Enter", "Space", "Ctrl+Up", "Alt+X", "Alt+/", "+", ":"]
        {
            let chord = Chord::parse(text).expect(text);
            assert_eq!(chord.to_string(), text);
            assert_eq!(Chord::parse(&chord.to_string()), Some(chord));
        }
    }

    #[test]
    fn terminals_that_spell_a_key_differently_mean_the_same_chord() {
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let plain = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE);
        assert_eq!(Chord::of(&shifted), Chord::of(&plain));
        assert_eq!(
            Chord::of(&KeyEvent::new(KeyCode::Char('P'), KeyModifiers::CONTROL)),
            Chord::parse("Ctrl+P").expect("a chord")
        );
    }

    #[test]
    fn a_chord_with_alt_needs_no_shift() {
        let chord = Chord::parse("Alt+S").expect("a chord");
        for (letter, modifiers) in [('s', KeyModifiers::ALT), ('S', KeyModifiers::ALT | KeyModifiers::SHIFT)] {
            assert_eq!(Chord::of(&KeyEvent::new(KeyCode::Char(letter), modifiers)), chord);
        }
        assert_eq!(Chord::parse("alt+s"), Some(chord));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "Ctrl+", "Hyper+x", "F0", "F99", "gg"] {
            assert_eq!(Chord::parse(text), None, "{text}");
        }
    }
}
