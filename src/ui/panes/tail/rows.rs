//! The records of a tail as rows of a table, and which of them the filter lets through. A record is looked at once: when it
//! comes, or when the filter changes.

use std::borrow::Cow;
use std::collections::VecDeque;

use jiff::tz::TimeZone;
use ratatui::style::Style;

use crate::app::model::tails::Tail;
use crate::core::job::JobId;
use crate::core::record::Record;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::listing::Rows;
use crate::ui::widgets::table::Column;
use crate::ui::widgets::{number, text, time};

/// Letters of a value that a row may show: no screen is wider.
const ROW_LETTERS_MAX: usize = 512;

/// Columns of a tail of one topic.
pub const COLUMNS: [Column; 7] = [
    Column::words("time", 12).gives_way(3),
    Column::words("topic", 12).grows(1).gives_way(1),
    Column::number("p", 3).gives_way(4),
    Column::number("offset", 9).gives_way(5),
    Column::words("key", 12).grows(1).gives_way(2),
    Column::number("size", 7).gives_way(6),
    Column::words("value", 16).grows(5),
];

/// Place of the topic among the columns: it is left out where there is only one.
pub const TOPIC: usize = 1;

/// Which records of a tail are shown, by their number since the tail began.
#[derive(Debug, Default)]
pub struct Shown {
    job: Option<JobId>,
    filter: Filter,
    /// Numbers of the records that match, ascending; not kept where all are shown.
    numbers: VecDeque<u64>,
    /// Number of the first record that was not looked at yet.
    next: u64,
    /// Topic partition and offset of the last record looked at: another one there means that the view was emptied.
    last: Option<(i32, i64)>,
    first: u64,
    count: usize,
}

impl Shown {
    /// Looks at what came since the last time.
    pub fn refresh(&mut self, tail: &Tail) {
        let oldest = tail.records.dropped();
        let end = oldest + tail.records.len() as u64;
        let known = self.next.checked_sub(1).and_then(|last| record_at(tail, last));
        let same = self.next == 0 || self.next <= oldest || known.map(place) == self.last;
        if self.job != Some(tail.job) || self.filter.text != tail.filter || end < self.next || !same {
            *self = Self { job: Some(tail.job), filter: Filter::new(&tail.filter), ..Self::default() };
        }
        self.first = oldest;
        self.count = tail.records.len();
        while self.numbers.front().is_some_and(|number| *number < oldest) {
            self.numbers.pop_front();
        }
        if self.filter.is_active() {
            for number in self.next.max(oldest)..end {
                if record_at(tail, number).is_some_and(|record| self.filter.matches(record)) {
                    self.numbers.push_back(number);
                }
            }
        }
        self.next = end;
        self.last = end.checked_sub(1).and_then(|last| record_at(tail, last)).map(place);
    }

    /// The number of records shown.
    pub fn len(&self) -> usize {
        if self.filter.is_active() { self.numbers.len() } else { self.count }
    }

    /// The number of the record in a row.
    pub fn number(&self, row: usize) -> u64 {
        if self.filter.is_active() {
            self.numbers.get(row).copied().unwrap_or_default()
        } else {
            self.first + row as u64
        }
    }

    /// The record in a row.
    pub fn record<'t>(&self, tail: &'t Tail, row: usize) -> Option<&'t Record> {
        record_at(tail, self.number(row)).filter(|_| row < self.len())
    }
}

fn record_at(tail: &Tail, number: u64) -> Option<&Record> {
    tail.records.get(usize::try_from(number.checked_sub(tail.records.dropped())?).ok()?)
}

fn place(record: &Record) -> (i32, i64) {
    (record.partition, record.offset)
}

/// Words that a record must hold, all of them, somewhere in topic, key, value or headers. Small letters match large ones too.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    text: String,
    words: Vec<String>,
}

