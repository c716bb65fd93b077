//! What stands between a writing command and an environment: nothing, a yes, its name, or a refusal. Dry runs never
//! come here.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use super::Failure;
use crate::core::environment::Guard;

/// The flag that lifts a guard.
#[derive(Debug, Clone, Default, Args)]
pub struct GuardArguments {
    /// Lift the guard of this environment: its name, in full; needed where the guard is `typed`, and without a terminal
    /// where it is `confirm`
    #[arg(long = "yes-i-mean", value_name = "NAME", value_delimiter = ',')]
    pub yes_i_mean: Vec<String>,
}

/// What a person answers when asked: `None` where there is nobody to ask.
pub trait Ask {
    /// Puts a question that is answered by yes or no.
    fn yes(&mut self, question: &str) -> Option<bool>;
}

/// Asks on the terminal: the question on the standard error, the answer from the standard input.
pub struct Terminal;

impl Ask for Terminal {
    fn yes(&mut self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        write!(io::stderr(), "{question} [y/N] ").ok()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}

/// Lets a writing command through, or says why not. `what` says what would be written, for the question.
/// Every environment is looked at before any question is put.
pub fn permit(
    guards: &[(&str, Guard)],
    arguments: &GuardArguments,
    what: &str,
    ask: &mut dyn Ask,
) -> Result<(), Failure> {
    let meant = |name: &str| arguments.yes_i_mean.iter().any(|one| one == name);
    if let Some((name, _)) = guards.iter().find(|(_, guard)| *guard == Guard::ReadOnly) {
        return Err(Failure::usage(
            format!("environment `{name}` is read-only: every writing action is refused"),
            "the guard is set in the environment's file; name another with --environment",
        ));
    }
    let typed: Vec<&str> =
        guards.iter().filter(|(name, guard)| *guard == Guard::Typed && !meant(name)).map(|(name, _)| *name).collect();
    if !typed.is_empty() {
        let names = typed.join(",");
        return Err(Failure::usage(
            format!("refused: {what} would write to the guarded {} `{names}`", environments(&typed)),
            format!("add --yes-i-mean {names} if that is what you mean, or leave it out with --environment"),
        ));
    }
    let confirm: Vec<&str> =
        guards.iter().filter(|(name, guard)| *guard == Guard::Confirm && !meant(name)).map(|(name, _)| *name).collect();
    if confirm.is_empty() {
        return Ok(());
    }
    let names = confirm.join(",");
    match ask.yes(&format!("{what}, to {names}?")) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::usage("not confirmed: nothing was done", "")),
        None => Err(Failure::usage(
            format!("refused: writing to `{names}` asks for a confirmation and there is no terminal"),
            format!("add --yes-i-mean {names}"),
        )),
    }
}

fn environments(names: &[&str]) -> &'static str {
    if names.len() == 1 { "environment" } else { "environments" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;

    struct Answer(Option<bool>, Vec<String>);

    impl Ask for Answer {
        fn yes(&mut self, question: &str) -> Option<bool> {
            self.1.push(question.to_owned());
            self.0
        }
    }

    fn outcome(guards: &[(&str, Guard)], meant: &[&str], answer: Option<bool>) -> (Result<(), String>, usize) {
        let mut ask = Answer(answer, Vec::new());
        let arguments = GuardArguments { yes_i_mean: meant.iter().map(|&name| name.to_owned()).collect() };
        let ended = permit(guards, &arguments, "3 events", &mut ask);
        if let Err(failure) = &ended {
            assert_eq!(failure.exit(), Exit::Usage);
        }
        (ended.map_err(|failure| failure.to_string()), ask.1.len())
    }

    #[test]
    fn an_unguarded_environment_asks_nothing() {
        assert_eq!(outcome(&[("dev", Guard::None)], &[], None), (Ok(()), 0));
    }

    #[test]
    fn a_typed_guard_is_lifted_by_its_own_name_alone_and_never_asks() {
        let prod = [("prod", Guard::Typed)];
        assert_eq!(outcome(&prod, &["prod"], None), (Ok(()), 0));
        for meant in [&[][..], &["preprod"], &["PROD"]] {
            let (ended, questions) = outcome(&prod, meant, Some(true));
            assert!(ended.expect_err("refused").contains("--yes-i-mean prod"));
            assert_eq!(questions, 0);
        }
    }

    #[test]
    fn a_read_only_environment_is_refused_whatever_is_meant() {
        let (ended, _) = outcome(&[("qa", Guard::ReadOnly)], &["qa"], Some(true));
        let refused = ended.expect_err("refused");
        // Most writing commands have no dry run to offer instead.
        assert!(refused.contains("read-only") && !refused.contains("--dry-run"), "{refused}");
    }

    #[test]
    fn a_confirm_guard_takes_a_yes_or_the_flag() {
        let staging = [("staging", Guard::Confirm)];
        assert_eq!(outcome(&staging, &[], Some(true)), (Ok(()), 1));
        assert_eq!(outcome(&staging, &["staging"], None), (Ok(()), 0));
        assert!(outcome(&staging, &[], Some(false)).0.is_err());
        assert!(outcome(&staging, &[], None).0.expect_err("nobody to ask").contains("--yes-i-mean staging"));
    }

    #[test]
    fn one_refusal_stops_all_before_any_question() {
        let (ended, questions) = outcome(&[("staging", Guard::Confirm), ("prod", Guard::Typed)], &[], Some(true));
        assert!(ended.is_err());
        assert_eq!(questions, 0);
    }
}
