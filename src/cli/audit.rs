//! The audit log of headless commands that write: the same file and the same lines as the console's. Where it cannot be
//! written, that is a warning; the work goes on.

use super::session::Session;
use super::{Exit, Failure};
use crate::app::journal::{Book, append_now, audit_line, who};
use crate::app::model::audit::AuditEntry;
use crate::clock::now_ms;

/// One act that is audited: how it began, and how it ended.
pub struct Audited<'a> {
    session: &'a Session<'a>,
    environment: String,
    what: String,
}

impl<'a> Audited<'a> {
    /// An act of which nothing is written yet. `environment` names all that it touches, joined by `, `.
    pub fn new(session: &'a Session<'a>, environment: impl Into<String>, what: impl Into<String>) -> Self {
        Self { session, environment: environment.into(), what: what.into() }
    }

    /// Writes that it started, or that a guard refused it; gives the guard's word back.
    ///
    /// # Errors
    /// The guard's own.
    pub fn permitted(&self, permitted: Result<(), Failure>) -> Result<(), Failure> {
        match &permitted {
            Ok(()) => self.write("started".into()),
            Err(failure) => self.write(format!("refused: {failure}")),
        }
        permitted
    }

    /// Writes how it ended, with counts where it came to any.
    pub fn ended(&self, outcome: Result<Exit, &Failure>, counts: Option<String>) {
        let counts = counts.map(|counts| format!(": {counts}")).unwrap_or_default();
        self.write(match outcome {
            Ok(Exit::Done | Exit::SomeFailed) => format!("done{counts}"),
            Ok(Exit::Stopped) => format!("stopped{counts}"),
            Ok(_) => format!("failed{counts}"),
            Err(failure) => format!("failed: {failure}{counts}"),
        });
    }

    fn write(&self, result: String) {
        let entry = AuditEntry {
            at_ms: now_ms(),
            environment: self.environment.clone(),
            what: self.what.clone(),
            result: self.session.config.scrubber().scrub(&result).into_owned(),
        };
        let Some(folder) = self.session.state_folder() else {
            tracing::warn!("there is no audit log: neither XDG_STATE_HOME nor HOME is set");
            return;
        };
        if let Err(error) = append_now(&folder, Book::Audit, &audit_line(&who(), &entry)) {
            tracing::warn!("the audit log {} cannot be written: {error}", folder.join(Book::Audit.file()).display());
        }
    }
}
