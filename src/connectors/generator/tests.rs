//! Made rows: Nexmark against its crate, distributions, splits, positions and rates.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::time::Duration;

use ::nexmark::EventGenerator;
use ::nexmark::config::NexmarkConfig;
use ::nexmark::event::{Event, EventType};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMillisecondType};

use super::*;
use crate::connectors::contract::Pull;

fn context() -> Context {
    Context { kafka: None, absent: None, folder: ".".into() }
}

async fn source(options: &[(&str, &str)]) -> Result<Arc<dyn Source>, Fault> {
    let request =
        SourceRequest { name: "g".into(), options: options.iter().copied().collect(), ..SourceRequest::default() };
    GeneratorConnector.source(request, &context()).await
}

async fn rows(source: &dyn Source, split: usize, from: Option<&Position>) -> Vec<RecordBatch> {
    let columns = Columns { fields: (0..source.schema().fields().len()).collect(), ..Columns::default() };
    let split = source.splits().await.unwrap().remove(split);
    let mut reader = source.read(&split, from, &columns).await.unwrap();
    let mut all = Vec::new();
    while let Pull::Rows(rows) = reader.next(1_000, Duration::from_secs(5)).await.unwrap() {
        all.push(rows.batch);
    }
    all
}

async fn whole(options: &[(&str, &str)]) -> RecordBatch {
    let source = source(options).await.unwrap();
    let batches = rows(source.as_ref(), 0, None).await;
    arrow::compute::concat_batches(&source.schema(), &batches).unwrap()
}

fn events(kind: EventType, count: usize) -> Vec<Event> {
    let config = NexmarkConfig { base_time: 1_000_000, ..NexmarkConfig::default() };
    EventGenerator::new(config).with_type_filter(kind).take(count).collect()
}

/// The events of the crate are ours, field by field.
#[tokio::test]
async fn nexmark_makes_the_events_of_the_crate() {
    let table = |name| [("kind", "nexmark"), ("table", name), ("rows", "3000"), ("base.time", "1000000")];
    let number = |batch: &RecordBatch, name: &str, row: usize| {
        batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().value(row) as usize
    };
    let time = |batch: &RecordBatch, name: &str, row: usize| {
        batch.column_by_name(name).unwrap().as_primitive::<TimestampMillisecondType>().value(row) as u64
    };
    let text = |batch: &RecordBatch, name: &str, row: usize| {
        batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned()
    };
    let (bids, auctions, persons) =
        (whole(&table("bid")).await, whole(&table("auction")).await, whole(&table("person")).await);
    for (row, event) in events(EventType::Bid, 3_000).into_iter().enumerate() {
        let Event::Bid(bid) = event else { panic!("a bid") };
        assert_eq!(
            bid,
            ::nexmark::event::Bid {
                auction: number(&bids, "auction", row),
                bidder: number(&bids, "bidder", row),
                price: number(&bids, "price", row),
                channel: text(&bids, "channel", row),
                url: text(&bids, "url", row),
                date_time: time(&bids, "date_time", row),
                extra: text(&bids, "extra", row),
            }
        );
    }
    for (row, event) in events(EventType::Auction, 3_000).into_iter().enumerate() {
        let Event::Auction(auction) = event else { panic!("an auction") };
        assert_eq!(
            auction,
            ::nexmark::event::Auction {
                id: number(&auctions, "id", row),
                item_name: text(&auctions, "item_name", row),
                description: text(&auctions, "description", row),
                initial_bid: number(&auctions, "initial_bid", row),
                reserve: number(&auctions, "reserve", row),
                date_time: time(&auctions, "date_time", row),
                expires: time(&auctions, "expires", row),
                seller: number(&auctions, "seller", row),
                category: number(&auctions, "category", row),
                extra: text(&auctions, "extra", row),
            }
        );
    }
    for (row, event) in events(EventType::Person, 3_000).into_iter().enumerate() {
        let Event::Person(person) = event else { panic!("a person") };
        assert_eq!(
            person,
            ::nexmark::event::Person {
                id: number(&persons, "id", row),
                name: text(&persons, "name", row),
                email_address: text(&persons, "email_address", row),
                credit_card: text(&persons, "credit_card", row),
                city: text(&persons, "city", row),
                state: text(&persons, "state", row),
                date_time: time(&persons, "date_time", row),
                extra: text(&persons, "extra", row),
            }
        );
    }
}

#[tokio::test]
async fn all_events_in_one_table_have_one_kind_each() {
    let all = whole(&[("kind", "nexmark"), ("events", "100")]).await;
    assert_eq!(all.num_rows(), 100);
    let there = |at: usize| 100 - all.column(at).null_count();
    assert_eq!((there(1), there(2), there(3)), (2, 6, 92));
    let bids = whole(&[("kind", "nexmark"), ("events", "100"), ("table", "bid")]).await;
    let nested = all.column(3).as_struct();
    let price = |row: usize| nested.column_by_name("price").unwrap().as_primitive::<Int64Type>().value(row);
    assert_eq!(price(4), bids.column(2).as_primitive::<Int64Type>().value(0));
    assert_eq!(bids.num_rows(), 92);
}

