//! The real binary in a pseudo-terminal: the first frame, every way out, and the terminal as it was afterwards.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longest wait for anything: the machine may be loaded.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pieces of output under way to the test.
const PIECES_MAX: usize = 1_024;

fn cells(number: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(number).expect("a size above nothing")
}

pub struct Session {
    child: Box<dyn Child + Send + Sync>,
    /// The terminal and its keyboard; none once it was hung up.
    master: Option<(Box<dyn MasterPty + Send>, Box<dyn Write + Send>)>,
    /// Makes the reader let go of the terminal with the next piece of output.
    let_go: Arc<AtomicBool>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    _home: Arc<tempfile::TempDir>,
}

impl Session {
    /// The console on the shipped configuration, in an empty folder, in a terminal of 100x30.
    pub fn open(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Self::open_in(Arc::new(home), variables)
    }

    /// The console in a folder that was there before.
    pub fn open_in(home: Arc<tempfile::TempDir>, variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_velox-tui"));
        command.env_clear();
        command.cwd(home.path());
        for (name, value) in
            [("HOME", home.path().to_str().expect("a path")), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")]
        {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the binary");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let (pieces, output) = sync_channel(PIECES_MAX);
        let let_go = Arc::new(AtomicBool::new(false));
        let told = let_go.clone();
        std::thread::spawn(move || {
            let mut piece = vec![0; 16 * 1024];
            while let Ok(read @ 1..) = reader.read(&mut piece) {
                if pieces.send(piece[..read].to_vec()).is_err() || told.load(Ordering::Acquire) {
                    return;
                }
            }
        });
        let parser = vt100::Parser::new(cells(30), cells(100), 0);
        Self { child, master: Some((pair.master, keys)), let_go, output, parser, _home: home }
    }

    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Reads until the condition holds.
    pub fn until(&mut self, what: &str, met: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !met(self.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(piece) => self.parser.process(&piece),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{what} did not come; the screen is\n{}", self.screen())
                }
            }
        }
    }

    /// Waits for something outside of the terminal, and reads on meanwhile: a program whose output nobody takes stands still.
    pub fn until_so(&mut self, what: &str, mut met: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !met() {
            assert!(Instant::now() < deadline, "{what} did not come; the screen is\n{}", self.screen());
            while let Ok(piece) = self.output.try_recv() {
                self.parser.process(&piece);
            }
        }
    }

    pub fn see(&mut self, text: &str) {
        let wanted = text.to_owned();
        self.until(text, move |screen| screen.contents().contains(&wanted));
    }

    pub fn press(&mut self, keys: &str) {
        let (_, keyboard) = self.master.as_mut().expect("a terminal");
        keyboard.write_all(keys.as_bytes()).and_then(|()| keyboard.flush()).expect("keys");
    }

    /// Closes the terminal under the program.
    fn hang_up(&mut self) {
        self.let_go.store(true, Ordering::Release);
        self.master = None;
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().expect("a process").to_string();
        assert!(Command::new("kill").args([name, &id]).status().expect("kill").success());
    }

    /// The letter of the process's state as Linux tells it: `T` is stopped.
    fn state(&self) -> char {
        let id = self.child.process_id().expect("a process");
        let stat = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).expect("a process");
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).expect("a state")
    }

    fn until_state(&self, wanted: impl Fn(char) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(self.state()) {
            assert!(Instant::now() < deadline, "the process is in state {}", self.state());
            std::thread::yield_now();
        }
    }

    /// Waits until a process that was killed is gone.
    pub fn gone(mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "it lives on");
            self.output.recv_timeout(Duration::from_millis(20)).ok();
        }
    }

    /// Waits for the end, and gives the exit code and what the terminal shows then.
    pub fn ended(mut self) -> (u32, String) {
        let deadline = Instant::now() + PATIENCE;
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status.exit_code();
            }
            assert!(Instant::now() < deadline, "it did not end; the screen is\n{}", self.screen());
            if let Ok(piece) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.parser.process(&piece);
            }
        };
        while let Ok(piece) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.parser.process(&piece);
        }
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the other screen is still shown");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "pastes are still bracketed");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still taken");
        (code, self.screen())
    }
}

#[test]
fn a_fresh_folder_opens_on_the_live_sandbox_and_q_gives_the_terminal_back() {
    let mut session = Session::open(&[], &[]);
    session.see("sandbox");
    session.see("● sandbox");
    session.press("q");
    assert_eq!(session.ended(), (0, String::new()));
}

#[test]
fn a_resize_draws_the_new_size() {
    let mut session = Session::open(&[], &[]);
    session.see("1 Environments");
    let resize = |session: &mut Session, cols: u16, rows: u16| {
        let (master, _) = session.master.as_ref().expect("a terminal");
        master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a size");
        session.parser.screen_mut().set_size(cells(rows), cells(cols));
    };
    resize(&mut session, 50, 12);
    session.see("velox needs 60x15; this is 50x12");
    resize(&mut session, 80, 24);
    session.see("1 Environments");
    session.press("q");
    assert_eq!(session.ended().0, 0);
}

#[test]
fn sigterm_drains_the_jobs_restores_the_terminal_and_says_so() {
    let mut session = Session::open(&[], &[]);
    session.see("● sandbox");
    session.signal("-TERM");
    let (code, said) = session.ended();
    assert_eq!(code, 5);
    assert!(said.contains("stopped by SIGTERM; 1 job finished what was in flight"), "{said}");
}

