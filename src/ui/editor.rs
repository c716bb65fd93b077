//! `$EDITOR` and the file of records that it edits. Records go out and come back as JSON lines; nothing is sent from here.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::app::action::ResendRequest;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::record::Message;

/// The command that opens a file at a line: `$VISUAL`, else `$EDITOR`, else `vi`.
///
/// # Errors
/// The variable is set to nothing but spaces.
pub fn command(path: &str, line: u32, variable: impl Fn(&str) -> Option<String>) -> Result<Command, String> {
    let set = ["VISUAL", "EDITOR"].iter().find_map(|name| variable(name).filter(|text| !text.trim().is_empty()));
    let text = set.unwrap_or_else(|| "vi".into());
    let mut words = text.split_whitespace();
    let program = words.next().ok_or("$EDITOR is empty")?;
    let mut command = Command::new(program);
    command.args(words).args(arguments(program, path, line));
    Ok(command)
}

/// Editors differ in how they are told a line; those that are not known get the path alone.
fn arguments(program: &str, path: &str, line: u32) -> Vec<String> {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    match name.as_str() {
        _ if line <= 1 => vec![path.to_owned()],
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "emacsclient" | "micro" | "kak" => {
            vec![format!("+{line}"), path.to_owned()]
        }
        "hx" | "helix" | "subl" => vec![format!("{path}:{line}")],
        "code" | "codium" => vec!["--wait".into(), "--goto".into(), format!("{path}:{line}")],
        _ => vec![path.to_owned()],
    }
}

/// One record in the file. A value that is not text is base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    topic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    key: Option<Field>,
    value: Option<Field>,
    #[serde(default)]
    headers: Vec<(String, Option<Field>)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Bytes { base64: String },
}

impl Field {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes { base64: STANDARD.encode(bytes) },
        }
    }

    fn bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Bytes { base64 } => STANDARD.decode(base64).map_err(|error| format!("this is not base64: {error}")),
        }
    }
}

/// A file for the editor, deleted when it is dropped.
#[derive(Debug)]
pub struct Draft(PathBuf);

impl Draft {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

/// Writes text to a file that only its owner reads.
///
/// # Errors
/// The file cannot be written.
pub fn write_text(text: &str, ending: &str) -> io::Result<Draft> {
    let (mut file, draft) = create(ending)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    Ok(draft)
}

fn create(ending: &str) -> io::Result<(std::fs::File, Draft)> {
    let path = std::env::temp_dir().join(format!("velox-{}.{ending}", uuid::Uuid::new_v4()));
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    Ok((file, Draft(path)))
}

/// Writes records to a file that only its owner reads.
///
/// # Errors
/// The file cannot be written.
pub fn write_messages(resend: &ResendRequest) -> io::Result<Draft> {
    let (mut file, draft) = create("jsonl")?;
    for message in &resend.messages {
        let line = Line {
            topic: message.topic.to_string(),
            partition: message.partition,
            key: message.key.as_deref().map(Field::of),
            value: message.value.as_deref().map(Field::of),
            headers: message
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.as_deref().map(Field::of)))
                .collect(),
        };
        serde_json::to_writer(&mut file, &line)?;
        file.write_all(b"\n")?;
    }
    Ok(draft)
}

/// Reads the records back. A file left empty means none.
///
/// # Errors
/// The file cannot be read, or a line is not a record; the place says which.
pub fn read_messages(path: &Path, environment: String) -> Result<ResendRequest, Fault> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::new(Blame::Operator, error.to_string()).at(Place::file(&shown)))?;
    let mut messages = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fault = |what: String| {
            Fault::new(Blame::Operator, what)
                .at(Place::at(&shown, at as u32 + 1, 0))
                .next("nothing was sent; edit the records again")
        };
        let line: Line = serde_json::from_str(line).map_err(|error| fault(format!("this is not a record: {error}")))?;
        messages.push(message(line).map_err(fault)?);
    }
    Ok(ResendRequest { environment, messages })
}

fn message(line: Line) -> Result<Message, String> {
    let mut headers = Vec::with_capacity(line.headers.len());
    for (name, value) in line.headers {
        headers.push((name.as_str().into(), value.map(Field::bytes).transpose()?));
    }
    Ok(Message {
        topic: line.topic.as_str().into(),
        partition: line.partition,
        timestamp_ms: None,
        key: line.key.map(Field::bytes).transpose()?,
        value: line.value.map(Field::bytes).transpose()?,
        headers,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn records_come_back_from_the_editor_as_they_went() {
        let message = Message {
            topic: "orders".into(),
            partition: Some(2),
            timestamp_ms: None,
            key: Some(b"CUST-1".to_vec()),
            value: Some(vec![0xff, 0x00]),
            headers: vec![("trace".into(), Some(b"1".to_vec())), ("empty".into(), None)],
        };
        let resend = ResendRequest { environment: "qa".into(), messages: vec![message] };
        let draft = write_messages(&resend).unwrap();
        assert_eq!(read_messages(draft.path(), "qa".into()).unwrap(), resend);
        let path = draft.path().to_owned();
        drop(draft);
        assert!(!path.exists());
    }

    #[test]
    fn a_line_that_is_no_record_is_named_and_nothing_is_sent() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\n{\"topic\": 1}\n").unwrap();
        let fault = read_messages(file.path(), "qa".into()).unwrap_err();
        assert_eq!(fault.place.unwrap().line, 2);
    }

    #[test]
    fn editors_are_told_the_line_in_their_own_way() {
        assert_eq!(arguments("/usr/bin/vim", "a.yaml", 7), ["+7", "a.yaml"]);
        assert_eq!(arguments("hx", "a.yaml", 7), ["a.yaml:7"]);
        assert_eq!(arguments("ed", "a.yaml", 7), ["a.yaml"]);
        let command = command("a.yaml", 1, |name| (name == "EDITOR").then(|| "code --wait".into())).unwrap();
        assert_eq!(command.as_std().get_program(), "code");
        assert_eq!(command.as_std().get_args().collect::<Vec<_>>(), ["--wait", "a.yaml"]);
    }
}
