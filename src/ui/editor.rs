//! `$EDITOR` and the file of records that it edits. Records go out and come back as JSON; nothing is sent from here.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use tokio::process::Command;

use crate::app::action::ResendRequest;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::record::Message;
use crate::formats::record_lines::{self, layout, member, read};

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

/// Writes records to a file that only its owner reads: an object each, in the words of `tail --format json`. A value that is a
/// JSON object or array is one there, a member a line; what is no text is base64.
///
/// # Errors
/// The file cannot be written.
pub fn write_messages(resend: &ResendRequest) -> io::Result<Draft> {
    let (mut file, draft) = create("json")?;
    for message in &resend.messages {
        file.write_all(shown(message)?.as_bytes())?;
        file.write_all(b"\n")?;
    }
    Ok(draft)
}

/// A record as it stands in the file.
fn shown(message: &Message) -> io::Result<String> {
    let mut line = Vec::new();
    record_lines::write_message(&mut line, message)?;
    Ok(layout::laid_out(&String::from_utf8_lossy(&line)))
}

/// Reads the records back: what was edited is sent as it was edited, and what was not byte for byte as it was. A file left
/// empty means none.
///
/// # Errors
/// The file cannot be read, or holds what is no record; the place says where.
pub fn read_messages(path: &Path, asked: &ResendRequest) -> Result<ResendRequest, Fault> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::new(Blame::Operator, error.to_string()).at(Place::file(&place)))?;
    let fault = |what: String, line: usize| {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Fault::new(Blame::Operator, what).at(Place::at(&place, line, 0)).next("nothing was sent; edit the record again")
    };
    let mut messages = Vec::new();
    let mut documents = serde_json::Deserializer::from_str(&text).into_iter::<IgnoredAny>();
    let mut start = 0;
    while let Some(document) = documents.next() {
        document.map_err(|error| fault(format!("this is not JSON: {error}"), error.line()))?;
        let end = documents.byte_offset();
        let object = text.get(start..end).unwrap_or_default();
        let begins = start + object.len() - object.trim_start().len();
        let line = text[..begins].matches('\n').count() + 1;
        let message = message(object, asked.messages.get(messages.len()));
        messages.push(message.map_err(|why| fault(why, line))?);
        start = end;
    }
    Ok(ResendRequest { environment: asked.environment.clone(), messages })
}

/// The record that an object describes; `before` is what it was.
fn message(object: &str, before: Option<&Message>) -> Result<Message, String> {
    let mut message = read::message(object).map_err(|error| error.to_string())?;
    let topic = member::text_of(object, "topic").and_then(|topic| serde_json::from_str::<String>(topic).ok());
    message.topic = topic.filter(|topic| !topic.is_empty()).ok_or("no `topic` in it")?.as_str().into();
    if let Some(value) = member::text_of(object, "value").filter(|value| value.starts_with(['{', '['])) {
        // The lines are for the editor.
        message.value = Some(layout::compact(value).into_bytes());
    }
    let Some(before) = before else { return Ok(message) };
    let was = shown(before).map_err(|error| error.to_string())?;
    let is_same = |name: &str| member::text_of(&was, name) == member::text_of(object, name);
    if is_same("value") && is_same("value_base64") {
        message.value.clone_from(&before.value);
    }
    if is_same("headers") {
        message.headers.clone_from(&before.headers);
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn asked(value: &[u8]) -> ResendRequest {
        let message = Message {
            topic: "orders".into(),
            partition: Some(2),
            timestamp_ms: None,
            key: Some(b"CUST-1".to_vec()),
            value: Some(value.to_vec()),
            headers: vec![
                ("trace".into(), Some(b"1".to_vec())),
                ("empty".into(), None),
                ("trace".into(), Some(vec![0xff])),
            ],
        };
        ResendRequest { environment: "qa".into(), messages: vec![message] }
    }

    /// What comes back when these words of the file are replaced by others.
    fn edited(asked: &ResendRequest, changes: &[(&str, &str)]) -> Result<ResendRequest, Fault> {
        let draft = write_messages(asked).unwrap();
        let mut text = std::fs::read_to_string(draft.path()).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{text}");
            text = text.replace(from, to);
        }
        std::fs::write(draft.path(), text).unwrap();
        read_messages(draft.path(), asked)
    }

    #[test]
    fn what_was_not_edited_comes_back_byte_for_byte() {
        let values: [&[u8]; 4] = [b"{\"a\": 1204.50,\r\n \"b\" :[ ] }\n", b"plain text", b"[1]", b"\xff\x00"];
        for value in values {
            let asked = asked(value);
            assert_eq!(edited(&asked, &[]).unwrap(), asked);
        }
        let draft = write_messages(&asked(b"{}")).unwrap();
        let path = draft.path().to_owned();
        drop(draft);
        assert!(!path.exists());
    }

    #[test]
    fn a_json_value_is_edited_as_json_and_sent_as_it_was_edited() {
        let asked = asked(br#"{"order": {"id": "O-1", "amount": 1204.50}, "tags": []}"#);
        let draft = write_messages(&asked).unwrap();
        let text = std::fs::read_to_string(draft.path()).unwrap();
        assert_eq!(
            text,
            r#"{
  "topic": "orders",
  "partition": 2,
  "key": "CUST-1",
  "value": {
    "order": {
      "id": "O-1",
      "amount": 1204.50
    },
    "tags": []
  },
  "headers": {
    "trace": [
      "1",
      {
        "base64": "/w=="
      }
    ],
    "empty": null
  }
}
"#
        );
        let changes =
            [("1204.50", "0.10"), ("\"partition\": 2,", ""), ("\"CUST-1\"", "null"), ("\"O-1\"", "\"O \\u00e9\"")];
        let message = edited(&asked, &changes).unwrap().messages.remove(0);
        let value = String::from_utf8(message.value.unwrap()).unwrap();
        assert_eq!(value, r#"{"order":{"id":"O \u00e9","amount":0.10},"tags":[]}"#);
        assert_eq!((message.partition, message.key), (None, None));
        assert_eq!(message.headers, asked.messages[0].headers, "headers that were not edited keep their order");
    }

    #[test]
    fn several_records_none_and_what_is_no_record_are_told_apart() {
        let asked = asked(b"text");
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            read_messages(file.path(), &asked)
        };
        assert_eq!(read(" \n").unwrap().messages, []);
        let two = read("{\"topic\": \"a\", \"value\": \"x\"}\n{\"topic\": \"b\", \"value\": null}").unwrap();
        let told: Vec<_> = two.messages.iter().map(|one| (&*one.topic, one.value.as_deref())).collect();
        assert_eq!(told, [("a", Some(&b"x"[..])), ("b", None)]);
        for (text, line, why) in [
            ("{\n  \"topic\": \"a\",\n}", 3, "this is not JSON"),
            ("\n\n{\"topic\": \"a\", \"valeu\": 1}", 3, "valeu"),
            ("{\"value\": 1}", 1, "no `topic`"),
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!(fault.place.as_ref().map(|place| place.line), Some(line), "{fault}");
            assert!(fault.to_string().contains(why) && fault.next.contains("nothing was sent"), "{fault}");
        }
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
