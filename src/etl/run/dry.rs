//! The way out of a dry run: nothing is opened, and what was rendered counts as acknowledged.

use std::sync::Arc;

use crate::core::fault::Fault;
use crate::kafka::producer::{EnqueueFault, Outgoing};

use super::desk::Desk;
use super::lane::{LaneSpec, Open, Opener, Opening, Outbound};
use super::ticket::Ticket;

/// Opens nothing.
pub struct DryRun;

impl Opener for DryRun {
    fn open(&self, _: LaneSpec) -> Opening<'_> {
        Box::pin(async { Ok(Box::new(Self) as Box<dyn Open>) })
    }
}

impl Open for DryRun {
    fn producer(&self, _: &str, desk: Arc<Desk>) -> Result<Box<dyn Outbound>, Fault> {
        Ok(Box::new(Rendered(desk)))
    }
}

struct Rendered(Arc<Desk>);

impl Outbound for Rendered {
    fn enqueue(&self, _: Outgoing<'_>, ticket: Ticket) -> Result<(), EnqueueFault> {
        self.0.rendered(ticket);
        Ok(())
    }

    fn hurry(&self) {}

    fn abandon(&self) {}
}
