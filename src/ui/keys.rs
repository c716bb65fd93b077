//! The commands that every pane shares: those of lists and those of the console, with their default chords.

use super::keymap::{Binding, Command};
use super::widgets::search::Search;

/// One row down.
pub const DOWN: Command = Command("list.down");
/// One row up.
pub const UP: Command = Command("list.up");
/// A screenful down.
pub const PAGE_DOWN: Command = Command("list.page_down");
/// A screenful up.
pub const PAGE_UP: Command = Command("list.page_up");
/// First row.
pub const FIRST: Command = Command("list.first");
/// Last row.
pub const LAST: Command = Command("list.last");
/// To the left: fold, tab before, event before.
pub const LEFT: Command = Command("list.left");
/// To the right: unfold, next tab, next event.
pub const RIGHT: Command = Command("list.right");
/// Open what is under the cursor.
pub const OPEN: Command = Command("list.open");
/// Filter as you type.
pub const FILTER: Command = Command("list.filter");
/// Sort by the next column.
pub const SORT: Command = Command("list.sort");
/// The other way round.
pub const REVERSE: Command = Command("list.reverse");
/// Copy what is under the cursor.
pub const COPY: Command = Command("list.copy");

/// Movements of every list.
pub const LIST_KEYS: &[Binding] = &[
    Binding::new(DOWN, &["j", "Down"], "one down"),
    Binding::new(UP, &["k", "Up"], "one up"),
    Binding::new(PAGE_DOWN, &["PageDown", "Ctrl+D"], "a screenful down"),
    Binding::new(PAGE_UP, &["PageUp", "Ctrl+U"], "a screenful up"),
    Binding::new(FIRST, &["g", "Home"], "first"),
    Binding::new(LAST, &["G", "End"], "last"),
    Binding::new(LEFT, &["Left"], "fold, or the one before"),
    Binding::new(RIGHT, &["Right"], "unfold, or the next one"),
    Binding::new(OPEN, &["Enter"], "open"),
    Binding::new(FILTER, &["/"], "filter as you type"),
    Binding::new(SORT, &["s"], "sort by the next column"),
    Binding::new(REVERSE, &["S"], "sort the other way round"),
    Binding::new(COPY, &["y"], "copy to the clipboard"),
];

/// What a footer names where a list has no row under its cursor: the filter that let none through, else what `empty` names.
pub fn without_rows(search: &Search, empty: &[Command]) -> Vec<Command> {
    if search.is_active() { vec![FILTER, BACK] } else { empty.to_vec() }
}

/// Leave.
pub const QUIT: Command = Command("console.quit");
/// Back one layer.
pub const BACK: Command = Command("console.back");
/// Keys of the focused pane.
pub const HELP: Command = Command("console.help");
/// Every command, found by a few letters.
pub const PALETTE: Command = Command("console.palette");
/// The log.
pub const LOG: Command = Command("console.log");
/// Pane after this one.
pub const NEXT_PANE: Command = Command("console.next_pane");
/// Pane before this one.
pub const PREVIOUS_PANE: Command = Command("console.previous_pane");
/// Environments.
pub const PANE_ENVIRONMENTS: Command = Command("console.environments");
/// ETLs.
pub const PANE_ETLS: Command = Command("console.etls");
/// SQL.
pub const PANE_SQL: Command = Command("console.sql");
/// Tail.
pub const PANE_TAIL: Command = Command("console.tail");
/// Metrics.
pub const PANE_METRICS: Command = Command("console.metrics");
/// Jobs.
pub const PANE_JOBS: Command = Command("console.jobs");
/// Read the files again.
pub const RELOAD: Command = Command("console.reload");
/// Draw everything again.
pub const REDRAW: Command = Command("console.redraw");
/// To the shell and back.
pub const SUSPEND: Command = Command("console.suspend");

/// Keys that hold everywhere.
pub const GLOBAL_KEYS: &[Binding] = &[
    Binding::new(PALETTE, &[":", "Ctrl+P"], "find a command"),
    Binding::new(HELP, &["?", "F1"], "keys of this pane"),
    Binding::new(BACK, &["Esc"], "back one layer"),
    Binding::new(NEXT_PANE, &["Tab"], "next pane"),
    Binding::new(PREVIOUS_PANE, &["Shift+Tab"], "previous pane"),
    Binding::new(PANE_ENVIRONMENTS, &["1", "Alt+1"], "environments"),
    Binding::new(PANE_ETLS, &["2", "Alt+2"], "ETLs"),
    Binding::new(PANE_SQL, &["3", "Alt+3"], "SQL"),
    Binding::new(PANE_TAIL, &["4", "Alt+4"], "tail"),
    Binding::new(PANE_METRICS, &["5", "Alt+5"], "metrics"),
    Binding::new(PANE_JOBS, &["6", "Alt+6"], "jobs"),
    Binding::new(LOG, &["Ctrl+L"], "log and audit"),
    Binding::new(RELOAD, &["F9"], "read the configuration again"),
    Binding::new(REDRAW, &["F12"], "draw the whole screen again"),
    Binding::new(SUSPEND, &[], "to the shell and back (Ctrl+Z always does)"),
    Binding::new(QUIT, &["q", "Ctrl+C"], "leave"),
];