impl Filter {
    /// A filter of words apart by spaces; none shows everything.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), words: text.split_whitespace().map(str::to_owned).collect() }
    }

    /// Whether anything is filtered.
    pub fn is_active(&self) -> bool {
        !self.words.is_empty()
    }

    /// Whether a record is let through.
    pub fn matches(&self, record: &Record) -> bool {
        self.words.iter().all(|word| {
            let word = word.as_bytes();
            let held = |bytes: &[u8]| find(bytes, word).is_some();
            record.value.as_deref().is_some_and(held)
                || record.key.as_deref().is_some_and(held)
                || held(record.topic.as_bytes())
                || record
                    .headers
                    .iter()
                    .any(|(name, value)| held(name.as_bytes()) || value.as_deref().is_some_and(held))
        })
    }

    /// Where words of the filter are in a text: bytes at which their letters begin.
    pub fn letters(&self, text: &str) -> Vec<usize> {
        let mut letters = Vec::new();
        for word in &self.words {
            let mut from = 0;
            while let Some(at) = find(&text.as_bytes()[from..], word.as_bytes()) {
                letters.extend((from + at..from + at + word.len()).filter(|byte| text.is_char_boundary(*byte)));
                from += at + word.len();
            }
        }
        letters.sort_unstable();
        letters
    }
}

/// The first place of a word; its small ASCII letters match large ones too.
fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let last_start = bytes.len().checked_sub(word.len())?;
    let same = |wanted: u8, found: u8| {
        wanted == found || (wanted.is_ascii_lowercase() && wanted == found.to_ascii_lowercase())
    };
    (0..=last_start).find(|at| {
        same(first, bytes[*at]) && word.iter().zip(&bytes[*at..]).all(|(wanted, found)| same(*wanted, *found))
    })
}

/// The rows of a tail.
pub struct TailRows<'a> {
    /// The tail.
    pub tail: &'a Tail,
    /// Which records.
    pub shown: &'a Shown,
    /// Zone of the times.
    pub zone: &'a TimeZone,
    /// Columns in use, as places in [`COLUMNS`].
    pub columns: &'a [usize],
}

impl TailRows<'_> {
    fn record(&self, row: usize) -> Option<&Record> {
        self.shown.record(self.tail, row)
    }
}

