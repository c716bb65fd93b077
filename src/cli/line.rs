//! The terminal that a line of progress is drawn on: the standard error, some cells narrower than it is. It draws nothing of its
//! own.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Mutex;

use indicatif::TermLike;

use crate::core::lock::WholeMutex;

/// What a terminal writes behind the line at Ctrl+C, `^C`, and a cell more: on the next line it would leave this one behind.
const INTERRUPT_CELLS: u16 = 3;
/// Where nobody knows how wide the terminal is.
const COLUMNS: u16 = 80;

/// The standard error. What is drawn goes there in one piece.
#[derive(Debug, Default)]
pub struct Line(Mutex<String>);

impl Line {
    fn add(&self, what: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.0.hold().write_fmt(what).map_err(io::Error::other)
    }

    fn moved(&self, cells: usize, letter: char) -> io::Result<()> {
        if cells == 0 { Ok(()) } else { self.add(format_args!("\x1b[{cells}{letter}")) }
    }
}

impl TermLike for Line {
    fn width(&self) -> u16 {
        crossterm::terminal::size().map_or(COLUMNS, |(columns, _)| columns).saturating_sub(INTERRUPT_CELLS)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.add(format_args!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.add(format_args!("{s}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add(format_args!("\r\x1b[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let drawn = std::mem::take(&mut *self.0.hold());
        io::stderr().write_all(drawn.as_bytes())
    }
}
