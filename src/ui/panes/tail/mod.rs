//! Pane 4: records of one or several topics as they come, the one under the cursor in full. Reading commits nothing and
//! joins no group; holding the view does not stop it.

mod acts;
mod draw;

mod condition;
mod detail;
mod export;
mod picker;
mod resend;
mod rows;
mod status;
mod tabs;

use ratatui::Frame;
use ratatui::crossterm::event::MouseEvent;
use ratatui::layout::{Position, Rect};

use crate::app::action::{Action, PaneId};
use crate::app::model::Model;
use crate::app::model::tails::Tail;
use crate::core::job::JobId;
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::input::Input;
use crate::ui::widgets::listing::Listing;

use condition::Condition;
use detail::Detail;
use picker::Picker;
use resend::Resend;
use rows::Shown;

/// Pick topics.
pub const PICK: Command = Command("tail.pick");
const PAUSE: Command = Command("tail.pause");
const FOLLOW: Command = Command("tail.follow");
const FORM: Command = Command("tail.form");
const HEADERS: Command = Command("tail.headers");
const RESEND: Command = Command("tail.resend");
const WHERE: Command = Command("tail.where");
const SEARCH: Command = Command("tail.search");
const EXPORT: Command = Command("tail.export");
const COPY_RECORD: Command = Command("tail.copy_record");
const CLEAR: Command = Command("tail.clear");
const STOP: Command = Command("tail.stop");
const RESTART: Command = Command("tail.restart");
const CLOSE: Command = Command("tail.close");
const NEXT: Command = Command("tail.next");
const PREVIOUS: Command = Command("tail.previous");

const KEYS: &[Binding] = &[
    Binding::new(PICK, &["n"], "pick topics"),
    Binding::new(PAUSE, &["Space"], "hold, or go on"),
    Binding::new(FOLLOW, &["f"], "follow"),
    Binding::new(FORM, &["v"], "view as"),
    Binding::new(RESEND, &["P"], "send again"),
    Binding::new(WHERE, &["w"], "SQL filter"),
    Binding::new(SEARCH, &["W"], "search it all"),
    Binding::new(EXPORT, &["o"], "export what is shown"),
    Binding::new(COPY_RECORD, &["Y"], "copy the record as a line of JSON"),
    Binding::new(HEADERS, &["h"], "all of key and headers, or a few"),
    Binding::new(CLEAR, &["C"], "forget the records shown"),
    Binding::new(STOP, &["x"], "stop reading"),
    Binding::new(RESTART, &["R"], "read again"),
    Binding::new(CLOSE, &["X"], "close this tail"),
    Binding::new(NEXT, &["]"], "next tail"),
    Binding::new(PREVIOUS, &["["], "tail before"),
];

/// What decides which keys mean something.
#[derive(Debug, Default, Clone, Copy)]
struct Here {
    /// Topics can be picked.
    can_pick: bool,
    /// Records come, or the view is held.
    is_at_work: bool,
    has_ended: bool,
    is_filtered: bool,
    /// A record is under the cursor.
    has_record: bool,
    /// Other tails are there.
    has_others: bool,
}

