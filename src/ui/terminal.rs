//! The terminal: entered once, restored on every way out. A panic of the screen's thread restores it first; a job's panic is
//! only logged, because the screen lives on.

use std::future::poll_fn;
use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event, EventStream,
};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use futures::StreamExt;

/// Whether the terminal is ours at the moment.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// What the loop needs of a terminal beside drawing.
pub trait Seat {
    /// The next event; none when the terminal is gone.
    fn next(&mut self) -> impl Future<Output = Option<Event>>;

    /// Puts text on the clipboard.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn copy(&mut self, text: &str) -> io::Result<()>;

    /// Gives the terminal to another program.
    fn leave(&mut self);

    /// Takes the terminal back.
    ///
    /// # Errors
    /// The terminal cannot be set up.
    fn enter(&mut self) -> io::Result<()>;
}

/// How often a terminal is asked whether it is still there: one that is gone may say so in no other way.
const PRESENCE_EVERY: Duration = Duration::from_millis(500);

/// The real terminal. Restored when dropped.
pub struct RealSeat {
    events: Option<EventStream>,
    presence: Presence,
}

/// Which of the standard streams were a terminal at the start, and so must be one still.
#[derive(Debug, Clone, Copy)]
struct Presence {
    input: bool,
    output: bool,
}

impl Presence {
    fn now() -> Self {
        Self { input: stdin().is_terminal(), output: stdout().is_terminal() }
    }

    /// A terminal that was hung up is a terminal no more. It must not be read then: `crossterm` 0.29 takes the end of input
    /// for no input, spins, and holds the lock that everything else of it needs.
    fn is_lost(self) -> bool {
        let now = Self::now();
        (self.input && !now.input) || (self.output && !now.output)
    }
}

impl RealSeat {
    /// Enters the screen.
    ///
    /// # Errors
    /// There is no terminal, or it cannot be set up.
    pub fn open() -> io::Result<Self> {
        let mut seat = Self { events: None, presence: Presence::now() };
        seat.enter()?;
        Ok(seat)
    }
}

impl Seat for RealSeat {
    async fn next(&mut self) -> Option<Event> {
        let presence = self.presence;
        let Some(events) = &mut self.events else { return std::future::pending().await };
        loop {
            tokio::select! {
                biased;
                // Asked before every look: the thread of the screen would not come back from one behind the end of input.
                event = poll_fn(|context| if presence.is_lost() { Poll::Ready(None) } else { events.poll_next_unpin(context) }) => {
                    return event?.ok();
                }
                () = tokio::time::sleep(PRESENCE_EVERY) => {
                    if presence.is_lost() {
                        return None;
                    }
                }
            }
        }
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = stdout();
        write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        out.flush()
    }

    fn leave(&mut self) {
        // The other program reads the keys now.
        self.events = None;
        restore();
    }

    fn enter(&mut self) -> io::Result<()> {
        if self.presence.is_lost() {
            return Err(io::Error::other("the terminal is gone"));
        }
        if !ENTERED.swap(true, Ordering::SeqCst) {
            enable_raw_mode()?;
            execute!(stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, Hide)?;
        }
        // A second stream would wait for the lock that the first one holds until a key comes.
        if self.events.is_none() {
            self.events = Some(EventStream::new());
        }
        Ok(())
    }
}

impl Drop for RealSeat {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Gives the terminal back as it was. Done once, however often it is asked for; a terminal that is gone is no fault.
pub fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        execute!(stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show).ok();
        disable_raw_mode().ok();
    }
}

/// From now on a panic of this thread restores the terminal before it is told; one of any other thread goes to the log while
/// the screen stands.
pub fn guard_against_panics() {
    let screen = thread::current().id();
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == screen {
            restore();
        }
        if ENTERED.load(Ordering::SeqCst) {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(%place, "panic: {}", panic.payload_as_str().unwrap_or("without a message"));
        } else {
            tell(panic);
        }
    }));
}
