//! The commands of pane 3 with their keys. Chords with Ctrl, Alt or a function key work while SQL is written, letters in the rows.

use crate::ui::keymap::{Binding, Command};

pub const RUN: Command = Command("sql.run");
pub const PLAN: Command = Command("sql.plan");
pub const VALIDATE: Command = Command("sql.validate");
pub const DEPLOY: Command = Command("sql.deploy");
pub const WRITE: Command = Command("sql.write");
pub const COMPLETE: Command = Command("sql.complete");
pub const CATALOG: Command = Command("sql.catalog");
pub const ZOOM: Command = Command("sql.zoom");
pub const STOP: Command = Command("sql.stop");
pub const PAUSE: Command = Command("sql.pause");
pub const FOLLOW: Command = Command("sql.follow");
pub const PIN: Command = Command("sql.pin");
pub const EXPORT: Command = Command("sql.export");
pub const COPY_VALUE: Command = Command("sql.copy_value");
pub const OPEN_FILE: Command = Command("sql.open");
pub const GALLERY: Command = Command("sql.gallery");
pub const SAVE: Command = Command("sql.save");
pub const NEW_TAB: Command = Command("sql.new_tab");
pub const CLOSE_TAB: Command = Command("sql.close_tab");
pub const NEXT_TAB: Command = Command("sql.next_tab");
pub const PREVIOUS_TAB: Command = Command("sql.previous_tab");
pub const OLDER: Command = Command("sql.older");
pub const NEWER: Command = Command("sql.newer");
pub const FIND: Command = Command("sql.find");
pub const FIND_NEXT: Command = Command("sql.find_next");
pub const FIND_BEFORE: Command = Command("sql.find_before");
pub const UNDO: Command = Command("sql.undo");
pub const REDO: Command = Command("sql.redo");
pub const COPY_TEXT: Command = Command("sql.copy_text");
pub const CUT: Command = Command("sql.cut");
pub const PASTE: Command = Command("sql.paste");
pub const SELECT_ALL: Command = Command("sql.select_all");
pub const FORMAT: Command = Command("sql.format");
pub const EDITOR: Command = Command("sql.editor");

/// Every command of the pane.
pub const KEYS: &[Binding] = &[
    Binding::new(RUN, &["F5", "Ctrl+R"], "run"),
    Binding::new(PLAN, &["F6"], "plan"),
    Binding::new(VALIDATE, &["F7"], "validate"),
    Binding::new(DEPLOY, &["F8"], "deploy"),
    Binding::new(WRITE, &["i"], "write"),
    Binding::new(COMPLETE, &["Ctrl+Space", "Alt+/"], "complete"),
    Binding::new(CATALOG, &["F2", "c"], "catalog"),
    Binding::new(ZOOM, &["F4", "z"], "this part alone, or all"),
    Binding::new(STOP, &["x", "Alt+X"], "stop"),
    Binding::new(PAUSE, &["Space"], "hold, or go on"),
    Binding::new(FOLLOW, &["f"], "go with the newest row"),
    Binding::new(PIN, &["F"], "only rows with the value under the cursor"),
    Binding::new(EXPORT, &["o"], "export the rows in view"),
    Binding::new(COPY_VALUE, &["Y"], "copy the value under the cursor"),
    Binding::new(OPEN_FILE, &["Ctrl+O"], "open"),
    Binding::new(GALLERY, &["Ctrl+G"], "examples"),
    Binding::new(SAVE, &["Alt+S", "w"], "save under config/sql"),
    Binding::new(NEW_TAB, &["Ctrl+N", "t"], "new tab"),
    Binding::new(CLOSE_TAB, &["Alt+W", "X"], "close the tab"),
    Binding::new(NEXT_TAB, &["Alt+Right", "Ctrl+PageDown", "]"], "next tab"),
    Binding::new(PREVIOUS_TAB, &["Alt+Left", "Ctrl+PageUp", "["], "tab before"),
    Binding::new(OLDER, &["Ctrl+Up", "Alt+Up"], "statement that was run before"),
    Binding::new(NEWER, &["Ctrl+Down", "Alt+Down"], "statement that was run after"),
    Binding::new(FIND, &["Ctrl+F"], "find in the text"),
    Binding::new(FIND_NEXT, &["F3"], "next place"),
    Binding::new(FIND_BEFORE, &["Shift+F3"], "place before"),
    Binding::new(UNDO, &["Ctrl+U"], "undo"),
    Binding::new(REDO, &["Ctrl+Y"], "redo"),
    Binding::new(COPY_TEXT, &["Ctrl+C"], "copy what is selected; leave, where nothing is"),
    Binding::new(CUT, &["Ctrl+X"], "cut what is selected"),
    Binding::new(PASTE, &["Ctrl+V"], "put in what was copied or cut here"),
    Binding::new(SELECT_ALL, &["Alt+A"], "select all"),
    Binding::new(FORMAT, &["Alt+F"], "lay the statement out"),
    Binding::new(EDITOR, &["Alt+E", "e"], "write in $EDITOR"),
];
