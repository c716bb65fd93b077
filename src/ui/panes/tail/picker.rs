//! The box in which topics and a starting point are picked. What it asks for is a [`TailRequest`].

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;

use crate::app::action::TailRequest;
use crate::app::model::Model;
use crate::app::model::environments::{EnvironmentRow, TopicRow, Topics};
use crate::core::record::StartAt;
use crate::ui::pane::View;
use crate::ui::theme::Role;
use crate::ui::widgets::checklist::{Checklist, Item};
use crate::ui::widgets::form::{Field, Form};
use crate::ui::widgets::{dialog, number, text, time};

/// Lines from which hint and blank line have room beside a few topics.
const ROOMY_LINES: u16 = 9;
/// Records of each partition that are read where nothing else is asked for: a screen has something on it at once.
const LAST_BY_DEFAULT: u64 = 10;
/// Most records of each partition that a start may go back: the view holds no more than a few thousand.
const LAST_MAX: u64 = 1_000_000;

/// Cells of the names beside the key that reads them: room is left for the other keys.
const READ_CELLS_MAX: usize = 20;

const STARTS: [&str; 5] = ["last n", "end", "beginning", "offset", "time"];

/// Topics, start, and which of the two is being chosen.
#[derive(Debug)]
pub struct Picker {
    environment: String,
    topics: Checklist,
    start: Form,
    on_start: bool,
    fault: Option<String>,
    /// What is read now; the cursor begins there.
    current: Vec<String>,
    is_placed: bool,
}

/// What came of a key.
#[derive(Debug, PartialEq)]
pub enum Picked {
    /// It goes on.
    Open,
    /// Nothing is to be read.
    Closed,
    /// This is to be read.
    Chosen(TailRequest),
}

impl Picker {
    /// A picker for an environment, the cursor on the first of the topics that are read now. None is checked: what is read is
    /// what somebody checks here, or what is under the cursor.
    pub fn new(environment: &str, current: &[String]) -> Self {
        let mut topics = Checklist::new(Vec::new(), []);
        topics.listing_mut().search_mut().start();
        Self {
            environment: environment.into(),
            topics,
            start: form(0),
            on_start: false,
            fault: None,
            current: current.to_vec(),
            is_placed: false,
        }
    }

    /// Takes the topics as they are known now.
    pub fn refresh(&mut self, model: &Model) {
        if let Some(Topics::Known(topics)) = model.environment(&self.environment).map(|row| &row.topics) {
            let note = |topic: &TopicRow| {
                let partitions = number::counted(topic.partitions.into(), "partition");
                if self.current.contains(&topic.name) { format!("{partitions}, is read") } else { partitions }
            };
            let items = topics.iter().map(|topic| Item::new(&topic.name).note(note(topic)));
            self.topics.set_items(items.collect());
            let here = topics.iter().position(|topic| self.current.contains(&topic.name));
            if let Some(row) = here.filter(|_| !std::mem::replace(&mut self.is_placed, true)) {
                self.topics.listing_mut().select(row);
            }
        }
    }

    /// Takes a key. Letters filter the topics, or fill the start.
    pub fn key(&mut self, key: KeyEvent, now_ms: i64, zone: &TimeZone) -> Picked {
        self.fault = None;
        match key.code {
            KeyCode::Esc if !self.on_start && self.topics.listing_mut().search().is_active() => {
                self.topics.listing_mut().search_mut().clear();
                self.topics.listing_mut().search_mut().start();
                self.topics.key(KeyEvent::from(KeyCode::Null));
            }
            KeyCode::Esc => return Picked::Closed,
            KeyCode::Enter => return self.choose(now_ms, zone),
            KeyCode::Tab | KeyCode::BackTab => self.on_start = !self.on_start,
            KeyCode::Char(' ') if !self.on_start => self.topics.turn_over(),
            _ if self.on_start => {
                let before = self.start.chosen("start");
                if matches!(key.code, KeyCode::Left | KeyCode::Right) && self.start.field() != "start" && before != 0 {
                    // Within the value the arrows move the caret.
                    self.start.key(key);
                } else {
                    self.start.key(key);
                    let after = self.start.chosen("start");
                    if after != before {
                        let partitions = self.start.text("partitions").to_owned();
                        self.start = form(after);
                        self.start.set_text("partitions", &partitions);
                    }
                }
            }
            _ => {
                self.topics.key(key);
            }
        }
        Picked::Open
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str) {
        if self.on_start {
            self.start.paste(pasted);
        } else {
            self.topics.listing_mut().search_mut().paste(pasted);
            self.topics.key(KeyEvent::from(KeyCode::Null));
        }
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, mouse: MouseEvent) {
        self.on_start = false;
        self.topics.mouse(mouse);
    }

