//! Starts the binary in a folder of its own, with nothing of this machine's environment but the path.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with the shipped configuration, or with files of the test's own.
pub struct Place {
    folder: TempDir,
}

/// What a command left behind.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// The configuration that the repository ships.
    pub fn shipped() -> Self {
        let place = Self::empty();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["config", "templates"] {
            copy(&root.join(folder), &place.path(folder));
        }
        place
    }

    /// Nothing at all: the program has what it needs in itself.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the configuration.
    pub fn with(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// The binary with these arguments, not started.
    pub fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
        command.args(line).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, line: &[&str]) -> Ended {
        ended(self.command(line).output().unwrap())
    }

    /// Runs the binary to its end with an input.
    pub fn feed(&self, line: &[&str], input: &str) -> Ended {
        let mut child = self.start(line);
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        ended(child.wait_with_output().unwrap())
    }

    /// Starts the binary with an open input.
    pub fn start(&self, line: &[&str]) -> Child {
        self.command(line).stdin(Stdio::piped()).spawn().unwrap()
    }
}

/// What became of a process.
pub fn ended(output: Output) -> Ended {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// Fails unless the exit code is this one.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on the standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }

    /// Every line of the standard output, each a JSON document.
    pub fn lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
            .collect()
    }

    /// The failure on the standard error.
    pub fn error(&self) -> Value {
        let found = self.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let errors: Vec<Value> = found.filter_map(|line| line.get("error").cloned()).collect();
        assert_eq!(errors.len(), 1, "one failure in {}", self.stderr);
        errors.into_iter().next().unwrap()
    }
}

/// Sends a signal to a process of this test.
pub fn signal(name: &str, child: &Child) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Fails unless every planned event is in exactly one count.
pub fn adds_up(tally: &Value) {
    let count = |name: &str| tally[name].as_u64().unwrap_or_else(|| panic!("no `{name}` in {tally}"));
    assert_eq!(count("planned"), count("acknowledged") + count("failed") + count("not_sent"), "{tally}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
