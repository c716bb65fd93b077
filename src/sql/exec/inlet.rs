//! The ways into a task: many channels read as one, with the lowest watermark of those that are not idle, and barriers
//! that wait for each other. What waits stays in its channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::chunk::{Chunk, Message};

/// How long a stream waits for a table that never pauses. One that is larger than what is read in this time is met as
/// far as it is known.
const HOLD_MAX: Duration = Duration::from_secs(30);

/// All channels into a task.
pub struct Inlet {
    inputs: Vec<Input>,
    /// The port that is read first.
    preferred: Option<usize>,
    hold: Option<Hold>,
    /// Which is asked first: nobody starves.
    turn: usize,
    watermark: i64,
    was_idle: bool,
    /// All are silent, and only the watermark of that has been told.
    is_silence_untold: bool,
    had_caught_up: bool,
}

/// The other ports wait until the preferred one has caught up.
struct Hold {
    /// `None` where it is sure to come: the port ends, and what is held keeps nobody from feeding it.
    until: Option<Instant>,
    /// How many tasks of the job hold: no checkpoint begins meanwhile, for a barrier would have to pass them.
    holding: Arc<AtomicUsize>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holding.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Input {
    port: usize,
    receiver: mpsc::Receiver<Message>,
    watermark: i64,
    barrier: Option<u64>,
    is_idle: bool,
    has_caught_up: bool,
    has_ended: bool,
    /// The sender went without saying `End`: it failed, and the job ends by that.
    is_broken: bool,
}

/// What came.
// Nearly all of it is rows, as with `Message`.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Event {
    /// Rows of a port.
    Batch(usize, Chunk),
    /// The watermark of all inputs has risen.
    Watermark(i64),
    /// All inputs are silent.
    Idle,
    /// All inputs have given what was there when the job began.
    CaughtUp,
    /// All inputs have come to the barrier.
    Barrier(u64),
    /// All inputs have ended.
    End,
}

impl Inlet {
    /// An inlet over channels, each with the port it feeds.
    pub fn new(channels: Vec<(usize, mpsc::Receiver<Message>)>) -> Self {
        let inputs = channels
            .into_iter()
            .map(|(port, receiver)| Input {
                port,
                receiver,
                watermark: i64::MIN,
                barrier: None,
                is_idle: false,
                has_caught_up: false,
                has_ended: false,
                is_broken: false,
            })
            .collect();
        Self {
            inputs,
            preferred: None,
            hold: None,
            turn: 0,
            watermark: i64::MIN,
            was_idle: false,
            is_silence_untold: false,
            had_caught_up: false,
        }
    }

    /// Reads `port` first; where `holding` is given, the others wait until it has caught up, and where it does not
    /// `surely` do that no longer than [`HOLD_MAX`].
    #[must_use]
    pub fn preferring(mut self, port: Option<usize>, holding: Option<Arc<AtomicUsize>>, surely: bool) -> Self {
        self.preferred = port;
        self.hold = holding.filter(|_| port.is_some()).map(|holding| {
            holding.fetch_add(1, Ordering::AcqRel);
            Hold { until: (!surely).then(|| Instant::now() + HOLD_MAX), holding }
        });
        self
    }

    /// Ends what has waited for too long.
    pub fn passes_time(&mut self) {
        if self.hold.as_ref().and_then(|hold| hold.until).is_some_and(|until| until <= Instant::now()) {
            self.hold = None;
        }
    }

    /// Messages that wait.
    pub fn waiting(&self) -> usize {
        self.inputs.iter().map(|input| input.receiver.len()).sum()
    }

