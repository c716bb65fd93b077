//! Transactions of a producer: begin, offsets, commit, abort, each off the async threads and with an end to its wait.
//! It never decides whether to try again; it says what the error allows.

use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::core::fault::{Blame, Fault};

use super::admin::off_the_async_threads;
use super::cause::call_fault;
use super::producer::{Producer, Receipts};

/// Pause before a call that may be tried again: brokers move a transaction's coordinator in well under a second.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Why a step of a transaction failed, and what is left to do.
#[derive(Debug, Clone, PartialEq)]
pub struct TransactionFault {
    /// For people.
    pub fault: Fault,
    /// The transaction can be aborted and the producer used again. Where it is false nobody knows whether the transaction
    /// was committed: only a fresh producer and the committed offsets can tell.
    pub can_abort: bool,
    /// Another producer has claimed the transactional id: this one must not claim it back.
    pub is_fenced: bool,
}

impl<R: Receipts> Producer<R> {
    /// Claims the transactional id: whoever had it is fenced off, what it left open is aborted.
    ///
    /// # Errors
    /// No broker answered within `timeout`, or the id may not be used.
    pub async fn init_transactions(&self, timeout: Duration) -> Result<(), TransactionFault> {
        let client = self.client.clone();
        blocking("claim the transactional id", timeout, move |left| client.init_transactions(left)).await
    }

    /// Begins a transaction. Asks no broker.
    ///
    /// # Errors
    /// The producer was fenced off by another one of its id, or is in no state to begin.
    pub fn begin_transaction(&self) -> Result<(), TransactionFault> {
        self.client.begin_transaction().map_err(|error| fault_of("begin a transaction", &error))
    }

    /// Puts a group's offsets into the transaction.
    ///
    /// # Errors
    /// As the fault says.
    pub async fn send_offsets(
        &self,
        offsets: TopicPartitionList,
        group: ConsumerGroupMetadata,
        timeout: Duration,
    ) -> Result<(), TransactionFault> {
        let client = self.client.clone();
        blocking("add offsets to the transaction", timeout, move |left| {
            client.send_offsets_to_transaction(&offsets, &group, left)
        })
        .await
    }

    /// Commits the transaction: what was sent in it becomes visible at once.
    ///
    /// # Errors
    /// As the fault says.
    pub async fn commit_transaction(&self, timeout: Duration) -> Result<(), TransactionFault> {
        let client = self.client.clone();
        blocking("commit the transaction", timeout, move |left| client.commit_transaction(left)).await
    }

    /// Aborts the transaction: nothing of it will ever be seen by who reads only what is committed.
    ///
    /// # Errors
    /// As the fault says.
    pub async fn abort_transaction(&self, timeout: Duration) -> Result<(), TransactionFault> {
        let client = self.client.clone();
        blocking("abort the transaction", timeout, move |left| client.abort_transaction(left)).await
    }
}

/// Calls until it works, the time is over, or the error says that trying again is pointless.
async fn blocking(
    doing: &'static str,
    timeout: Duration,
    call: impl Fn(Duration) -> Result<(), KafkaError> + Send + 'static,
) -> Result<(), TransactionFault> {
    let deadline = Instant::now() + timeout;
    let outcome = off_the_async_threads(move || {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Err(error) = call(left) else { return Ok(Ok(())) };
            let may_try_again = matches!(&error, KafkaError::Transaction(error) if error.is_retriable());
            if !may_try_again || left <= RETRY_PAUSE {
                return Ok(Err(fault_of(doing, &error)));
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    });
    match outcome.await {
        Ok(outcome) => outcome,
        Err(fault) => Err(TransactionFault { fault, can_abort: false, is_fenced: false }),
    }
}

fn fault_of(doing: &str, error: &KafkaError) -> TransactionFault {
    let KafkaError::Transaction(inner) = error else {
        return TransactionFault { fault: call_fault(doing, error), can_abort: false, is_fenced: false };
    };
    let fault = Fault::new(Blame::Connection, format!("could not {doing}: {}", inner.string()));
    let is_fenced = matches!(
        inner.code(),
        RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch
    );
    if is_fenced {
        let fault = fault.next("another producer has taken over its transactional id: does the job run twice?");
        return TransactionFault { fault, can_abort: false, is_fenced };
    }
    TransactionFault { fault, can_abort: inner.txn_requires_abort() && !inner.is_fatal(), is_fenced }
}
