//! The last line: at most five keys of what is focused, and the last message in full, on lines of its own where it is long.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::{Model, Note, Tone};
use crate::ui::keymap::{Command, Keymap};
use crate::ui::keys;
use crate::ui::theme::{Marks, Role, Theme, marks};
use crate::ui::widgets::text;

/// A message takes at most this share of the screen's height; beyond, the log has it in full.
const MESSAGE_SHARE: u16 = 4;

/// Lines that the footer needs.
pub fn lines(model: &Model, keys_width: usize, screen: Rect) -> u16 {
    match &model.note {
        Some(note) if !beside(note, keys_width, screen.width) => {
            let wrapped = text::wrapped(&note.text, usize::from(screen.width.saturating_sub(2))).len() as u16;
            1 + wrapped.min(screen.height / MESSAGE_SHARE)
        }
        _ => 1,
    }
}

/// Cells that the keys take.
pub fn keys_width(commands: &[Command], keymap: &Keymap, signs: Marks) -> usize {
    parts(commands, keymap, signs).iter().map(|(chord, help)| text::width(chord) + text::width(help) + 3).sum::<usize>()
        + 1
}

fn beside(note: &Note, keys_width: usize, width: u16) -> bool {
    keys_width + text::width(&note.text) + 2 <= usize::from(width) && !note.text.contains('\n')
}

fn parts<'a>(commands: &[Command], keymap: &'a Keymap, signs: Marks) -> Vec<(String, &'a str)> {
    // In letters alone the sign of the key would be another key's.
    let has_sign = signs != Marks::Ascii;
    commands
        .iter()
        .filter_map(|command| keymap.entry(*command))
        .filter_map(|entry| Some((entry.chords.first()?.to_string(), short(entry.command, entry.help))))
        .map(|(chord, help)| (if chord == "Enter" && has_sign { marks::ENTER.to_owned() } else { chord }, help))
        .collect()
}

fn short(command: Command, help: &str) -> &str {
    match command {
        keys::PALETTE => "command",
        keys::HELP => "help",
        keys::FILTER => "filter",
        keys::SORT => "sort",
        keys::COPY => "copy",
        keys::BACK => "back",
        keys::RELOAD => "read again",
        _ => help,
    }
}

/// Draws keys and message.
pub fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, commands: &[Command], keymap: &Keymap, theme: &Theme) {
    let last = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    draw_keys(frame, last, &parts(commands, keymap, theme.marks()), theme);
    let Some(note) = &model.note else { return };
    let style = theme.role(match note.tone {
        Tone::Plain => Role::Muted,
        Tone::Success => Role::Success,
        Tone::Warning => Role::Warning,
        Tone::Danger => Role::Danger,
    });
    if area.height == 1 {
        // A pane may name other keys once it is drawn than it did before: the note gives way to them.
        let room = usize::from(area.width).saturating_sub(keys_width(commands, keymap, theme.marks()) + 2);
        let words = text::fit(&note.text, room);
        let width = text::width(&words) as u16;
        let place = Rect { x: area.right().saturating_sub(width + 1), width, ..last };
        frame.render_widget(Span::styled(words, style), place);
        return;
    }
    let room = usize::from(area.height - 1);
    let mut wrapped = text::wrapped(&note.text, usize::from(area.width.saturating_sub(2)));
    if room < wrapped.len() {
        let log = keymap.chord_of(keys::LOG).map(|chord| format!(" ({chord} has it in full)")).unwrap_or_default();
        wrapped.truncate(room);
        if let Some(line) = wrapped.last_mut() {
            let cells = usize::from(area.width).saturating_sub(3 + text::width(&log));
            *line = format!("{}{}{log}", text::head(line, cells), marks::ELLIPSIS);
        }
    }
    for (at, line) in wrapped.into_iter().enumerate() {
        let place = Rect { x: area.x + 1, y: area.y + at as u16, width: area.width.saturating_sub(2), height: 1 };
        frame.render_widget(Line::styled(line, style), place);
    }
}

/// The parts that fit into so many cells: the pane's own give way from the right, the last two (palette and help) stay.
fn fitting<'a, 'p>(parts: &'a [(String, &'p str)], cells: usize) -> Vec<&'a (String, &'p str)> {
    let width = |(chord, help): &(String, &str)| text::width(chord) + text::width(help) + 3;
    let mut kept: Vec<_> = parts.iter().collect();
    // The last one needs no gap behind it, and the first one has a cell before it.
    while cells + 1 < kept.iter().map(|part| width(part)).sum::<usize>() && kept.len() > 1 {
        kept.remove(kept.len().saturating_sub(3));
    }
    kept
}

/// Keys from the left.
fn draw_keys(frame: &mut Frame<'_>, area: Rect, parts: &[(String, &str)], theme: &Theme) {
    let mut x = area.x + 1;
    for (chord, help) in fitting(parts, usize::from(area.width)) {
        let width = (text::width(chord) + 1 + text::width(help)) as u16;
        if area.right() < x + width {
            break;
        }
        let line = Line::from(vec![
            Span::styled(chord.as_str(), theme.focused()),
            Span::styled(format!(" {help}"), theme.role(Role::Muted)),
        ]);
        frame.render_widget(line, Rect { x, y: area.y, width, height: 1 });
        x += width + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(cells: usize) -> String {
        let parts = [("a", "first"), ("b", "second"), (":", "command"), ("?", "help")];
        let parts: Vec<(String, &str)> = parts.iter().map(|(chord, help)| ((*chord).to_owned(), *help)).collect();
        fitting(&parts, cells).iter().map(|(chord, _)| chord.as_str()).collect()
    }

    #[test]
    fn palette_and_help_stay_while_the_keys_of_the_pane_give_way() {
        assert_eq!(["ab:?", "a:?", "a:?", ":?", "?"], [37, 36, 27, 26, 10].map(fitted).each_ref().map(String::as_str));
    }
}
