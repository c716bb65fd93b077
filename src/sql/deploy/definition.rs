//! What a deployed job is and what is wished of it. Values only.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::duration::told;
use crate::core::fault::{Blame, Fault};

/// The form of definitions that this program writes.
pub const FORM: u32 = 1;
/// Longest name: it is a folder's, and with a prefix a transactional id.
const NAME_LETTERS_MAX: usize = 80;
/// Shortest pause between two checkpoints: less, and the job does little else.
pub const CHECKPOINT_INTERVAL_MS_MIN: u64 = 100;

/// How often each result is written over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Once: what is written becomes visible with a checkpoint.
    #[value(name = "exactly-once")]
    ExactlyOnce,
    /// At least once: what came after the last checkpoint is written again.
    #[value(name = "at-least-once")]
    AtLeastOnce,
}

impl Delivery {
    /// As it is written in `WITH` and behind `--delivery`.
    pub fn word(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly-once",
            Self::AtLeastOnce => "at-least-once",
        }
    }

    /// The delivery of a job that was chosen when it was deployed, as its text says, or both.
    ///
    /// # Errors
    /// They differ: `chosen_as` is what the choice is called.
    pub fn agreed(chosen: Option<Self>, said: Option<Self>, chosen_as: &str) -> Result<Self, Fault> {
        match (chosen, said) {
            (Some(chosen), Some(said)) if chosen != said => {
                let what = format!(
                    "{chosen_as} {} and 'delivery.guarantee' = '{}' in the text contradict each other",
                    chosen.word(),
                    said.word()
                );
                Err(Fault::new(Blame::Operator, what).next("say it once, or the same in both"))
            }
            (chosen, said) => Ok(chosen.or(said).unwrap_or(Self::AtLeastOnce)),
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly once",
            Self::AtLeastOnce => "at least once",
        }
    }
}

/// What a person wants of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// It runs; where it does not, it is offered to be resumed.
    Running,
    /// It keeps its checkpoints and does not run.
    Stopped,
}

/// A deployed job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// [`FORM`] of the program that wrote it.
    pub form: u32,
    /// Its name, of its folder too.
    pub name: String,
    /// Environment whose topics it names.
    pub environment: String,
    /// The whole text: what stands before the statement may give names to it.
    pub sql: String,
    /// The statement, from 0.
    pub statement: usize,
    /// How often each result is written.
    pub delivery: Delivery,
    /// Between two checkpoints, milliseconds.
    pub checkpoint_interval_ms: u64,
    /// When it was deployed, milliseconds since 1970.
    pub created_ms: i64,
    /// How often it was begun from scratch: each time under another name for its sink.
    pub generation: u32,
    /// Columns that were read from a sample when it was planned first, by the name of their source: it keeps them until it
    /// begins from scratch.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// What is wished of it.
    pub wish: Wish,
}

/// Pause between two checkpoints where nobody asks for another, milliseconds.
pub const CHECKPOINT_INTERVAL_MS: u64 = 10_000;

impl Definition {
    /// A job that was not begun yet and is to run: at least once, with [`CHECKPOINT_INTERVAL_MS`] between checkpoints.
    pub fn new(name: impl Into<String>, environment: impl Into<String>, sql: impl Into<String>) -> Self {
        Self {
            form: FORM,
            name: name.into(),
            environment: environment.into(),
            sql: sql.into(),
            statement: 0,
            delivery: Delivery::AtLeastOnce,
            checkpoint_interval_ms: CHECKPOINT_INTERVAL_MS,
            created_ms: 0,
            generation: 0,
            columns: BTreeMap::new(),
            wish: Wish::Running,
        }
    }

    /// The name that the engine runs it under. Transactional ids carry it: the time of its deploy keeps it apart from a job
    /// of that name on another machine, and a beginning from scratch does not meet what the sink knows of the one before.
    pub fn run_name(&self) -> String {
        let name = format!("{}-{:x}", self.name, self.created_ms);
        match self.generation {
            0 => name,
            generation => format!("{name}.{generation}"),
        }
    }

    /// The same text for a job that is there: it goes on where that one stood, with what of its state still fits.
    ///
    /// # Errors
    /// What its checkpoints stand on would change with it: the environment, or how often each result is written.
    pub fn in_place_of(self, before: &Self) -> Result<Self, Fault> {
        let refused = |what: String, next: String| {
            let what = format!("`{}` {what}, and its checkpoints stand on that", before.name);
            Err(Fault::new(Blame::Operator, what).next(format!("{next}, or deploy it under another name")))
        };
        if self.environment != before.environment {
            return refused(
                format!("runs in {}, not in {}", before.environment, self.environment),
                format!("give --environment {}", before.environment),
            );
        }
        if self.delivery != before.delivery {
            let word = before.delivery.word();
            return refused(format!("writes {}", before.delivery.name()), format!("give --delivery {word}"));
        }
        Ok(Self {
            created_ms: before.created_ms,
            generation: before.generation,
            columns: before.columns.clone(),
            ..self
        })
    }