impl Here {
    fn form(self) -> Vec<Command> {
        if self.has_record { vec![FORM] } else { Vec::new() }
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct TailPane {
    /// The tail that cursor and the rest belong to.
    job: Option<JobId>,
    shown: Shown,
    listing: Listing,
    detail: Detail,
    /// Whether the cursor goes with the newest record.
    follows: bool,
    on_detail: bool,
    filter: Option<Input>,
    condition: Option<Condition>,
    picker: Option<Picker>,
    resend: Option<Resend>,
    here: Here,
    /// Where list and detail were drawn.
    areas: [Rect; 2],
    zone: Option<jiff::tz::TimeZone>,
}

impl Pane for TailPane {
    fn id(&self) -> PaneId {
        PaneId::Tail
    }

    fn title(&self) -> &'static str {
        "Tail"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn takes_text(&self) -> bool {
        self.picker.is_some() || self.filter.is_some() || self.condition.is_some() || self.resend.is_some()
    }

    fn footer(&self) -> Vec<Command> {
        if self.takes_text() {
            return vec![keys::BACK];
        }
        let here = self.here;
        let mut named = match self.job {
            None if here.can_pick => vec![PICK],
            None => vec![keys::PANE_ENVIRONMENTS],
            Some(_) if self.on_detail && self.detail.has_more_headers() => {
                vec![FORM, keys::COPY, HEADERS, RESEND, keys::BACK]
            }
            Some(_) if self.on_detail => vec![FORM, keys::COPY, RESEND, COPY_RECORD, keys::BACK],
            Some(_) if here.is_filtered && !here.has_record => vec![keys::FILTER, keys::BACK, PICK, WHERE],
            Some(_) if here.has_ended => [vec![PICK, RESTART, keys::FILTER, WHERE], here.form()].concat(),
            Some(_) if here.is_at_work => [vec![PICK, PAUSE, keys::FILTER, WHERE], here.form()].concat(),
            // It waits for its brokers: holding the view would hold nothing.
            Some(_) => [vec![PICK, STOP, keys::FILTER, WHERE], here.form()].concat(),
        };
        if here.has_others && !self.on_detail {
            named.insert(1, NEXT);
        }
        named
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        if self.picker.is_some() {
            return self.picker_key(press.event, model);
        }
        if self.resend.is_some() {
            return self.resend_key(press.event);
        }
        if press.command == Some(PICK) {
            return self.pick(model);
        }
        let Some(tail) = current(model) else {
            return if press.command == Some(keys::OPEN) { self.pick(model) } else { Reply::Ignored };
        };
        self.belong_to(tail);
        if self.filter.is_some() {
            return self.filter_key(press.event, tail);
        }
        if let Some(condition) = &mut self.condition {
            let written = condition.key(press.event, model);
            return self.written(written, tail);
        }
        match press.command {
            Some(command) => self.command(command, press.event, tail, model),
            None if self.on_detail => handled(self.detail.key(press.event)),
            None => Reply::Ignored,
        }
    }

    fn paste(&mut self, pasted: &str, model: &Model) -> Reply {
        if let Some(picker) = &mut self.picker {
            picker.paste(pasted);
        } else if let Some(resend) = &mut self.resend {
            resend.paste(pasted);
        } else if let (Some(condition), Some(tail)) = (&mut self.condition, current(model)) {
            let written = condition.paste(pasted);
            return self.written(written, tail);
        } else if let (Some(input), Some(tail)) = (&mut self.filter, current(model)) {
            input.insert(pasted);
            return Reply::Emit(Action::FilterTail { job: tail.job, filter: input.text().to_owned() });
        }
        Reply::Handled
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, _model: &Model) -> Reply {
        if let Some(picker) = &mut self.picker {
            picker.mouse(event);
            return Reply::Handled;
        }
        let at = Position::new(event.column, event.row);
        if self.areas[1].contains(at) {
            self.on_detail |= event.kind.is_down();
            return handled(self.detail.mouse(event) != Pointed::Elsewhere);
        }
        let pointed = self.listing.mouse(event);
        if pointed == Pointed::Elsewhere {
            return Reply::Ignored;
        }
        self.on_detail = pointed == Pointed::Opened;
        self.follows = self.listing.is_at_end();
        Reply::Handled
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        self.zone = Some(view.zone.clone());
        match current(view.model) {
            Some(tail) => self.draw_tail(frame, area, tail, view),
            None => {
                (self.job, self.areas) = (None, [Rect::ZERO; 2]);
                self.here = Here { can_pick: draw::can_pick(view.model), ..Here::default() };
                draw::no_tail(frame, area, view, self.picker.is_none());
            }
        }
        if let Some(picker) = &mut self.picker {
            picker.refresh(view.model);
            picker.draw(frame, area, view);
        }
        if let Some(resend) = &self.resend {
            resend.draw(frame, area, view);
        }
    }
}

/// The tail that the pane shows.
fn current(model: &Model) -> Option<&Tail> {
    model.tails.get(&model.tail?)
}

fn handled(handled: bool) -> Reply {
    if handled { Reply::Handled } else { Reply::Ignored }
}

impl TailPane {
    /// Begins anew where another tail is shown than before.
    fn belong_to(&mut self, tail: &Tail) {
        if self.job != Some(tail.job) {
            (self.listing, self.shown) = (Listing::default(), Shown::default());
            (self.job, self.follows, self.on_detail) = (Some(tail.job), true, false);
            (self.filter, self.condition) = (None, None);
        }
    }
}
