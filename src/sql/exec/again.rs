//! What a job that is started again finds in sources that it had read to their ends: which splits have more by now, and
//! what is said where none has. It reads no row.

use super::assemble::Opened;
use super::resume::Resumed;
use crate::connectors::contract::{Position, Split};
use crate::sql::plan::stream::{JoinBound, NodeKind, StreamPlan};
use crate::sql::state::manifest::LaneState;

/// What is said where a job has nothing left to do.
const ANEW: &str = "name another --state-dir to read it again";

/// Takes the end from splits that have more than was read of them: rows were added, or their source does not end any more.
/// Answers whether there is nothing to run for.
pub async fn look(plan: &StreamPlan, identities: &[String], sources: &[Opened], resumed: &mut Resumed) -> bool {
    if resumed.epoch == 0 {
        return false;
    }
    let mut is_all_read = true;
    let mut had_stopped_early = false;
    let mut exhausted = Vec::new();
    for Opened { id, node, splits } in sources {
        let of_source = |lane: &&mut LaneState| lane.source == identities[id.0];
        let mut known: Vec<_> = resumed.lanes.iter_mut().filter(of_source).flat_map(|lane| &mut lane.splits).collect();
        had_stopped_early |= known.iter().any(|split| !split.has_ended);
        let is_new = |split: &Split| !known.iter().any(|known| known.split == *split);
        let has_new = splits.iter().any(is_new);
        known.retain(|split| split.has_ended && splits.contains(&split.split));
        let parts: Vec<(Split, Option<Position>)> =
            known.iter().map(|split| (split.split.clone(), split.position.clone())).collect();
        let more = match node.source.is_bounded() {
            true => node.source.has_more(&parts).await,
            false => vec![true; parts.len()],
        };
        for (split, has_more) in known.iter_mut().zip(&more) {
            split.has_ended = !has_more;
        }
        let is_read = !has_new && node.source.is_bounded() && !more.contains(&true);
        is_all_read &= is_read;
        if is_read && !parts.is_empty() {
            exhausted.push(format!("`{}`", node.name));
        }
    }
    let Resumed { epoch, has_finished, has_changed, messages, .. } = resumed;
    if *has_finished && !*has_changed && had_stopped_early {
        messages.push(
            "the job had come to its end: it has all the rows it wanted; name another --state-dir to run it again"
                .into(),
        );
        return true;
    }
    if is_all_read && !had_stopped_early {
        let names = exhausted.join(", ");
        messages.push(format!(
            "everything had been read already: nothing was added to {names} since checkpoint {epoch}; {ANEW}"
        ));
        return *has_finished && !*has_changed;
    }
    messages
        .extend(exhausted.iter().map(|name| format!("{name} had been read to its end, and nothing was added to it")));
    if *has_finished {
        let closes = if plan.nodes.iter().any(|node| closes_with_time(&node.kind)) {
            ". What was open in time then is closed: a window that gets more rows gives another result of them alone"
        } else {
            ""
        };
        messages.push(format!("the job had come to its end: it goes on with what was added since{closes}"));
    }
    false
}

/// Whether the end of input closes what a node holds, so that rows that come later do not meet it.
fn closes_with_time(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::WindowAggregate { .. } | NodeKind::CarriedWindowAggregate { .. } => true,
        NodeKind::Join(join) => {
            matches!(join.bound, JoinBound::Interval { .. } | JoinBound::Window { .. } | JoinBound::Temporal { .. })
        }
        _ => false,
    }
}
