//! Rendered events of a dry run or a preview on the output: as text with key and headers above the payload, or a line
//! of JSON each.

use std::io;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::cli::Format;
use crate::cli::output::{Output, Page, Role};
use crate::core::words::counted;
use crate::etl::run::RunEvent;

/// A rendered event, as text: what is not text is shown as it can be.
#[derive(Debug, Clone)]
pub struct Rendered {
    etl: String,
    environment: String,
    index: u64,
    topic: String,
    key: Option<String>,
    headers: Vec<(String, Option<String>)>,
    payload: String,
    bytes: usize,
}

impl Rendered {
    /// A copy of an event on its way.
    pub fn of(event: &RunEvent<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let record = &event.record;
        Self {
            etl: event.etl.to_owned(),
            environment: event.environment.to_owned(),
            index: event.index,
            topic: record.topic.to_owned(),
            key: record.key.map(text),
            headers: record.headers.iter().map(|(name, value)| ((*name).to_owned(), value.map(text))).collect(),
            payload: record.value.map(text).unwrap_or_default(),
            bytes: record.value.map_or(0, <[u8]>::len),
        }
    }

    fn to_json(&self) -> Value {
        let headers: serde_json::Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "event": {
            "etl": self.etl, "environment": self.environment, "index": self.index, "topic": self.topic,
            "key": self.key, "headers": headers, "bytes": self.bytes, "payload": self.payload,
        }})
    }

    fn to_page(&self, page: &mut Page<'_>) -> io::Result<()> {
        let title = format!("{} -> {} ({})  event {}", self.etl, self.environment, self.topic, self.index + 1);
        let title = page.paint(Role::Strong, title);
        page.line(format!("{title}  {}", counted(self.bytes as u64, "byte")))?;
        if let Some(key) = &self.key {
            page.line(format!("{} {}", page.paint(Role::Muted, "key"), page.safe(key)))?;
        }
        for (name, value) in &self.headers {
            page.line(format!("{} {}", page.paint(Role::Muted, name), page.safe(value.as_deref().unwrap_or("null"))))?;
        }
        page.line(page.safe(self.payload.trim_end()))?;
        page.line("")
    }
}

/// Writes events until no more can come.
///
/// # Errors
/// The output's reader has left.
pub async fn write(mut inbox: mpsc::Receiver<Rendered>, output: &mut Output) -> io::Result<()> {
    while let Some(event) = inbox.recv().await {
        match output.format() {
            Format::Json => output.line(&event.to_json())?,
            Format::Text => event.to_page(&mut output.page())?,
        }
        if inbox.is_empty() {
            output.finish()?;
        }
    }
    Ok(())
}
