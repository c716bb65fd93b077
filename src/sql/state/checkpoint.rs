//! Writes checkpoints, finds them again and reads them whole: a file that is not as it was written is said, not used.

use std::collections::HashMap;

use super::manifest::{FORM, Manifest, OperatorEntry, TableFile, sha256};
use super::snapshot;
use super::store::Store;
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::operator::StateTable;

/// Where the checkpoints are.
const FOLDER: &str = "checkpoints";
/// The file that makes a checkpoint one: it is written last.
const MANIFEST: &str = "manifest.json";

/// State of one operator's instance.
#[derive(Debug)]
pub struct OperatorState {
    /// The operator's identity over restarts.
    pub identity: String,
    /// Its label, for people.
    pub label: String,
    /// Which instance.
    pub instance: usize,
    /// Its tables.
    pub tables: Vec<StateTable>,
}

/// A checkpoint that was read.
#[derive(Debug)]
pub struct Restored {
    /// Its manifest.
    pub manifest: Manifest,
    /// The tables of each operator by its identity, of all former instances.
    pub tables: HashMap<String, Vec<StateTable>>,
}

fn folder(epoch: u64) -> String {
    // Names in the order of the epochs.
    format!("{FOLDER}/{epoch:020}")
}

/// Writes a checkpoint: the state's files, then its manifest. Answers with the bytes written.
///
/// # Errors
/// The store's.
pub fn write(store: &dyn Store, mut manifest: Manifest, states: &[OperatorState]) -> Result<u64, Fault> {
    let folder = folder(manifest.epoch);
    // What an attempt left that did not come to its manifest.
    store.remove(&folder)?;
    let mut written = 0;
    for state in states {
        let position = match manifest.operators.iter().position(|entry| entry.identity == state.identity) {
            Some(position) => position,
            None => {
                let (identity, label) = (state.identity.clone(), state.label.clone());
                manifest.operators.push(OperatorEntry { identity, label, tables: Vec::new() });
                manifest.operators.len() - 1
            }
        };
        for (number, table) in state.tables.iter().enumerate() {
            let bytes = snapshot::write(&table.batch)?;
            let file = format!("{}.{}.{number}.{}.arrow.zst", state.identity, state.instance, table.name);
            store.write(&format!("{folder}/{file}"), &bytes)?;
            written += bytes.len() as u64;
            manifest.operators[position].tables.push(TableFile {
                table: table.name.clone(),
                instance: state.instance,
                keys: table.keys,
                rows: table.batch.num_rows(),
                file,
                bytes: bytes.len() as u64,
                sha256: sha256(&bytes),
            });
        }
    }
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Fault::new(Blame::Program, format!("the manifest cannot be written: {error}")))?;
    store.write(&format!("{folder}/{MANIFEST}"), &text)?;
    Ok(written + text.len() as u64)
}

/// The epochs of complete checkpoints, oldest first.
///
/// # Errors
/// The store's.
pub fn epochs(store: &dyn Store) -> Result<Vec<u64>, Fault> {
    let mut epochs = Vec::new();
    for name in store.list(FOLDER)? {
        if let Ok(epoch) = name.parse::<u64>()
            && store.list(&folder(epoch))?.iter().any(|file| file == MANIFEST)
        {
            epochs.push(epoch);
        }
    }
    Ok(epochs)
}

/// Reads a checkpoint, every file of it.
///
/// # Errors
/// What is not as it was written, with the file.
pub fn read(store: &dyn Store, epoch: u64) -> Result<Restored, Fault> {
    let folder = folder(epoch);
    let broken = |file: &str, why: &str| {
        Fault::new(Blame::Operator, format!("checkpoint {epoch} in {} is damaged: {file}: {why}", store.place()))
    };
    let text = store.read(&format!("{folder}/{MANIFEST}"))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| broken(MANIFEST, &format!("not a manifest: {error}")))?;
    if manifest.form != FORM {
        let what = format!("checkpoint {epoch} in {} was written by another version of this program", store.place());
        return Err(Fault::new(Blame::Operator, what).next("run that version, or begin anew with another --state-dir"));
    }
    let mut tables: HashMap<String, Vec<StateTable>> = HashMap::new();
    for operator in &manifest.operators {
        let of_operator = tables.entry(operator.identity.clone()).or_default();
        for table in &operator.tables {
            let bytes =
                store.read(&format!("{folder}/{}", table.file)).map_err(|fault| broken(&table.file, &fault.what))?;
            if sha256(&bytes) != table.sha256 {
                let why = format!("{} bytes whose checksum is not the manifest's", bytes.len());
                return Err(broken(&table.file, &why));
            }
            let batch = snapshot::read(&bytes).map_err(|fault| broken(&table.file, &fault.what))?;
            of_operator.push(StateTable { name: table.table.clone(), batch, keys: table.keys });
        }
    }
    Ok(Restored { manifest, tables })
}