    /// Draws the box over the pane.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let title = match view.model.topics_are_of_ms(&self.environment) {
            Some(at_ms) => format!("Topics of {} as of {}", self.environment, time::clock(at_ms, view.zone)),
            None => format!("Read topics of {}", self.environment),
        };
        let reads = reads(&self.topics.chosen());
        let keys = [("Enter", reads.as_str()), ("Space", "check"), ("Tab", "start at"), ("Esc", "back")];
        let height = self.topics.listing_mut().cursor_mut().rows().clamp(6, 24) as u16 + 6;
        let look = dialog::Frame { title: &title, keys: &keys, danger: false, size: (68, height) };
        let inside = dialog::draw(look, area, frame.buffer_mut(), view.theme);
        // On a low screen topics are worth more than a hint and a blank line.
        let spare = u16::from(ROOMY_LINES <= inside.height);
        let below = (self.start.height() - (1 - spare)).min(inside.height);
        let list = Rect { height: inside.height.saturating_sub(below + spare), ..inside };
        let empty = self.empty(view);
        self.topics.draw(&empty, list, frame.buffer_mut(), view.theme, !self.on_start);
        let start = Rect { y: inside.bottom() - below, height: below, ..inside };
        self.start.draw(start, frame.buffer_mut(), view.theme, self.on_start);
        if let Some(fault) = &self.fault {
            let words = text::fit(fault, usize::from(inside.width));
            let y = inside.bottom().saturating_sub(1);
            frame.buffer_mut().set_style(Rect { y, height: 1, ..inside }, view.theme.base());
            let blank = " ".repeat(usize::from(inside.width));
            frame.buffer_mut().set_string(inside.x, y, blank, view.theme.base());
            frame.buffer_mut().set_string(inside.x, y, words, view.theme.role(Role::Danger));
        }
    }

    /// Why there are no topics, and what to do.
    fn empty(&self, view: &View<'_>) -> String {
        let row = view.model.environment(&self.environment);
        let fault = row.and_then(EnvironmentRow::lost);
        match row.map(|row| &row.topics) {
            Some(Topics::Waiting(_) | Topics::Unknown) if fault.is_some() => {
                fault.map_or(String::new(), |fault| format!("topics cannot be had: {fault}"))
            }
            Some(Topics::Waiting(since_ms)) => {
                let waited = (view.model.now_ms - since_ms).max(0) as u64;
                format!("asking the brokers of {} for topics since {}", self.environment, time::span(waited))
            }
            Some(Topics::Failed(fault)) => format!("topics cannot be had: {fault}"),
            Some(Topics::Known(_)) => format!("{} has no topics that you may see", self.environment),
            Some(Topics::Unknown) | None => format!("the topics of {} are not known yet", self.environment),
        }
    }

    fn choose(&mut self, now_ms: i64, zone: &TimeZone) -> Picked {
        let topics = self.topics.chosen();
        if topics.is_empty() {
            self.fault = Some("no topic is checked or under the cursor".into());
            return Picked::Open;
        }
        match self.partitions().and_then(|partitions| Ok((partitions, self.start_at(now_ms, zone)?))) {
            Ok((partitions, start)) => Picked::Chosen(TailRequest {
                environment: self.environment.clone(),
                topics,
                start,
                search: None,
                partitions,
            }),
            Err(fault) => {
                (self.fault, self.on_start) = (Some(fault), true);
                Picked::Open
            }
        }
    }

    fn partitions(&self) -> Result<Vec<i32>, String> {
        let mut partitions = Vec::new();
        for word in self.start.text("partitions").split([',', ' ']).filter(|word| !word.is_empty()) {
            let partition = word.parse().ok().filter(|partition| 0 <= *partition);
            partitions.push(partition.ok_or_else(|| format!("`{word}` is no partition: write numbers, as 0 or 0,3"))?);
        }
        Ok(partitions)
    }

    fn start_at(&self, now_ms: i64, zone: &TimeZone) -> Result<StartAt, String> {
        if let Some(fault) = self.start.fault() {
            return Err(fault);
        }
        match self.start.text("start") {
            "beginning" => Ok(StartAt::Beginning),
            "end" => Ok(StartAt::End),
            "offset" => Ok(StartAt::Offset(self.start.number("value").unwrap_or(0) as i64)),
            "time" => time::parse(self.start.text("value"), now_ms, zone)
                .map(StartAt::Time)
                .ok_or_else(|| "write 15m, 14:02, 2026-11-21 14:02 or 2026-11-21T14:02:00Z".into()),
            _ => Ok(StartAt::Last(self.start.number("value").unwrap_or(LAST_BY_DEFAULT))),
        }
    }
}

