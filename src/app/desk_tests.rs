//! Texts, files and history of the SQL pane: what each act does to them.

use super::*;
use crate::app::action::{Action, PaneId};
use crate::app::fact::Fact;
use crate::core::fault::Blame;
use crate::sql::deploy::hold::Holder;

fn sitting(kept: KeptDesk) -> Model {
    let mut model = Model::default();
    assert_eq!(model.update(Action::Focus(PaneId::Sql)), [Effect::ReadSql]);
    assert_eq!(model.update(Action::Focus(PaneId::Sql)), [], "files are asked for once");
    model.apply(Fact::SqlRead { files: vec![file("spend", false), file("window", true)], kept: Ok(kept) });
    model
}

fn file(name: &str, is_starter: bool) -> SqlFile {
    SqlFile { name: name.into(), about: String::new(), text: format!("SELECT '{name}'"), is_starter }
}

fn write(model: &mut Model, text: &str) {
    model.update(Action::EditSql { buffer: model.desk.current, text: text.into(), caret: 0 });
}

fn front(model: &Model) -> (&str, &str) {
    model.desk.buffer().map_or(("", ""), |buffer| (buffer.name.as_str(), buffer.text.as_str()))
}

#[test]
fn what_is_written_is_kept_at_the_next_tick_and_once() {
    let mut model = sitting(KeptDesk::default());
    assert_eq!(model.apply(Fact::Tick { now_ms: 1_000 }), []);
    write(&mut model, "SELECT 1");
    assert_eq!(model.apply(Fact::Tick { now_ms: 2_000 }), [Effect::KeepSql(model.desk.kept())]);
    assert_eq!(model.apply(Fact::Tick { now_ms: 3_000 }), []);
    write(&mut model, "SELECT 2");
    assert_eq!(model.update(Action::Quit), [Effect::KeepSql(model.desk.kept()), Effect::Exit]);
}

#[test]
fn what_cannot_be_read_is_not_written_over() {
    let mut model = Model::default();
    model.update(Action::Focus(PaneId::Sql));
    model.apply(Fact::SqlRead { files: Vec::new(), kept: Err(Fault::new(Blame::Operator, "broken")) });
    write(&mut model, "SELECT 1");
    assert_eq!(model.apply(Fact::Tick { now_ms: 2_000 }), []);
    assert_eq!(front(&model), ("query 1", "SELECT 1"));
}

#[test]
fn what_another_console_keeps_is_not_written_over_and_joined_once_that_has_ended() {
    let mut model = sitting(KeptDesk::default());
    let other = Holder { process: 4_711, host: "etl-2".into(), program: "console".into(), since_ms: 0 };
    let held = |keeper| Fact::Deployments { keeper, kept: Vec::new(), faults: Vec::new() };
    model.apply(held(Some(other)));
    let said = model.note.as_ref().map(|note| note.text.clone()).unwrap_or_default();
    assert!(said.contains("texts of pane 3 are held by console (process 4711 on etl-2"), "{said}");
    write(&mut model, "SELECT mine");
    assert_eq!(model.apply(Fact::Tick { now_ms: 2_000 }), []);
    assert_eq!(model.apply(held(None)), [Effect::ReadSql]);
    let theirs = Buffer { name: "query 1".into(), text: "SELECT theirs".into(), ..Buffer::default() };
    let kept = KeptDesk { buffers: vec![theirs], ..KeptDesk::default() };
    model.apply(Fact::SqlRead { files: Vec::new(), kept: Ok(kept) });
    assert_eq!(front(&model), ("query 1", "SELECT mine"));
    let texts: Vec<&str> = model.desk.buffers.iter().map(|buffer| buffer.text.as_str()).collect();
    assert_eq!(texts, ["SELECT mine", "SELECT theirs"]);
    assert_eq!(model.apply(Fact::Tick { now_ms: 3_000 }), [Effect::KeepSql(model.desk.kept())]);
}

#[test]
fn a_starter_is_a_copy_and_a_file_is_saved_over() {
    let mut model = sitting(KeptDesk::default());
    model.update(Action::OpenSql { name: "window".into(), is_starter: true });
    assert_eq!(front(&model), ("window", "SELECT 'window'"));
    assert_eq!(model.update(Action::SaveSql(None)), [], "a copy has no file yet");
    model.update(Action::OpenSql { name: "spend".into(), is_starter: false });
    write(&mut model, "SELECT 2");
    assert!(model.desk.buffer().is_some_and(Buffer::is_changed));
    let saving = model.update(Action::SaveSql(None));
    let text = "SELECT 2".to_owned();
    assert_eq!(
        saving,
        [Effect::SaveSql { buffer: "spend".into(), name: "spend".into(), text: text.clone(), over: true }]
    );
    model.apply(Fact::SqlSaved {
        buffer: "spend".into(),
        name: "spend".into(),
        path: "config/sql/spend.sql".into(),
        text,
    });
    assert!(!model.desk.buffer().is_some_and(Buffer::is_changed));
}

#[test]
fn a_text_that_is_nowhere_else_can_be_had_back_after_it_was_closed() {
    let mut model = sitting(KeptDesk::default());
    write(&mut model, "SELECT 'only here'");
    model.update(Action::CloseSql);
    assert_eq!(front(&model), ("query 1", ""));
    assert_eq!(model.desk.history.back().map(String::as_str), Some("SELECT 'only here'"));
    write(&mut model, &"x".repeat(HISTORY_BYTES_MAX + 1));
    model.update(Action::CloseSql);
    assert!(front(&model).1.starts_with('x'), "too long to be remembered: it stays");
}

#[test]
fn only_the_newest_explanation_is_taken() {
    let mut model = sitting(KeptDesk::default());
    let query = QueryRequest { environment: "sandbox".into(), text: "SELECT 1".into(), statement: 0 };
    model.update(Action::ExplainSql { query: query.clone(), is_said: false });
    let effects = model.update(Action::ExplainSql { query, is_said: true });
    let [Effect::ExplainSql { request, .. }] = effects[..] else { panic!("{effects:?}") };
    model.apply(Fact::SqlExplained { request: request - 1, outcome: Err(Fault::new(Blame::Operator, "old")) });
    assert!(model.desk.explained.as_ref().is_some_and(|explained| explained.outcome.is_none()));
    model.apply(Fact::SqlExplained { request, outcome: Err(Fault::new(Blame::Operator, "no topic")) });
    assert!(model.note.as_ref().is_some_and(|note| note.text.contains("no topic")));
}
