//! What lies over the pane: the dialog of a run, and over it or alone the editor of a context, the choice of an event, the
//! name of a preset. Each key goes to the uppermost.

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Etls;
use super::choose::{Choose, Chosen};
use super::context::{ContextEditor, Edited};
use super::preset::{NamePreset, Named};
use super::preview::Setup;
use super::run_dialog::{RunDialog, Step};
use super::tab::Tab;
use crate::app::action::{Action, RunRequest};
use crate::app::model::Model;
use crate::ui::pane::{Reply, View};

/// The dialogs that are open.
#[derive(Debug, Default)]
pub struct Layers {
    run: Option<RunDialog>,
    over: Option<Over>,
}

/// What can lie over the dialog of a run, or be open alone.
#[derive(Debug)]
enum Over {
    /// The context of this ETL's preview; of the run where none is named.
    Context(Option<String>, Box<ContextEditor>),
    /// The environment and event of this ETL's preview.
    Choose(String, Choose),
    Preset(NamePreset),
}

impl Layers {
    /// Whether anything is open.
    pub fn is_open(&self) -> bool {
        self.run.is_some() || self.over.is_some()
    }

    /// Opens the dialog of a run.
    pub fn open_run(&mut self, dialog: RunDialog) {
        self.run = Some(dialog);
    }

    /// Opens the editor of a context: of an ETL's preview, or of the run that is set up.
    pub fn open_context(&mut self, etl: Option<String>, context: &str) {
        self.over = Some(Over::Context(etl, Box::new(ContextEditor::new(context))));
    }

    /// Opens the choice of environment and event.
    pub fn open_choose(&mut self, etl: String, environments: Vec<String>, shown: &str, setup: Setup) {
        self.over = Some(Over::Choose(etl, Choose::new(environments, shown, setup)));
    }

    /// Opens the name of a preset.
    pub fn open_preset(&mut self, run: RunRequest) {
        self.over = Some(Over::Preset(NamePreset::new(run)));
    }

    /// Gives pasted text to the uppermost.
    pub fn paste(&mut self, text: &str) -> Option<Action> {
        match (&mut self.over, &mut self.run) {
            (Some(Over::Context(_, editor)), _) => editor.paste(text),
            (Some(Over::Choose(_, choose)), _) => choose.paste(text),
            (Some(Over::Preset(preset)), _) => preset.paste(text),
            (None, Some(run)) => return emitted(run.paste(text)),
            (None, None) => {}
        }
        None
    }

    /// Gives the mouse to the dialog of a run, where that is the uppermost.
    pub fn mouse(&mut self, event: MouseEvent) -> Option<Action> {
        match (&self.over, &mut self.run) {
            (None, Some(run)) => emitted(run.mouse(event)),
            _ => None,
        }
    }

    /// Draws what is open over `area`.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        if let Some(run) = &mut self.run {
            run.draw(area, buffer, view);
        }
        match &mut self.over {
            Some(Over::Context(_, editor)) => editor.draw(area, buffer, view.theme),
            Some(Over::Choose(_, choose)) => choose.draw(area, buffer, view.theme),
            Some(Over::Preset(preset)) => preset.draw(&view.model.presets, area, buffer, view.theme),
            None => {}
        }
    }
}

fn emitted(step: Step) -> Option<Action> {
    match step {
        Step::Emit(action) => Some(action),
        _ => None,
    }
}

impl Etls {
    /// Gives a key to the uppermost layer and does what came of it.
    pub(super) fn layer_key(&mut self, key: KeyEvent, model: &Model) -> Reply {
        match self.layers.over.take() {
            Some(Over::Context(etl, mut editor)) => match editor.key(key) {
                Edited::Open => self.layers.over = Some(Over::Context(etl, editor)),
                Edited::Dropped => {}
                Edited::Done(context) => return self.take_context(etl, context, model),
            },
            Some(Over::Choose(etl, mut choose)) => match choose.key(key) {
                Chosen::Open => self.layers.over = Some(Over::Choose(etl, choose)),
                Chosen::Dropped => {}
                Chosen::Done(setup) => {
                    *self.preview.setup_mut(&etl) = setup;
                    return self.ask(model);
                }
            },
            Some(Over::Preset(mut preset)) => match preset.key(key) {
                Named::Open => self.layers.over = Some(Over::Preset(preset)),
                Named::Dropped => {}
                Named::Done(name, run) => return Reply::Emit(Action::SavePreset { name, run }),
            },
            None => return self.run_key(key, model),
        }
        Reply::Handled
    }

    fn take_context(&mut self, etl: Option<String>, context: String, model: &Model) -> Reply {
        match (etl, &mut self.layers.run) {
            (Some(etl), _) => {
                self.preview.setup_mut(&etl).context = context;
                self.ask(model)
            }
            (None, Some(run)) => {
                run.set_context(context);
                run.plan().map_or(Reply::Handled, Reply::Emit)
            }
            (None, None) => Reply::Handled,
        }
    }

    fn run_key(&mut self, key: KeyEvent, model: &Model) -> Reply {
        let Some(dialog) = &mut self.layers.run else { return Reply::Ignored };
        match dialog.key(key, model) {
            Step::Ignored => return Reply::Ignored,
            Step::Open => {}
            Step::Dropped => self.layers.run = None,
            Step::Emit(action) => return Reply::Emit(action),
            Step::EditContext => {
                let context = dialog.context().to_owned();
                self.layers.open_context(None, &context);
            }
            Step::Keep(run) => self.layers.open_preset(run),
            Step::Run(run) => {
                self.layers.run = None;
                return Reply::Emit(Action::Run(self.shown(run, model)));
            }
            Step::RunWhenPlanned(run) => {
                self.layers.run = None;
                return Reply::Emit(Action::RunWhenPlanned(self.shown(run, model)));
            }
        }
        Reply::Handled
    }

    /// A run that is about to begin is what the tab of runs shows.
    fn shown(&mut self, run: RunRequest, model: &Model) -> RunRequest {
        self.last_run = Some(run.clone());
        (self.tab, self.in_detail) = (Tab::Runs, true);
        self.runs.follow_next(model);
        run
    }
}
