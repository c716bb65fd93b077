//! What the guards of environments want before something is written, and how `read_only` is lifted for a while. Pure.

use super::action::RunRequest;
use super::effect::Effect;
use super::model::confirmation::{Confirmation, Pending};
use super::model::{Model, Note};
use crate::core::environment::Guard;

/// How long `read_only` may be lifted from the console: a repair, not a shift (design: 15 minutes).
pub const LIFT_MS: i64 = 15 * 60 * 1_000;

impl Model {
    /// Does what is pending at once, asks first, or refuses: what the strictest guard of the environments wants.
    pub(super) fn guarded(
        &mut self,
        environments: &[String],
        question: &str,
        summary: Vec<String>,
        then: Pending,
    ) -> Vec<Effect> {
        self.asked_at_least(Guard::None, environments, question, summary, then)
    }

    /// The same, asked at least as strictly as `least` says whatever the environments want.
    pub(super) fn asked_at_least(
        &mut self,
        least: Guard,
        environments: &[String],
        question: &str,
        summary: Vec<String>,
        then: Pending,
    ) -> Vec<Effect> {
        let mut strictest = least;
        let mut typed = Vec::new();
        let outlives = matches!(&then, Pending::Deployed(act) | Pending::Elsewhere(_, act) if act.runs());
        for name in environments {
            let Some(row) = self.environment(name) else {
                return self.refuse(&format!("there is no environment `{name}`"));
            };
            match row.guard {
                Guard::ReadOnly if self.is_lifted(name) && !outlives => typed.push(name.as_str()),
                Guard::ReadOnly => {
                    let refusal = match self.is_lifted(name) {
                        true => format!("`{name}` is lifted for 15 minutes only: a deployed job would outlive them"),
                        false => format!("`{name}` is read-only: its file says `guard: read_only`"),
                    };
                    let entry = self.entry(name, summary.join("; "), format!("refused: {refusal}"));
                    self.say(Note::danger(refusal));
                    return vec![Effect::Audit(entry)];
                }
                Guard::Typed => typed.push(name.as_str()),
                Guard::Confirm => strictest = Guard::Confirm,
                Guard::None => {}
            }
        }
        let expected = typed.join(" ");
        if !expected.is_empty() {
            strictest = Guard::Typed;
        }
        if strictest == Guard::None {
            return self.carry_out(then);
        }
        self.confirmation = Some(Confirmation { question: question.into(), summary, guard: strictest, expected, then });
        Vec::new()
    }

    /// Asks for the name of the environment before its `read_only` is lifted; one that is lifted is put back at once.
    pub(super) fn ask_to_lift(&mut self, name: String) -> Vec<Effect> {
        match self.environment(&name).map(|row| row.guard) {
            Some(Guard::ReadOnly) => {}
            Some(_) => return self.refuse(&format!("`{name}` is not read-only")),
            None => return self.refuse(&format!("there is no environment `{name}`")),
        }
        if self.lifted.remove(&name).is_some() {
            return self.put_back(&name, "put back by hand");
        }
        self.confirmation = Some(Confirmation {
            question: "Lift read-only for 15 minutes?".into(),
            summary: vec![
                format!("runs and records sent again may write to {name}, each after its name is typed"),
                "deployed jobs may not: they would outlive it".into(),
                "it is lifted for this console only, and the audit log says so".into(),
            ],
            guard: Guard::Typed,
            expected: name.clone(),
            then: Pending::Lift(name),
        });
        Vec::new()
    }

    /// Environments of a run whose `read_only` is lifted now.
    pub(super) fn lifted_of(&self, run: &RunRequest) -> Vec<String> {
        run.environments.iter().filter(|name| self.is_lifted(name)).cloned().collect()
    }

    pub(super) fn lift(&mut self, name: String) -> Vec<Effect> {
        self.lifted.insert(name.clone(), self.now_ms + LIFT_MS);
        self.say(Note::warning(format!("read-only of `{name}` is lifted for 15 minutes")));
        vec![Effect::Audit(self.entry(&name, "lift read_only for 15 minutes".into(), "done".into()))]
    }

    /// What is over is read-only again.
    pub(super) fn end_lifts(&mut self) -> Vec<Effect> {
        let now_ms = self.now_ms;
        let over = |until_ms: &i64| *until_ms <= now_ms;
        let ended: Vec<String> =
            self.lifted.iter().filter(|(_, until_ms)| over(until_ms)).map(|(name, _)| name.clone()).collect();
        self.lifted.retain(|_, until_ms| !over(until_ms));
        ended.iter().flat_map(|name| self.put_back(name, "the 15 minutes are over")).collect()
    }

    fn put_back(&mut self, name: &str, why: &str) -> Vec<Effect> {
        self.revision += 1;
        self.say(Note::plain(format!("`{name}` is read-only again: {why}")));
        vec![Effect::Audit(self.entry(name, "read_only in force again".into(), why.into()))]
    }
}
