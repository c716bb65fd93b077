//! Opens the console: reads the configuration, sets up log, runtime and screen, runs the loop, and says how it ended.
//! Everything that is wrong with keys and panes is said before the screen is entered.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::farewell::Farewell;
use super::pane::Pane;
use super::panes::roster;
use super::run::{Console, Parts};
use super::screen::{Look, Screen};
use super::signals::Signals;
use super::terminal::{RealSeat, guard_against_panics};
use super::theme::{Depth, Marks};
use crate::app::feed::feed_of;
use crate::app::journal::{Journal, recent_audit, state_folder};
use crate::app::model::tails::TAIL_RECORDS_MAX;
use crate::app::model::{Model, Note};
use crate::app::runtime::Runtime;
use crate::app::supervisor::Supervisor;
use crate::app::{fact::Fact, logging};
use crate::clock::now_ms;
use crate::config::{Config, ConsoleConfig, Loaded, Sources, private};
use crate::core::fault::{Blame, Fault};

/// What the command line says about the console.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Where configuration is looked for.
    pub sources: Sources,
    /// Environment to start in; the one of the configuration where absent.
    pub environment: Option<String>,
    /// Theme; the one of `console.yaml` where absent.
    pub theme: Option<String>,
    /// Folder of jobs, log and audit log; that of the person's system where absent.
    pub state: Option<PathBuf>,
}

/// Why the console did not open, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The configuration of the console, or a flag, is wrong: exit code 2.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Configuration(Vec<Fault>),
    /// There is no terminal that can be drawn on.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
}

/// Runs the console until it is left.
///
/// # Errors
/// `console.yaml` or a flag is wrong, or there is no usable terminal.
pub async fn open(opening: Opening) -> Result<Farewell, OpenFault> {
    let config = Config::load(&opening.sources);
    let console = console_of(&config)?;
    let (mut model, look) = set_up(&opening, &config, &console)?;
    let screen = screen_of(&config.console, &console, look)?;

    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let fault = Fault::new(Blame::Operator, "the console needs a terminal for its input and its output")
            .next("for scripts there are commands: `velox-tui --help` lists them");
        return Err(OpenFault::Configuration(vec![fault]));
    }

    let folder = opening.state.clone().or_else(|| state_folder(|name| std::env::var(name).ok()));
    let journal = folder.as_deref().map(Journal::open).transpose();
    let (journal, journal_fault) = match journal {
        Ok(journal) => (journal.map(|(journal, _)| journal), None),
        Err(error) => (None, Some(error)),
    };
    let (intake, feed) = feed_of(model.tail_records);
    let supervisor = Supervisor::new(intake.clone());
    let runtime = Runtime::new(supervisor, opening.sources, config, journal.clone());
    logging::begin(intake, journal, runtime.scrubber());

    let effects = model.apply(Fact::Loaded(Box::new(runtime.loaded())));
    // What was changed before is in the audit log, too.
    for entry in folder.as_deref().map(recent_audit).unwrap_or_default() {
        model.apply(Fact::Audited(entry));
    }
    let kept = match journal_fault {
        Some(error) => Some(format!("log and audit are kept in memory only: {error}")),
        None => folder.as_deref().and_then(private::warning),
    };
    if let Some(warning) = kept {
        model.apply(Fact::Said(Note::warning(warning)));
    }
    let signals = Signals::listen()?;
    guard_against_panics();
    let seat = RealSeat::open()?;
    let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let mut console = Console::new(Parts { model, screen, terminal, seat, runtime, feed }, now_ms, console.frame_rate);
    console.begin(effects);
    let farewell = console.run(signals).await?;
    if farewell.is_without_terminal() {
        // `Terminal` shows the cursor when it is dropped and prints where that fails, which on a terminal that is gone is a
        // panic. The seat has restored what could be.
        std::mem::forget(console);
    }
    Ok(farewell)
}

fn console_of(config: &Config) -> Result<ConsoleConfig, OpenFault> {
    match &config.console.value {
        Ok(console) => Ok(ConsoleConfig::clone(console)),
        Err(faults) => Err(OpenFault::Configuration(faults.clone())),
    }
}

