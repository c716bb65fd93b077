//! The sink of a query without INTO: rows wait in a short queue for whoever prints them.

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::connectors::contract::{BadRow, Sink, SinkRows};
use crate::core::fault::Fault;

/// Batches on their way to the screen. Two: one that is printed, one that is ready.
const QUEUE_BATCHES: usize = 2;

/// The writing end.
pub struct Screen {
    rows: mpsc::Sender<SinkRows>,
}

/// A screen and what comes out of it.
pub fn screen() -> (Screen, mpsc::Receiver<SinkRows>) {
    let (sender, receiver) = mpsc::channel(QUEUE_BATCHES);
    (Screen { rows: sender }, receiver)
}

#[async_trait]
impl Sink for Screen {
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        // Who has read as many rows as were asked for has left; the job is being stopped.
        self.rows.send(rows).await.ok();
        Ok(Vec::new())
    }
}
