//! From one task to the instances of the next: to a fixed one, or each row to the instance of its key. It keeps no row.

use ahash::RandomState;
use arrow::array::{ArrayRef, Int8Array, UInt32Array};
use datafusion_common::hash_utils::create_hashes;
use tokio::sync::mpsc;

use super::chunk::{Chunk, Message};
use super::evaluate::{arrow_fault, evaluate};
use crate::connectors::contract::Op;
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::Expression;

/// Messages between two tasks: enough for both to work at once, few enough that a blocked branch holds little memory
/// (4 batches of 8 MiB) and a barrier is soon through.
pub const CHANNEL_MESSAGES: usize = 4;

/// How rows find the instance of the next node.
#[derive(Debug, Clone)]
pub enum Exchange {
    /// Instance `i` sends to instance `i` modulo how many there are: rows of a key stay together.
    Spread,
    /// By hash of these expressions over the sender's output.
    Hash(Vec<Expression>),
}

/// The ways out of a task.
#[derive(Default)]
pub struct Outlets {
    edges: Vec<OutEdge>,
}

struct OutEdge {
    exchange: Exchange,
    senders: Vec<mpsc::Sender<Message>>,
}

impl Outlets {
    /// Adds a way out. For [`Exchange::Spread`] there is one sender, for a hash one for each instance.
    pub fn add(&mut self, exchange: Exchange, senders: Vec<mpsc::Sender<Message>>) {
        self.edges.push(OutEdge { exchange, senders });
    }

    /// Sends a message on all ways; waits where the next task is slow.
    ///
    /// # Errors
    /// Keys that cannot be computed.
    pub async fn send(&self, message: Message) -> Result<(), Fault> {
        let Some((last, others)) = self.edges.split_last() else { return Ok(()) };
        for edge in others {
            edge.send(message.clone()).await?;
        }
        last.send(message).await
    }

    /// Messages that wait behind this task.
    pub fn waiting(&self) -> usize {
        self.edges.iter().flat_map(|edge| &edge.senders).map(|sender| sender.max_capacity() - sender.capacity()).sum()
    }
}

impl OutEdge {
    async fn send(&self, message: Message) -> Result<(), Fault> {
        match (message, &self.exchange) {
            (Message::Batch(chunk), Exchange::Hash(keys)) if self.senders.len() > 1 => {
                for (sender, part) in self.senders.iter().zip(partition(chunk, keys, self.senders.len())?) {
                    if part.rows() > 0 {
                        give(sender, Message::Batch(part)).await;
                    }
                }
            }
            (message @ Message::Batch(_), _) => {
                if let Some(sender) = self.senders.first() {
                    give(sender, message).await;
                }
            }
            (mark, _) => {
                for sender in &self.senders {
                    give(sender, mark.clone()).await;
                }
            }
        }
        Ok(())
    }
}

/// A receiver that has gone has failed or has been cancelled: that is reported by itself.
async fn give(sender: &mpsc::Sender<Message>, message: Message) {
    sender.send(message).await.ok();
}

/// The state that keys are hashed with: the same for rows on their way and for state that is restored.
const HASH_STATE: RandomState = RandomState::with_seeds(0x76_65_6c_6f, 0x78_2d_74_75, 0x69_2d_73_71, 0x6c_00_00_01);

/// Which of `instances` each row of these key columns belongs to.
///
/// # Errors
/// A column of a type that has no hash.
pub fn instances_of(keys: &[ArrayRef], rows: usize, instances: usize) -> Result<Vec<u32>, Fault> {
    let mut hashes = vec![0_u64; rows];
    create_hashes(keys, &HASH_STATE, &mut hashes)
        .map_err(|error| Fault::new(Blame::Operator, format!("these keys cannot be spread over instances: {error}")))?;
    // The high bits: hash tables of the operators use the low ones.
    Ok(hashes.into_iter().map(|hash| ((u128::from(hash) * instances as u128) >> 64) as u32).collect())
}

/// The rows of each instance. A row whose key cannot be computed goes where those without a key go: the operator there
/// computes it again, and refuses the row with the record behind it.
fn partition(chunk: Chunk, keys: &[Expression], instances: usize) -> Result<Vec<Chunk>, Fault> {
    let mut refused_there = Vec::new();
    let columns = keys.iter().map(|key| evaluate(key, &chunk.batch, &mut refused_there));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let targets = instances_of(&columns, chunk.rows(), instances)?;
    let chunk = without_torn_updates(chunk, &targets);
    let mut rows = vec![Vec::new(); instances];
    for (row, target) in targets.iter().enumerate() {
        rows[*target as usize].push(row as u32);
    }
    let all = chunk.rows();
    rows.into_iter()
        .map(|rows| {
            if rows.len() == all {
                return Ok(chunk.clone());
            }
            chunk.take(&UInt32Array::from(rows)).map_err(arrow_fault)
        })
        .collect()
}

/// An update whose halves go to different instances is a delete here and an insert there.
fn without_torn_updates(mut chunk: Chunk, targets: &[u32]) -> Chunk {
    let Some(ops) = &chunk.ops else { return chunk };
    let is_torn = |row: usize| {
        Op::of(ops.value(row)) == Op::UpdateBefore && row + 1 < ops.len() && targets[row] != targets[row + 1]
    };
    if !(0..ops.len()).any(is_torn) {
        return chunk;
    }
    let mut bytes = ops.values().to_vec();
    for row in 0..bytes.len() {
        if is_torn(row) {
            bytes[row] = Op::Delete as i8;
            bytes[row + 1] = Op::Insert as i8;
        }
    }
    chunk.ops = Some(Int8Array::from(bytes));
    chunk
}