    /// What comes next. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Event {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        // Marks that concern only one input change nothing outside: look again until something does.
        if self.is_silence_untold
            && let Some(event) = self.silence()
        {
            return Poll::Ready(event);
        }
        loop {
            let Some((index, message)) = self.poll_message(context) else { return Poll::Pending };
            if let Some(event) = self.absorb(index, message) {
                return Poll::Ready(event);
            }
        }
    }

    fn poll_message(&mut self, context: &mut Context<'_>) -> Option<(usize, Message)> {
        let first = self.preferred.and_then(|port| self.poll_ports(context, |other| other == port));
        if first.is_some() || self.holds() {
            return first;
        }
        let preferred = self.preferred;
        self.poll_ports(context, |other| Some(other) != preferred)
    }

    /// Whether the other ports wait for the preferred one.
    fn holds(&mut self) -> bool {
        let is_behind =
            |input: &Input| !(input.has_caught_up || input.has_ended || input.is_broken || input.barrier.is_some());
        let waits = self.inputs.iter().any(|input| Some(input.port) == self.preferred && is_behind(input));
        if !waits {
            self.hold = None;
        }
        self.hold.is_some()
    }

    fn poll_ports(&mut self, context: &mut Context<'_>, is_asked: impl Fn(usize) -> bool) -> Option<(usize, Message)> {
        let count = self.inputs.len();
        for step in 0..count {
            let index = (self.turn + step) % count;
            let input = &mut self.inputs[index];
            if !is_asked(input.port) || input.barrier.is_some() || input.has_ended || input.is_broken {
                continue;
            }
            match input.receiver.poll_recv(context) {
                Poll::Ready(Some(message)) => {
                    self.turn = index + 1;
                    return Some((index, message));
                }
                Poll::Ready(None) => input.is_broken = true,
                Poll::Pending => {}
            }
        }
        None
    }

    fn absorb(&mut self, index: usize, message: Message) -> Option<Event> {
        let input = &mut self.inputs[index];
        match message {
            Message::Batch(chunk) => {
                input.is_idle = false;
                self.was_idle = false;
                Some(Event::Batch(self.inputs[index].port, chunk))
            }
            Message::Watermark(watermark) => {
                input.is_idle = false;
                self.was_idle = false;
                input.watermark = input.watermark.max(watermark);
                self.risen()
            }
            Message::Idle => {
                input.is_idle = true;
                if self.inputs.iter().all(|input| input.is_idle || input.has_ended) {
                    self.fallen_silent()
                } else {
                    self.risen()
                }
            }
            Message::CaughtUp => {
                input.has_caught_up = true;
                self.caught_up()
            }
            Message::Barrier(epoch) => {
                input.barrier = Some(epoch);
                self.aligned()
            }
            Message::End => {
                input.has_ended = true;
                if self.inputs.iter().all(|input| input.has_ended) { Some(Event::End) } else { self.aligned() }
            }
        }
    }

    /// The lowest watermark of those that are not idle; those that have ended keep theirs.
    fn risen(&mut self) -> Option<Event> {
        let speaking = self.inputs.iter().filter(|input| !input.is_idle);
        let lowest = speaking.map(|input| input.watermark).min()?;
        (lowest > self.watermark).then(|| {
            self.watermark = lowest;
            Event::Watermark(lowest)
        })
    }

    /// Nobody is waited for: what is behind hears the watermark of the input that was furthest, then that all is silent.
    fn fallen_silent(&mut self) -> Option<Event> {
        let furthest = self.inputs.iter().filter(|input| !input.has_ended).map(|input| input.watermark).max();
        if let Some(furthest) = furthest.filter(|furthest| *furthest > self.watermark) {
            self.watermark = furthest;
            self.is_silence_untold = true;
            return Some(Event::Watermark(furthest));
        }
        self.silence()
    }

    fn silence(&mut self) -> Option<Event> {
        self.is_silence_untold = false;
        (!self.was_idle).then(|| {
            self.was_idle = true;
            Event::Idle
        })
    }

    fn caught_up(&mut self) -> Option<Event> {
        let have = self.inputs.iter().all(|input| input.has_caught_up || input.has_ended);
        (have && !self.had_caught_up).then(|| {
            self.had_caught_up = true;
            Event::CaughtUp
        })
    }

    fn aligned(&mut self) -> Option<Event> {
        let waiting = self.inputs.iter().filter(|input| !input.has_ended);
        let epoch = waiting.map(|input| input.barrier).try_fold(None, |all, barrier| {
            let epoch = barrier?;
            Some(Some(all.unwrap_or(epoch)))
        })??;
        for input in &mut self.inputs {
            input.barrier = None;
        }
        Some(Event::Barrier(epoch))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};

    use super::*;

    fn chunk(value: i64) -> Chunk {
        let column = Arc::new(Int64Array::from(vec![value]));
        Chunk::inserts(RecordBatch::try_from_iter([("v", column as _)]).unwrap(), vec![value].into())
    }

    fn inlet(count: usize) -> (Vec<mpsc::Sender<Message>>, Inlet) {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(8)).unzip();
        (senders, Inlet::new(receivers.into_iter().enumerate().collect()))
    }

    fn now(inlet: &mut Inlet) -> Option<String> {
        use futures::FutureExt;
        inlet.next().now_or_never().map(|event| match event {
            Event::Batch(port, chunk) => format!("batch {port} {}", chunk.times[0]),
            other => format!("{other:?}"),
        })
    }

    #[tokio::test]
    async fn the_lowest_watermark_of_those_that_speak_rules() {
        let (inputs, mut inlet) = inlet(2);
        inputs[0].send(Message::Watermark(10)).await.unwrap();
        assert_eq!(now(&mut inlet), None);
        inputs[1].send(Message::Watermark(5)).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("Watermark(5)"));
        inputs[1].send(Message::Idle).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("Watermark(10)"));
        inputs[1].send(Message::Watermark(7)).await.unwrap();
        assert_eq!(now(&mut inlet), None);
        inputs[0].send(Message::Watermark(12)).await.unwrap();
        assert_eq!(now(&mut inlet), None, "an input that speaks again holds the watermark, which never falls");
        inputs[0].send(Message::Idle).await.unwrap();
        assert_eq!(now(&mut inlet), None);
        inputs[1].send(Message::Idle).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("Watermark(12)"), "all are silent: the furthest rules");
        assert_eq!(now(&mut inlet).as_deref(), Some("Idle"));
        assert_eq!(now(&mut inlet), None);
    }

    #[tokio::test]
    async fn behind_a_barrier_rows_wait_in_their_channel_until_all_inputs_have_come_to_it() {
        let (inputs, mut inlet) = inlet(2);
        inputs[0].send(Message::Barrier(1)).await.unwrap();
        inputs[0].send(Message::Batch(chunk(7))).await.unwrap();
        assert_eq!(now(&mut inlet), None);
        assert_eq!(inlet.waiting(), 1, "the row behind the barrier stays where it is");
        inputs[1].send(Message::Batch(chunk(3))).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("batch 1 3"));
        inputs[1].send(Message::Barrier(1)).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("Barrier(1)"));
        assert_eq!(now(&mut inlet).as_deref(), Some("batch 0 7"));
    }

    #[tokio::test]
    async fn an_input_that_has_ended_holds_up_no_barrier_and_the_end_is_the_end_of_all() {
        let (inputs, mut inlet) = inlet(2);
        inputs[0].send(Message::Barrier(4)).await.unwrap();
        inputs[1].send(Message::End).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("Barrier(4)"));
        inputs[0].send(Message::End).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("End"));
    }

    #[tokio::test]
    async fn a_stream_waits_until_its_table_has_caught_up_and_the_table_is_read_first() {
        let (inputs, inlet) = inlet(2);
        let holding = Arc::new(AtomicUsize::new(0));
        let mut inlet = inlet.preferring(Some(1), Some(Arc::clone(&holding)), false);
        assert_eq!(holding.load(Ordering::Acquire), 1);
        inputs[0].send(Message::Batch(chunk(1))).await.unwrap();
        assert_eq!(now(&mut inlet), None);
        inputs[1].send(Message::Batch(chunk(2))).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("batch 1 2"));
        assert_eq!(now(&mut inlet), None);
        inputs[1].send(Message::CaughtUp).await.unwrap();
        assert_eq!(now(&mut inlet).as_deref(), Some("batch 0 1"));
        assert_eq!(holding.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn an_input_that_breaks_off_is_no_end() {
        let (mut inputs, mut inlet) = inlet(1);
        inputs.clear();
        assert_eq!(now(&mut inlet), None);
    }
}