/// What the key that goes on reads: names that have no room are counted.
fn reads(topics: &[String]) -> String {
    let names = topics.join(", ");
    match topics.len() {
        0 => "read".to_owned(),
        _ if text::width(&names) <= READ_CELLS_MAX => format!("read {names}"),
        1 => "read it".to_owned(),
        several => format!("read {}", number::counted(several as u64, "topic")),
    }
}

/// The fields for a kind of start.
fn form(start: usize) -> Form {
    let options = STARTS.map(str::to_owned).to_vec();
    let mut fields = vec![
        Field::choice("start", "Start at", options, start)
            .hint("Left and Right change it; Down goes on to its value where it has one"),
    ];
    match STARTS[start] {
        "last n" => {
            let hint = format!("the last so many records of each partition, to {}", number::grouped(LAST_MAX));
            fields.push(Field::number("value", "Records", LAST_BY_DEFAULT, 1, LAST_MAX).hint(hint));
        }
        "offset" => {
            fields.push(Field::number("value", "Offset", 0, 0, i64::MAX as u64).hint("this offset in each partition"));
        }
        "time" => fields.push(
            Field::text("value", "Time", "15m").example().hint("15m, 2h ago; 14:02 today; 2026-11-21 14:02; RFC 3339"),
        ),
        _ => {}
    }
    fields.push(Field::text("partitions", "Partitions", "").hint("only these, as 0 or 0,3; all where it is empty"));
    Form::new(fields)
}

