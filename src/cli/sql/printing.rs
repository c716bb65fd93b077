//! Rows of jobs on the standard output. A write into a full pipe blocks: it happens off the threads that run the jobs.

use arrow::datatypes::SchemaRef;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::moving::{Moving, shown_meanwhile};
use super::rows::{Folded, Rows};
use super::run::RunArguments;
use crate::cli::Failure;
use crate::cli::output::Output;
use crate::connectors::contract::SinkRows;
use crate::core::fault::{Blame, Fault};

/// Rows on their way to the screen: their columns, and whether they are taken back.
pub(super) type Shown = (mpsc::Receiver<SinkRows>, SchemaRef, bool);

/// Rows being printed: a write into a full pipe blocks, and happens off the threads that run the jobs.
pub(super) struct Printing {
    /// Until it has ended.
    work: Option<JoinHandle<(Result<(), Failure>, Output)>>,
    /// The output, as soon as it is given back.
    output: Option<Output>,
}

impl Printing {
    pub fn begin(arguments: &RunArguments, output: &mut Output, shown: Vec<(Shown, Option<Moving>)>) -> Self {
        let (mut lent, runtime) = (output.lend(), Handle::current());
        let (limit, is_final) = (arguments.limit.unwrap_or(u64::MAX), arguments.is_final);
        let work = tokio::task::spawn_blocking(move || {
            let printed = runtime.block_on(async {
                for (rows, moving) in shown {
                    print(limit, is_final, &mut lent, rows, moving).await?;
                }
                Ok(())
            });
            (printed, lent)
        });
        Self { work: Some(work), output: None }
    }

    /// The output, where it was given back.
    pub fn output(self) -> Option<Output> {
        self.output
    }

    /// Waits until all is printed; answers at once where it was waited for before.
    pub async fn ended(&mut self) -> Result<(), Failure> {
        let Some(work) = &mut self.work else { return Ok(()) };
        let ended = work.await;
        self.work = None;
        let (printed, lent) =
            ended.map_err(|error| Fault::new(Blame::Program, format!("the output broke off: {error}")))?;
        self.output = Some(lent);
        printed
    }
}

/// Prints rows until there are no more, or as many as were asked for.
async fn print(
    limit: u64,
    is_final: bool,
    output: &mut Output,
    rows: Shown,
    mut moving: Option<Moving>,
) -> Result<(), Failure> {
    let (mut receiver, schema, changes) = rows;
    let is_folded = is_final && changes;
    let mut left = limit;
    let mut printed = Rows::new(&schema, changes && !is_folded, output.format(), output.is_terminal());
    let mut folded = Folded::default();
    while left > 0 {
        let Some(batch) = shown_meanwhile(moving.as_ref(), receiver.recv()).await else { break };
        if is_folded {
            folded.take(&batch)?;
            continue;
        }
        // The line goes before rows come.
        moving = None;
        left -= printed.write(&batch, left, output.writer())?;
        if receiver.is_empty() {
            output.finish()?;
        }
    }
    drop(moving);
    if let Some(table) = folded.table()? {
        let times = vec![0; table.num_rows()].into();
        printed.write(&SinkRows { batch: table, times, ops: None }, left, output.writer())?;
    }
    Ok(output.finish()?)
}
