//! What keys do to a tail: hold, follow, filter, search, pick, send again, export.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::condition::{Condition, Written};
use super::picker::{Picked, Picker};
use super::resend::{Resend, Sent};
use super::{
    CLEAR, CLOSE, COPY_RECORD, EXPORT, FOLLOW, FORM, HEADERS, NEXT, PAUSE, PREVIOUS, RESEND, RESTART, SEARCH, STOP,
    TailPane, WHERE, current, export, handled, tabs,
};
use crate::app::action::{Action, Export, Search, TailRequest};
use crate::app::model::tails::Tail;
use crate::app::model::{Model, Note};
use crate::core::record::Record;
use crate::ui::keymap::Command;
use crate::ui::keys;
use crate::ui::pane::Reply;
use crate::ui::widgets::input::Input;

impl TailPane {
    pub(super) fn command(&mut self, command: Command, event: KeyEvent, tail: &Tail, model: &Model) -> Reply {
        let job = tail.job;
        match command {
            PAUSE => Reply::Emit(Action::PauseTail { job, paused: !tail.paused }),
            FOLLOW => {
                self.follows = !self.follows;
                // The newest record is the last one only as they came.
                if self.follows {
                    self.listing.set_sort(None);
                }
                Reply::Handled
            }
            FORM => {
                self.detail.cycle();
                Reply::Handled
            }
            HEADERS => {
                self.detail.turn_headers();
                Reply::Handled
            }
            RESEND => self.open_resend(tail, model),
            EXPORT => self.export(tail),
            COPY_RECORD => match self.selected(tail) {
                Some(record) => Reply::Emit(Action::Copy(export::line(record))),
                None => Reply::Ignored,
            },
            keys::COPY => match self.selected(tail) {
                Some(_) if self.on_detail => Reply::Emit(Action::Copy(self.detail.copied_here())),
                Some(_) => Reply::Emit(Action::Copy(self.detail.copied())),
                None => Reply::Ignored,
            },
            CLEAR => Reply::Emit(Action::ClearTail(job)),
            STOP => Reply::Emit(Action::StopJob(job)),
            RESTART => Reply::Emit(Action::RestartJob(job)),
            CLOSE => Reply::Emit(Action::CloseTail(job)),
            NEXT | PREVIOUS => {
                let by = if command == NEXT { 1 } else { model.tails.len().saturating_sub(1) };
                tabs::neighbour(model, by).map_or(Reply::Ignored, |job| Reply::Emit(Action::OpenJob(job)))
            }
            keys::FILTER => {
                self.filter = Some(Input::new(&tail.filter));
                self.on_detail = false;
                Reply::Handled
            }
            WHERE | SEARCH => {
                let request = TailRequest { start: tail.begins_again_at(), ..tail.request.clone() };
                let condition = Condition::new(&request, command == SEARCH);
                let survey = condition.survey();
                (self.condition, self.on_detail) = (Some(condition), false);
                Reply::Emit(survey)
            }
            keys::OPEN if !self.on_detail => {
                self.on_detail = self.selected(tail).is_some();
                Reply::Handled
            }
            keys::BACK if self.on_detail => {
                self.on_detail = false;
                Reply::Handled
            }
            keys::BACK if !tail.filter.is_empty() => Reply::Emit(Action::FilterTail { job, filter: String::new() }),
            keys::BACK if tail.request.search.is_some() => search_for(tail, None),
            _ if self.on_detail => handled(self.detail.key(event)),
            _ => self.list_key(command, event),
        }
    }

    /// A key of lists. Who moves up stops following; who goes to the end follows again.
    fn list_key(&mut self, command: Command, event: KeyEvent) -> Reply {
        if !self.listing.key(event) {
            return Reply::Ignored;
        }
        if matches!(command, keys::SORT | keys::REVERSE) {
            self.follows &= self.listing.sort().is_none();
        } else {
            self.follows = self.listing.is_at_end() && self.listing.sort().is_none();
        }
        Reply::Handled
    }

