//! The registry of keys: command, chords, where it holds, one line of help. Keys are data; no pane compares raw keys.

use std::collections::HashMap;
use std::fmt;

use super::chord::Chord;
use super::keys::{GLOBAL_KEYS, LIST_KEYS};
use super::pane::Pane;
use crate::app::action::PaneId;
use crate::core::words::nearest;

/// A command's name, as `config/console.yaml` and the palette say it: `etls.preview`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Command(pub &'static str);

/// A command with its default chords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The command.
    pub command: Command,
    /// Chords as text; the first is the one that is shown.
    pub chords: &'static [&'static str],
    /// One line of help, without a full stop.
    pub help: &'static str,
}

impl Binding {
    /// A line of a `KEYS` table.
    pub const fn new(command: Command, chords: &'static [&'static str], help: &'static str) -> Self {
        Self { command, chords, help }
    }
}

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In every list.
    List,
    /// In one pane; goes before the others.
    Pane(PaneId),
}

/// One line of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The command.
    pub command: Command,
    /// Where it holds.
    pub scope: Scope,
    /// Its chords now; the first is the one that is shown. Empty where it was unbound.
    pub chords: Vec<Chord>,
    /// One line of help.
    pub help: &'static str,
}

/// Why an override cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// No such command; with the nearest that exists.
    UnknownCommand {
        /// As written.
        command: String,
        /// The nearest known.
        nearest: Option<&'static str>,
    },
    /// Not a chord.
    UnknownChord(String),
    /// The chord already means something where this command holds.
    Conflict {
        /// The chord.
        chord: String,
        /// The command it was to be bound to.
        command: String,
        /// The command that has it.
        holder: &'static str,
    },
}

impl KeyFault {
    /// The chord it is about, as written.
    pub fn chord(&self) -> Option<&str> {
        match self {
            Self::UnknownChord(chord) | Self::Conflict { chord, .. } => Some(chord),
            Self::UnknownCommand { .. } => None,
        }
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand { command, nearest: Some(nearest) } => {
                write!(f, "unknown command `{command}`; did you mean `{nearest}`?")
            }
            Self::UnknownCommand { command, nearest: None } => write!(f, "unknown command `{command}`"),
            Self::UnknownChord(chord) => write!(f, "`{chord}` is not a key; write it as `Ctrl+P`, `F5`, `x`"),
            Self::Conflict { chord, command, holder } => {
                write!(f, "`{chord}` cannot mean `{command}`: it means `{holder}` there; unbind that first")
            }
        }
    }
}

/// All bindings in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    entries: Vec<Entry>,
    by_chord: HashMap<(Scope, Chord), Command>,
}

impl Keymap {
    /// The defaults of the console and of these panes.
    pub fn new(panes: &[Box<dyn Pane>]) -> Self {
        let mut entries = Vec::new();
        let mut add = |scope, bindings: &'static [Binding]| {
            entries.extend(bindings.iter().map(|binding| Entry {
                command: binding.command,
                scope,
                chords: binding.chords.iter().filter_map(|chord| Chord::parse(chord)).collect(),
                help: binding.help,
            }));
        };
        for pane in panes {
            add(Scope::Pane(pane.id()), pane.keys());
        }
        add(Scope::List, LIST_KEYS);
        add(Scope::Global, GLOBAL_KEYS);
        let mut keymap = Self { entries, by_chord: HashMap::new() };
        keymap.index();
        keymap
    }

    /// What a chord means in a pane: the pane's own meaning first, then the lists', then the console's.
    pub fn command(&self, pane: PaneId, chord: Chord) -> Option<Command> {
        [Scope::Pane(pane), Scope::List, Scope::Global]
            .iter()
            .find_map(|scope| self.by_chord.get(&(*scope, chord)).copied())
    }

    /// The line of a command.
    pub fn entry(&self, command: Command) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.command == command)
    }

    /// The chord that is shown for a command; none where it was unbound.
    pub fn chord_of(&self, command: Command) -> Option<Chord> {
        self.entry(command)?.chords.first().copied()
    }

    /// Every line: panes in roster order, then lists, then the console.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes chords away from a command.
    pub fn unbind(&mut self, command: &str) -> Result<(), KeyFault> {
        let at = self.position(command)?;
        self.entries[at].chords.clear();
        self.index();
        Ok(())
    }

    /// Gives a command these chords instead of its own.
    pub fn bind(&mut self, command: &str, chords: &[String]) -> Result<(), KeyFault> {
        let at = self.position(command)?;
        let mut parsed = Vec::with_capacity(chords.len());
        for text in chords {
            let chord = Chord::parse(text).ok_or_else(|| KeyFault::UnknownChord(text.clone()))?;
            let scope = self.entries[at].scope;
            match self.by_chord.get(&(scope, chord)) {
                Some(holder) if holder.0 != command => {
                    return Err(KeyFault::Conflict { chord: text.clone(), command: command.into(), holder: holder.0 });
                }
                _ => parsed.push(chord),
            }
        }
        self.entries[at].chords = parsed;
        self.index();
        Ok(())
    }

    fn position(&self, command: &str) -> Result<usize, KeyFault> {
        self.entries.iter().position(|entry| entry.command.0 == command).ok_or_else(|| {
            let names = || self.entries.iter().map(|entry| entry.command.0);
            // `quit` is near to `console.quit`: people leave out where a command belongs.
            let short = |name: &'static str| name.rsplit('.').next().unwrap_or_default();
            let nearest =
                names().find(|name| short(name) == command).or_else(|| nearest(command, names())).or_else(|| {
                    let meant = nearest(command, names().map(short))?;
                    names().find(|name| short(name) == meant)
                });
            KeyFault::UnknownCommand { command: command.into(), nearest }
        })
    }

    fn index(&mut self) {
        self.by_chord = self
            .entries
            .iter()
            .flat_map(|entry| entry.chords.iter().map(|chord| ((entry.scope, *chord), entry.command)))
            .collect();
    }
}
