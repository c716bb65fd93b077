//! The shelf: what is kept, held, asked and forgotten, and who may read it.

#![allow(clippy::unwrap_used)]

use super::*;

fn definition(name: &str) -> Definition {
    Definition::new(name, "qa", "INSERT INTO b SELECT * FROM a")
}

#[test]
fn a_job_is_kept_once_and_found_again_until_it_is_dropped() {
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path());
    assert_eq!(shelf.list(), (Vec::new(), Vec::new()));
    shelf.add(&definition("spend")).unwrap();
    assert!(shelf.add(&definition("spend")).unwrap_err().what.contains("already"));
    assert_eq!(shelf.read("spend").unwrap().definition, definition("spend"));
    shelf.write(&Definition { wish: Wish::Stopped, ..definition("spend") }).unwrap();
    assert_eq!(shelf.list().0[0].definition.wish, Wish::Stopped);
    let mistyped = shelf.read("spent").unwrap_err();
    assert!(mistyped.next.contains("did you mean `spend`?"), "{mistyped}");
    shelf.remove("spend").unwrap();
    assert!(shelf.read("spend").unwrap_err().what.contains("no job"));
}

#[test]
fn what_was_killed_stands_on_the_checkpoint_in_its_folder_and_not_on_the_one_that_it_told() {
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path());
    shelf.add(&definition("spend")).unwrap();
    shelf.tell("spend", &Status { state: State::Running, ..Status::beginning(1) });
    let seen = |shelf: &Shelf| shelf.read("spend").unwrap().status.and_then(|status| status.checkpoint);
    assert_eq!(seen(&shelf), None);
    let manifest = serde_json::json!({
        "form": 1, "epoch": 7, "job": "spend", "written_ms": 5, "sql_sha256": "", "sql": "", "has_finished": false,
        "lanes": [], "operators": [], "prepared": null
    });
    let manifest = serde_json::from_value(manifest).unwrap();
    checkpoint::write(&shelf.store(&definition("spend")), manifest, &[]).unwrap();
    assert_eq!(seen(&shelf), Some(7));
    let hold = shelf.hold_job("spend", "console").unwrap();
    assert_eq!(seen(&shelf), None, "who runs it tells how it is");
    drop(hold);
}

#[cfg(unix)]
#[test]
fn a_job_is_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path().join("state"));
    let _hold = shelf.hold_job("spend", "console").unwrap();
    shelf.add(&definition("spend")).unwrap();
    shelf.tell("spend", &Status::beginning(1));
    shelf.ask("spend", Request::Stop).unwrap();
    let folder = shelf.folder("spend");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(shelf.state()), mode(&folder)), (0o700, 0o700));
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 5, "{files:?}");
    assert!(files.iter().all(|path| mode(path) == 0o600), "{files:?}");
}

#[test]
fn a_broken_definition_is_said_and_the_others_are_listed() {
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path());
    shelf.add(&definition("good")).unwrap();
    shelf.add(&definition("bad")).unwrap();
    fs::write(shelf.folder("bad").join(DEFINITION), "{").unwrap();
    let (kept, faults) = shelf.list();
    assert_eq!(kept.iter().map(|job| job.definition.name.as_str()).collect::<Vec<_>>(), ["good"]);
    assert!(faults[0].to_string().contains("definition.json"), "{}", faults[0]);
}

#[test]
fn what_was_asked_of_a_holder_that_has_gone_is_not_asked_of_the_next_and_its_status_is_old() {
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path());
    shelf.add(&definition("spend")).unwrap();
    let mut status = Status::beginning(1);
    status.state = State::Stopped;
    shelf.tell("spend", &status);
    shelf.ask("spend", Request::Stop).unwrap();
    let hold = shelf.hold_job("spend", "console").unwrap();
    assert_eq!(shelf.asked("spend"), None);
    assert_eq!(shelf.read("spend").unwrap().state(), Some(State::Starting));
    // Whoever fails to hold it takes nothing of what is asked of its holder.
    shelf.ask("spend", Request::Stop).unwrap();
    assert!(shelf.hold_job("spend", "another").is_err());
    assert_eq!(shelf.asked("spend"), Some(Request::Stop));
    drop(hold);
    assert_eq!(shelf.read("spend").unwrap().state(), Some(State::Stopped));
}

#[test]
fn a_request_is_heard_once() {
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path());
    shelf.add(&definition("spend")).unwrap();
    assert_eq!(shelf.asked("spend"), None);
    shelf.ask("spend", Request::Savepoint).unwrap();
    assert_eq!((shelf.asked("spend"), shelf.asked("spend")), (Some(Request::Savepoint), None));
}

#[test]
fn a_job_that_was_seen_is_held_as_it_is_now_and_not_at_all_where_it_is_another() {
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path());
    let seen = definition("racy");
    shelf.add(&seen).unwrap();
    let before = shelf.folder("racy").join(seen.run_name());
    fs::create_dir(&before).unwrap();
    let (hold, now) = shelf.hold_seen(&seen, "another").unwrap();
    let begun = shelf.begin_again(now, true).unwrap();
    drop(hold);
    assert_eq!((begun.generation, before.exists()), (1, false));
    assert_eq!(shelf.hold_seen(&seen, "console").unwrap().1, begun, "what another process wrote stands");

    shelf.remove("racy").unwrap();
    assert!(shelf.hold_seen(&seen, "console").unwrap_err().what.contains("there is no job"));
    assert!(!shelf.folder("racy").exists(), "a look makes no folder");
    shelf.add(&Definition { created_ms: 1, ..definition("racy") }).unwrap();
    let fault = shelf.hold_seen(&seen, "console").unwrap_err();
    assert!(fault.what.contains("another job was deployed under its name"), "{fault}");
}
