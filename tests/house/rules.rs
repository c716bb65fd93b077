//! Lints that no compiler has: who may spawn, what is never written, and that every module says what it is.

use crate::source;

/// The only places that start tasks: they also report every ending.
const MAY_SPAWN: [&str; 2] = ["app/supervisor.rs", "sql/exec/tasks.rs"];

#[test]
fn only_the_supervisor_and_the_task_set_of_a_query_spawn_tasks() {
    for file in source::files().iter().filter(|file| !MAY_SPAWN.contains(&file.path.as_str())) {
        for spawn in ["tokio::spawn", "task::spawn(", "spawn_local", "JoinSet"] {
            assert!(!file.code.contains(spawn), "src/{} writes `{spawn}`", file.path);
        }
    }
}

#[test]
fn no_channel_is_unbounded() {
    for file in source::files() {
        for channel in ["unbounded_channel", "mpsc::unbounded", "std::sync::mpsc::channel("] {
            assert!(!file.code.contains(channel), "src/{} writes `{channel}`", file.path);
        }
    }
}

/// Where a lock whose holder panicked is spoken of: the one way to take locks, and a wait on one with a limit.
const MAY_NAME_POISON: [&str; 2] = ["core/lock.rs", "etl/run/worker.rs"];

#[test]
fn locks_are_taken_in_one_way() {
    for file in source::files().iter().filter(|file| !MAY_NAME_POISON.contains(&file.path.as_str())) {
        assert!(!file.code.contains("PoisonError"), "src/{} takes a lock by itself: `core::lock` does", file.path);
    }
}

#[test]
fn only_the_clock_asks_what_time_it_is() {
    for file in source::files().iter().filter(|file| file.path != "clock.rs") {
        for asks in ["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now"] {
            assert!(!file.code.contains(asks), "src/{} asks `{asks}`: `crate::clock` does", file.path);
        }
    }
}

/// Where the screen touches files: the draft that `$EDITOR` is given, off its thread.
const MAY_TOUCH_FILES: [&str; 2] = ["ui/editor.rs", "ui/run/editing.rs"];

#[test]
fn the_screen_reads_and_writes_no_file() {
    let files = source::files();
    let of_screen = |file: &&source::File| file.layer() == "ui" && !MAY_TOUCH_FILES.contains(&file.path.as_str());
    for file in files.iter().filter(of_screen) {
        for touches in ["std::fs", "tokio::fs", "read_dir(", "File::open", "is_file()", "read_to_string"] {
            assert!(
                !file.code.contains(touches),
                "src/{} writes `{touches}`: a frame would wait for a disk",
                file.path
            );
        }
    }
}

#[test]
fn every_module_opens_with_what_it_is() {
    for file in source::files() {
        assert!(file.text.starts_with("//! "), "src/{} does not open with `//!`", file.path);
    }
}

#[test]
fn the_binary_stays_under_sixty_lines() {
    let files = source::files();
    let main = files.iter().find(|file| file.path == "main.rs").expect("src/main.rs");
    assert!(main.text.lines().count() < 60, "src/main.rs has grown to {} lines", main.text.lines().count());
}
