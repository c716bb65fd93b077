//! The external command that processes records: one process a record, or one that stays and answers line by line.
//! It runs in a process group of its own, so that Ctrl-C lets the record in flight be finished.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::cli::records::json::{JsonLines, Values};
use crate::core::record::Record;

/// How the command gets its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Protocol {
    /// One process a record: the value on its standard input, the rest in VELOX_… variables; exit status 0 is success
    #[default]
    Process,
    /// A process that stays (with --max-concurrency N, N of them): a record a line of JSON on its standard input, and for each
    /// one line of answer
    Lines,
}

/// An answer is a status and a reason; what is longer is not an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Why a record was not processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failing {
    /// The command was at work on it and failed: this record's trouble.
    Record(String),
    /// The command cannot be started: no record has anything to do with it, and the next would fare no better.
    Start(String),
}

impl From<String> for Failing {
    fn from(why: String) -> Self {
        Self::Record(why)
    }
}

/// A command ready to process records, one at a time.
pub struct Callback {
    words: Vec<String>,
    protocol: Protocol,
    patience: Duration,
    output_is_ours: bool,
    line: JsonLines,
    staying: Option<Staying>,
}

struct Staying {
    group: Group,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Callback {
    /// For a program and its arguments. A record may take `patience`; where `output_is_ours` (JSON was asked for), what
    /// the program prints goes to the standard error.
    pub fn new(words: Vec<String>, protocol: Protocol, patience: Duration, output_is_ours: bool) -> Self {
        Self { words, protocol, patience, output_is_ours, line: JsonLines::new(Values::Auto), staying: None }
    }

    /// Processes one record.
    ///
    /// # Errors
    /// Why it failed, in words; the next record gets a fresh process where this one's is lost.
    pub async fn process(&mut self, record: &Record) -> Result<(), Failing> {
        let patience = self.patience;
        let processed = match self.protocol {
            Protocol::Process => tokio::time::timeout(patience, self.once(record)).await,
            Protocol::Lines => tokio::time::timeout(patience, self.by_line(record)).await,
        };
        match processed {
            Ok(outcome) => outcome,
            Err(_) => {
                // Its answer may still come: it would be taken for the next record's.
                self.lose().await;
                Err(format!("no answer within {} s", patience.as_secs_f64()).into())
            }
        }
    }

    /// Lets a staying process end by itself: its input is closed, and it is waited for.
    pub async fn finish(mut self) {
        if let Some(Staying { group, mut child, to, .. }) = self.staying.take() {
            drop(to);
            // One that does not end is killed when it is dropped.
            if tokio::time::timeout(self.patience, child.wait()).await.is_ok() {
                group.ended();
            }
        }
    }

    async fn once(&self, record: &Record) -> Result<(), Failing> {
        let mut command = self.command();
        command.env("VELOX_TOPIC", &*record.topic);
        command.env("VELOX_PARTITION", record.partition.to_string());
        command.env("VELOX_OFFSET", record.offset.to_string());
        if let Some(timestamp_ms) = record.timestamp_ms {
            command.env("VELOX_TIMESTAMP_MS", timestamp_ms.to_string());
        }
        if let Some(key) =
            record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()).filter(|key| !key.contains('\0'))
        {
            command.env("VELOX_KEY", key);
        }
        if record.value.is_none() {
            command.env("VELOX_TOMBSTONE", "1");
        }
        command.env("VELOX_HEADERS", headers(record).map_err(|error| error.to_string())?);
        let mut child = command.spawn().map_err(|error| self.unstartable(&error))?;
        let group = Group::of(&child);
        if let Some(mut input) = child.stdin.take() {
            // A command that does not read its input is judged by its exit status alone.
            let _ = input.write_all(record.value.as_deref().unwrap_or_default()).await;
        }
        let ended = child.wait().await;
        group.ended();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` ended with {status}", self.words[0]).into()),
            Err(error) => Err(format!("`{}` cannot be waited for: {error}", self.words[0]).into()),
        }
    }

    async fn by_line(&mut self, record: &Record) -> Result<(), Failing> {
        let mut line = Vec::new();
        self.line.write(&mut line, record).map_err(|error| error.to_string())?;
        if self.staying.as_ref().is_some_and(|staying| !staying.from.buffer().is_empty()) {
            self.lose().await;
            tracing::warn!("`{}` said more than one line about a record: it is started again", self.words[0]);
        }
        if self.staying.is_none() {
            self.staying = Some(self.start()?);
        }
        let Some(staying) = &mut self.staying else { return Err(Failing::Start("the command is not running".into())) };
        match exchange(staying, &line).await {
            Ok(Some(answer)) if answer.ends_with('\n') => read_answer(&answer).map_err(Failing::Record),
            // What is left of it would be taken for the next record's answer.
            Ok(Some(_)) => {
                self.lose().await;
                Err(format!("`{}` gave an answer that is no line of at most {ANSWER_BYTES_MAX} bytes", self.words[0])
                    .into())
            }
            Ok(None) => {
                let status = self.lose().await;
                Err(format!("`{}` ended with {status} before it answered", self.words[0]).into())
            }
            Err(error) => {
                let status = self.lose().await;
                Err(format!("`{}` ended with {status}: {error}", self.words[0]).into())
            }
        }
    }

    fn start(&self) -> Result<Staying, Failing> {
        let mut command = self.command();
        command.stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.unstartable(&error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(to), Some(from)) => Ok(Staying { group: Group::of(&child), child, to, from: BufReader::new(from) }),
            _ => Err(Failing::Start(format!("`{}` has no pipes", self.words[0]))),
        }
    }

    /// Gives a broken process up: the record it had is failed, the next starts another.
    async fn lose(&mut self) -> String {
        let Some(mut staying) = self.staying.take() else { return "nothing".into() };
        let _ = staying.child.start_kill();
        drop(staying.group);
        staying.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdin(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        if self.output_is_ours {
            command.stdout(io::stderr());
        }
        command
    }

    fn unstartable(&self, error: &io::Error) -> Failing {
        Failing::Start(format!("`{}` cannot be started: {error}", self.words[0]))
    }
}

/// The process group of a command. What is given up is killed with everything that it started, so that none of it works
/// on beside the next try; what ended by itself may have left something behind on purpose.
struct Group(Option<u32>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id())
    }

    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| i32::try_from(id).ok()) {
            use nix::sys::signal::{Signal, killpg};
            // It may have ended meanwhile.
            killpg(nix::unistd::Pid::from_raw(group), Signal::SIGKILL).ok();
        }
    }
}

async fn exchange(staying: &mut Staying, line: &[u8]) -> io::Result<Option<String>> {
    staying.to.write_all(line).await?;
    staying.to.flush().await?;
    let mut answer = String::new();
    let read = (&mut staying.from).take(ANSWER_BYTES_MAX).read_line(&mut answer).await?;
    Ok((read > 0).then_some(answer))
}

/// The answer that the document's callbacks give.
#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: Option<String>,
}

fn read_answer(line: &str) -> Result<(), String> {
    let line = line.trim();
    if line == "ok" {
        return Ok(());
    }
    if let Some(reason) = line.strip_prefix("error") {
        return Err(reason.trim().to_owned());
    }
    match serde_json::from_str::<Answer>(line) {
        Ok(answer) if answer.status == "success" => Ok(()),
        Ok(answer) if answer.status == "error" => Err(answer.error.unwrap_or_else(|| "error without a reason".into())),
        _ => Err(format!("`{line}` is no answer: write ok, error REASON, or a JSON object with `status`")),
    }
}

fn headers(record: &Record) -> serde_json::Result<String> {
    let named: serde_json::Map<String, serde_json::Value> = record
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_deref().map(String::from_utf8_lossy).into()))
        .collect();
    serde_json::to_string(&named)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn record(offset: i64, value: Option<&str>) -> Record {
        Record {
            topic: "orders".into(),
            partition: 1,
            offset,
            timestamp_ms: Some(5),
            key: Some(b"CUST-1".to_vec()),
            value: value.map(|value| value.as_bytes().to_vec()),
            headers: vec![("h".into(), Some(b"1".to_vec()))],
            value_bytes: value.map_or(0, str::len),
        }
    }

    fn shell(script: &str, protocol: Protocol) -> Callback {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        Callback::new(words, protocol, Duration::from_secs(20), true)
    }

    /// Why the record itself failed.
    fn failed(outcome: Result<(), Failing>) -> String {
        let Err(Failing::Record(why)) = outcome else { panic!("the record failed: {outcome:?}") };
        why
    }

    #[tokio::test]
    async fn a_process_sees_the_record_and_its_status_decides() {
        let script = r#"test "$(cat)" = '{"a":1}' && test "$VELOX_TOPIC/$VELOX_PARTITION@$VELOX_OFFSET $VELOX_KEY $VELOX_TIMESTAMP_MS $VELOX_HEADERS" = 'orders/1@7 CUST-1 5 {"h":"1"}'"#;
        let mut callback = shell(script, Protocol::Process);
        assert_eq!(callback.process(&record(7, Some("{\"a\":1}"))).await, Ok(()));
        assert!(failed(callback.process(&record(8, Some("{\"a\":1}"))).await).contains("exit status: 1"));
    }

    #[tokio::test]
    async fn a_command_that_reads_nothing_still_counts_by_its_status() {
        let large = "x".repeat(1 << 20);
        assert_eq!(shell("exit 0", Protocol::Process).process(&record(1, Some(&large))).await, Ok(()));
        let missing = Callback::new(vec!["/no/such/program".into()], Protocol::Process, Duration::from_secs(1), true)
            .process(&record(1, None))
            .await;
        let Err(Failing::Start(why)) = missing else { panic!("absent: {missing:?}") };
        assert!(why.contains("cannot be started"), "{why}");
    }

    #[tokio::test]
    async fn one_process_answers_for_all_its_records() {
        let script = r#"n=0; while read -r line; do n=$((n+1)); case "$line" in
            *'"offset":2,'*) echo '{"status":"error","error":"two is bad"}';; *'"offset":3,'*) echo "error n=$n";; *) echo ok;; esac; done"#;
        let mut callback = shell(script, Protocol::Lines);
        assert_eq!(callback.process(&record(1, Some("a"))).await, Ok(()));
        assert_eq!(callback.process(&record(2, Some("a"))).await, Err(Failing::Record("two is bad".into())));
        assert_eq!(callback.process(&record(3, Some("a"))).await, Err(Failing::Record("n=3".into())));
        callback.finish().await;
    }

    #[tokio::test]
    async fn a_process_that_ends_fails_its_record_and_the_next_gets_another() {
        let mut callback =
            shell("read -r line; case \"$line\" in *'\"offset\":1,'*) exit 3;; *) echo ok;; esac", Protocol::Lines);
        assert!(failed(callback.process(&record(1, None)).await).contains("exit status: 3"));
        assert_eq!(callback.process(&record(2, None)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_command_that_hangs_fails_its_record_when_patience_ends() {
        let words = ["sleep", "1000"].map(str::to_owned).to_vec();
        let mut callback = Callback::new(words, Protocol::Process, Duration::from_millis(50), true);
        assert!(failed(callback.process(&record(1, None)).await).contains("no answer"));
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_or_two_lines_is_nobody_elses() {
        let script = r#"while read -r line; do case "$line" in
            *'"offset":1,'*) printf 'error '; head -c 70000 /dev/zero | tr '\0' x; echo;;
            *'"offset":2,'*) printf 'ok\nerror of nobody\n';; *) echo ok;; esac; done"#;
        let mut callback = shell(script, Protocol::Lines);
        assert!(failed(callback.process(&record(1, None)).await).contains("no line of at most"));
        assert_eq!(callback.process(&record(2, None)).await, Ok(()));
        assert_eq!(callback.process(&record(3, None)).await, Ok(()));
        callback.finish().await;
    }

    #[tokio::test]
    async fn what_a_command_started_goes_with_it_when_patience_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = format!("(sleep 2; echo late > {}/late) | cat; true", folder.path().display());
        let words = ["sh", "-c", &script].map(str::to_owned).to_vec();
        let mut callback = Callback::new(words, Protocol::Process, Duration::from_millis(200), true);
        assert!(failed(callback.process(&record(1, None)).await).contains("no answer"));
        let alive = || std::process::Command::new("pgrep").args(["-f", &script]).output().expect("pgrep").stdout;
        for _ in 0..100 {
            if alive().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(alive().is_empty(), "it works on");
        assert!(!folder.path().join("late").exists());
    }

    #[test]
    fn an_answer_is_one_of_four_lines() {
        assert_eq!(read_answer("ok\n"), Ok(()));
        assert_eq!(read_answer(r#"{"status":"success"}"#), Ok(()));
        assert_eq!(read_answer("error no such customer\n"), Err("no such customer".into()));
        assert!(read_answer("fine").expect_err("no answer").contains("is no answer"));
    }
}
