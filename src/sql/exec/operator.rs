//! The contract of an operator: rows in, rows out, on one thread, with its state in columns. It awaits nothing and
//! knows no channel; the task around it does.

use arrow::array::RecordBatch;

use super::chunk::Chunk;
use crate::connectors::contract::BadRecord;
use crate::core::fault::Fault;

/// Chunks of an output that is full: as many as the way to the next task holds, so that more would only lie here.
pub(super) const OUTPUT_CHUNKS: usize = super::exchange::CHANNEL_MESSAGES;

/// A step of a pipeline. One instance has one thread at a time.
pub trait Operator: Send {
    /// Takes rows of an input port and gives what follows from them. An operator of which a row can give any number of rows
    /// stops where its output is full ([`Output::is_full`]), between two rows, and keeps the rest.
    ///
    /// # Errors
    /// What ends the job. A row that fails goes to [`Output::bad`] instead.
    fn push(&mut self, port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault>;

    /// Whether rows that were pushed wait for [`Operator::go_on`]. Nothing else is asked before they are through.
    fn has_more(&self) -> bool {
        false
    }

    /// Goes on with rows that were pushed, until the output is full again.
    ///
    /// # Errors
    /// What ends the job.
    fn go_on(&mut self, _out: &mut Output) -> Result<(), Fault> {
        Ok(())
    }

    /// The port to read first when several wait: a stream that looks into a table wants what the table has to say first.
    fn preferred_port(&self) -> Option<usize> {
        None
    }

    /// The watermark over all ports has risen to `watermark`: gives what is final now. Answers with the watermark that
    /// holds for its output: later by nothing for most, earlier for operators that still hold rows.
    ///
    /// # Errors
    /// What ends the job.
    fn watermark(&mut self, watermark: i64, _out: &mut Output) -> Result<i64, Fault> {
        Ok(watermark)
    }

    /// The clock says `now_ms` (milliseconds since 1970); called about every 50 ms and after each batch. For
    /// `EMIT EVERY`, time to live and processing time.
    ///
    /// # Errors
    /// What ends the job.
    fn tick(&mut self, _now_ms: i64, _out: &mut Output) -> Result<(), Fault> {
        Ok(())
    }

    /// A batch of input is through: what was held back to be given once a batch is given now.
    ///
    /// # Errors
    /// What ends the job.
    fn flush(&mut self, _out: &mut Output) -> Result<(), Fault> {
        Ok(())
    }

    /// All that lay in the inputs when the job began has been pushed: what holds of no rows at all is given now.
    ///
    /// # Errors
    /// What ends the job.
    fn caught_up(&mut self, _out: &mut Output) -> Result<(), Fault> {
        Ok(())
    }

    /// The state as it is now, as tables. It goes on working afterwards as if nothing had happened.
    ///
    /// # Errors
    /// What ends the job.
    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        Ok(Vec::new())
    }

    /// Takes the state of a checkpoint, before the first row. May be called with tables of several former instances:
    /// they add up, and rows whose keys belong to other instances have been left out already.
    ///
    /// # Errors
    /// State that does not fit, which names what does not.
    fn restore(&mut self, _tables: Vec<StateTable>) -> Result<(), Fault> {
        Ok(())
    }

    /// Bytes of state, near enough for a limit.
    fn state_bytes(&self) -> usize {
        0
    }

    /// Keys (or rows) in the state.
    fn state_rows(&self) -> usize {
        0
    }
}

/// A part of an operator's state, as columns.
#[derive(Debug, Clone)]
pub struct StateTable {
    /// Its name within the operator: `groups`, `left`, `right`.
    pub name: String,
    /// The rows.
    pub batch: RecordBatch,
    /// How many of the first columns are the key that rows are spread by; 0 for state that belongs to all instances.
    pub keys: usize,
}

/// What an operator gives.
#[derive(Debug, Default)]
pub struct Output {
    /// Rows, in order.
    pub chunks: Vec<Chunk>,
    /// Rows that failed. Those that have an origin go to the dead letters.
    pub bad: Vec<BadRecord>,
    /// Rows that were too late, and (where the strategy is to keep them) those rows.
    pub late_rows: u64,
    /// Set by an operator that wants no more input (LIMIT is reached): the job ends in order.
    pub is_done: bool,
}

impl Output {
    /// Gives rows; none is none.
    pub fn give(&mut self, chunk: Chunk) {
        if chunk.rows() > 0 {
            self.chunks.push(chunk);
        }
    }

    /// Whether what is given should go on before more is: rows on their way are no state that a limit holds.
    pub fn is_full(&self) -> bool {
        self.chunks.len() >= OUTPUT_CHUNKS
    }
}
