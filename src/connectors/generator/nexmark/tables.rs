//! The tables of Nexmark: their columns, and which of its events are their rows.

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use crate::connectors::generator::slots::Holds;

/// Of 50 events one is a person, three are auctions, the rest bids.
pub(super) const EPOCH: u64 = 50;
pub(super) const PERSONS: u64 = 1;
pub(super) const AUCTIONS: u64 = 3;
const BIDS: u64 = 46;

/// One kind of event, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::connectors::generator) enum Table {
    All,
    Person,
    Auction,
    Bid,
}

impl Table {
    pub fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "person" => Self::Person,
            "auction" => Self::Auction,
            "bid" => Self::Bid,
            _ => Self::All,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::All => "events",
            Self::Person => "person",
            Self::Auction => "auction",
            Self::Bid => "bid",
        }
    }

    /// First of its events in an epoch, and how many there are.
    fn share(self) -> (u64, u64) {
        match self {
            Self::All => (0, EPOCH),
            Self::Person => (0, PERSONS),
            Self::Auction => (PERSONS, AUCTIONS),
            Self::Bid => (PERSONS + AUCTIONS, BIDS),
        }
    }

    /// The event of a row of this table.
    pub fn event(self, row: u64) -> u64 {
        let (first, count) = self.share();
        row / count * EPOCH + first + row % count
    }

    /// Rows of this table among the first `events`.
    pub fn rows_of(self, events: u64) -> u64 {
        let (first, count) = self.share();
        events / EPOCH * count + (events % EPOCH).saturating_sub(first).min(count)
    }

    /// Events among which there are `rows` rows, for a rate.
    pub fn events_of(self, rows: u64) -> u64 {
        (rows.saturating_mul(EPOCH) / self.share().1).max(1)
    }
}

/// A table's columns: name and what it holds.
pub(super) type ColumnNames = &'static [(&'static str, Holds)];

pub(super) const PERSON: ColumnNames = &[
    ("id", Holds::Integers),
    ("name", Holds::Text),
    ("email_address", Holds::Text),
    ("credit_card", Holds::Text),
    ("city", Holds::Text),
    ("state", Holds::Text),
    ("date_time", Holds::Times),
    ("extra", Holds::Text),
];
pub(super) const AUCTION: ColumnNames = &[
    ("id", Holds::Integers),
    ("item_name", Holds::Text),
    ("description", Holds::Text),
    ("initial_bid", Holds::Integers),
    ("reserve", Holds::Integers),
    ("date_time", Holds::Times),
    ("expires", Holds::Times),
    ("seller", Holds::Integers),
    ("category", Holds::Integers),
    ("extra", Holds::Text),
];
pub(super) const BID: ColumnNames = &[
    ("auction", Holds::Integers),
    ("bidder", Holds::Integers),
    ("price", Holds::Integers),
    ("channel", Holds::Text),
    ("url", Holds::Text),
    ("date_time", Holds::Times),
    ("extra", Holds::Text),
];

/// What each column holds.
pub(super) fn holds(columns: ColumnNames) -> Vec<Holds> {
    columns.iter().map(|(_, holds)| *holds).collect()
}

/// The same columns as Arrow has them.
pub(super) fn fields(columns: ColumnNames) -> Fields {
    columns
        .iter()
        .map(|(name, holds)| {
            let data_type = match holds {
                Holds::Integers => DataType::Int64,
                Holds::Times => DataType::Timestamp(TimeUnit::Millisecond, None),
                Holds::Text => DataType::Utf8,
            };
            Field::new(*name, data_type, true)
        })
        .collect()
}
