//! `velox-tui tail`: records of one or more topics as they come, or up to the end. It joins no group and commits nothing.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use tokio::runtime::Handle;

use super::output::Output;
use super::progress::{Progress, counted, grouped, rate};
use super::records::Lines;
use super::records::json::Values;
use super::records::print::{LETTERS, Pattern};
use super::session::{self, Session};
use super::{Exit, Failure, Format, position, sandbox, signals};
use crate::core::fault::{Blame, Fault};
use crate::core::record::StartAt;
use crate::kafka::tail::{Batch, TailReader, TailSettings};
use crate::sql::parse;
use crate::sql::predicate::Predicate;

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
    /// End after this many records; with --where, of those that match
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<u64>,
    /// Only records for which this SQL condition holds
    #[arg(long = "where", short = 'w', value_name = "CONDITION", long_help = LONG_WHERE)]
    pub condition: Option<String>,
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

const LONG_WHERE: &str = "\
Only records for which this SQL condition holds: `amount > 100 AND _key LIKE 'ORD-%'`.
Names are fields of the JSON value, or _key, _topic, _partition, _offset, _timestamp, and
_value, the whole value as text, whatever it holds; HEADER('name') is a header. Texts stand in either quote, names with odd letters in
backquotes. A value that does not fit is NULL and does not match.";

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
  velox-tui tail orders                                         what arrives from now on
  velox-tui tail orders --limit 5 --where 'amount > 100 AND _key LIKE \"ORD-%\"'
  velox-tui tail orders --limit 5 --print '%p %o %k: %S bytes\\n'
  velox-tui -E qa tail orders payments --from end-10            the last ten of each partition
  velox-tui -E qa tail orders --from time:15m --exit            the last quarter of an hour
  velox-tui -E qa tail orders --from beginning --exit -f value  what kcat -C prints
  velox-tui -E qa tail orders --from beginning --exit --format json | jq -r '.value.amount'

The sandbox's topics begin with the process: there, --exit ends before the first record.

With --format json each record is one line: topic, partition, offset, timestamp, key, value,
headers. A JSON value keeps its digits; what `produce --input jsonl` reads back is the same
record, byte for byte.";

/// Writes records until the end that was asked for.
pub async fn run(arguments: TailArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let predicate = arguments.condition.as_deref().map(compiled).transpose()?;
    let connection = session.connection()?;
    let settings = TailSettings {
        partitions: arguments.partition.clone(),
        // A condition may ask for any header.
        headers: output.format() == Format::Json || predicate.is_some() || arguments.print.has_headers(),
        ..TailSettings::whole(arguments.from.clone())
    };
    let patience = session::patience(&connection);
    let sandbox = sandbox::events(&connection);
    let opening = TailReader::open(&connection, &arguments.topics, &settings, patience);
    let (reader, stopped) = signals::drive(opening, []).await?;
    let reader = reader.map_err(Failure::consuming)?;
    if stopped {
        return Ok(Exit::Stopped);
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let copy = Copying {
        lines: Lines::new(arguments.print.clone(), arguments.values, output),
        limit: arguments.limit.unwrap_or(u64::MAX),
        ends: arguments.exit,
        stopping: Arc::clone(&stopping),
        // A line that moves would tear the records on the same screen.
        search: predicate.map(|predicate| Search::new(predicate, session.global.quiet || output.is_terminal())),
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
    if written == 0 && arguments.exit && !stopped && arguments.condition.is_none() && arguments.from == StartAt::End {
        tracing::warn!(
            "nothing was read: --exit ends at the end, and that is where reading begins; give --from beginning"
        );
    }
    Ok(if stopped { Exit::Stopped } else { Exit::Done })
}

/// The condition of `--where`; its error is drawn with its place underlined.
fn compiled(text: &str) -> Result<Predicate, Failure> {
    Predicate::compile(text).map_err(|error| {
        let mut fault = error.fault.clone();
        fault.what = parse::render(&error, text);
        (fault.place, fault.next) = (None, String::new());
        fault.into()
    })
}

/// A condition at work, and what it has come to.
struct Search {
    predicate: Predicate,
    progress: Progress,
    began: Instant,
    scanned: u64,
    matched: u64,
    no_json: u64,
    misfits: u64,
}

impl Search {
    fn new(predicate: Predicate, quiet: bool) -> Self {
        let progress = Progress::open_ended(quiet);
        Self { predicate, progress, began: Instant::now(), scanned: 0, matched: 0, no_json: 0, misfits: 0 }
    }

    /// Takes out of a batch what does not match.
    fn sift(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let matches = self.predicate.matches(&batch.records)?;
        self.scanned += batch.records.len() as u64;
        self.no_json += matches.no_json;
        self.misfits += matches.misfits;
        let mut hits = matches.hits.into_iter();
        batch.records.retain(|_| hits.next().unwrap_or(false));
        self.matched += batch.records.len() as u64;
        if let Some(said) = self.predicate.absent(false) {
            tracing::warn!("{said}");
        }
        let left = batch.lag.map_or(String::new(), |lag| format!(", {} left", grouped(lag)));
        self.progress.show(self.scanned, format!("{}{left}", self.said()));
        Ok(())
    }

    fn said(&self) -> String {
        let per_second = self.scanned as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        format!("scanned {}, matched {}, {}", grouped(self.scanned), grouped(self.matched), rate(per_second))
    }

    /// What is to be said when nothing more is read.
    fn end(&mut self) {
        self.progress.clear();
        if let Some(said) = self.predicate.absent(true) {
            tracing::warn!("{said}");
        }
        if 0 < self.no_json {
            tracing::warn!("{} values are no JSON objects: only their keys and places were looked at", self.no_json);
        }
        if 0 < self.misfits {
            tracing::warn!("{} with a value that does not fit: it was taken for NULL", counted(self.misfits, "record"));
        }
        tracing::info!("{}", self.said());
    }
}

/// Records on their way from the reader to the output.
struct Copying {
    lines: Lines,
    limit: u64,
    ends: bool,
    stopping: Arc<AtomicBool>,
    search: Option<Search>,
}

impl Copying {
    /// Gives the number of records written.
    async fn until_the_end(mut self, mut reader: TailReader, output: &mut Output) -> Result<u64, Failure> {
        let mut left = self.limit;
        while left > 0 && !self.stopping.load(Ordering::Acquire) {
            let Some(batch) = reader.next().await else { break };
            let mut batch = batch.map_err(Failure::consuming)?;
            if let Some(trouble) = &batch.trouble {
                tracing::warn!("{trouble}");
            }
            if let Some(search) = &mut self.search {
                search.sift(&mut batch)?;
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
            reader.reuse(batch.records);
        }
        output.finish()?;
        if let Some(search) = &mut self.search {
            search.end();
        }
        Ok(self.limit - left)
    }
}
