//! The screen: panes, keys, themes, widgets. It reads the model and emits actions; it never names a service.

pub mod open;
pub mod run;
pub mod screen;

pub mod editor;
pub mod farewell;
mod frames;
pub mod signals;
pub mod terminal;

pub mod pane;
pub mod panes;

pub mod dialogs;

pub mod chord;
pub mod keymap;
pub mod keys;

pub mod layout;
pub mod theme;
pub mod widgets;
