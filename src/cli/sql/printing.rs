//! Rows of jobs on the standard output. A write into a full pipe blocks: it happens off the threads that run the jobs.

use std::task::{Context, Poll};

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
    /// Prints one query after the other, or, where `together`, all of them as their rows come: those that are fed by one
    /// writer wait for each other.
    pub fn begin(
        arguments: &RunArguments,
        output: &mut Output,
        shown: Vec<(Shown, Option<Moving>)>,
        together: bool,
    ) -> Self {
        let (mut lent, runtime) = (output.lend(), Handle::current());
        let (limit, is_final) = (arguments.limit.unwrap_or(u64::MAX), arguments.is_final);
        let work = tokio::task::spawn_blocking(move || {
            let printed = runtime.block_on(async {
                if together {
                    let (shown, moving): (Vec<_>, Vec<_>) = shown.into_iter().unzip();
                    return print(limit, is_final, &mut lent, shown, moving.into_iter().next().flatten()).await;
                }
                for (rows, moving) in shown {
                    print(limit, is_final, &mut lent, vec![rows], moving).await?;
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

/// A query whose rows are printed.
struct Showing {
    rows: mpsc::Receiver<SinkRows>,
    printed: Rows,
    /// Where only its last state counts.
    folded: Option<Folded>,
    /// Rows that may still be printed.
    left: u64,
}

impl Showing {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<SinkRows>> {
        if self.left == 0 { Poll::Ready(None) } else { self.rows.poll_recv(context) }
    }
}

/// The next rows, and of which query they are; none where all have ended.
async fn next(all: &mut [Showing]) -> Option<(usize, SinkRows)> {
    std::future::poll_fn(|context| {
        let mut is_over = true;
        for (number, one) in all.iter_mut().enumerate() {
            match one.poll(context) {
                Poll::Ready(Some(rows)) => return Poll::Ready(Some((number, rows))),
                Poll::Ready(None) => {}
                Poll::Pending => is_over = false,
            }
        }
        if is_over { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// Prints rows of queries as they come until there are no more, or of each as many as were asked for.
async fn print(
    limit: u64,
    is_final: bool,
    output: &mut Output,
    shown: Vec<Shown>,
    mut moving: Option<Moving>,
) -> Result<(), Failure> {
    let (format, cells) = (output.format(), output.cells());
    let showing = |(rows, schema, changes): Shown| {
        let is_folded = is_final && changes;
        let printed = Rows::new(&schema, changes && !is_folded, format, cells);
        Showing { rows, printed, folded: is_folded.then(Folded::default), left: limit }
    };
    let mut all: Vec<Showing> = shown.into_iter().map(showing).collect();
    let mut last = 0;
    while let Some((number, batch)) = shown_meanwhile(moving.as_ref(), next(&mut all)).await {
        let one = &mut all[number];
        if let Some(folded) = &mut one.folded {
            folded.take(&batch)?;
            continue;
        }
        // The line goes before rows come.
        moving = None;
        if std::mem::replace(&mut last, number) != number {
            one.printed.interrupted();
        }
        one.left -= one.printed.write(&batch, one.left, output.writer())?;
        if one.left == 0 {
            one.rows.close();
        }
        if one.rows.is_empty() {
            output.finish()?;
        }
    }
    drop(moving);
    for one in &mut all {
        if let Some(table) = one.folded.as_ref().map(Folded::table).transpose()?.flatten() {
            let times = vec![0; table.num_rows()].into();
            one.printed.write(&SinkRows { batch: table, times, ops: None }, one.left, output.writer())?;
        }
    }
    Ok(output.finish()?)
}