#[test]
fn a_panic_in_a_job_is_on_its_row_and_the_console_lives_on() {
    let mut session = Session::open(&[("VELOX_PANIC_IN", "job")], &[]);
    session.see("defect of this program");
    session.press("6");
    session.see("jobs 1 ✖");
    session.see("sample events");
    session.press("q");
    assert_eq!(session.ended(), (0, String::new()));
}

#[test]
fn a_panic_of_the_screen_restores_the_terminal_before_it_is_told() {
    let session = Session::open(&[("VELOX_PANIC_IN", "ui")], &[]);
    let (code, said) = session.ended();
    assert_eq!(code, 101);
    assert!(said.contains("provoked in `ui`"), "{said}");
}

#[test]
fn ctrl_z_stops_the_program_with_the_terminal_as_it_was_and_sigcont_brings_it_back() {
    for key in [true, false] {
        let mut session = Session::open(&[], &[]);
        session.see("● sandbox");
        match key {
            true => session.press("\u{1a}"),
            false => session.signal("-TSTP"),
        }
        session.until("the terminal as it was", |screen| !screen.alternate_screen());
        session.until_state(|state| state == 'T');
        session.signal("-CONT");
        session.until("the console", vt100::Screen::alternate_screen);
        session.see("● sandbox");
        session.press("q");
        assert_eq!(session.ended().0, 0);
    }
}

#[test]
fn a_wrong_key_in_the_file_is_said_with_its_line_before_the_screen_is_entered() {
    let file = ("config/console.yaml", "theme: dark\nkeys:\n  console.relaod: F8\n");
    let (code, said) = Session::open(&[], &[file]).ended();
    assert_eq!(code, 2);
    assert!(said.contains("config/console.yaml:3"), "{said}");
    assert!(said.contains("console.reload"), "{said}");
}

#[test]
fn a_terminal_that_goes_away_ends_the_program_within_the_grace() {
    let mut session = Session::open(&[], &[]);
    session.see("● sandbox");
    session.hang_up();
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = session.child.try_wait().expect("a child") {
            break status;
        }
        assert!(Instant::now() < deadline, "it lives on without a terminal");
        // The clock is drawn every second: with that piece the reader lets go, and the terminal is closed.
        session.output.recv_timeout(Duration::from_millis(20)).ok();
    };
    assert_eq!(status.exit_code(), 5, "{status:?}");
}

#[test]
fn the_editor_has_the_terminal_while_it_runs_and_the_console_comes_back() {
    let editor = "#!/bin/sh\nprintf 'EDITING %s\\n' \"$1\"\nread line\nprintf 'note: edited\\n' >> \"$1\"\n";
    let sandbox = "environment: sandbox\nkafka:\n  bootstrap_servers: embedded://\n";
    let files = [("edit.sh", editor), ("config/environments/sandbox.yaml", sandbox)];
    let mut session = Session::open(&[("EDITOR", "sh edit.sh"), ("PATH", "/usr/bin:/bin")], &files);
    session.see("● sandbox");
    session.press("e");
    session.see("EDITING config/environments/sandbox.yaml");
    assert!(!session.parser.screen().alternate_screen(), "the editor draws on the console's screen");
    // What is typed is the editor's: `q` would leave the console.
    session.press("q\r");
    session.until("the console", vt100::Screen::alternate_screen);
    // It is read again at once, and the line that the editor added is no key.
    session.see("`note` is not a known key");
    session.press("q");
    assert_eq!(session.ended().0, 0);
}

#[test]
fn a_file_that_only_the_program_has_is_not_edited_into_nothing() {
    let mut session = Session::open(&[("EDITOR", "false"), ("PATH", "/usr/bin:/bin")], &[]);
    session.see("● sandbox");
    session.press("e");
    session.see("`velox-tui init`");
    session.press("q");
    assert_eq!(session.ended().0, 0);
}

#[test]
fn a_broker_that_is_killed_while_it_is_tailed_is_told_and_reading_goes_on_when_it_is_back() {
    let broker = velox::kafka::embedded::EmbeddedBroker::start().expect("a broker");
    let own = format!("environment: own\nkafka:\n  bootstrap_servers: {}\n", broker.bootstrap_servers());
    let files = [("config/environments/own.yaml", own.as_str())];
    let mut session = Session::open(&[("ACTIVE_ENVIRONMENT", "own")], &files);
    session.see("● own");
    session.press("4");
    session.see("picks topics");
    session.press("n");
    session.see("orders");
    session.press("orders\r");
    session.see("read 0");
    broker.take_down().expect("a broker");
    session.see("reading goes on by itself");
    broker.bring_up().expect("a broker");
    send(broker.bootstrap_servers(), "orders", "back-again");
    session.see("back-again");
    session.press("qy");
    assert_eq!(session.ended().0, 0);
}

/// Sends one value with the program's own `produce`.
fn send(servers: &str, topic: &str, value: &str) {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("config/environments");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = format!("environment: own\nkafka:\n  bootstrap_servers: {servers}\n");
    std::fs::write(folder.join("own.yaml"), text).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_velox-tui"))
        .args(["-E", "own", "produce", topic])
        .current_dir(home.path())
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("the binary");
    child.stdin.take().expect("its input").write_all(format!("{value}\n").as_bytes()).expect("a line");
    assert!(child.wait().expect("an end").success());
}

impl Drop for Session {
    /// A test that fails leaves no program behind.
    fn drop(&mut self) {
        self.child.kill().ok();
    }
}