#[tokio::test]
async fn a_column_is_the_same_whichever_others_are_asked_for() {
    let source = source(&[("kind", "nexmark"), ("table", "bid"), ("rows", "500")]).await.unwrap();
    let whole = rows(source.as_ref(), 0, None).await.remove(0);
    let split = source.splits().await.unwrap().remove(0);
    for fields in [vec![], vec![5], vec![0], vec![2, 5], vec![4], vec![6, 1]] {
        let columns = Columns { fields: fields.clone(), ..Columns::default() };
        let mut reader = source.read(&split, None, &columns).await.unwrap();
        let Pull::Rows(rows) = reader.next(1_000, Duration::ZERO).await.unwrap() else { panic!("rows") };
        assert_eq!(rows.batch, whole.project(&fields).unwrap());
        assert_eq!(rows.times.len(), 500);
    }
}

const FIELDS: [(&str, &str); 14] = [
    ("rows", "2000"),
    ("seed", "7"),
    ("fields.id.kind", "sequence"),
    ("fields.id.start", "100"),
    ("fields.price.type", "DECIMAL(10,2)"),
    ("fields.price.min", "0.05"),
    ("fields.price.max", "99.95"),
    ("fields.side.values", "buy,sell"),
    ("fields.side.weights", "9,1"),
    ("fields.customer.kind", "zipf"),
    ("fields.customer.prefix", "CUST-"),
    ("fields.customer.max", "9"),
    ("fields.customer.type", "VARCHAR"),
    ("fields.customer.min", "0"),
];

#[tokio::test]
async fn fields_are_drawn_from_their_distributions_exactly() {
    let made = whole(&FIELDS).await;
    assert_eq!(made, whole(&FIELDS).await);
    let ids = made.column_by_name("id").unwrap().as_primitive::<Int64Type>().clone();
    assert_eq!((ids.value(0), ids.value(1_999)), (100, 2_099));
    let prices = made.column_by_name("price").unwrap().as_primitive::<Decimal128Type>().clone();
    assert!(prices.values().iter().all(|price| (5..=9_995).contains(price)));
    let sides = made.column_by_name("side").unwrap().as_string::<i32>().clone();
    let sells = sides.iter().filter(|side| *side == Some("sell")).count();
    assert!((120..=280).contains(&sells), "{sells}");
    let mut customers: HashMap<String, usize> = HashMap::new();
    for customer in made.column_by_name("customer").unwrap().as_string::<i32>().iter().flatten() {
        *customers.entry(customer.to_owned()).or_default() += 1;
    }
    assert!(customers["CUST-0"] > 3 * customers["CUST-9"], "{customers:?}");
}

#[tokio::test]
async fn splits_share_the_rows_and_a_position_goes_on_where_it_was() {
    let options = [("rows", "10"), ("splits", "3"), ("fields.n.kind", "sequence")];
    let source = source(&options).await.unwrap();
    let mut seen: Vec<i64> = Vec::new();
    for split in 0..3 {
        for batch in rows(source.as_ref(), split, None).await {
            seen.extend(batch.column(0).as_primitive::<Int64Type>().values());
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    let rest = rows(source.as_ref(), 1, Some(&Position("2".into()))).await;
    assert_eq!(rest[0].column(0).as_primitive::<Int64Type>().values().to_vec(), vec![7]);
}

#[tokio::test]
async fn a_rate_is_never_exceeded() {
    let options = [("rate", "1000"), ("rows", "250"), ("fields.n.kind", "sequence")];
    let source = source(&options).await.unwrap();
    let begun = std::time::Instant::now();
    let made: usize = rows(source.as_ref(), 0, None).await.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(made, 250);
    let took = begun.elapsed().as_millis();
    assert!((249..5_000).contains(&took), "{took} ms");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let fault = |options: &'static [(&str, &str)]| async move {
        match source(options).await {
            Ok(_) => panic!("it must fail"),
            Err(fault) => fault.to_string(),
        }
    };
    assert_eq!(
        fault(&[("fields.a.kind", "sequenze")]).await,
        "`fields.a.kind` is `sequenze`, which is no kind of field; did you mean `sequence`?"
    );
    assert_eq!(
        fault(&[("fields.a.type", "DECIMAL(10,2)"), ("fields.a.min", "0.001")]).await,
        "`fields.a.min` is `0.001`, which is no Decimal128(10, 2)"
    );
    assert!(fault(&[]).await.starts_with("a generator needs fields"));
}
