//! Orders on their way from the coordinator to the lanes of sources. Giving one never waits: a lane may stand still until
//! the sink has committed, and the coordinator alone can tell the sink to.

use std::collections::VecDeque;

use futures::future::select_all;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::report::LaneOrder;

/// A lane as the coordinator sees it.
pub struct LaneHandle {
    /// Which source of the job it reads.
    pub source: usize,
    orders: mpsc::Sender<LaneOrder>,
    /// Orders that found no room, oldest first. There are five at most: one barrier or close of the one checkpoint under
    /// way, one end, and splits before, between and behind them, which add up to one order each.
    waiting: VecDeque<LaneOrder>,
    /// Told to read no further; being told again would change nothing.
    is_ended: bool,
}

impl LaneHandle {
    /// A lane of a source that hears orders at the other end of this channel.
    pub fn new(source: usize, orders: mpsc::Sender<LaneOrder>) -> Self {
        Self { source, orders, waiting: VecDeque::new(), is_ended: false }
    }

    /// Gives an order; it comes after those that were given before.
    pub fn give(&mut self, order: LaneOrder) {
        match (order, self.waiting.back_mut()) {
            (LaneOrder::Assign(more), Some(LaneOrder::Assign(splits))) => splits.extend(more),
            (LaneOrder::Finish | LaneOrder::Stop, _) if self.is_ended => {}
            (order, _) => {
                self.is_ended |= matches!(order, LaneOrder::Finish | LaneOrder::Stop);
                self.waiting.push_back(order);
                self.send();
            }
        }
    }

    /// Sends what there is room for.
    fn send(&mut self) {
        while let Some(order) = self.waiting.pop_front() {
            match self.orders.try_send(order) {
                Ok(()) => {}
                Err(TrySendError::Full(order)) => {
                    self.waiting.push_front(order);
                    return;
                }
                // A lane that has gone has failed or has been cancelled: that is reported by itself.
                Err(TrySendError::Closed(_)) => self.waiting.clear(),
            }
        }
    }

    async fn when_there_is_room(&mut self) {
        // The room is left as it is found: nobody else sends to this lane.
        drop(self.orders.reserve().await);
        self.send();
    }
}

/// Sends what waits as soon as any lane has room for it; where nothing waits, it waits for ever. Dropping the future
/// loses no order.
pub async fn deliver(lanes: &mut [LaneHandle]) {
    let rooms: Vec<_> = lanes
        .iter_mut()
        .filter(|lane| !lane.waiting.is_empty())
        .map(|lane| Box::pin(lane.when_there_is_room()))
        .collect();
    if rooms.is_empty() {
        return std::future::pending().await;
    }
    select_all(rooms).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::connectors::contract::Split;
    use crate::sql::state::manifest::SplitState;

    fn assign(split: usize) -> LaneOrder {
        LaneOrder::Assign(vec![SplitState::new(Split(split.to_string()))])
    }

    fn told(order: &LaneOrder) -> String {
        match order {
            LaneOrder::Assign(splits) => {
                splits.iter().map(|split| split.split.0.as_str()).collect::<Vec<_>>().join(",")
            }
            LaneOrder::Barrier(epoch) => format!("barrier {epoch}"),
            LaneOrder::Finish => "finish".into(),
            LaneOrder::Stop => "stop".into(),
            LaneOrder::Close(epoch) => format!("close {epoch}"),
        }
    }

    #[tokio::test]
    async fn a_lane_that_does_not_listen_keeps_nobody_waiting_and_hears_everything_in_order_later() {
        let (sender, mut heard) = mpsc::channel(1);
        let mut lanes = [LaneHandle::new(0, sender)];
        for split in 0..1_000 {
            lanes[0].give(assign(split));
        }
        lanes[0].give(LaneOrder::Barrier(7));
        lanes[0].give(assign(1_000));
        for _ in 0..1_000 {
            lanes[0].give(LaneOrder::Finish);
        }
        lanes[0].give(LaneOrder::Stop);
        lanes[0].give(LaneOrder::Close(8));
        assert!(lanes[0].waiting.len() <= 5, "{} orders wait", lanes[0].waiting.len());
        let mut all = Vec::new();
        let listening = async {
            while all.last().is_none_or(|last| last != "close 8") {
                tokio::select! {
                    order = heard.recv() => all.push(told(&order.unwrap())),
                    () = deliver(&mut lanes) => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), listening).await.expect("every order comes");
        let rest = (1..1_000).map(|split: usize| split.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(all, ["0", &rest, "barrier 7", "1000", "finish", "close 8"]);
    }

    #[tokio::test]
    async fn orders_to_a_lane_that_has_gone_are_dropped() {
        let (sender, heard) = mpsc::channel(1);
        let mut lanes = [LaneHandle::new(0, sender)];
        lanes[0].give(LaneOrder::Barrier(1));
        lanes[0].give(LaneOrder::Stop);
        drop(heard);
        tokio::time::timeout(Duration::from_secs(20), deliver(&mut lanes)).await.expect("it does not wait for nobody");
        assert!(lanes[0].waiting.is_empty());
    }
}
