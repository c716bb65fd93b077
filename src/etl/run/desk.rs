//! Where one producer's endings arrive: counted, timed, or put aside to be sent again. Runs on the client's polling
//! thread and never waits.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use crate::core::fault::Fault;
use crate::core::lock::WholeMutex;
use crate::core::record::{Delivery, Message};
use crate::kafka::cause::{SendCause, SendFault};
use crate::kafka::producer::{Outgoing, Receipts};

use super::ledger::{Cause, Ledger};
use super::retry::{self, Retry};
use super::steps::Times;
use super::ticket::{ATTEMPTS_MAX, Ticket};

/// The desk of one producer.
pub struct Desk {
    ledger: Arc<Ledger>,
    lane: usize,
    slot: usize,
    // Only the polling thread writes; the lock is for the one who reads once a second and when all is over.
    acknowledge: Mutex<Acknowledged>,
}

/// Times from taken to confirmed.
struct Acknowledged {
    by_pair: Vec<Times>,
    /// Of all pairs, since they were last asked for.
    recent: Times,
}

impl Desk {
    /// For a producer of a connection.
    pub fn new(ledger: Arc<Ledger>, lane: usize, slot: usize) -> Self {
        let by_pair = vec![Times::default(); ledger.pairs()];
        let acknowledge = Mutex::new(Acknowledged { by_pair, recent: Times::default() });
        Self { ledger, lane, slot, acknowledge }
    }

    /// Times from taken to confirmed, by pair.
    pub fn times(&self) -> Vec<Times> {
        self.acknowledged_so_far().by_pair.clone()
    }

    /// Times from taken to confirmed of all pairs, since this was last asked.
    pub fn take_recent(&self) -> Times {
        std::mem::take(&mut self.acknowledged_so_far().recent)
    }

    fn acknowledged_so_far(&self) -> MutexGuard<'_, Acknowledged> {
        self.acknowledge.hold()
    }

    fn acknowledged(&self, ticket: Ticket) {
        let waited = self.ledger.elapsed().saturating_sub(ticket.at());
        let waited_ns = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        let mut times = self.acknowledged_so_far();
        times.recent.record_ns(waited_ns);
        if let Some(times) = times.by_pair.get_mut(ticket.pair()) {
            times.record_ns(waited_ns);
        }
        drop(times);
        self.ledger.acknowledged(ticket.pair());
        self.ledger.returns(self.lane, 1);
    }

    /// A dry run's event: it ends when it is rendered.
    pub fn rendered(&self, ticket: Ticket) {
        self.ledger.acknowledged(ticket.pair());
        self.ledger.returns(self.lane, 1);
    }

    /// A record that a producer refused or lost: tried again later if that may help, else it has failed.
    pub fn not_delivered(&self, ticket: Ticket, fault: SendFault, record: Outgoing<'_>) {
        let (pair, account) = (ticket.pair(), self.ledger.account(ticket.pair()));
        // The client was told to give up what it held because the run was halted: nothing failed, it was not sent.
        if let Some(why) = self.ledger.halted().filter(|_| fault.cause == SendCause::Closed) {
            self.ledger.unsent(pair, record_bytes(&record));
            self.ledger.not_sent(pair, 1, why);
            self.ledger.returns(self.lane, 1);
            return;
        }
        let attempts_left = ticket.attempt() < account.max_retries.min(ATTEMPTS_MAX);
        let again = fault.retriable && attempts_left && self.ledger.halted().is_none();
        let cause = Cause::from(&Fault::from(fault));
        if !again {
            self.ledger.failed_after_sending(pair, record_bytes(&record), &cause);
            self.ledger.returns(self.lane, 1);
            return;
        }
        let attempt = ticket.attempt() + 1;
        let due = Instant::now() + retry::pause(account.retry_backoff_ms, attempt, rand::random());
        let message = owned(record, account.partition);
        self.ledger.retries.push(Retry { due, pair, attempt, lane: self.lane, slot: self.slot, message, cause });
    }
}

impl Receipts for Desk {
    type Ticket = Ticket;

    fn settled(&self, ticket: Ticket, outcome: Result<Delivery, SendFault>) {
        match outcome {
            Ok(_) => self.acknowledged(ticket),
            Err(fault) => self.not_delivered(ticket, fault, Outgoing::default()),
        }
    }

    fn lost(&self, ticket: Ticket, fault: SendFault, record: Outgoing<'_>) {
        self.not_delivered(ticket, fault, record);
    }
}

/// Bytes of key, value and headers.
pub fn record_bytes(record: &Outgoing<'_>) -> u64 {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len)).sum();
    (record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + headers) as u64
}

fn owned(record: Outgoing<'_>, partition: Option<i32>) -> Message {
    Message {
        topic: record.topic.into(),
        partition,
        timestamp_ms: record.timestamp_ms,
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers: record.headers.iter().map(|(name, value)| ((*name).into(), value.map(<[u8]>::to_vec))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::etl::run::ledger::{Account, NotSent};

    fn ledger(planned: u64) -> Arc<Ledger> {
        let account = Account {
            etl: "e".into(),
            environment: "q".into(),
            topic: "t".into(),
            planned,
            max_retries: 3,
            retry_backoff_ms: 1,
            partition: None,
        };
        Arc::new(Ledger::new(vec![account], 1, false, Instant::now()))
    }

    fn fault(cause: SendCause) -> SendFault {
        SendFault { cause, what: "gone".into(), retriable: false }
    }

    #[test]
    fn what_a_stopped_run_gave_up_was_not_sent_and_what_the_broker_refused_has_failed() {
        let ledger = ledger(4);
        let desk = Desk::new(Arc::clone(&ledger), 0, 0);
        ledger.departs(0, 4);
        ledger.sent(0, 4, 0);
        let settle = |cause| desk.settled(Ticket::new(0, 0, Duration::ZERO), Err(fault(cause)));
        // Closed before anyone stopped: the client is gone, and the event with it.
        settle(SendCause::Closed);
        ledger.halt(NotSent::Stopped);
        settle(SendCause::Closed);
        settle(SendCause::TooLarge);
        // The broker may have it: who sends again what was not sent must not send it twice.
        settle(SendCause::Unconfirmed);
        let counts = ledger.counts(0);
        assert_eq!((counts.failed, counts.not_sent, counts.open()), (3, 1, 0));
        assert_eq!((ledger.not_sent_by_reason(0)[&NotSent::Stopped], ledger.in_flight(0)), (1, 0));
    }
}
