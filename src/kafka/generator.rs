//! Plausible events for the sandbox: orders, payments and customer updates, with exact decimal amounts.
//! Only ever writes to the embedded broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::core::environment::{Environment, HealthSettings, KafkaSettings, SecurityProtocol};
use crate::core::fault::Fault;
use crate::core::record::Delivery;

use super::auth::AuthRegistry;
use super::cause::SendFault;
use super::embedded::EmbeddedBroker;
use super::producer::{EnqueueFault, Outgoing, Producer, Receipts};
use super::settings::Connection;

/// Events a second where nobody says otherwise: alive to the eye, next to nothing for the processor.
pub const EVENTS_PER_SECOND: u32 = 25;
/// Ticks a second: events come in small groups, so that a high rate costs no timer an event.
const TICKS_PER_SECOND: u32 = 10;
/// How long the last events may take to be stored when the generator stops.
const FLUSH: Duration = Duration::from_secs(2);

/// Events so far, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// Events made.
    pub made: u64,
    /// Events that the broker confirmed.
    pub acknowledged: u64,
    /// Events that were lost: refused, or dropped because the queue was full.
    pub failed: u64,
    /// Bytes of keys and values that were confirmed.
    pub bytes: u64,
}

/// Sends `events_per_second` events until `stop`, and tells ten times a second and at the end what became of them; returns
/// the last of these.
///
/// # Errors
/// The producer cannot be made, or the broker ended.
pub async fn generate(
    broker: &EmbeddedBroker,
    events_per_second: u32,
    stop: &CancellationToken,
    mut tell: impl FnMut(Made),
) -> Result<Made, Fault> {
    let connection = Connection::open(&environment(broker), &AuthRegistry::default())?;
    let confirmed = Arc::new(Confirmed::default());
    let producer = Producer::open(&connection, &connection.environment().producer, confirmed.clone())?;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / TICKS_PER_SECOND);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut number, mut owed) = (0_u64, 0_u32);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => owed += events_per_second,
        }
        tell(confirmed.so_far(number));
        while owed >= TICKS_PER_SECOND {
            owed -= TICKS_PER_SECOND;
            number += 1;
            match send(&producer, &event(number)) {
                Ok(()) => {}
                Err(EnqueueFault::Refused(fault)) => return Err(fault.into()),
                Err(_) => confirmed.count(&confirmed.failed, 1),
            }
        }
    }
    producer.flush(FLUSH).await.ok();
    producer.close().await;
    let made = confirmed.so_far(number);
    tell(made);
    Ok(made)
}

/// One event before it is bytes.
struct Event {
    topic: &'static str,
    key: String,
    kind: &'static str,
    value: serde_json::Value,
}

#[derive(Default)]
struct Confirmed {
    acknowledged: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
}

impl Confirmed {
    fn so_far(&self, made: u64) -> Made {
        Made {
            made,
            acknowledged: self.acknowledged.load(Ordering::Acquire),
            failed: self.failed.load(Ordering::Acquire),
            bytes: self.bytes.load(Ordering::Acquire),
        }
    }

    fn count(&self, which: &AtomicU64, more: u64) {
        which.fetch_add(more, Ordering::AcqRel);
    }
}

impl Receipts for Confirmed {
    /// The event's bytes.
    type Ticket = u64;

    fn settled(&self, bytes: u64, outcome: Result<Delivery, SendFault>) {
        match outcome {
            Ok(_) => {
                self.count(&self.acknowledged, 1);
                self.count(&self.bytes, bytes);
            }
            Err(_) => self.count(&self.failed, 1),
        }
    }
}

fn environment(broker: &EmbeddedBroker) -> Environment {
    let kafka = KafkaSettings {
        bootstrap_servers: broker.bootstrap_servers().to_owned(),
        security_protocol: SecurityProtocol::Plaintext,
        client_id: Some("velox-generator".into()),
        sasl: None,
        ssl: None,
        request_timeout_ms: 5_000,
        options: Default::default(),
    };
    Environment {
        environment: "sandbox".into(),
        description: String::new(),
        guard: None,
        rate_limit_events_per_second: None,
        kafka,
        producer: Default::default(),
        consumer: Default::default(),
        health: HealthSettings::default(),
    }
}

