//! Nexmark's events as columns: the draws of the `nexmark` crate in its order, written straight into columns, and only
//! as many of them as the wanted columns need. A test compares both, event by event.

mod tables;

use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, Int32Array, StructArray, TimestampMillisecondArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use nexmark::config::NexmarkConfig;
use rand08::rngs::SmallRng;
use rand08::seq::SliceRandom;
use rand08::{Rng, SeedableRng};

use super::Maker;
use super::slots::Slots;
use tables::{AUCTION, AUCTIONS, BID, ColumnNames, EPOCH, PERSON, PERSONS, fields, holds};

pub(super) use tables::Table;

/// Events in a second of event time where nothing else is said: Nexmark's own.
pub(super) const EVENT_RATE: u64 = 10_000;
/// One in so many people or auctions is a hot one.
const HOT: u64 = 100;
const CHANNELS: u64 = 10_000;

/// Makes one table of Nexmark.
pub(super) struct NexmarkMaker {
    table: Table,
    first_event: u64,
    base_time: i64,
    event_rate: u64,
    schema: SchemaRef,
    lists: NexmarkConfig,
}

impl NexmarkMaker {
    pub fn new(table: Table, first_event: u64, base_time: i64, event_rate: u64) -> Self {
        let schema = match table {
            Table::Person => Schema::new(fields(PERSON)),
            Table::Auction => Schema::new(fields(AUCTION)),
            Table::Bid => Schema::new(fields(BID)),
            Table::All => Schema::new(vec![
                Field::new("event_type", DataType::Int32, false),
                Field::new("person", DataType::Struct(fields(PERSON)), true),
                Field::new("auction", DataType::Struct(fields(AUCTION)), true),
                Field::new("bid", DataType::Struct(fields(BID)), true),
                Field::new("date_time", DataType::Timestamp(TimeUnit::Millisecond, None), false),
            ]),
        };
        // Whole epochs, so that an id is never before the first auction.
        let first_event = first_event / EPOCH * EPOCH;
        Self { table, first_event, base_time, event_rate, schema: schema.into(), lists: NexmarkConfig::default() }
    }

    /// Time of an event: exact where the crate rounds to what an `f32` holds.
    fn time(&self, event: u64) -> i64 {
        let micros = u128::from(event) * 1_000_000 / u128::from(self.event_rate);
        self.base_time + i64::try_from((micros + 500) / 1_000).unwrap_or(i64::MAX)
    }

    fn add(&self, kind: Table, event: u64, slots: &mut Slots, depth: usize) {
        let time = self.time(event);
        let id = self.first_event + event;
        match kind {
            Table::Person => self.person(id, time, slots, depth),
            Table::Auction => self.auction(id, event, time, slots, depth),
            _ => self.bid(id, time, slots, depth),
        }
    }

