//! The screen: panes, keys, themes, widgets. It reads the model and emits actions; it never names a service.

pub mod theme;
pub mod widgets;
