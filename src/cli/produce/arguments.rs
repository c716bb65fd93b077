//! Flags of `produce`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::form::{Form, Input};
use crate::cli::context::ContextArguments;
use crate::cli::guard::GuardArguments;
use crate::core::record::Headers;

/// Flags of `produce`.
#[derive(Debug, Clone, Args)]
pub struct ProduceArguments {
    /// Topic to send to
    pub topic: String,
    /// Read this file instead of the standard input
    #[arg(long, short = 'f', value_name = "FILE", conflicts_with = "template")]
    pub file: Option<PathBuf>,
    /// What the input is
    #[arg(long, short = 'i', value_enum, default_value_t, conflicts_with = "template")]
    pub input: Input,
    /// Key of every message; with --template a template of it
    #[arg(long, short = 'k', value_name = "TEXT")]
    pub key: Option<String>,
    /// Field of a JSON value that is the key, as `customer.id`
    #[arg(long, value_name = "PATH", conflicts_with_all = ["key", "template"])]
    pub key_field: Option<String>,
    /// What stands between key and value in a line
    #[arg(long, short = 'K', value_name = "TEXT", conflicts_with_all = ["key", "key_field", "template"])]
    pub key_separator: Option<String>,
    /// A header; again for more; with --template a template of it
    #[arg(long, short = 'H', value_name = "NAME=VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
    /// Partition of every message; by key where absent
    #[arg(long, short = 'p', value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Option<i32>,
    /// Keep partition and time of each JSON line
    #[arg(long, conflicts_with = "template")]
    pub keep_place: bool,
    /// Send an empty value as null: a tombstone
    #[arg(long, conflicts_with = "template")]
    pub empty_is_null: bool,
    /// Messages a second at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Stop reading after this many
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "template", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// What a failure does to the rest
    #[arg(long, value_enum, default_value_t)]
    pub on_error: OnError,
    /// Render this payload template instead of reading an input
    #[arg(long, short = 't', value_name = "FILE")]
    pub template: Option<String>,
    /// Messages to render from the template
    #[arg(long, value_name = "N", default_value_t = 1, requires = "template")]
    pub count: u64,
    /// Context of the template.
    #[command(flatten)]
    pub context: ContextArguments,
    /// What is lifted.
    #[command(flatten)]
    pub guard: GuardArguments,
}

/// What a failure does to the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OnError {
    /// Reading ends; what was sent is still confirmed and counted
    #[default]
    Stop,
    /// It is counted, and the rest is sent
    Continue,
}

/// What `produce --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  A line is a value; the key stands before the first colon:
    printf 'CUST-1:{\"amount\":\"12.50\"}\\n' | velox-tui produce orders -K :
  The key is a field of the value:
    velox-tui produce orders --file orders.jsonl --key-field customer_id -H X-Source=replay
  Copy a topic to another environment, byte for byte:
    velox-tui -E qa tail orders --from beginning --exit --format json |
      velox-tui -E dev produce orders --input jsonl
  Render a payload template a hundred times, ten a second:
    velox-tui produce orders --template customer_update.json.j2 --count 100 --rate 10 \\
      --key '{{ customer_id }}' --set customer_id=CUST-1";

impl ProduceArguments {
    /// How pieces of the input become messages.
    pub fn form(&self) -> Form {
        Form {
            topic: self.topic.as_str().into(),
            input: self.input,
            key: self.key.clone().map(String::into_bytes),
            key_field: self.key_field.as_ref().map(|path| path.split('.').map(str::to_owned).collect()),
            key_separator: self.key_separator.clone().filter(|separator| !separator.is_empty()),
            headers: self.headers(),
            partition: self.partition,
            keep_place: self.keep_place,
            empty_is_null: self.empty_is_null,
        }
    }

    fn headers(&self) -> Headers {
        self.header.iter().map(|(name, value)| (name.as_str().into(), Some(value.clone().into_bytes()))).collect()
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() { Err("a header needs a name".into()) } else { Ok((name.to_owned(), value.to_owned())) }
}
