//! `extends: other.yaml`: a file laid over its base, mappings key by key, everything else whole. It refuses circles.

use std::path::{Path, PathBuf};

use crate::core::fault::{Blame, Fault, Place};

use super::node::{Entry, Kind, Node};

/// The key that names the base, relative to the file it stands in.
pub const EXTENDS: &str = "extends";

/// Longest chain of bases; more is not read by people either.
pub const BASES_MAX: usize = 8;

/// A tree with all its bases under it. `read` gives the tree of a file.
///
/// # Errors
/// A base that cannot be read, or a circle, with the chain of files.
pub fn resolve(
    path: &Path,
    mut node: Node,
    read: &mut dyn FnMut(&Path) -> Result<Node, Vec<Fault>>,
) -> Result<Node, Vec<Fault>> {
    let mut chain = vec![plain(path)];
    let mut here = path.to_owned();
    while let Some(entry) = node.take(EXTENDS) {
        let Kind::Leaf(leaf) = &entry.value.kind else {
            return Err(vec![refused("`extends` takes the name of one file".into(), entry.value.place)]);
        };
        if leaf.is_null() {
            break;
        }
        here = here.parent().unwrap_or(Path::new("")).join(&leaf.text);
        let circle = chain.contains(&plain(&here));
        chain.push(plain(&here));
        let shown = || chain.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" -> ");
        if circle {
            return Err(vec![refused(format!("`extends` runs in a circle: {}", shown()), entry.value.place)]);
        }
        if BASES_MAX < chain.len() {
            return Err(vec![refused(
                format!("`extends` goes over more than {BASES_MAX} files: {}", shown()),
                entry.value.place,
            )]);
        }
        let base = read(&here).map_err(|mut faults| {
            for fault in &mut faults {
                fault.next = format!(
                    "{}{}`extends` at {}",
                    fault.next,
                    if fault.next.is_empty() { "" } else { "; " },
                    entry.value.place
                );
            }
            faults
        })?;
        node = overlaid(base, node);
    }
    Ok(node)
}

fn refused(what: String, place: Place) -> Fault {
    Fault::new(Blame::Configuration, what).at(place)
}

/// A path without `.` and `x/..`, so that one file has one name in the chain.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// `over` laid on `base`: mappings by key, everything else replaced.
fn overlaid(base: Node, over: Node) -> Node {
    match (base.kind, over.kind) {
        (Kind::Map(base), Kind::Map(over_entries)) => {
            let mut entries = base;
            for entry in over_entries {
                match entries.iter().position(|known| known.key == entry.key) {
                    None => entries.push(entry),
                    Some(position) => {
                        let below = entries.remove(position);
                        let value = overlaid(below.value, entry.value);
                        entries.insert(position, Entry { key: entry.key, place: entry.place, value });
                    }
                }
            }
            Node { place: over.place, kind: Kind::Map(entries) }
        }
        (_, kind) => Node { place: over.place, kind },
    }
}
