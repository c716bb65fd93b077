//! What lies over the panes and around them: question, palette, help, footer, tabs, and the screen that is too small.

use insta::assert_snapshot;
use velox::app::action::{Action, RunRequest};

use crate::stage::Stage;

#[test]
fn a_guarded_run_shows_exactly_what_it_will_do_and_wants_the_name() {
    let mut stage = Stage::new();
    stage.act(Action::Run(RunRequest {
        etls: vec!["customer_update".into(), "refund_issued".into()],
        environments: vec!["prod".into()],
        count: 1_000,
        rate: Some(50),
        dry_run: false,
        context: String::new(),
    }));
    stage.types("pro");
    assert_snapshot!("confirm_80x24", stage.text(80, 24));
    stage.effects.clear();
    stage.press("Enter");
    assert!(stage.effects.is_empty() && stage.model.confirmation.is_some(), "half a name is no yes");
    stage.types("d").press("Enter");
    assert!(stage.model.confirmation.is_none());
}

#[test]
fn the_palette_finds_a_command_by_a_few_letters_and_says_its_key() {
    let mut stage = Stage::new();
    stage.text(80, 24);
    stage.press(":").types("chk hlth");
    assert_snapshot!("palette_80x24", stage.text(80, 24));
    stage.effects.clear();
    stage.press("Enter");
    assert_eq!(stage.effects.len(), 1, "{:?}", stage.effects);
}

#[test]
fn a_theme_chosen_in_the_palette_applies_at_once() {
    let mut stage = Stage::new();
    let dark = stage.styles(80, 24);
    stage.press("Ctrl+P").types("theme light").press("Enter");
    assert_ne!(stage.styles(80, 24), dark);
    assert_eq!(stage.model.theme, "light");
}

#[test]
fn help_shows_the_keys_of_the_pane_and_what_each_mark_means() {
    let mut stage = Stage::new();
    stage.text(80, 24);
    stage.press("?");
    assert_snapshot!("help_80x24", stage.text(80, 24));
    stage.press("G");
    assert!(stage.text(80, 24).contains("failed"), "the marks are at the end");
    stage.press("Esc");
    assert!(!stage.text(80, 24).contains("Keys ·"));
}

#[test]
fn a_long_error_is_shown_in_full_on_lines_of_its_own() {
    let mut stage = Stage::new();
    let fault =
        "config/environments/qa.yaml:4:3: unknown key `bootstap_servers`; did you mean `bootstrap_servers`? ".repeat(3);
    stage.act(Action::Say(velox::app::model::Note::danger(fault.trim())));
    let text = stage.text(80, 24);
    assert_eq!(text.matches("bootstap_servers").count(), 3, "{text}");
    assert_snapshot!("long_error_80x24", text);
}

#[test]
fn a_click_on_a_tab_goes_there() {
    let mut stage = Stage::new();
    let text = stage.text(80, 24);
    let tabs = text.lines().nth(1).expect("tabs");
    let column = tabs.chars().position(|letter| letter == '6').expect("jobs") as u16;
    stage.click(column, 1);
    assert_eq!(stage.model.focus, velox::app::action::PaneId::Jobs);
}

#[test]
fn a_screen_that_is_too_small_says_what_it_needs() {
    for (width, height) in [(59, 24), (80, 14), (20, 5)] {
        let text = Stage::new().text(width, height);
        let needed: String = "velox needs 60x15".chars().take(usize::from(width) - 3).collect();
        assert!(text.contains(&needed), "{text}");
    }
    assert!(Stage::new().text(60, 15).contains("1 Environments"));
}

#[test]
fn a_wide_screen_shows_two_panes_and_the_keys_go_to_one() {
    let mut stage = Stage::new();
    let text = stage.text(200, 60);
    assert!(text.contains("1 Environments") && text.contains("┌ Jobs "), "{text}");
    stage.press("6");
    let text = stage.text(200, 60);
    assert!(text.contains("┌ Jobs "), "the pane beside takes the keys where it stands\n{text}");
}

#[test]
fn no_key_of_the_defaults_is_one_that_terminals_take() {
    let keymap = velox::ui::keymap::Keymap::new(&velox::ui::panes::roster());
    for entry in keymap.entries() {
        for chord in &entry.chords {
            let text = chord.to_string();
            let taken = ["B", "A", "S", "Q", "Z", "I", "M", "H", "J"].iter().any(|key| text == format!("Ctrl+{key}"));
            assert!(!taken, "{:?} is on {text}", entry.command);
        }
    }
}

#[test]
fn no_two_commands_of_one_place_have_the_same_key() {
    let keymap = velox::ui::keymap::Keymap::new(&velox::ui::panes::roster());
    let mut seen = std::collections::HashMap::new();
    for entry in keymap.entries() {
        for chord in &entry.chords {
            let before = seen.insert((entry.scope, *chord), entry.command);
            assert_eq!(before, None, "{chord} means {:?} too", entry.command);
        }
        assert!(!entry.help.is_empty() && !entry.help.ends_with('.'), "{:?}", entry.command);
    }
}

#[test]
fn keys_of_the_file_replace_the_defaults_and_conflicts_are_refused() {
    let mut keymap = velox::ui::keymap::Keymap::new(&velox::ui::panes::roster());
    let chords = |text: &str| vec![text.to_owned()];
    let conflict = keymap.bind("console.reload", &chords("q")).expect_err("q leaves");
    assert!(conflict.to_string().contains("console.quit"), "{conflict}");
    keymap.unbind("console.quit").expect("a command");
    keymap.bind("console.reload", &chords("q")).expect("q is free now");
    let unknown = keymap.bind("console.relaod", &chords("F8")).expect_err("no such command");
    assert!(unknown.to_string().contains("did you mean `console.reload`"), "{unknown}");
    assert!(keymap.bind("console.reload", &chords("Hyper+x")).is_err());
}