fn set_up(opening: &Opening, config: &Config, console: &ConsoleConfig) -> Result<(Model, Look), OpenFault> {
    let variable = |name: &str| std::env::var(name).ok();
    let refuse = |fault| OpenFault::Configuration(vec![fault]);
    let zone = match console.time_zone.as_str() {
        "local" => TimeZone::system(),
        name => TimeZone::get(name).map_err(|error| {
            refuse(
                Fault::new(Blame::Configuration, format!("`time_zone` is not known: {error}"))
                    .at(config.console.place_of("time_zone"))
                    .next("use `local`, `UTC` or a name as `Europe/Berlin`"),
            )
        })?,
    };
    let active = match &opening.environment {
        Some(name) => Some(config.environment(name).map_err(refuse)?.name.clone()),
        None => config.start_environment().map(|environment| environment.name.clone()),
    };
    let mut model = Model::default();
    model.now_ms = now_ms();
    model.theme = opening.theme.clone().unwrap_or_else(|| console.theme.clone());
    model.active = active;
    model.tail_records = usize::try_from(console.tail_capacity).unwrap_or(TAIL_RECORDS_MAX);
    if let Ok(folder) = std::env::current_dir() {
        model.folder = folder.display().to_string();
    }
    let look = Look {
        depth: Depth::detect(variable),
        marks: Marks::detect(variable),
        zone,
        clock: console.time_format.clone(),
    };
    Ok((model, look))
}

/// The screen with the panes and keys of `console.yaml`.
///
/// # Errors
/// A pane or a command that does not exist, a chord that is none, or one that has a meaning already: each with its line.
fn screen_of(loaded: &Loaded<ConsoleConfig>, console: &ConsoleConfig, look: Look) -> Result<Screen, OpenFault> {
    let mut faults = Vec::new();
    let panes = panes_of(loaded, console, &mut faults);
    let mut screen = Screen::with_panes(panes, look);
    // Chords are taken away first, so that two commands can change places.
    let taken = console.keys.iter().filter(|(_, chords)| chords.is_none());
    let given = console.keys.iter().filter(|(_, chords)| chords.is_some());
    for (command, chords) in taken.chain(given) {
        let chords = chords.as_ref().map(|chords| chords.0.as_slice());
        if let Err(fault) = screen.override_key(command, chords) {
            let whole = loaded.place_of(&format!("keys.{command}"));
            // A list has no place of its own: its chords have.
            let at = chords.and_then(|chords| fault.chord().and_then(|bad| chords.iter().position(|one| one == bad)));
            let place = match whole.line {
                0 => loaded.place_of(&format!("keys.{command}[{}]", at.unwrap_or(0))),
                _ => whole,
            };
            faults.push(Fault::new(Blame::Configuration, fault.to_string()).at(place));
        }
    }
    if faults.is_empty() { Ok(screen) } else { Err(OpenFault::Configuration(faults)) }
}

fn panes_of(loaded: &Loaded<ConsoleConfig>, console: &ConsoleConfig, faults: &mut Vec<Fault>) -> Vec<Box<dyn Pane>> {
    let mut all = roster();
    if console.panes.is_empty() {
        return all;
    }
    let named = |pane: &dyn Pane, name: &str| pane.title().eq_ignore_ascii_case(name);
    let mut chosen = Vec::new();
    for (at, name) in console.panes.iter().enumerate() {
        match all.iter().position(|pane| named(pane.as_ref(), name)) {
            Some(found) => chosen.push(all.remove(found)),
            None => {
                let known: Vec<_> = roster().iter().map(|pane| pane.title().to_lowercase()).collect();
                faults.push(
                    Fault::new(Blame::Configuration, format!("there is no pane `{name}`, or it is named twice"))
                        .at(loaded.place_of(&format!("panes[{at}]")))
                        .next(format!("known: {}", known.join(", "))),
                );
            }
        }
    }
    // The log is never lost: it is where faults are read in full.
    chosen.extend(all.into_iter().filter(|pane| pane.id() == crate::app::action::PaneId::Log));
    chosen
}