    fn person(&self, event: u64, time: i64, slots: &mut Slots, depth: usize) {
        slots.number(0, number(last_person(event) + 1_000));
        slots.number(6, time);
        if depth <= 1 {
            return;
        }
        let rng = &mut SmallRng::seed_from_u64(event);
        let first = self.lists.first_names.choose(rng).map_or("", String::as_str);
        let last = self.lists.last_names.choose(rng).map_or("", String::as_str);
        slots.write(1, |bytes| {
            bytes.extend_from_slice(first.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(last.as_bytes());
        });
        let mut email = Vec::with_capacity(17);
        letters(rng, 7, &mut email);
        email.push(b'@');
        letters(rng, 5, &mut email);
        email.extend_from_slice(b".com");
        slots.write(2, |bytes| bytes.extend_from_slice(&email));
        let card: [i32; 4] = std::array::from_fn(|_| rng.gen_range(0..10_000));
        slots.write(3, |bytes| {
            let [a, b, c, d] = card;
            bytes.extend_from_slice(format!("{a:04} {b:04} {c:04} {d:04}").as_bytes());
        });
        let city = self.lists.us_cities.choose(rng).map_or("", String::as_str);
        let state = self.lists.us_states.choose(rng).map_or("", String::as_str);
        slots.text(4, city);
        slots.text(5, state);
        let size = 8 + first.len() + 1 + last.len() + email.len() + 19 + city.len() + state.len();
        slots.write(7, |bytes| extra(rng, size, 200, bytes));
    }

    fn auction(&self, id: u64, event: u64, time: i64, slots: &mut Slots, depth: usize) {
        slots.number(0, number(last_auction(id) + 1_000));
        slots.number(5, time);
        if depth <= 1 {
            return;
        }
        let rng = &mut SmallRng::seed_from_u64(id);
        let mut name = Vec::with_capacity(20);
        letters(rng, 20, &mut name);
        slots.write(1, |bytes| bytes.extend_from_slice(&name));
        let mut description = Vec::with_capacity(100);
        letters(rng, 100, &mut description);
        slots.write(2, |bytes| bytes.extend_from_slice(&description));
        let initial = price(rng);
        slots.number(3, number(initial));
        slots.number(4, number(initial + price(rng)));
        let in_flight = 100 * EPOCH / AUCTIONS;
        let horizon = u64::try_from(self.time(event + in_flight) - time).unwrap_or(0);
        slots.number(6, time + 1 + number(rng.gen_range(0..(horizon * 2).max(1))));
        let seller = if rng.gen_range(0..4usize) > 0 { last_person(id) / HOT * HOT } else { next_person(id, rng) };
        slots.number(7, number(seller + 1_000));
        slots.number(8, number(10 + as_u64(rng.gen_range(0..5usize))));
        if depth == 10 {
            slots.write(9, |bytes| extra(rng, 8 + 20 + 100 + 40, 500, bytes));
        }
    }

    fn bid(&self, event: u64, time: i64, slots: &mut Slots, depth: usize) {
        slots.number(5, time);
        let rng = &mut SmallRng::seed_from_u64(event);
        let auction =
            if rng.gen_range(0..2usize) > 0 { last_auction(event) / HOT * HOT } else { next_auction(event, rng) };
        slots.number(0, number(auction + 1_000));
        let bidder =
            if rng.gen_range(0..4usize) > 0 { last_person(event) / HOT * HOT + 1 } else { next_person(event, rng) };
        slots.number(1, number(bidder + 1_000));
        if depth <= 2 {
            return;
        }
        slots.number(2, number(price(rng)));
        if depth <= 3 {
            return;
        }
        if rng.gen_range(0..2usize) > 0 {
            let index = rng.gen_range(0..self.lists.hot_channels.len());
            slots.text(3, &self.lists.hot_channels[index]);
            slots.text(4, &self.lists.hot_urls[index]);
        } else if let Some((channel, url)) = channels().choose(rng) {
            slots.text(3, channel);
            slots.text(4, url);
        }
        if depth == 7 {
            slots.write(6, |bytes| extra(rng, 32, 100, bytes));
        }
    }

    fn make_one(
        &self,
        columns: ColumnNames,
        numbers: &mut dyn ExactSizeIterator<Item = u64>,
        wanted: &[usize],
    ) -> (Vec<ArrayRef>, Vec<i64>) {
        let rows = numbers.len();
        let mut slots = Slots::new(&holds(columns), |at| wanted.contains(&at), rows);
        // The time needs no draw: where it is the last wanted column, what stands before it decides.
        let depth = needed(columns, wanted);
        let mut times = Vec::with_capacity(rows);
        for row in numbers {
            let event = self.table.event(row);
            times.push(self.time(event));
            if depth == 0 {
                if let Some(at) = columns.iter().position(|(name, _)| *name == "date_time") {
                    slots.number(at, self.time(event));
                }
            } else {
                self.add(self.table, event, &mut slots, depth);
            }
        }
        let made = slots.finish();
        (wanted.iter().filter_map(|at| made[*at].clone()).collect(), times)
    }

    fn make_all(&self, numbers: &mut dyn ExactSizeIterator<Item = u64>, wanted: &[usize]) -> (Vec<ArrayRef>, Vec<i64>) {
        let rows = numbers.len();
        let tables = [(Table::Person, PERSON), (Table::Auction, AUCTION), (Table::Bid, BID)];
        let mut slots = tables.map(|(_, columns)| Slots::new(&holds(columns), |_| true, rows));
        let is_wanted: [bool; 3] = std::array::from_fn(|kind| wanted.contains(&(kind + 1)));
        let mut is_there: [Vec<bool>; 3] = std::array::from_fn(|_| Vec::with_capacity(rows));
        let (mut kinds, mut times) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for event in numbers {
            let place = event % EPOCH;
            let of = usize::from(place >= PERSONS) + usize::from(place >= PERSONS + AUCTIONS);
            kinds.push(i32::try_from(of).unwrap_or(0));
            times.push(self.time(event));
            for kind in 0..3 {
                if !is_wanted[kind] {
                    continue;
                }
                is_there[kind].push(kind == of);
                if kind == of {
                    let depth = slots[kind].depth();
                    self.add(tables[kind].0, event, &mut slots[kind], depth);
                } else {
                    slots[kind].nothing();
                }
            }
        }
        let mut made: Vec<Option<ArrayRef>> = vec![Some(Arc::new(Int32Array::from(kinds)))];
        for (((_, columns), slots), is_there) in tables.into_iter().zip(slots).zip(is_there) {
            let is_asked_for = wanted.contains(&made.len());
            made.push(is_asked_for.then(|| {
                let arrays = slots.finish().into_iter().flatten().collect();
                Arc::new(StructArray::new(fields(columns), arrays, Some(NullBuffer::from(is_there)))) as ArrayRef
            }));
        }
        made.push(Some(Arc::new(TimestampMillisecondArray::from(times.clone()))));
        (wanted.iter().filter_map(|at| made[*at].clone()).collect(), times)
    }
}

impl Maker for NexmarkMaker {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn make(&self, numbers: &mut dyn ExactSizeIterator<Item = u64>, wanted: &[usize]) -> (Vec<ArrayRef>, Vec<i64>) {
        match self.table {
            Table::All => self.make_all(numbers, wanted),
            Table::Person => self.make_one(PERSON, numbers, wanted),
            Table::Auction => self.make_one(AUCTION, numbers, wanted),
            Table::Bid => self.make_one(BID, numbers, wanted),
        }
    }
}

/// One more than the last wanted column that needs a draw (or an id); the time is known without.
fn needed(columns: ColumnNames, wanted: &[usize]) -> usize {
    (0..columns.len()).rev().find(|at| wanted.contains(at) && columns[*at].0 != "date_time").map_or(0, |at| at + 1)
}

fn last_person(event: u64) -> u64 {
    event / EPOCH * PERSONS
}

fn next_person(event: u64, rng: &mut SmallRng) -> u64 {
    let people = last_person(event) + 1;
    let active = people.min(1_000);
    people - active + as_u64(rng.gen_range(0..as_usize(active + 10)))
}

/// Only asked of auctions and bids, which an auction of their own epoch precedes.
fn last_auction(event: u64) -> u64 {
    let offset = event % EPOCH;
    event / EPOCH * AUCTIONS + offset.saturating_sub(PERSONS).min(AUCTIONS - 1)
}

fn next_auction(event: u64, rng: &mut SmallRng) -> u64 {
    let last = last_auction(event);
    let first = last.saturating_sub(100);
    first + as_u64(rng.gen_range(0..as_usize(last - first + 1 + 10)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a price, from 100 to 100,000,000")]
fn price(rng: &mut SmallRng) -> u64 {
    (10.0_f32.powf(rng.r#gen::<f32>() * 6.0) * 100.0).round() as u64
}

fn letters(rng: &mut SmallRng, count: usize, bytes: &mut Vec<u8>) {
    bytes.extend((0..count).map(|_| rng.gen_range(b'a'..=b'z')));
}

fn extra(rng: &mut SmallRng, size: usize, size_wanted: usize, bytes: &mut Vec<u8>) {
    let Some(missing) = size_wanted.checked_sub(size) else { return };
    let delta = (missing + 2) / 5;
    let more = if delta == 0 { 0 } else { rng.gen_range(0..2 * delta) };
    letters(rng, missing - delta + more, bytes);
}

/// The cold channels and their pages.
fn channels() -> &'static [(String, String)] {
    static CHANNELS_AND_PAGES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    CHANNELS_AND_PAGES.get_or_init(|| {
        let page = |index: u64| {
            let mut url = base_url(index);
            if SmallRng::seed_from_u64(index).gen_range(0..10) > 0 {
                let reversed = i32::try_from(index).unwrap_or(0).reverse_bits();
                url.push_str(&format!("&channel_id={}", i64::from(reversed).abs()));
            }
            (format!("channel-{index}"), url)
        };
        (0..CHANNELS).map(page).collect()
    })
}

fn base_url(seed: u64) -> String {
    let rng = &mut SmallRng::seed_from_u64(seed);
    let mut part = || -> String {
        let length = rng.gen_range(3..5usize);
        (0..length).map(|_| if rng.gen_range(0..13) == 0 { '_' } else { rng.gen_range(b'a'..=b'z') as char }).collect()
    };
    let (a, b, c) = (part(), part(), part());
    format!("https://www.nexmark.com/{a}/{b}/{c}/item.htm?query=1")
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn as_u64(value: usize) -> u64 {
    value as u64
}

/// The crate draws in `usize`; so do we, to draw the same.
fn as_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
