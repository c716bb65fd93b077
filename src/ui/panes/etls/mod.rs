//! Pane 2: the tree of ETLs, and of the one under its cursor definition, template, preview and runs. It renders and sends
//! nothing itself: it asks, and shows what came of it.

mod catalogue;
mod tab;

mod context;
mod excerpt;
mod preview;

mod planned;
mod runs;
mod sheet;

mod choose;
mod here;
mod launch;
mod preset;
mod run_dialog;

mod detail;
mod layers;

use std::collections::BTreeSet;

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use crate::app::action::{Action, PaneId, RunRequest};
use crate::app::model::etls::EtlRow;
use crate::app::model::{Model, Note, Opened};
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::layout::{BESIDE_WIDTH_MIN, list_and_detail};
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::source::SourceView;
use crate::ui::widgets::table::Look;
use crate::ui::widgets::text;
use crate::ui::widgets::tree::{Node, Tree};

use catalogue::Catalogue;
use here::Here;
use layers::Layers;
use preview::PreviewTab;
use runs::RunsTab;
use tab::Tab;

/// Render one event.
pub const PREVIEW: Command = Command("etls.preview");
/// Set a run up.
pub const RUN: Command = Command("etls.run");
/// Edit definition or template.
pub const EDIT: Command = Command("etls.edit");
/// Edit the event context.
pub const CONTEXT: Command = Command("etls.context");
/// Mark an ETL for a run of several.
pub const MARK: Command = Command("etls.mark");
/// Stop what runs.
pub const STOP: Command = Command("etls.stop");
/// Run again.
pub const REPEAT: Command = Command("etls.repeat");
/// Write payload or report to a file.
pub const EXPORT: Command = Command("etls.export");
/// Keep a run under a name.
pub const KEEP: Command = Command("etls.keep");
/// Forget a run that was kept.
pub const FORGET: Command = Command("etls.forget");
/// Choose what the preview is of.
pub const CHOOSE: Command = Command("etls.choose");
/// The event after.
pub const EVENT_AFTER: Command = Command("etls.event_after");
/// The event before.
pub const EVENT_BEFORE: Command = Command("etls.event_before");
/// Headers on a line each.
pub const HEADERS: Command = Command("etls.headers");
/// The tab after.
pub const TAB_AFTER: Command = Command("etls.tab_after");
/// The tab before.
pub const TAB_BEFORE: Command = Command("etls.tab_before");

const KEYS: &[Binding] = &[
    Binding::new(PREVIEW, &["p"], "preview"),
    Binding::new(RUN, &["r"], "run"),
    Binding::new(EDIT, &["e"], "edit"),
    Binding::new(CONTEXT, &["c"], "context"),
    Binding::new(MARK, &["Space"], "mark"),
    Binding::new(STOP, &["x"], "stop"),
    Binding::new(REPEAT, &["R"], "repeat"),
    Binding::new(EXPORT, &["o"], "export"),
    Binding::new(KEEP, &["w"], "keep as preset"),
    Binding::new(FORGET, &["d", "Delete"], "forget preset"),
    Binding::new(CHOOSE, &["v"], "which event"),
    Binding::new(EVENT_AFTER, &["."], "next event"),
    Binding::new(EVENT_BEFORE, &[","], "event before"),
    Binding::new(HEADERS, &["H"], "all headers"),
    Binding::new(TAB_AFTER, &["]"], "next tab"),
    Binding::new(TAB_BEFORE, &["["], "tab before"),
];

/// The pane.
#[derive(Debug, Default)]
pub struct Etls {
    tree: Tree,
    marked: BTreeSet<String>,
    /// Grows when marks change, which the model does not know.
    touched: u64,
    /// Whether the cursor was put on the first ETL.
    is_placed: bool,
    in_detail: bool,
    tab: Tab,
    definition: SourceView,
    template: SourceView,
    preview: PreviewTab,
    runs: RunsTab,
    layers: Layers,
    /// What was run last from here: the next run of the same begins with it.
    last_run: Option<RunRequest>,
    /// The last job that was to be shown here.
    opened: Option<Opened>,
    here: Here,
    drawn: Drawn,
}

/// Where things were drawn last, for the mouse.
#[derive(Debug, Default)]
struct Drawn {
    list: Rect,
    tabs: Vec<(Tab, Rect)>,
}

impl Pane for Etls {
    fn id(&self) -> PaneId {
        PaneId::Etls
    }

