//! Themes on the screen: chosen at once, wrong ones told, terminals without colours or without signs.

use ratatui::style::Color;
use velox::app::action::{Action, PaneId};
use velox::ui::screen::Look;
use velox::ui::theme::{Depth, Marks};

use crate::stage::Stage;

#[test]
fn a_theme_applies_at_once() {
    let mut stage = Stage::new();
    stage.drawn(80, 24);
    stage.act(Action::SetTheme("light".into()));
    assert_eq!(stage.drawn(80, 24)[(40, 12)].bg, Color::Rgb(255, 255, 255));
    assert!(stage.faults().is_empty());
}

#[test]
fn a_wrong_theme_is_told_with_its_line_and_the_default_one_is_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine.yaml"), "roles:\n  accent: reddish\n").expect("a file");
    let mut stage = Stage::with_look(Look { themes: Some(folder.path().into()), ..Look::default() });
    let before = stage.drawn(80, 24);
    stage.act(Action::SetTheme("mine".into()));
    assert_eq!(stage.drawn(80, 24)[(2, 0)].fg, before[(2, 0)].fg);
    let faults = stage.faults();
    assert!(faults.len() == 1 && faults[0].contains("mine.yaml:2:11: `reddish` is no colour"), "{faults:?}");
    stage.drawn(80, 24);
    assert!(stage.faults().is_empty(), "it is told once");
}

#[test]
fn without_colours_and_signs_every_pane_is_plain_ascii() {
    for pane in [PaneId::Environments, PaneId::Etls, PaneId::Tail, PaneId::Metrics, PaneId::Jobs, PaneId::Log] {
        let mut stage = Stage::with_look(Look { depth: Depth::Mono, marks: Marks::Ascii, ..Look::default() });
        stage.act(Action::Focus(pane));
        let buffer = stage.drawn(120, 40);
        for cell in &buffer.content {
            assert!(cell.symbol().is_ascii(), "{pane:?} draws {}", cell.symbol());
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{pane:?} colours {}", cell.symbol());
        }
    }
}
