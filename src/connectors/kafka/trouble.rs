//! What an error of a client that reads means for its reader: that it ends, or that the client gets over it. It keeps nothing.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::core::fault::{Blame, Fault};
use crate::kafka::cause::{Severity, severity};
use crate::kafka::context::Watch;

/// What a client says of brokers that do not answer, once for each address and attempt.
const LOST: [RDKafkaErrorCode; 4] = [
    RDKafkaErrorCode::BrokerTransportFailure,
    RDKafkaErrorCode::AllBrokersDown,
    RDKafkaErrorCode::Resolve,
    RDKafkaErrorCode::OperationTimedOut,
];

/// An error that the client gets over is logged by its context; the others end the reader. `gone` is said where what comes
/// next is not there any more.
///
/// # Errors
/// What ends the reader.
pub(super) fn trouble(
    error: &KafkaError,
    topic: &str,
    environment: &str,
    watch: &Watch,
    gone: impl FnOnce() -> Fault,
) -> Result<(), Fault> {
    let Some(code) = error.rdkafka_error_code() else { return Ok(()) };
    match code {
        RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
            Err(Fault::new(Blame::Operator, format!("topic `{topic}` is gone from {environment}")))
        }
        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => Err(gone()),
        // Without a group it does not matter what its coordinator thinks.
        RDKafkaErrorCode::GroupAuthorizationFailed => Ok(()),
        code => match severity(code, &code.to_string()) {
            Severity::Final(fault) => Err(watch.ending().unwrap_or(fault)),
            // That no broker answers is said once for all readers of the connection.
            Severity::Passing(fault) if LOST.contains(&code) => {
                tracing::debug!(topic, "{fault}");
                Ok(())
            }
            Severity::Passing(fault) => {
                tracing::warn!(topic, "{fault}");
                Ok(())
            }
        },
    }
}
