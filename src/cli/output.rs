//! The standard output, as text or JSON: locked once, buffered, quiet when its reader leaves.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use serde::Serialize;

use super::arguments::Format;

/// Large enough that a flood of records costs few system calls, small enough to be nothing.
const BUFFER_BYTES: usize = 256 * 1024;

/// Where a command writes what it was asked for.
pub struct Output {
    format: Format,
    terminal: bool,
    colour: bool,
    to: BufWriter<Box<dyn Write + Send>>,
}

impl Output {
    /// The standard output of this process.
    pub fn standard(format: Format) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            format,
            terminal,
            colour: terminal && wants_colour(),
            to: BufWriter::with_capacity(BUFFER_BYTES, Box::new(io::stdout())),
        }
    }

    /// The asked format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Cells of a line, where a person looks at it.
    pub fn cells(&self) -> Option<usize> {
        cells(self.terminal)
    }

    /// Shows one value: as a JSON document, or as the text that `text` writes.
    pub fn show<T: Serialize>(
        &mut self,
        value: &T,
        text: impl FnOnce(&mut Page<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.format {
            Format::Json => self.json(value),
            Format::Text => text(&mut self.page()),
        }
    }

    /// The page that text is written on.
    pub fn page(&mut self) -> Page<'_> {
        Page { to: &mut self.to, terminal: self.terminal, colour: self.colour }
    }

    /// Writes a value as one line of JSON, of which more follow.
    pub fn line<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, value)?;
        self.to.write_all(b"\n")
    }

    /// Writes a value as JSON: indented for a person, one line for a program.
    pub fn json<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        if self.terminal {
            serde_json::to_writer_pretty(&mut self.to, value)?;
        } else {
            serde_json::to_writer(&mut self.to, value)?;
        }
        self.to.write_all(b"\n")
    }

    /// The buffered writer itself, for a command that writes records or raw text.
    pub fn writer(&mut self) -> &mut (impl Write + Send + use<>) {
        &mut self.to
    }

    /// This output for another thread to write to. Until it is given back, what is written here goes nowhere.
    pub fn lend(&mut self) -> Self {
        let (format, terminal, colour) = (self.format, self.terminal, self.colour);
        let nowhere = Self { format, terminal, colour, to: BufWriter::new(Box::new(io::sink())) };
        std::mem::replace(self, nowhere)
    }

    /// Hands everything to the reader.
    pub fn finish(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Text output with what its look depends on.
pub struct Page<'a> {
    to: &'a mut dyn Write,
    terminal: bool,
    colour: bool,
}

impl Page<'_> {
    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Cells of a line, where a person looks at it.
    pub fn cells(&self) -> Option<usize> {
        cells(self.terminal)
    }

    /// One line.
    pub fn line(&mut self, line: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.to, "{line}")
    }

    /// A text of several lines.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{}", text.trim_end())
    }

    /// Text that came from elsewhere: on a terminal without control characters, save line breaks and tabs.
    pub fn safe<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
        if self.terminal && text.contains(is_control) {
            return text.replace(is_control, "\u{fffd}").into();
        }
        text.into()
    }

    /// A table without rules: a header, then rows. Columns from `numbers_from` on are aligned to the right.
    pub fn table<R>(&mut self, header: &[&str], rows: R, numbers_from: usize) -> io::Result<()>
    where
        R: IntoIterator<Item = Vec<Cell>>,
    {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(header.iter().map(|name| name.to_uppercase()));
        table.add_rows(rows);
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if let Some(cells) = self.cells() {
            let cells = u16::try_from(cells).unwrap_or(u16::MAX);
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(cells);
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if index >= numbers_from {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.lines().try_for_each(|line| writeln!(self.to, "{}", line.trim_end()))
    }

    /// A text in a role's colour, as it is where colours are off.
    pub fn paint(&self, role: Role, text: impl std::fmt::Display) -> String {
        match (self.colour, role) {
            (false, _) => text.to_string(),
            (true, Role::Success) => format!("\x1b[32m{text}\x1b[0m"),
            (true, Role::Warning) => format!("\x1b[33m{text}\x1b[0m"),
            (true, Role::Danger) => format!("\x1b[31m{text}\x1b[0m"),
            (true, Role::Muted) => format!("\x1b[2m{text}\x1b[0m"),
            (true, Role::Strong) => format!("\x1b[1m{text}\x1b[0m"),
        }
    }
}

fn cells(is_terminal: bool) -> Option<usize> {
    is_terminal.then(|| crossterm::terminal::size().ok()).flatten().map(|(columns, _)| usize::from(columns))
}

/// What a text means; the colour follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is as it should be.
    Success,
    /// Something is missing.
    Warning,
    /// It failed.
    Danger,
    /// Less important than what is beside it.
    Muted,
    /// A heading.
    Strong,
}

/// A cell of a table in a role's colour.
pub fn cell(role: Role, text: impl std::fmt::Display) -> Cell {
    let cell = Cell::new(text);
    match role {
        Role::Success => cell.fg(Color::DarkGreen),
        Role::Warning => cell.fg(Color::DarkYellow),
        Role::Danger => cell.fg(Color::DarkRed),
        Role::Muted => cell.add_attribute(Attribute::Dim),
        Role::Strong => cell.add_attribute(Attribute::Bold),
    }
}

/// Whether the standard error shows colours.
pub fn colours_on_standard_error() -> bool {
    io::stderr().is_terminal() && wants_colour()
}

/// Whether the person has not asked for plain text: `NO_COLOR` set to anything, or a terminal that has none.
fn wants_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
