//! Which checkpoint a job goes on from, and what of it still fits. It reads the store and starts nothing.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use super::operator::StateTable;
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::{NodeKind, StreamPlan};
use crate::sql::state::checkpoint::{self, Restored};
use crate::sql::state::manifest::{JobText, LaneState, SplitState};
use crate::sql::state::store::Store;

/// What dropped state means for results.
const ANEW: &str = "what was kept there begins anew: windows that are open, and groups, answer for the rows that come from now on alone";

/// What a job goes on from.
#[derive(Debug, Default)]
pub struct Resumed {
    /// The checkpoint; 0 for a beginning.
    pub epoch: u64,
    /// What the sink has to make visible first.
    pub commit: Option<(u64, String)>,
    /// Whether the job had come to its end then.
    pub has_finished: bool,
    /// Whether the SQL text is another one now.
    pub has_changed: bool,
    /// Where the sources stood.
    pub lanes: Vec<LaneState>,
    /// State by the identity of its operator.
    pub tables: HashMap<String, Vec<StateTable>>,
    /// What should be known.
    pub messages: Vec<String>,
    /// What makes results others than those of an undisturbed run.
    pub warnings: Vec<String>,
}

/// The identity of the rows that a source read as a table remembers.
pub fn upsert_identity(source: &str) -> String {
    format!("{source}.rows")
}

/// What a job goes on from, given the checkpoint that its sink knows to be visible.
///
/// # Errors
/// No checkpoint that would write every row once; one that is damaged where no other will do.
pub fn resume(
    store: &dyn Store,
    committed: Option<u64>,
    exactly_once: bool,
    text: &JobText,
    plan: &StreamPlan,
    identities: &[String],
) -> Result<Resumed, Fault> {
    let mut messages = Vec::new();
    let restored = match committed.filter(|_| exactly_once) {
        Some(epoch) => visible(store, epoch)?,
        None => newest(store, exactly_once, &mut messages)?,
    };
    let Some(Restored { manifest, mut tables }) = restored else {
        return Ok(Resumed { messages, ..Resumed::default() });
    };
    let mut warnings = Vec::new();
    if let (Some(then), Some(now)) = (&manifest.script, &text.script)
        && then != now
    {
        if Path::new(then).is_file() {
            let what = format!("checkpoint {} in {} is of {then}, and this is {now}", manifest.epoch, store.place());
            return Err(Fault::new(Blame::Operator, what).next(
                "going on would leave out what that one has read: name another --state-dir, or give each an `-- @app: NAME`",
            ));
        }
        warnings.push(format!("checkpoint {} is of {then}, which is not there any more", manifest.epoch));
    }
    if let Some((source, then, now)) = text.moved(&manifest) {
        let what = format!(
            "checkpoint {} in {} has read `{source}` in {then}, and this is {now}: positions of one cluster say nothing \
             of another",
            manifest.epoch,
            store.place()
        );
        return Err(Fault::new(Blame::Operator, what).next("name another --state-dir for each environment"));
    }
    checkpoint::forget_newer(store, manifest.epoch)?;
    let varied = text.varied(&manifest);
    let has_changed = text.is_another_than(&manifest) || !varied.is_empty();
    messages.insert(0, format!("goes on from checkpoint {} in {}", manifest.epoch, store.place()));
    let redefined = text.redefined(&manifest);
    let mut others = Vec::new();
    if text.statement != manifest.sql {
        others.push("the SQL text is another one".to_owned());
    }
    if !redefined.is_empty() {
        let names = redefined.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        others.push(format!("the definition of {names} is another one"));
    }
    if !varied.is_empty() {
        let names = varied.iter().map(|name| format!("`${{{name}}}`")).collect::<Vec<_>>().join(" and ");
        others.push(format!("{names} says something else"));
    }
    if has_changed {
        warnings.push(format!("{} than at that checkpoint: state that still fits is kept", others.join(", and ")));
    }
    let reconfigured = text.reconfigured(&manifest);
    if !reconfigured.is_empty() {
        let names = reconfigured.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        warnings.push(format!(
            "{names}: options are others than at that checkpoint, by a variable or a configuration file; its state and \
             positions are kept"
        ));
    }
    let known = known(plan, identities);
    let mut has_dropped = false;
    for operator in &manifest.operators {
        let rows: usize = operator.tables.iter().map(|table| table.rows).sum();
        if !known.contains(&operator.identity) {
            tables.remove(&operator.identity);
            if rows > 0 {
                warnings.push(format!("dropped {rows} rows of state: no operator is `{}` any more", operator.label));
                has_dropped = true;
            }
        }
    }
    if has_dropped {
        warnings.push(ANEW.to_owned());
    }
    let (lanes, dropped): (Vec<_>, Vec<_>) = manifest.lanes.into_iter().partition(|lane| known.contains(&lane.source));
    if !dropped.is_empty() {
        warnings.push("dropped the positions of a source that is not read any more".into());
    }
    let commit = match (exactly_once, committed) {
        (true, None) => manifest.prepared.map(|prepared| (manifest.epoch, prepared)),
        _ => None,
    };
    let has_finished = manifest.has_finished;
    Ok(Resumed { epoch: manifest.epoch, commit, has_finished, has_changed, lanes, tables, messages, warnings })
}

