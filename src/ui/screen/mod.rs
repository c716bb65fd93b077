//! The whole screen: header, tabs, panes, footer, and what lies over them. It sends keys down the layers and draws; it acts
//! on nothing itself.

mod footer;
mod header;
mod input;
mod tabs;

pub use input::Wish;

use std::sync::Arc;

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dialogs::confirm::Confirm;
use super::dialogs::help::Help;
use super::dialogs::palette::Palette;
use super::dialogs::resume::Resume;
use super::keymap::{Command, KeyFault, Keymap};
use super::keys;
use super::layout::{self, Areas, HEIGHT_MIN, WIDTH_MIN};
use super::pane::{FOOTER_KEYS_MAX, Pane, View};
use super::panes::roster;
use super::theme::{self, Depth, Marks, Role, Theme};
use super::widgets::text;
use crate::app::action::PaneId;
use crate::app::model::Model;
use crate::app::model::themes::ThemeFile;
use crate::core::fault::Fault;

/// How the screen is set up.
#[derive(Debug, Clone)]
pub struct Look {
    /// Colours that the terminal has.
    pub depth: Depth,
    /// Signs that the terminal has.
    pub marks: Marks,
    /// Zone in which times are shown.
    pub zone: TimeZone,
    /// How the clock is written, in strftime's letters.
    pub clock: String,
}

impl Default for Look {
    /// True colours, all signs, UTC.
    fn default() -> Self {
        Self { depth: Depth::True, marks: Marks::Unicode, zone: TimeZone::UTC, clock: "%H:%M:%S".into() }
    }
}

/// The screen with its panes.
pub struct Screen {
    panes: Vec<Box<dyn Pane>>,
    keymap: Keymap,
    theme: Theme,
    /// The theme that was asked for; where it is wrong another one is drawn with.
    asked_theme: String,
    /// The files in which it was looked for.
    theme_files: Arc<Vec<ThemeFile>>,
    /// What is wrong with it, until it is told.
    theme_faults: Vec<Fault>,
    look: Look,
    confirm: Confirm,
    resume: Resume,
    help: Option<Help>,
    palette: Option<Palette>,
    /// The pane that had the keys when the screen was drawn last.
    front: Option<PaneId>,
    /// Where the keys go back to from the log.
    before_log: PaneId,
    /// The two panes of a wide screen, left and right.
    split: [PaneId; 2],
    drawn: Drawn,
    /// Whether something moved that the model does not know.
    moved: bool,
    /// The model's revision that was drawn last.
    revision: Option<u64>,
}

/// Where things were drawn last, for the mouse.
#[derive(Debug, Default)]
struct Drawn {
    /// Nothing but the size that is needed.
    too_small: bool,
    tabs: Vec<(PaneId, Rect)>,
    /// Panes with the area inside their borders.
    panes: Vec<(PaneId, Rect)>,
}

impl Screen {
    /// A screen with all panes and default keys.
    pub fn new(look: Look) -> Self {
        Self::with_panes(roster(), look)
    }

    /// A screen with these panes, at least one.
    pub fn with_panes(panes: Vec<Box<dyn Pane>>, look: Look) -> Self {
        let keymap = Keymap::new(&panes);
        Self {
            panes,
            keymap,
            theme: Theme::load(theme::DEFAULT, &[], look.depth, look.marks).0,
            asked_theme: String::new(),
            theme_files: Arc::default(),
            theme_faults: Vec::new(),
            look,
            confirm: Confirm::default(),
            resume: Resume::default(),
            help: None,
            palette: None,
            front: None,
            before_log: PaneId::Environments,
            split: [PaneId::Environments, PaneId::Jobs],
            drawn: Drawn::default(),
            moved: true,
            revision: None,
        }
    }

    /// Gives a command other chords; none takes its chords away.
    ///
    /// # Errors
    /// An unknown command, something that is no chord, or a chord that means something else already.
    pub fn override_key(&mut self, command: &str, chords: Option<&[String]>) -> Result<(), KeyFault> {
        match chords {
            Some(chords) => self.keymap.bind(command, chords),
            None => self.keymap.unbind(command),
        }
    }

    /// Whether drawing would show something new.
    pub fn is_stale(&self, model: &Model) -> bool {
        self.moved || self.revision != Some(model.revision)
    }

