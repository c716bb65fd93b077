//! `velox-tui tail`: records of one or more topics as they come, or up to the end. It joins no group and commits nothing.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use tokio::runtime::Handle;

use super::output::Output;
use super::records::Lines;
use super::records::json::Values;
use super::records::print::{LETTERS, Pattern};
use super::session::{self, Session};
use super::{Exit, Failure, position, sandbox, signals};
use crate::core::fault::{Blame, Fault};
use crate::core::record::StartAt;
use crate::kafka::cause::ErrorCode;
use crate::kafka::tail::{TailReader, TailSettings};

/// Flags of `tail`.
#[derive(Debug, Clone, Args)]
pub struct TailArguments {
    /// Topics to read
    #[arg(required = true, value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Where to begin
    #[arg(long, short = 'o', value_name = "WHERE", default_value = "end", value_parser = position::parse_now, allow_hyphen_values = true, long_help = long_from())]
    pub from: StartAt,
    /// End when each topic has been read to where it ends now
    #[arg(long, short = 'x')]
    pub exit: bool,
    /// End after this many records
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<u64>,
    /// Only these partitions
    #[arg(long, short = 'p', value_name = "N", value_delimiter = ',')]
    pub partition: Vec<i32>,
    /// How a record is written as text: line, value, or a format
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "line", long_help = long_print())]
    pub print: Pattern,
    /// How values stand in JSON
    #[arg(long, value_enum, default_value_t)]
    pub values: Values,
}

fn long_from() -> String {
    format!("Where to begin: {}", position::FORMS)
}

fn long_print() -> String {
    format!(
        "How a record is written as text: `line` (date, place, key and value on one line), `value` (the value as it is and a line break), or a format:\n{LETTERS}"
    )
}

/// What `tail --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui tail orders                                        what arrives from now on, on the sandbox
  velox-tui -E qa tail orders payments --from end-10           the last ten of each partition, then on
  velox-tui tail orders --from time:15m --exit                 the last quarter of an hour
  velox-tui tail orders --from beginning --exit --format json | jq -r '.value.amount'
  velox-tui tail orders --from beginning --exit --print value  what kcat -C prints
  velox-tui tail orders --print '%p %o %k: %S bytes\\n'

With --format json each record is one line: topic, partition, offset, timestamp, key, value, headers. A JSON value keeps
its digits; what `produce --input jsonl` reads back is the same record, byte for byte.";

/// Writes records until the end that was asked for.
pub async fn run(arguments: TailArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let connection = session.connection()?;
    let settings =
        TailSettings { partitions: arguments.partition.clone(), ..TailSettings::whole(arguments.from.clone()) };
    let patience = session::patience(&connection);
    let sandbox = sandbox::events(&connection);
    let opening = TailReader::open(&connection, &arguments.topics, &settings, patience);
    let (reader, stopped) = signals::drive(opening, []).await?;
    let reader = reader.map_err(coded)?;
    if stopped {
        return Ok(Exit::Stopped);
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let copy = Copying {
        lines: Lines::new(arguments.print.clone(), arguments.values, output),
        limit: arguments.limit.unwrap_or(u64::MAX),
        ends: arguments.exit,
        stopping: Arc::clone(&stopping),
    };
    // A write into a full pipe blocks: it happens off the thread that hears signals.
    let (mut lent, runtime) = (output.lend(), Handle::current());
    let copying = tokio::task::spawn_blocking(move || {
        let outcome = runtime.block_on(copy.until_the_end(reader, &mut lent));
        (outcome, lent)
    });
    let work = async {
        tokio::select! {
            copied = copying => copied,
            never = sandbox => match never {},
        }
    };
    let (copied, stopped) = signals::drive(work, signals::once(|| stopping.store(true, Ordering::Release))).await?;
    let (outcome, lent) = copied.map_err(|error| Fault::new(Blame::Program, format!("the tail broke off: {error}")))?;
    *output = lent;
    let written = outcome?;
    if written == 0 && arguments.exit && !stopped && arguments.from == StartAt::End {
        tracing::warn!(
            "nothing was read: --exit ends at the end, and that is where reading begins; give --from beginning"
        );
    }
    Ok(if stopped { Exit::Stopped } else { Exit::Done })
}

fn coded(fault: Fault) -> Failure {
    let code = ErrorCode::of(&fault, ErrorCode::Consumer).number();
    Failure::coded(fault, code)
}

/// Records on their way from the reader to the output.
struct Copying {
    lines: Lines,
    limit: u64,
    ends: bool,
    stopping: Arc<AtomicBool>,
}

impl Copying {
    /// Gives the number of records written.
    async fn until_the_end(mut self, mut reader: TailReader, output: &mut Output) -> Result<u64, Failure> {
        let mut left = self.limit;
        while left > 0 && !self.stopping.load(Ordering::Acquire) {
            let Some(batch) = reader.next().await else { break };
            let batch = batch.map_err(coded)?;
            if let Some(trouble) = &batch.trouble {
                tracing::warn!("{trouble}");
            }
            let to = output.writer();
            for record in batch.records.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                self.lines.write(to, record)?;
                left -= 1;
            }
            let is_over = self.ends && batch.at_end;
            // While there is more to come at once, the buffer decides when to write.
            if is_over || batch.records.is_empty() || batch.lag.unwrap_or(0) == 0 {
                to.flush()?;
            }
            if is_over {
                break;
            }
        }
        output.finish()?;
        Ok(self.limit - left)
    }
}
