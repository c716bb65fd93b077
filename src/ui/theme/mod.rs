//! Themes: colours by role, never by hue, on any terminal down to one without colours. Drawing asks for a role or an
//! environment and gets a style; it never names a colour itself.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::app::model::themes::ThemeFile;
use crate::core::fault::Fault;

pub mod marks;

mod colour;
mod file;

pub use colour::Depth;
pub use file::names;
pub use marks::Marks;

/// The theme where none is chosen or the chosen one is wrong.
pub const DEFAULT: &str = "dark";

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Words.
    Text,
    /// Words that may be overlooked.
    Muted,
    /// The one colour of what is focused or acts.
    Accent,
    /// What failed or destroys.
    Danger,
    /// What needs care.
    Warning,
    /// What ended well.
    Success,
    /// Behind the row under the cursor.
    Selection,
    /// Lines between things.
    Border,
    /// First series of a chart; keys of highlighted text.
    Chart1,
    /// Second series; texts.
    Chart2,
    /// Third series; numbers.
    Chart3,
    /// Fourth series; literals and keywords.
    Chart4,
    /// Fifth series.
    Chart5,
    /// Sixth series.
    Chart6,
}

impl Role {
    /// All roles, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Text,
        Self::Muted,
        Self::Accent,
        Self::Danger,
        Self::Warning,
        Self::Success,
        Self::Selection,
        Self::Border,
        Self::Chart1,
        Self::Chart2,
        Self::Chart3,
        Self::Chart4,
        Self::Chart5,
        Self::Chart6,
    ];

    /// The role of a chart's series, from 0; the seventh is the first again.
    pub fn chart(series: usize) -> Self {
        Self::ALL[Self::Chart1 as usize + series % 6]
    }

    /// The key in a theme file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Muted => "muted",
            Self::Accent => "accent",
            Self::Danger => "danger",
            Self::Warning => "warning",
            Self::Success => "success",
            Self::Selection => "selection",
            Self::Border => "border",
            Self::Chart1 => "chart-1",
            Self::Chart2 => "chart-2",
            Self::Chart3 => "chart-3",
            Self::Chart4 => "chart-4",
            Self::Chart5 => "chart-5",
            Self::Chart6 => "chart-6",
        }
    }
}

/// The colours of a theme file, as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette {
    background: Color,
    roles: [Color; Role::ALL.len()],
    environments: Vec<(String, Color)>,
    other_environment: Color,
}

impl Palette {
    /// Every role in the terminal's own colour of text.
    fn plain() -> Self {
        Self {
            background: Color::Reset,
            roles: [Color::Reset; Role::ALL.len()],
            environments: Vec::new(),
            other_environment: Color::Reset,
        }
    }
}

/// A palette on a terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    name: String,
    depth: Depth,
    marks: Marks,
    palette: Palette,
}

impl Theme {
    /// The theme of this name; where it is wrong, the default one and what is wrong with the other.
    /// `files` go before those compiled in.
    pub fn load(name: &str, files: &[ThemeFile], depth: Depth, marks: Marks) -> (Self, Vec<Fault>) {
        match file::load(name, files) {
            Ok(palette) => (Self { name: name.to_owned(), depth, marks, palette }, Vec::new()),
            Err(faults) => {
                let palette = file::load(DEFAULT, &[]).unwrap_or_else(|_| Palette::plain());
                (Self { name: DEFAULT.to_owned(), depth, marks, palette }, faults)
            }
        }
    }

    /// The name, as `console.yaml` and the palette of commands say it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Colours that the terminal has.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// Signs that the terminal has.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// The style of everything that has no other: text on the theme's background. Lay it under a whole frame.
    pub fn base(&self) -> Style {
        let background = match self.depth {
            Depth::Mono => Color::Reset,
            depth => colour::degrade(self.palette.background, depth),
        };
        Style::new().fg(self.colour(Role::Text)).bg(background)
    }

    /// The style of a role. `Selection` is a background to be patched onto a row; the others colour letters.
    pub fn role(&self, role: Role) -> Style {
        if role == Role::Selection {
            return match self.depth {
                // Sixteen colours have no background that is quiet under every letter.
                Depth::Mono | Depth::Sixteen => Style::new().add_modifier(Modifier::REVERSED),
                _ => Style::new().bg(self.colour(role)),
            };
        }
        if self.depth == Depth::Mono {
            return Style::new().add_modifier(match role {
                Role::Muted | Role::Border => Modifier::DIM,
                Role::Accent | Role::Warning => Modifier::BOLD,
                Role::Danger => Modifier::BOLD.union(Modifier::UNDERLINED),
                _ => Modifier::empty(),
            });
        }
        Style::new().fg(self.colour(role))
    }