    /// What is wrong with the theme that was asked for, once; the default theme is used instead.
    pub fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.theme_faults)
    }

    /// Says that everything must be drawn again: another size, another program was on the terminal.
    pub fn spoil(&mut self) {
        self.moved = true;
    }

    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>, model: &Model) {
        self.moved = false;
        self.revision = Some(model.revision);
        self.follow(model);
        let before = footer::lines(model, self.footer_width(model), frame.area());
        self.draw_with(frame, before, model);
        // Which keys a pane names it may know only once it has looked at the model.
        let after = footer::lines(model, self.footer_width(model), frame.area());
        if after != before {
            frame.buffer_mut().reset();
            self.draw_with(frame, after, model);
        }
        self.theme.finish(frame.buffer_mut());
    }

    /// Draws everything, with so many lines of footer.
    fn draw_with(&mut self, frame: &mut Frame<'_>, footer: u16, model: &Model) {
        let screen = frame.area();
        self.drawn = Drawn::default();
        frame.buffer_mut().set_style(screen, self.theme.base());
        match layout::areas(screen, footer) {
            Some(areas) => self.draw_all(frame, areas, model),
            None => {
                self.drawn.too_small = true;
                let text = format!("velox needs {WIDTH_MIN}x{HEIGHT_MIN}; this is {}x{}", screen.width, screen.height);
                let words = text::fit(&text, usize::from(screen.width)).into_owned();
                frame.render_widget(Line::styled(words, self.theme.role(Role::Warning)), screen);
            }
        }
    }

    fn draw_all(&mut self, frame: &mut Frame<'_>, areas: Areas, model: &Model) {
        header::draw(frame, areas.header, model, &self.theme, &self.look);
        let shown = match areas.second {
            Some(second) if self.fills(model.focus) => vec![(model.focus, areas.pane.union(second))],
            Some(second) => vec![(self.split[0], areas.pane), (self.split[1], second)],
            None => vec![(model.focus, areas.pane)],
        };
        for (at, (id, area)) in shown.iter().enumerate() {
            let inside = match at {
                0 => {
                    let tabs = tabs::draw(frame, *area, &self.titles(), model.focus, *id, &self.theme);
                    self.drawn.tabs = tabs;
                    tabs::inside(*area)
                }
                _ => tabs::draw_second(frame, *area, self.title(*id), model.focus == *id, &self.theme),
            };
            self.drawn.panes.push((*id, inside));
            let view = View {
                model,
                theme: &self.theme,
                keymap: &self.keymap,
                zone: &self.look.zone,
                focused: model.focus == *id && self.overlay_is_closed(model),
            };
            if let Some(pane) = self.panes.iter_mut().find(|pane| pane.id() == *id) {
                pane.draw(frame, inside, &view);
            }
        }
        let commands = self.footer_commands(model);
        footer::draw(frame, areas.footer, model, &commands, &self.keymap, &self.theme);
        self.draw_overlays(frame, model);
    }

    fn draw_overlays(&mut self, frame: &mut Frame<'_>, model: &Model) {
        let screen = frame.area();
        let title = self.title(model.focus);
        let not_here = self.pane(model.focus).map_or::<&[Command], _>(&[], |pane| pane.not_here());
        if let Some(help) = &mut self.help {
            help.draw(frame, screen, ((model.focus, title), not_here), &self.keymap, &self.theme);
        }
        if let Some(palette) = &mut self.palette {
            palette.draw(frame, screen, &self.theme);
        }
        if let Some(asked) = &model.confirmation {
            self.confirm.draw(frame, screen, asked, &self.theme);
        } else if !model.deployments.offered.is_empty() {
            self.resume.draw(frame, screen, &model.deployments, model.now_ms, &self.theme);
        }
    }

    /// Follows what the model has decided: the theme and which panes are shown.
    fn follow(&mut self, model: &Model) {
        let are_other_files = self.theme_files != model.themes;
        if are_other_files {
            self.theme_files = model.themes.clone();
            let names = theme::names(&self.theme_files);
            self.palette.iter_mut().for_each(|palette| palette.set_themes(&names));
        }
        if self.asked_theme != model.theme || are_other_files {
            let (theme, faults) = Theme::load(&model.theme, &self.theme_files, self.look.depth, self.look.marks);
            self.asked_theme.clone_from(&model.theme);
            (self.theme, self.theme_faults) = (theme, faults);
        }
        if self.front.replace(model.focus) != Some(model.focus)
            && let Some(pane) = self.panes.iter_mut().find(|pane| pane.id() == model.focus)
        {
            pane.comes_to_front();
        }
        if model.focus != PaneId::Log {
            self.before_log = model.focus;
        }
        if !self.split.contains(&model.focus) && !self.fills(model.focus) {
            self.split[0] = model.focus;
        }
    }

    fn overlay_is_closed(&self, model: &Model) -> bool {
        let nothing_is_asked = model.confirmation.is_none() && model.deployments.offered.is_empty();
        self.help.is_none() && self.palette.is_none() && nothing_is_asked
    }

    fn footer_width(&self, model: &Model) -> usize {
        footer::keys_width(&self.footer_commands(model), &self.keymap, self.theme.marks())
    }

    /// What the footer names: the pane's own, and palette and help where their keys are not letters being typed.
    fn footer_commands(&self, model: &Model) -> Vec<Command> {
        let Some(pane) = self.pane(model.focus) else { return Vec::new() };
        let mut commands = pane.footer();
        commands.truncate(FOOTER_KEYS_MAX);
        if !pane.takes_text() || pane.yields('?') {
            commands.extend([keys::PALETTE, keys::HELP]);
        }
        commands
    }

    fn pane(&self, id: PaneId) -> Option<&dyn Pane> {
        self.panes.iter().find(|pane| pane.id() == id).map(AsRef::as_ref)
    }

    fn fills(&self, id: PaneId) -> bool {
        self.pane(id).is_some_and(|pane| pane.fills())
    }

    fn title(&self, id: PaneId) -> &'static str {
        self.pane(id).map_or("", |pane| pane.title())
    }

    fn titles(&self) -> Vec<(PaneId, &'static str)> {
        self.panes.iter().map(|pane| (pane.id(), pane.title())).collect()
    }
}
