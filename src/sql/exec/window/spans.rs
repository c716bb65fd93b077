//! Which sessions there are: stretches of a key's time in which no silence is longer than the gap. Pure; it knows
//! nothing of what rows say.

/// A session. Its number is used again once it is released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Number of its key.
    pub key: u32,
    /// Time of its first row.
    pub first: i64,
    /// Time of its last row.
    pub last: i64,
    /// Its group of aggregates, once a row was applied.
    pub group: Option<u32>,
    /// First and last as they were when its result was given.
    pub given: Option<(i64, i64)>,
    /// Where that result is kept until it is taken back.
    pub noted: Option<usize>,
    /// Its result has been given for good; late rows replace it.
    pub is_closed: bool,
    /// It has changed since results were given.
    pub is_touched: bool,
    /// It waits to be closed.
    pub is_scheduled: bool,
    /// It has become a part of another.
    pub is_gone: bool,
    /// Its parts did not fit into one result: it has none, whatever comes.
    pub is_spilled: bool,
}

/// All sessions, and those of each key in order of time.
pub struct Spans {
    gap_ms: i64,
    spans: Vec<Option<Span>>,
    free: Vec<usize>,
    of_key: Vec<Vec<usize>>,
}

impl Spans {
    /// None yet.
    pub fn new(gap_ms: i64) -> Self {
        Self { gap_ms, spans: Vec::new(), free: Vec::new(), of_key: Vec::new() }
    }

    /// A session.
    pub fn get(&self, number: usize) -> Option<&Span> {
        self.spans.get(number).and_then(Option::as_ref)
    }

    /// A session, to change it.
    pub fn get_mut(&mut self, number: usize) -> Option<&mut Span> {
        self.spans.get_mut(number).and_then(Option::as_mut)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len() - self.free.len()
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.spans.capacity() * size_of::<Option<Span>>() + self.of_key.capacity() * size_of::<Vec<usize>>()
    }

    /// Whether a key has no session.
    pub fn has_none(&self, key: u32) -> bool {
        self.of_key.get(key as usize).is_none_or(Vec::is_empty)
    }

    /// The sessions of a key, in order of time.
    pub fn of_key(&self, key: u32) -> &[usize] {
        self.of_key.get(key as usize).map_or(&[], Vec::as_slice)
    }

    /// Places, among the sessions of a key, of those that a row at `time` belongs to.
    fn near(&self, key: u32, time: i64) -> std::ops::Range<usize> {
        let of_key = self.of_key(key);
        let span = |number: &usize| self.spans[*number].as_ref();
        let from = of_key
            .partition_point(|number| span(number).is_some_and(|span| span.last < time.saturating_sub(self.gap_ms)));
        let to = of_key
            .partition_point(|number| span(number).is_some_and(|span| span.first <= time.saturating_add(self.gap_ms)));
        from..to.max(from)
    }

    /// Whether a row at `time` belongs to a session that is there.
    pub fn joins(&self, key: u32, time: i64) -> bool {
        !self.near(key, time).is_empty()
    }

    /// Puts a row at `time` into its session, which may be a new one, or one made of several: those that become a part
    /// of it are told to `united` as (part, whole). The whole has a group if any part has.
    pub fn join(&mut self, key: u32, time: i64, united: &mut Vec<(usize, usize)>) -> usize {
        let near = self.near(key, time);
        if self.of_key.len() <= key as usize {
            self.of_key.resize_with(key as usize + 1, Vec::new);
        }
        if near.is_empty() {
            let number = self.make(key, time, time);
            self.of_key[key as usize].insert(near.start, number);
            return number;
        }
        let start = near.start;
        let parts: Vec<usize> = self.of_key[key as usize].drain(near).collect();
        let has_group = |number: &&usize| self.get(**number).is_some_and(|span| span.group.is_some());
        let whole = parts.iter().find(has_group).copied().unwrap_or(parts[0]);
        let (mut first, mut last, mut is_closed) = (time, time, true);
        for part in parts {
            let Some(span) = self.get_mut(part) else { continue };
            (first, last) = (first.min(span.first), last.max(span.last));
            is_closed &= span.is_closed;
            if part != whole {
                span.is_gone = true;
                united.push((part, whole));
            }
        }
        if let Some(span) = self.get_mut(whole) {
            (span.first, span.last, span.is_closed) = (first, last, is_closed);
        }
        self.of_key[key as usize].insert(start, whole);
        whole
    }

    fn make(&mut self, key: u32, first: i64, last: i64) -> usize {
        let span = Span {
            key,
            first,
            last,
            group: None,
            given: None,
            noted: None,
            is_closed: false,
            is_touched: false,
            is_scheduled: false,
            is_gone: false,
            is_spilled: false,
        };
        match self.free.pop() {
            Some(number) => {
                self.spans[number] = Some(span);
                number
            }
            None => {
                self.spans.push(Some(span));
                self.spans.len() - 1
            }
        }
    }

    /// Puts a session of a checkpoint back.
    pub fn restore(&mut self, key: u32, first: i64, last: i64) -> usize {
        let number = self.make(key, first, last);
        if self.of_key.len() <= key as usize {
            self.of_key.resize_with(key as usize + 1, Vec::new);
        }
        let place = self.near(key, first).start;
        self.of_key[key as usize].insert(place, number);
        number
    }

    /// Forgets a session, whose number is free then.
    pub fn release(&mut self, number: usize) -> Option<Span> {
        let span = self.spans.get_mut(number)?.take()?;
        self.free.push(number);
        if !span.is_gone {
            self.of_key[span.key as usize].retain(|of_key| *of_key != number);
        }
        Some(span)
    }
}
