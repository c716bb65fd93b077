//! The sandbox lives in this process: a command that reads from it also keeps events coming, while it works.

use std::convert::Infallible;
use std::future;

use tokio_util::sync::CancellationToken;

use crate::kafka::embedded::EmbeddedBroker;
use crate::kafka::generator;
use crate::kafka::settings::Connection;

/// Sends sample events for as long as it is polled; for a real cluster it does nothing. It never ends.
pub async fn events(connection: &Connection) -> Infallible {
    if connection.environment().is_embedded() {
        let outcome = match EmbeddedBroker::shared() {
            Ok(broker) => generator::generate(&broker, generator::EVENTS_PER_SECOND, &CancellationToken::new(), |_| {})
                .await
                .map(|_| ()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            tracing::warn!("no sample events: {fault}");
        }
    }
    future::pending().await
}