impl Resumed {
    /// What is known of a source's splits, and the watermark it had given. The end of its input is no time to go on from:
    /// there it is that of the rows that were read, whose disorder is at most this.
    pub fn source(&self, identity: &str, out_of_orderness: Duration) -> (HashMap<String, SplitState>, i64) {
        let lanes: Vec<_> = self.lanes.iter().filter(|lane| lane.source == identity).collect();
        let splits = lanes.iter().flat_map(|lane| &lane.splits).map(|split| (split.split.0.clone(), split.clone()));
        let mut watermark = lanes.iter().map(|lane| lane.watermark).min().unwrap_or(i64::MIN);
        if watermark == i64::MAX {
            let newest = lanes.iter().flat_map(|lane| &lane.splits).filter_map(|split| split.newest).min();
            let disorder_ms = i64::try_from(out_of_orderness.as_millis()).unwrap_or(i64::MAX);
            watermark = newest.map_or(i64::MIN, |newest| newest.saturating_sub(disorder_ms));
        }
        (splits.collect(), watermark)
    }
}

/// The checkpoint whose rows are visible for certain; what came after it is read again.
fn visible(store: &dyn Store, epoch: u64) -> Result<Option<Restored>, Fault> {
    if epoch == 0 {
        // The second checkpoint is begun only when the first is visible: a sink that knows of none has forgotten.
        if let Some(newest) = checkpoint::epochs(store)?.last().filter(|newest| **newest > 1) {
            let what = format!(
                "the sink remembers no checkpoint of this job, and {} holds checkpoint {newest}: going on would write rows twice",
                store.place()
            );
            return Err(Fault::new(Blame::Operator, what).next(
                "the topic is a new one, or brokers forgot the job's group (offsets.retention.minutes); to begin anew, name \
                 another --state-dir, or of a deployed job: jobs resume NAME --from-scratch",
            ));
        }
        checkpoint::forget_newer(store, 0)?;
        return Ok(None);
    }
    if !checkpoint::epochs(store)?.contains(&epoch) {
        let what = format!(
            "the sink holds the rows up to checkpoint {epoch} of this job, which is not in {}: going on would write rows twice",
            store.place()
        );
        return Err(Fault::new(Blame::Operator, what)
            .next("name the --state-dir that holds it, or give the job another name to begin anew"));
    }
    checkpoint::read(store, epoch).map(Some)
}

/// The newest checkpoint that can be read.
fn newest(store: &dyn Store, exactly_once: bool, messages: &mut Vec<String>) -> Result<Option<Restored>, Fault> {
    let epochs = checkpoint::epochs(store)?;
    for epoch in epochs.iter().rev() {
        match checkpoint::read(store, *epoch) {
            Ok(restored) => return Ok(Some(restored)),
            // Rows of it may be visible already: an older one would write them twice.
            Err(fault) if exactly_once => {
                return Err(fault.next("restore the file, or give the job another name to begin anew"));
            }
            Err(fault) if *epoch == epochs[0] => {
                return Err(fault.next("no older checkpoint is left; name another --state-dir to begin anew"));
            }
            Err(fault) => messages.push(format!("{}; the one before it is used", fault.what)),
        }
    }
    Ok(None)
}

fn known(plan: &StreamPlan, identities: &[String]) -> HashSet<String> {
    let upserts = plan.nodes.iter().zip(identities).filter(|(node, _)| matches!(node.kind, NodeKind::Source(_)));
    identities.iter().cloned().chain(upserts.map(|(_, identity)| upsert_identity(identity))).collect()
}