    /// The style of letters that matched what was typed.
    pub fn matched(&self) -> Style {
        self.role(Role::Accent).add_modifier(Modifier::UNDERLINED)
    }

    /// The style of what is focused: the accent, in bold.
    pub fn focused(&self) -> Style {
        self.role(Role::Accent).add_modifier(Modifier::BOLD)
    }

    /// An environment's own colour; `other` of the theme where it has none.
    pub fn environment(&self, name: &str) -> Style {
        let palette = &self.palette;
        let found = palette.environments.iter().find(|(known, _)| known == name);
        let colour = found.map_or(palette.other_environment, |(_, colour)| *colour);
        match self.depth {
            Depth::Mono => Style::new().add_modifier(Modifier::BOLD),
            depth => Style::new().fg(colour::degrade(colour, depth)),
        }
    }

    /// The last touch on a frame: stand-ins for what the terminal cannot show.
    pub fn finish(&self, buffer: &mut Buffer) {
        self.marks.finish(buffer);
    }

    fn colour(&self, role: Role) -> Color {
        colour::degrade(self.palette.roles[role as usize], self.depth)
    }
}

impl Default for Theme {
    /// The default theme in true colours with all signs.
    fn default() -> Self {
        Self::load(DEFAULT, &[], Depth::True, Marks::Unicode).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_theme_gives_the_default_one_and_says_why() {
        let (theme, faults) = Theme::load("no-such", &[], Depth::True, Marks::Unicode);
        assert_eq!(theme.name(), DEFAULT);
        assert_eq!(faults.len(), 1);
        assert_eq!(theme, Theme::default());
    }

    #[test]
    fn an_environment_has_its_own_colour_and_a_new_one_has_the_fallback() {
        let theme = Theme::default();
        assert_eq!(theme.environment("prod").fg, theme.role(Role::Danger).fg, "prod is red");
        assert_ne!(theme.environment("prod"), theme.environment("qa"));
        assert_eq!(theme.environment("perf-7"), theme.environment("perf-8"));
    }

    #[test]
    fn without_colours_no_style_has_one_and_the_selection_is_still_seen() {
        let (theme, _) = Theme::load("gruvbox", &[], Depth::Mono, Marks::Ascii);
        for role in Role::ALL {
            let style = theme.role(role);
            assert!(matches!(style.fg, None | Some(Color::Reset)) && style.bg.is_none(), "{role:?}");
        }
        assert!(theme.role(Role::Selection).add_modifier.contains(Modifier::REVERSED));
        assert_eq!((theme.base().fg, theme.base().bg), (Some(Color::Reset), Some(Color::Reset)));
    }

    #[test]
    fn letters_of_every_theme_can_be_read_on_its_background_and_on_its_selection() {
        for name in names(&[]) {
            let palette = file::load(&name, &[]).expect("a theme");
            // A theme that leaves the background to the terminal is judged on a dark grey one.
            let ground = if palette.background == Color::Reset { Color::Rgb(24, 26, 30) } else { palette.background };
            for role in Role::ALL.into_iter().filter(|role| !matches!(role, Role::Selection | Role::Border)) {
                let letters = palette.roles[role as usize];
                // WCAG 2.1, 1.4.3: 4.5 to one for text, 3 to one for large or unessential text.
                let least = if role == Role::Muted { 3.5 } else { 4.5 };
                assert!(contrast(letters, ground) >= least, "{name}: {role:?} {}", contrast(letters, ground));
                let selection = palette.roles[Role::Selection as usize];
                assert!(
                    contrast(letters, selection) >= 2.5,
                    "{name}: {role:?} selected {}",
                    contrast(letters, selection)
                );
            }
        }
    }

    fn contrast(one: Color, other: Color) -> f64 {
        let luminance = |colour: Color| {
            let Color::Rgb(red, green, blue) = colour else { panic!("{colour:?} is not written as #rrggbb") };
            let linear = |value: u8| match f64::from(value) / 255.0 {
                low if low <= 0.04045 => low / 12.92,
                high => ((high + 0.055) / 1.055).powf(2.4),
            };
            0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }
}
