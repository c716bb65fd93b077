//! The terminal: entered once, restored on every way out. A panic of the screen's thread restores it first; a job's panic is
//! only logged, because the screen lives on.

use std::io::{self, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

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

/// The real terminal. Restored when dropped.
pub struct RealSeat {
    events: Option<EventStream>,
}

impl RealSeat {
    /// Enters the screen.
    ///
    /// # Errors
    /// There is no terminal, or it cannot be set up.
    pub fn open() -> io::Result<Self> {
        let mut seat = Self { events: None };
        seat.enter()?;
        Ok(seat)
    }
}

impl Seat for RealSeat {
    async fn next(&mut self) -> Option<Event> {
        match &mut self.events {
            Some(events) => events.next().await?.ok(),
            None => std::future::pending().await,
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
        if !ENTERED.swap(true, Ordering::SeqCst) {
            enable_raw_mode()?;
            execute!(stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, Hide)?;
        }
        self.events = Some(EventStream::new());
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