/// A start in words.
pub fn said(start: &StartAt, zone: &TimeZone) -> String {
    match start {
        StartAt::Beginning => "from the beginning".into(),
        StartAt::End => "from the end".into(),
        StartAt::Last(records) => format!("from the last {} of each partition", number::grouped(*records)),
        StartAt::Offset(offset) => format!("from offset {}", number::grouped((*offset).max(0) as u64)),
        StartAt::Time(ms) => format!("from {}", time::format(*ms, zone, "%Y-%m-%d %H:%M:%S")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let mut model = Model::default();
        let mut row = EnvironmentRow::new("qa", "config/environments/qa.yaml");
        let topics = ["audit", "orders", "payments"].map(|name| TopicRow { name: name.into(), partitions: 6 });
        row.topics = Topics::Known(topics.to_vec());
        model.environments.push(row);
        model
    }

    fn picked(keys: &[KeyCode]) -> Picked {
        let mut picker = Picker::new("qa", &[]);
        picker.refresh(&model());
        let mut last = Picked::Open;
        for code in keys {
            last = picker.key(KeyEvent::from(*code), 1_795_262_400_000, &TimeZone::UTC);
        }
        last
    }

    fn request(topics: &[&str], start: StartAt) -> Picked {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        Picked::Chosen(TailRequest { environment: "qa".into(), topics, start, search: None, partitions: Vec::new() })
    }

    #[test]
    fn typing_finds_a_topic_and_enter_reads_its_last_records() {
        assert_eq!(
            picked(&[KeyCode::Char('o'), KeyCode::Char('r'), KeyCode::Enter]),
            request(&["orders"], StartAt::Last(10))
        );
    }

    #[test]
    fn what_would_be_read_is_said_whole() {
        let said = |topics: &[&str]| reads(&topics.iter().map(|topic| (*topic).to_owned()).collect::<Vec<_>>());
        assert_eq!(said(&["audit", "orders"]), "read audit, orders");
        assert_eq!(said(&["sandbox.customer.updates.v1"]), "read it");
        assert_eq!(said(&["sandbox.customer.updates.v1", "orders"]), "read 2 topics");
        assert_eq!(said(&[]), "read");
    }

    #[test]
    fn several_topics_are_checked_and_a_start_is_chosen() {
        let keys =
            [KeyCode::Char(' '), KeyCode::Down, KeyCode::Char(' '), KeyCode::Tab, KeyCode::Right, KeyCode::Enter];
        assert_eq!(picked(&keys), request(&["audit", "orders"], StartAt::End));
        let offset = [KeyCode::Tab, KeyCode::Left, KeyCode::Left, KeyCode::Down, KeyCode::Char('7'), KeyCode::Enter];
        assert_eq!(picked(&offset), request(&["audit"], StartAt::Offset(7)));
        let typed =
            [KeyCode::Tab, KeyCode::Left, KeyCode::Down, KeyCode::Char('1'), KeyCode::Char('h'), KeyCode::Enter];
        assert_eq!(
            picked(&typed),
            request(&["audit"], StartAt::Time(1_795_262_400_000 - 3_600_000)),
            "what is typed takes the place of the example"
        );
        let time = [KeyCode::Tab, KeyCode::Left, KeyCode::Enter];
        assert_eq!(picked(&time), request(&["audit"], StartAt::Time(1_795_262_400_000 - 900_000)));
    }

    #[test]
    fn single_partitions_are_read_and_what_is_none_is_told() {
        let typed = |letters: &str| {
            let to_field = [KeyCode::Tab, KeyCode::Right, KeyCode::Right, KeyCode::Down];
            let keys = to_field.into_iter().chain(letters.chars().map(KeyCode::Char)).chain([KeyCode::Enter]);
            picked(&keys.collect::<Vec<_>>())
        };
        let Picked::Chosen(chosen) = typed("3, 0") else { panic!("chosen") };
        assert_eq!((chosen.partitions, chosen.start), (vec![3, 0], StartAt::Beginning));
        assert_eq!(typed("a"), Picked::Open);
        assert_eq!(typed("-1"), Picked::Open);
        let kept = [KeyCode::Tab, KeyCode::Down, KeyCode::Down, KeyCode::Char('2'), KeyCode::Down, KeyCode::Right];
        let Picked::Chosen(chosen) = picked(&[&kept[..], &[KeyCode::Enter]].concat()) else { panic!("chosen") };
        assert_eq!((chosen.partitions, chosen.start), (vec![2], StartAt::End), "another start keeps them");
    }

    #[test]
    fn what_is_read_now_is_not_read_again_unseen_behind_a_filter() {
        let mut picker = Picker::new("qa", &["payments".to_owned()]);
        picker.refresh(&model());
        let mut press = |code| picker.key(KeyEvent::from(code), 0, &TimeZone::UTC);
        "aud".chars().for_each(|letter| assert_eq!(press(KeyCode::Char(letter)), Picked::Open));
        assert_eq!(press(KeyCode::Enter), request(&["audit"], StartAt::Last(10)));
        let mut picker = Picker::new("qa", &["payments".to_owned()]);
        picker.refresh(&model());
        let again = picker.key(KeyEvent::from(KeyCode::Enter), 0, &TimeZone::UTC);
        assert_eq!(again, request(&["payments"], StartAt::Last(10)), "the cursor is where it was");
    }

    #[test]
    fn a_wrong_time_and_an_empty_list_keep_the_box_open() {
        assert_eq!(
            picked(&[KeyCode::Tab, KeyCode::Left, KeyCode::Down, KeyCode::Char('x'), KeyCode::Enter]),
            Picked::Open
        );
        assert_eq!(picked(&[KeyCode::Char('z'), KeyCode::Char('z'), KeyCode::Enter]), Picked::Open);
        assert_eq!(picked(&[KeyCode::Char('z'), KeyCode::Esc, KeyCode::Esc]), Picked::Closed, "the filter goes first");
    }
}