    fn title(&self) -> &'static str {
        "ETLs"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        self.refresh(model);
        if self.layers.is_open() {
            return self.layer_key(press.event, model);
        }
        if self.tree.is_typing() {
            let handled = self.tree.key(&Catalogue::of(model, &self.marked), press.event);
            return if handled { Reply::Handled } else { Reply::Ignored };
        }
        let before = self.selected(model).map(|row| row.name.clone());
        let reply = self.command(press, model);
        self.refresh(model);
        let moved = self.selected(model).map(|row| row.name.clone()) != before;
        match reply {
            // The preview follows the cursor.
            Reply::Handled if moved && self.tab == Tab::Preview => self.ask(model),
            reply => reply,
        }
    }

    fn not_here(&self) -> &'static [Command] {
        &[keys::SORT, keys::REVERSE]
    }

    fn takes_text(&self) -> bool {
        self.layers.is_open() || self.tree.is_typing()
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Reply {
        match self.layers.is_open() {
            true => self.layers.paste(text).map_or(Reply::Handled, Reply::Emit),
            false if self.tree.listing_mut().search_mut().paste(text) => Reply::Handled,
            false => Reply::Ignored,
        }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, model: &Model) -> Reply {
        self.refresh(model);
        if self.layers.is_open() {
            return self.layers.mouse(event).map_or(Reply::Handled, Reply::Emit);
        }
        let at = Position::new(event.column, event.row);
        let pressed = matches!(event.kind, MouseEventKind::Down(MouseButton::Left));
        if pressed && let Some((tab, _)) = self.drawn.tabs.iter().find(|(_, place)| place.contains(at)) {
            return self.open(*tab, model);
        }
        if self.drawn.list.contains(at) {
            let pointed = self.tree.mouse(&Catalogue::of(model, &self.marked), event);
            self.in_detail = pointed == Pointed::Opened && self.selected(model).is_some();
            return match self.tab {
                Tab::Preview if pointed == Pointed::Chosen => self.ask(model),
                _ => Reply::Handled,
            };
        }
        let pointed = match self.tab {
            Tab::Definition => self.definition.mouse(event),
            Tab::Template => self.template.mouse(event),
            Tab::Preview => self.preview.value.mouse(event),
            Tab::Runs => self.runs.mouse(event),
        };
        self.in_detail |= pressed;
        if pointed == Pointed::Elsewhere && !pressed { Reply::Ignored } else { Reply::Handled }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        self.refresh(view.model);
        self.in_detail &= self.selected(view.model).is_some();
        let beside = BESIDE_WIDTH_MIN <= area.width;
        self.drawn = Drawn::default();
        let (list, detail) = match (beside, self.in_detail) {
            (true, _) => {
                let [list, detail] = list_and_detail(area);
                (Some(list), Some(detail))
            }
            (false, true) => (None, Some(area)),
            (false, false) => (Some(area), None),
        };
        let buffer = frame.buffer_mut();
        if let Some(list) = list {
            let list = Rect { width: list.width.saturating_sub(u16::from(beside)), ..list };
            self.drawn.list = list;
            let facts = Catalogue::of(view.model, &self.marked);
            let reload = chord(view, keys::RELOAD);
            let empty = format!("no ETLs: describe one in config/etl/NAME.yaml, then {reload} reads it");
            let focused = view.focused && !self.in_detail && !self.layers.is_open();
            let columns = facts.columns();
            let look = Look { columns: &columns, focused, empty: &empty };
            self.tree.draw(&facts, look, list, buffer, view.theme);
            self.draw_marked(list, buffer, view);
        }
        if let Some(detail) = detail {
            let detail = match beside {
                true => {
                    for y in detail.y..detail.bottom() {
                        buffer.set_string(detail.x, y, "│", view.theme.role(Role::Border));
                    }
                    Rect { x: detail.x + 2, width: detail.width.saturating_sub(3), ..detail }
                }
                false => detail,
            };
            self.draw_detail(detail, buffer, view);
        }
        self.layers.draw(area, buffer, view);
    }

    fn footer(&self) -> Vec<Command> {
        if self.layers.is_open() {
            return Vec::new();
        }
        if self.tree.is_typing() {
            return vec![keys::BACK];
        }
        self.here.footer(self.in_detail, self.tab, self.tree.search())
    }
}