/// When a checkpoint was written, milliseconds since 1970; none where it cannot be read.
pub fn written_ms(store: &dyn Store, epoch: u64) -> Option<i64> {
    manifest(store, epoch).map(|manifest| manifest.written_ms)
}

/// What the newest checkpoint says of itself; none where there is none that can be read.
pub fn newest_manifest(store: &dyn Store) -> Option<Manifest> {
    manifest(store, epochs(store).ok()?.last().copied()?)
}

fn manifest(store: &dyn Store, epoch: u64) -> Option<Manifest> {
    let text = store.read(&format!("{}/{MANIFEST}", folder(epoch))).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Removes all checkpoints older than the newest `kept`, and what unfinished ones left.
///
/// # Errors
/// The store's.
pub fn forget_old(store: &dyn Store, kept: usize) -> Result<(), Fault> {
    let complete = epochs(store)?;
    let Some(oldest_kept) = complete.len().checked_sub(kept.max(1)).map(|index| complete[index]) else { return Ok(()) };
    forget(store, |epoch| epoch < oldest_kept)
}

/// Removes the checkpoints after `epoch`: the job goes on from there.
///
/// # Errors
/// The store's.
pub fn forget_newer(store: &dyn Store, epoch: u64) -> Result<(), Fault> {
    forget(store, |other| other > epoch)
}

fn forget(store: &dyn Store, is_forgotten: impl Fn(u64) -> bool) -> Result<(), Fault> {
    for name in store.list(FOLDER)? {
        if name.parse::<u64>().is_ok_and(&is_forgotten) {
            // The manifest first: half a checkpoint must not look like one.
            store.remove(&format!("{FOLDER}/{name}/{MANIFEST}"))?;
            store.remove(&format!("{FOLDER}/{name}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};

    use super::*;
    use crate::sql::state::folder::Folder;
    use crate::sql::state::spread::spread;

    fn manifest(epoch: u64) -> Manifest {
        Manifest {
            form: FORM,
            epoch,
            job: "orders".into(),
            written_ms: 0,
            sql_sha256: sha256(b"SELECT 1"),
            definitions: Some(std::collections::BTreeMap::new()),
            ends: None,
            script: None,
            variables: None,
            clusters: std::collections::BTreeMap::new(),
            columns: std::collections::BTreeMap::new(),
            sql: "SELECT 1".into(),
            has_finished: false,
            lanes: Vec::new(),
            operators: Vec::new(),
            prepared: Some("transaction 7".into()),
        }
    }

    fn state() -> OperatorState {
        let keys = Arc::new(StringArray::from_iter_values((0..1_000).map(|i| format!("key {i}"))));
        let sums = Arc::new(Int64Array::from_iter_values(0..1_000));
        let batch = RecordBatch::try_from_iter([("key", keys as _), ("sum", sums as _)]).unwrap();
        let tables = vec![StateTable { name: "groups".into(), batch, keys: 1 }];
        OperatorState { identity: "group-1".into(), label: "sum by key".into(), instance: 0, tables }
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written_and_only_the_last_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        for epoch in 1..=5 {
            write(&folder, manifest(epoch), &[state()]).unwrap();
        }
        forget_old(&folder, 3).unwrap();
        assert_eq!(epochs(&folder).unwrap(), [3, 4, 5]);
        let restored = read(&folder, 5).unwrap();
        assert_eq!(restored.manifest.prepared.as_deref(), Some("transaction 7"));
        assert_eq!(restored.tables["group-1"][0].batch, state().tables[0].batch);
        forget_newer(&folder, 3).unwrap();
        assert_eq!(epochs(&folder).unwrap(), [3]);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        write(&folder, manifest(1), &[state()]).unwrap();
        let file = place.path().join("checkpoints/00000000000000000001/group-1.0.0.groups.arrow.zst");
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let fault = read(&folder, 1).unwrap_err();
        assert!(fault.what.contains("checkpoint 1") && fault.what.contains("group-1.0.0.groups"), "{fault}");
    }

    #[test]
    fn without_its_manifest_a_checkpoint_is_none() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        write(&folder, manifest(1), &[state()]).unwrap();
        folder.write("checkpoints/00000000000000000002/group-1.0.0.groups.arrow.zst", b"half").unwrap();
        assert_eq!(epochs(&folder).unwrap(), [1]);
    }

    #[test]
    fn rows_of_state_are_spread_over_any_number_of_instances_and_none_is_lost() {
        for instances in [1, 2, 3, 7] {
            let spread = spread(state().tables, instances).unwrap();
            let rows: Vec<usize> = spread.iter().map(|tables| tables[0].batch.num_rows()).collect();
            assert_eq!((rows.len(), rows.iter().sum::<usize>()), (instances, 1_000));
            assert!(rows.iter().all(|rows| *rows > 500 / instances), "{rows:?}");
        }
    }
}
