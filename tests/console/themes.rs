//! Themes on the screen: chosen at once, wrong ones told, terminals without colours or without signs.

use ratatui::style::Color;
use velox::app::action::{Action, PaneId};
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::themes::ThemeFile;
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
    let mut stage = Stage::new();
    stage.apply(Fact::Themes(vec![file("mine", "roles:\n  accent: reddish\n")]));
    let before = stage.drawn(80, 24);
    stage.act(Action::SetTheme("mine".into()));
    assert_eq!(stage.drawn(80, 24)[(2, 0)].fg, before[(2, 0)].fg);
    let faults = stage.faults();
    assert!(faults.len() == 1 && faults[0].contains("mine.yaml:2:11: `reddish` is no colour"), "{faults:?}");
    stage.drawn(80, 24);
    assert!(stage.faults().is_empty(), "it is told once");
}

#[test]
fn the_palette_asks_for_the_theme_files_and_lists_what_comes_while_it_is_open() {
    let mut stage = Stage::new();
    stage.press("Ctrl+P").types("theme zeb");
    assert_eq!(stage.effects, [Effect::ReadThemes]);
    assert!(!stage.text(80, 24).contains("Theme: zebra"));
    stage.apply(Fact::Themes(vec![file("zebra", "roles:\n  text: \"#010203\"\n")]));
    assert!(stage.text(80, 24).contains("Theme: zebra"), "{}", stage.text(80, 24));
    stage.press("Enter");
    let is_drawn_in = |stage: &mut Stage, colour| stage.drawn(80, 24).content.iter().any(|cell| cell.fg == colour);
    assert!(is_drawn_in(&mut stage, Color::Rgb(1, 2, 3)), "{}", stage.text(80, 24));
    // What is written in the file meanwhile is seen with the next reading.
    stage.apply(Fact::Themes(vec![file("zebra", "roles:\n  text: \"#040506\"\n")]));
    assert!(is_drawn_in(&mut stage, Color::Rgb(4, 5, 6)));
}

/// A file of `themes/`.
fn file(name: &str, text: &str) -> ThemeFile {
    ThemeFile { name: name.into(), path: format!("themes/{name}.yaml"), text: Ok(text.into()) }
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
