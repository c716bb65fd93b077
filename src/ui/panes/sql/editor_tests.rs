//! The editor by keys: what is in it afterwards and where the caret is. It draws nothing.

#![allow(clippy::unwrap_used)]

use super::*;

/// An editor of a text in which `|` is the caret.
fn editor(marked: &str) -> SqlEditor {
    let caret = marked.find('|').unwrap();
    SqlEditor::new(&marked.replacen('|', "", 1), caret)
}

fn marked(editor: &SqlEditor) -> String {
    let mut text = editor.text().to_owned();
    text.insert(editor.caret(), '|');
    text
}

fn press(editor: &mut SqlEditor, code: KeyCode) -> Typed {
    editor.key(KeyEvent::from(code))
}

fn check(before: &str, keys: &[KeyCode], after: &str) {
    let mut editor = editor(before);
    for key in keys {
        press(&mut editor, *key);
    }
    assert_eq!(marked(&editor), after, "{keys:?} in {before:?}");
}

#[test]
fn keys_write_where_the_caret_is() {
    check("SELECT |\nFROM ö", &[KeyCode::Char('1')], "SELECT 1|\nFROM ö");
    check("ö|x", &[KeyCode::Backspace], "|x");
    check("|ab", &[KeyCode::Delete], "|b");
}

#[test]
fn a_new_line_keeps_the_indentation_and_goes_deeper_behind_a_bracket() {
    check("  a|", &[KeyCode::Enter], "  a\n  |");
    check("  f(|", &[KeyCode::Enter], "  f(\n    |");
    check("a|b", &[KeyCode::Enter], "a\n|b");
}

#[test]
fn tab_goes_to_the_next_step_and_back_tab_takes_one_away() {
    check("a|", &[KeyCode::Tab], "a |");
    check("|a", &[KeyCode::Tab], "  |a");
    check("    a|", &[KeyCode::BackTab], "  a|");
    check("a|", &[KeyCode::BackTab], "a|");
}

#[test]
fn tab_over_several_lines_moves_them_all_and_keeps_them_selected() {
    let mut editor = editor("|a\n\nb");
    editor.select_all();
    press(&mut editor, KeyCode::Tab);
    assert_eq!(editor.text(), "  a\n\n  b");
    press(&mut editor, KeyCode::BackTab);
    assert_eq!(editor.text(), "a\n\nb");
    assert!(editor.undo());
    assert_eq!(editor.text(), "  a\n\n  b", "what took the place of the selection is one step");
}

#[test]
fn home_goes_to_the_words_and_then_to_the_edge() {
    check("  ab|", &[KeyCode::Home], "  |ab");
    check("  |ab", &[KeyCode::Home], "|  ab");
}

#[test]
fn typing_is_taken_back_by_words() {
    let mut editor = editor("|");
    for letter in "SELECT amount".chars() {
        press(&mut editor, KeyCode::Char(letter));
    }
    assert!(editor.undo());
    assert_eq!(editor.text(), "SELECT ");
    assert!(editor.redo());
    assert_eq!(editor.text(), "SELECT amount");
}

#[test]
fn a_range_is_replaced_and_the_caret_stands_behind_it() {
    let mut editor = editor("SELECT am| FROM orders");
    assert!(editor.replace(7..9, "amount"));
    assert_eq!(marked(&editor), "SELECT amount| FROM orders");
}

#[test]
fn brackets_find_each_other_and_not_those_in_texts() {
    let at = |marked: &str| editor(marked).brackets();
    assert_eq!(at("f|(a, (b))"), Some((1, Some(8))));
    assert_eq!(at("f(a, (b))|"), Some((8, Some(1))));
    assert_eq!(at("SELECT f|('(')"), Some((8, Some(12))));
    assert_eq!(at("SELECT f|(1"), Some((8, None)));
    assert_eq!(at("SELECT '|('"), None);
}

#[test]
fn selected_text_is_cut_and_put_elsewhere() {
    let mut editor = editor("|ab");
    editor.key(KeyEvent::new(KeyCode::Right, KeyModifiers::SHIFT));
    assert_eq!(editor.selected(), "a");
    assert_eq!(editor.cut().as_deref(), Some("a"));
    press(&mut editor, KeyCode::End);
    editor.insert("a");
    assert_eq!(editor.text(), "ba");
}

#[test]
fn what_took_the_place_of_a_text_is_one_step_of_undo_and_of_redo() {
    let mut editor = editor("select  1|");
    assert!(editor.replace(0..9, "SELECT 1"));
    assert!(editor.undo());
    assert_eq!(editor.text(), "select  1");
    assert!(editor.redo());
    assert_eq!(editor.text(), "SELECT 1");
    assert!(editor.undo());
    press(&mut editor, KeyCode::Char(';'));
    assert!(editor.undo());
    assert_eq!(editor.text(), "select  1");
}