impl Rows for TailRows<'_> {
    fn count(&self) -> usize {
        self.shown.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(record) = self.record(row) else { return "".into() };
        match self.columns[column] {
            0 => record.timestamp_ms.map_or("n/a".into(), |ms| time::precise(ms, self.zone)).into(),
            1 => (&*record.topic).into(),
            2 => record.partition.to_string().into(),
            3 => record.offset.to_string().into(),
            4 => record.key.as_deref().map_or("null".into(), |key| text::one_line_of(key, ROW_LETTERS_MAX)).into(),
            5 => number::bytes(record.value_bytes as u64).into(),
            _ => record.value.as_deref().map_or("null".into(), value_in_a_line).into(),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        let record = self.record(row);
        match self.columns[column] {
            0 | 2 | 3 | 5 => theme.role(Role::Muted),
            4 if record.is_some_and(|record| record.key.is_none()) => theme.role(Role::Muted),
            6 if record.is_some_and(|record| record.value.is_none()) => theme.role(Role::Muted),
            _ => theme.role(Role::Text),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let record = self.record(row)?;
        match self.columns[column] {
            0 => record.timestamp_ms.map(|ms| ms as f64),
            2 => Some(f64::from(record.partition)),
            3 => Some(record.offset as f64),
            5 => Some(record.value_bytes as f64),
            _ => None,
        }
    }

    fn is_numeric(&self, column: usize) -> bool {
        matches!(self.columns[column], 0 | 2 | 3 | 5)
    }

    fn identity(&self, row: usize) -> u64 {
        self.shown.number(row)
    }

    fn matched(&self, row: usize, column: usize) -> Vec<usize> {
        self.shown.filter.letters(&self.text(row, column))
    }
}

/// A value as one line; bytes that are no text as hexadecimal.
fn value_in_a_line(value: &[u8]) -> String {
    let head = &value[..value.len().min(ROW_LETTERS_MAX)];
    let is_text = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if is_text && !head.contains(&0) {
        return squeezed(&text::one_line_of(value, ROW_LETTERS_MAX));
    }
    head.iter().take(ROW_LETTERS_MAX / 3).map(|byte| format!("{byte:02x} ")).collect()
}

/// Runs of spaces as one: indented JSON would be mostly blank.
fn squeezed(line: &str) -> String {
    let mut squeezed = String::with_capacity(line.len());
    for letter in line.chars() {
        if letter != ' ' || !squeezed.ends_with(' ') {
            squeezed.push(letter);
        }
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::TailRequest;
    use crate::app::model::tails::TAIL_RECORDS_MAX;
    use crate::core::record::StartAt;

    fn record(offset: i64, value: &str) -> Record {
        Record {
            topic: "orders".into(),
            partition: 0,
            offset,
            timestamp_ms: Some(offset),
            key: Some(b"CUST-1".to_vec()),
            value: Some(value.as_bytes().to_vec()),
            headers: vec![("trace".into(), Some(b"abc".to_vec()))],
            value_bytes: value.len(),
        }
    }

    fn tail(values: &[&str]) -> Tail {
        let request = TailRequest {
            environment: "qa".into(),
            topics: vec!["orders".into()],
            start: StartAt::End,
            search: None,
            partitions: Vec::new(),
        };
        let mut tail = Tail::new(JobId(1), request, TAIL_RECORDS_MAX);
        values.iter().enumerate().for_each(|(at, value)| tail.records.push(record(at as i64, value)));
        tail
    }

    fn offsets(shown: &Shown, tail: &Tail) -> Vec<i64> {
        (0..shown.len()).filter_map(|row| shown.record(tail, row)).map(|record| record.offset).collect()
    }

    #[test]
    fn all_words_must_be_somewhere_in_the_record() {
        let shows = |filter: &str| Filter::new(filter).matches(&record(1, "{\"amount\": 12}"));
        assert!(shows("") && shows("amount"));
        assert!(shows("cust-1 12") && shows("trace") && shows("abc") && shows("orders"));
        assert!(!shows("cust-1 13"));
        assert!(shows("CUST") && !shows("AMOUNT"), "a large letter is meant");
    }

    #[test]
    fn only_what_is_new_is_looked_at_and_what_scrolled_away_is_forgotten() {
        let mut tail = tail(&["a1", "b2", "a3"]);
        tail.filter = "a1".into();
        let mut shown = Shown::default();
        shown.refresh(&tail);
        assert_eq!(offsets(&shown, &tail), [0]);
        for offset in 3..(TAIL_RECORDS_MAX as i64 + 2) {
            tail.records.push(record(offset, if offset == 7 { "a1" } else { "x" }));
        }
        shown.refresh(&tail);
        assert_eq!(offsets(&shown, &tail), [7], "the first one has left the memory");
        tail.filter.clear();
        shown.refresh(&tail);
        assert_eq!(shown.len(), TAIL_RECORDS_MAX);
    }

    #[test]
    fn a_view_that_was_emptied_begins_anew() {
        let mut tail = tail(&["a1", "b2", "a1"]);
        tail.filter = "a1".into();
        let mut shown = Shown::default();
        shown.refresh(&tail);
        tail.records.clear();
        [10, 11, 12].into_iter().for_each(|offset| tail.records.push(record(offset, "a1")));
        shown.refresh(&tail);
        assert_eq!(offsets(&shown, &tail), [10, 11, 12]);
    }

    #[test]
    fn matched_words_are_marked_letter_by_letter() {
        assert_eq!(Filter::new("am 12").letters("{\"Amount\": 12}"), [2, 3, 11, 12]);
        assert!(Filter::new("").letters("x").is_empty());
    }
}