    pub(super) fn filter_key(&mut self, event: KeyEvent, tail: &Tail) -> Reply {
        let Some(input) = &mut self.filter else { return Reply::Ignored };
        match event.code {
            KeyCode::Enter => self.filter = None,
            KeyCode::Esc => {
                self.filter = None;
                return Reply::Emit(Action::FilterTail { job: tail.job, filter: String::new() });
            }
            KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => {
                self.listing.key(event);
                self.follows = self.listing.is_at_end();
            }
            _ => {
                let before = input.text().to_owned();
                input.key(event);
                if input.text() != before {
                    let filter = input.text().to_owned();
                    return Reply::Emit(Action::FilterTail { job: tail.job, filter });
                }
            }
        }
        Reply::Handled
    }

    /// Opens the picker and asks for the topics anew.
    pub(super) fn pick(&mut self, model: &Model) -> Reply {
        let Some(active) = model.active.as_deref() else {
            return Reply::Emit(Action::Say(Note::warning("no environment is active: choose one in pane 1")));
        };
        let checked = current(model).filter(|tail| tail.request.environment == active);
        let checked = checked.map(|tail| tail.request.topics.clone()).unwrap_or_default();
        self.picker = Some(Picker::new(active, &checked));
        Reply::Emit(Action::ListTopics(active.to_owned()))
    }

    pub(super) fn picker_key(&mut self, event: KeyEvent, model: &Model) -> Reply {
        let zone = self.zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
        let Some(picker) = &mut self.picker else { return Reply::Ignored };
        picker.refresh(model);
        match picker.key(event, model.now_ms, &zone) {
            Picked::Open => Reply::Handled,
            Picked::Closed => {
                self.picker = None;
                Reply::Handled
            }
            Picked::Chosen(request) => {
                self.picker = None;
                Reply::Emit(Action::OpenTail(request))
            }
        }
    }

    fn open_resend(&mut self, tail: &Tail, model: &Model) -> Reply {
        let Some(record) = self.selected(tail) else { return Reply::Ignored };
        match Resend::new(record, &tail.request.environment, model) {
            Ok(resend) => {
                self.resend = Some(resend);
                Reply::Handled
            }
            Err(why) => Reply::Emit(Action::Say(Note::warning(why))),
        }
    }

    pub(super) fn resend_key(&mut self, event: KeyEvent) -> Reply {
        let Some(resend) = &mut self.resend else { return Reply::Ignored };
        match resend.key(event) {
            Sent::Open => Reply::Handled,
            Sent::Closed => {
                self.resend = None;
                Reply::Handled
            }
            Sent::Do(action) => {
                self.resend = None;
                Reply::Emit(action)
            }
        }
    }

    fn export(&self, tail: &Tail) -> Reply {
        let rows = (0..).map_while(|place| self.listing.at(place));
        let records: Vec<&Record> = rows.filter_map(|row| self.shown.record(tail, row)).collect();
        let (text, written) = export::lines(records.iter().copied());
        if written == 0 {
            return Reply::Emit(Action::Say(Note::warning("no record is shown: there is nothing to export")));
        }
        let rest = records.len() - written;
        if rest > 0 {
            let why = format!("only the first {written} of {} records fit an export; filter more", records.len());
            return Reply::Emit(Action::Say(Note::warning(why)));
        }
        Reply::Emit(Action::Export(Export { name: tail.request.topics.join("+"), ending: "jsonl".into(), text }))
    }

    /// What came of a key in the line of a condition.
    pub(super) fn written(&mut self, written: Written, tail: &Tail) -> Reply {
        match written {
            Written::Open => Reply::Handled,
            Written::Look(action) => Reply::Emit(action),
            Written::Left => {
                self.condition = None;
                Reply::Handled
            }
            Written::Entered(search) => {
                self.condition = None;
                search_for(tail, search)
            }
        }
    }

    pub(super) fn selected<'t>(&self, tail: &'t Tail) -> Option<&'t Record> {
        self.listing.selected().and_then(|row| self.shown.record(tail, row))
    }
}

/// The tail again under another condition. The same one changes nothing, save that a search of everything is made anew.
fn search_for(tail: &Tail, search: Option<Search>) -> Reply {
    let is_anew = search.as_ref().is_some_and(|search| search.whole);
    match tail.request.search == search && !is_anew {
        true => Reply::Handled,
        false => Reply::Emit(Action::SearchTail { job: tail.job, search }),
    }
}