    /// The statement's own text.
    pub fn statement_text(&self) -> &str {
        let spans = crate::sql::parse::statements(&self.sql);
        spans.get(self.statement).and_then(|span| self.sql.get(span.start..span.end)).unwrap_or_default()
    }

    /// The same for eyes: secrets that stand in it are masked.
    pub fn shown_statement(&self) -> String {
        crate::sql::parse::without_secrets(self.statement_text()).into_owned()
    }

    /// As it may be shown: secrets that stand in its text are masked. It cannot be run.
    pub fn shown(&self) -> Self {
        Self { sql: crate::sql::parse::without_secrets(&self.sql).into_owned(), ..self.clone() }
    }

    /// What is said of secrets that stand in its text, if any do.
    pub fn warning(&self) -> Option<String> {
        let found = crate::sql::parse::secrets(&self.sql);
        let first = found.first()?;
        let mut keys: Vec<String> = found.iter().map(|secret| format!("`{}`", secret.key)).collect();
        keys.dedup();
        let variable = first.key.to_uppercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        let keys = keys.join(", ");
        Some(format!(
            "the text holds {keys} and is kept as it stands: write '${{{variable}}}' there and give the value in .env"
        ))
    }

    /// Whether it can be kept and run under its name.
    ///
    /// # Errors
    /// A name that is no folder's, an interval that leaves no time for work.
    pub fn check(&self) -> Result<(), Fault> {
        check_name(&self.name)?;
        if self.checkpoint_interval_ms < CHECKPOINT_INTERVAL_MS_MIN {
            let told = |ms: u64| told(Duration::from_millis(ms));
            let what = format!("{} between two checkpoints are too few", told(self.checkpoint_interval_ms));
            return Err(
                Fault::new(Blame::Operator, what).next(format!("at least {}", told(CHECKPOINT_INTERVAL_MS_MIN)))
            );
        }
        Ok(())
    }
}

/// Whether a job may be called so.
///
/// # Errors
/// A name that would be no folder, or none that a Kafka client takes as part of an id.
pub fn check_name(name: &str) -> Result<(), Fault> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let is_right = !name.is_empty()
        && name.len() <= NAME_LETTERS_MAX
        && name.chars().all(is_plain)
        && name.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
    if is_right {
        return Ok(());
    }
    Err(Fault::new(Blame::Operator, format!("`{name}` cannot be the name of a job"))
        .next(format!("letters, digits, `_`, `-` and `.`, {NAME_LETTERS_MAX} at most, a letter or digit first")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_text_is_not_shown_and_a_variable_is_named_in_its_place() {
        let definition = |sql: &str| Definition::new("spend", "qa", sql);
        let with = |value: &str| format!("INSERT INTO b WITH ('kafka.sasl.password' = '{value}') SELECT * FROM a");
        let careless = definition(&with("CANARY"));
        assert_eq!((careless.shown().sql, careless.shown_statement()), (with("***"), with("***")));
        let warning = careless.warning().unwrap_or_default();
        assert!(warning.contains("`kafka.sasl.password`") && warning.contains("'${KAFKA_SASL_PASSWORD}'"), "{warning}");
        assert_eq!(definition(&with("${KAFKA_SASL_PASSWORD}")).warning(), None);
    }

    #[test]
    fn the_text_says_how_rows_are_delivered_where_nothing_else_was_chosen_and_nothing_contradicts_it() {
        let [exact, least] = [Delivery::ExactlyOnce, Delivery::AtLeastOnce];
        let agreed = |chosen, said| Delivery::agreed(chosen, said, "--delivery").map_err(|fault| fault.what);
        assert_eq!(agreed(None, None), Ok(least));
        assert_eq!((agreed(None, Some(exact)), agreed(Some(exact), None)), (Ok(exact), Ok(exact)));
        assert_eq!(agreed(Some(least), Some(least)), Ok(least));
        let told = agreed(Some(least), Some(exact)).err().unwrap_or_default();
        assert!(told.contains("--delivery at-least-once") && told.contains("'exactly-once' in the text"), "{told}");
    }

    #[test]
    fn names_are_folders_and_nothing_else() {
        for name in ["spend", "a.b-c_1", "_x", "9"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "..", ".x", "a/b", "a b", "-x", "ü", &"x".repeat(81)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