/// A full queue (a broker that was taken down) drops the event, which counts as failed: nobody waits for a sandbox's events.
fn send(producer: &Producer<Confirmed>, event: &Event) -> Result<(), EnqueueFault> {
    let value = event.value.to_string();
    let outcome = producer.enqueue(
        Outgoing {
            topic: event.topic,
            key: Some(event.key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &[("type", Some(event.kind.as_bytes())), ("source", Some(b"velox-sandbox"))],
            ..Default::default()
        },
        (event.key.len() + value.len()) as u64,
    );
    outcome.map_err(|(fault, _)| fault)
}

/// Orders most often, then payments, then customers who move.
fn event(number: u64) -> Event {
    match number % 5 {
        0 | 2 => order(number),
        1 | 3 => payment(number),
        _ => customer(),
    }
}

const CITIES: [&str; 6] = ["Zürich", "Lisboa", "København", "Nairobi", "Osaka", "São Paulo"];
const CURRENCIES: [&str; 4] = ["EUR", "CHF", "GBP", "USD"];
const PRODUCTS: [(&str, i64); 5] =
    [("espresso cup", 1_290), ("grinder", 18_900), ("filter paper", 495), ("kettle", 6_450), ("scale", 3_999)];
/// Customers of the sandbox: few enough that a key is seen again.
const CUSTOMERS: u32 = 400;

/// What is ordered and what it costs: the same whenever it is asked for, so that a payment fits its order.
struct Terms {
    lines: Vec<(&'static str, Decimal, u32)>,
    amount: Decimal,
    currency: &'static str,
}

impl Terms {
    /// Those of the order of a number.
    fn of(number: u64) -> Self {
        let mut random = StdRng::seed_from_u64(number);
        let lines: Vec<(&str, Decimal, u32)> = (0..random.random_range(1..4))
            .map(|_| {
                let (name, cents) = *PRODUCTS.choose(&mut random).unwrap_or(&PRODUCTS[0]);
                (name, Decimal::new(cents, 2), random.random_range(1..5))
            })
            .collect();
        let amount = lines.iter().map(|(_, price, quantity)| price * Decimal::from(*quantity)).sum();
        let currency = CURRENCIES.choose(&mut random).unwrap_or(&CURRENCIES[0]);
        Self { lines, amount, currency }
    }
}

fn order(number: u64) -> Event {
    let Terms { lines, amount, currency } = Terms::of(number);
    let items: Vec<_> = lines
        .iter()
        .map(|(name, price, quantity)| json!({ "product": name, "quantity": quantity, "price": digits(*price) }))
        .collect();
    let id = format!("ORD-{number:08}");
    Event {
        topic: "orders",
        kind: "ORDER_PLACED",
        value: json!({
            "order_id": id, "customer_id": customer_id(), "currency": currency,
            "amount": digits(amount), "items": items, "placed_at": now().to_string(),
        }),
        key: id,
    }
}

/// The payment of the order just before it, whole and in its currency.
fn payment(number: u64) -> Event {
    let paid = number.saturating_sub(1);
    let Terms { amount, currency, .. } = Terms::of(paid);
    let order = format!("ORD-{paid:08}");
    let status = pick(&["CAPTURED", "CAPTURED", "CAPTURED", "AUTHORISED", "DECLINED"]);
    Event {
        topic: "payments",
        kind: "PAYMENT",
        value: json!({
            "payment_id": format!("PAY-{number:08}"), "order_id": order, "amount": digits(amount),
            "fee": digits((amount * Decimal::new(29, 3)).round_dp(4)), "currency": currency,
            "method": pick(&["card", "sepa", "twint", "invoice"]), "status": status, "at": now().to_string(),
        }),
        key: order,
    }
}

fn customer() -> Event {
    let id = customer_id();
    Event {
        topic: "customers",
        kind: "CUSTOMER_UPDATE",
        value: json!({
            "customer_id": id, "action": "UPDATE",
            "fields": { "city": pick(&CITIES), "newsletter": rand::rng().random_bool(0.4) }, "updated_at": now().to_string(),
        }),
        key: id,
    }
}

/// A decimal as a JSON number. The amounts here have so few digits that the shortest text of the nearest double is the
/// decimal itself, without its trailing zeros.
fn digits(amount: Decimal) -> serde_json::Value {
    amount.to_f64().map_or(serde_json::Value::Null, serde_json::Value::from)
}

fn customer_id() -> String {
    format!("CUST-{:05}", rand::rng().random_range(1..=CUSTOMERS))
}

fn pick<T: Copy>(from: &[T]) -> T {
    *from.choose(&mut rand::rng()).unwrap_or(&from[0])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn what_the_broker_confirmed_is_told_while_events_go_on() {
        let broker = tokio::task::spawn_blocking(EmbeddedBroker::shared).await.unwrap().unwrap();
        let stop = CancellationToken::new();
        let made = generate(&broker, 100, &stop, |made| {
            assert!(made.acknowledged + made.failed <= made.made);
            // Without a receipt that is told, this never ends.
            if 0 < made.acknowledged {
                stop.cancel();
            }
        });
        let made = made.await.unwrap();
        assert_eq!((made.acknowledged, made.failed), (made.made, 0), "the last events are waited for");
        assert!(made.acknowledged < made.bytes);
    }

    #[test]
    fn a_payment_is_of_an_order_that_is_there_and_of_its_amount_and_currency() {
        let is_order = |number: &u64| event(*number).topic == "orders";
        let orders: Vec<_> = (0..100).filter(is_order).map(|number| event(number).value).collect();
        for payment in (0..100).map(event).filter(|event| event.topic == "payments").map(|event| event.value) {
            let order = orders.iter().find(|order| order["order_id"] == payment["order_id"]).unwrap();
            assert_eq!((&payment["amount"], &payment["currency"]), (&order["amount"], &order["currency"]));
        }
    }

    #[test]
    fn the_amount_of_an_order_is_the_exact_sum_of_its_lines() {
        let order = order(7).value;
        let decimal = |value: &serde_json::Value| value.to_string().parse::<Decimal>().unwrap();
        let sum: Decimal = order["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| decimal(&line["price"]) * Decimal::from(line["quantity"].as_u64().unwrap()))
            .sum();
        assert_eq!(decimal(&order["amount"]), sum);
    }
}
