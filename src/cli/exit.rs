//! How a command ends: the exit code, and for a failure the fault said once, as text or as one JSON object.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

use super::arguments::Format;
use crate::core::fault::{Blame, Fault};
use crate::kafka::cause::ErrorCode;

/// The exit code of a command. Scripts depend on it: the numbers never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// Some events failed, or this program has a defect.
    SomeFailed = 1,
    /// A flag, a file or a guard stands against it: nothing was done.
    Usage = 2,
    /// No broker answered.
    Connection = 3,
    /// The broker, or TLS, refused the credentials.
    Authentication = 4,
    /// A limit or a signal ended it before all was done; what had begun was finished and counted.
    Stopped = 5,
}

/// What every `--help` says about [`Exit`].
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  some events failed; sql validate, sql fmt --check: something was found
  2  usage or configuration: nothing was done
  3  connection: no broker answered
  4  authentication: the broker or TLS refused the credentials
  5  stopped by a limit or a signal; what was in flight was finished and counted

With --format json the standard output holds nothing but JSON; what goes wrong is JSON on the \
standard error, one object a line, the failure last.";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Blame> for Exit {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Operator | Blame::Configuration => Self::Usage,
            Blame::Connection => Self::Connection,
            Blame::Authentication => Self::Authentication,
            Blame::Record | Blame::Program => Self::SomeFailed,
        }
    }
}

/// Why a command could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something is wrong that a person must hear of.
    #[error("{fault}")]
    Fault {
        /// What, where, and what to do.
        fault: Box<Fault>,
        /// One of the codes 30 to 34, where the failure is one of those.
        code: Option<u8>,
    },
    /// Something went wrong after work had begun: what was done stays done.
    #[error("{0}")]
    Midway(Box<Fault>),
    /// Faults of a text, each with its place in it.
    #[error("{drawn}")]
    Text {
        /// The faults, in the order of the text.
        faults: Vec<Fault>,
        /// Their lines with what is wrong underlined, for a person.
        drawn: String,
    },
    /// The reader of the standard output has left (`| head`): not a failure.
    #[error("the reader of the standard output has left")]
    OutputClosed,
}

impl Failure {
    /// A fault of usage: a flag or an argument that cannot be carried out.
    pub fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Fault::new(Blame::Operator, what).next(next).into()
    }

    /// A fault of reading, with the number of what it is: that of a consumer where it is nothing else.
    pub fn consuming(fault: Fault) -> Self {
        let code = ErrorCode::of(&fault, ErrorCode::Consumer).number();
        Self::coded(fault, code)
    }

    /// A fault of writing, with the number of what it is: that of a producer where it is nothing else.
    pub fn producing(fault: Fault) -> Self {
        let code = ErrorCode::of(&fault, ErrorCode::Producer).number();
        Self::coded(fault, code)
    }

    /// A fault with its numbered code.
    pub fn coded(fault: Fault, code: u8) -> Self {
        Self::Fault { fault: Box::new(fault), code: Some(code) }
    }

    /// The exit code it leads to.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Fault { fault, .. } => fault.blame.into(),
            Self::Midway(fault) => match fault.blame.into() {
                Exit::Usage => Exit::SomeFailed,
                other => other,
            },
            Self::Text { faults, .. } => faults.first().map_or(Exit::Usage, |fault| fault.blame.into()),
            Self::OutputClosed => Exit::Done,
        }
    }

    /// Says it on the standard error and gives the exit code.
    pub fn report(&self, format: Format) -> Exit {
        // The standard error may be closed as well; then there is nobody left to tell.
        let _ = self.write(format, &mut io::stderr().lock());
        self.exit()
    }

    fn write(&self, format: Format, to: &mut dyn Write) -> io::Result<()> {
        let (fault, code, others) = match self {
            Self::Fault { fault, code } => (fault.as_ref(), code, &[][..]),
            Self::Midway(fault) => (fault.as_ref(), &None, &[][..]),
            Self::Text { faults, .. } => match faults.split_first() {
                Some((first, others)) => (first, &None, others),
                None => return Ok(()),
            },
            Self::OutputClosed => return Ok(()),
        };
        match format {
            Format::Text => writeln!(to, "velox-tui: {self}"),
            Format::Json => {
                let mut error = json!(fault);
                if !others.is_empty() {
                    error["others"] = json!(others);
                }
                error["exit_code"] = json!(self.exit() as u8);
                error["error_code"] = json!(code.or(ErrorCode::of_blame(fault.blame).map(ErrorCode::number)));
                writeln!(to, "{}", json!({ "error": error }))
            }
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault { fault: Box::new(fault), code: None }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Fault::new(Blame::Operator, format!("cannot write the output: {error}")).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(failure: &Failure, format: Format) -> String {
        let mut text = Vec::new();
        failure.write(format, &mut text).expect("a buffer takes it");
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn a_failure_in_json_is_one_line_with_both_codes() {
        let failure = Failure::coded(Fault::new(Blame::Authentication, "SASL authentication failed"), 31);
        assert_eq!(
            written(&failure, Format::Json),
            "{\"error\":{\"blame\":\"authentication\",\"what\":\"SASL authentication failed\",\"exit_code\":4,\"error_code\":31}}\n"
        );
        assert_eq!(written(&failure, Format::Text), "velox-tui: SASL authentication failed\n");
    }

    #[test]
    fn a_fault_of_a_text_is_drawn_for_people_and_in_json_has_its_place_and_what_to_do() {
        let fault = |line: u32| {
            let place = crate::core::fault::Place::at("app.sql", line, 8);
            Fault::new(Blame::Operator, "`x` is not a column").next("did you mean y?").at(place)
        };
        let failure = Failure::Text { faults: vec![fault(1), fault(2)], drawn: "2 errors\n…".to_owned() };
        let json: serde_json::Value = serde_json::from_str(&written(&failure, Format::Json)).expect("one object");
        let error = &json["error"];
        assert_eq!((&error["what"], &error["next"]), (&json!("`x` is not a column"), &json!("did you mean y?")));
        assert_eq!((&error["place"]["line"], &error["others"][0]["place"]["line"]), (&json!(1), &json!(2)));
        assert_eq!(error["exit_code"], json!(2));
        assert_eq!(written(&failure, Format::Text), "velox-tui: 2 errors\n…\n");
    }

    #[test]
    fn a_reader_who_leaves_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit(), written(&failure, Format::Text).as_str()), (Exit::Done, ""));
    }

    #[test]
    fn every_blame_has_its_exit_code() {
        let codes = [
            (Blame::Operator, 2),
            (Blame::Configuration, 2),
            (Blame::Connection, 3),
            (Blame::Authentication, 4),
            (Blame::Record, 1),
            (Blame::Program, 1),
        ];
        for (blame, code) in codes {
            assert_eq!(Exit::from(blame) as u8, code, "{blame:?}");
        }
    }
}