impl Etls {
    /// The ETL under the cursor.
    fn selected<'m>(&self, model: &'m Model) -> Option<&'m EtlRow> {
        Catalogue::of(model, &self.marked).row(self.tree.selected()?)
    }

    fn refresh(&mut self, model: &Model) {
        self.unmark_gone(model);
        let facts = Catalogue::of(model, &self.marked);
        self.tree.refresh(&facts, catalogue::COLUMNS.len(), self.stamp(model));
        // The first ETL, whose detail is there at once, rather than the category it is in.
        if !self.is_placed && !model.etls.is_empty() {
            self.is_placed = true;
            let stamp = self.stamp(model);
            self.tree.reveal(&facts, catalogue::COLUMNS.len(), stamp, Node::Leaf(0, 0));
        }
        if self.opened != model.opened {
            self.opened = model.opened;
            self.follow(model);
        }
        self.here = self.look(model);
    }

    /// Marks are not in the model: both together say whether the tree changed.
    fn stamp(&self, model: &Model) -> u64 {
        model.revision.wrapping_mul(1 << 16) ^ self.touched
    }

    /// Shows the run that was opened elsewhere, under the ETL that has the cursor where that took part, else under its first.
    fn follow(&mut self, model: &Model) {
        let Some(run) = self.opened.and_then(|opened| model.runs.get(&opened.job)) else { return };
        let facts = Catalogue::of(model, &self.marked);
        let under = self.selected(model).map(|row| &row.name).filter(|name| run.request.etls.contains(name));
        let Some(node) = under.into_iter().chain(&run.request.etls).find_map(|name| facts.node(name)) else { return };
        let stamp = self.stamp(model);
        self.tree.reveal(&facts, catalogue::COLUMNS.len(), stamp, node);
        self.runs.open(run.job);
        (self.tab, self.in_detail) = (Tab::Runs, true);
    }

    fn command(&mut self, press: &Press, model: &Model) -> Reply {
        let Some(command) = press.command else { return Reply::Ignored };
        match command {
            PREVIEW => return self.open(Tab::Preview, model),
            RUN => return self.set_up(model),
            EDIT => return self.edit(model),
            CONTEXT | CHOOSE => return self.edit_request(command, model),
            STOP => return self.stop(model),
            REPEAT => return self.repeat(model),
            EXPORT => return self.export(model),
            KEEP => return self.keep(model),
            FORGET => return self.forget(model),
            EVENT_AFTER | EVENT_BEFORE => return self.step(if command == EVENT_AFTER { 1 } else { -1 }, model),
            HEADERS => {
                self.preview.turn_headers_over();
                return Reply::Handled;
            }
            TAB_AFTER => return self.turn(self.tab.next(), model),
            TAB_BEFORE => return self.turn(self.tab.previous(), model),
            keys::COPY => return self.copy(model),
            _ => {}
        }
        if self.in_detail {
            self.detail_key(command, press.event, model)
        } else {
            self.list_key(command, press.event, model)
        }
    }

    fn list_key(&mut self, command: Command, event: KeyEvent, model: &Model) -> Reply {
        // A filter is the upper layer: it goes first.
        if command == keys::BACK && !self.tree.is_filtered() && self.unmark() {
            // What was said of the marks is over with them.
            return Reply::Emit(Action::Hush);
        }
        if let Some(node) = self.tree.selected() {
            match (command, node) {
                (MARK, _) => return self.mark(node, model),
                (keys::OPEN, Node::Leaf(..)) => return self.open(self.tab, model),
                _ => {}
            }
        }
        let facts = Catalogue::of(model, &self.marked);
        if self.tree.key(&facts, event) { Reply::Handled } else { Reply::Ignored }
    }

    fn detail_key(&mut self, command: Command, event: KeyEvent, model: &Model) -> Reply {
        match command {
            keys::BACK => {
                self.in_detail = false;
                return Reply::Handled;
            }
            keys::LEFT => return self.turn(self.tab.previous(), model),
            keys::RIGHT => return self.turn(self.tab.next(), model),
            keys::OPEN if self.tab == Tab::Runs => return self.open_entry(model),
            _ => {}
        }
        let handled = match self.tab {
            Tab::Definition => self.definition.key(event),
            Tab::Template => self.template.key(event),
            Tab::Preview => self.preview.value.key(event),
            Tab::Runs => self.runs.key(event),
        };
        if handled { Reply::Handled } else { Reply::Ignored }
    }

    fn draw_marked(&self, list: Rect, buffer: &mut ratatui::buffer::Buffer, view: &View<'_>) {
        // The last line is the tree's own; marks are counted at its left end, where no filter is.
        if !self.marked.is_empty() && list.height > 0 && !self.tree.is_filtered() {
            let words = format!("{} {} marked", marks::BAR, self.marked.len());
            let room = usize::from(list.width.saturating_sub(12));
            let style = view.theme.role(Role::Accent);
            let (x, y) = buffer.set_stringn(list.x, list.bottom() - 1, words, room, style);
            let left = room.saturating_sub(usize::from(x - list.x));
            let words = format!("  {} unmarks", chord(view, keys::BACK));
            let words = text::fit(&words, left);
            buffer.set_stringn(x, y, words, left, view.theme.role(Role::Muted));
        }
    }
}

/// The key of a command as it is bound now; empty where it is not.
fn chord(view: &View<'_>, command: Command) -> String {
    match view.keymap.chord_of(command).map(|chord| chord.to_string()) {
        Some(chord) if chord == "Enter" => marks::ENTER.into(),
        Some(chord) => chord,
        None => String::new(),
    }
}

fn say(words: &str) -> Reply {
    Reply::Emit(Action::Say(Note::plain(words)))
}
