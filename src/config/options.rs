//! A YAML file of options, as SQL's `config_file` names one: `extends`, variables and Jinja as everywhere, flattened to
//! dotted keys. It gives no key a meaning.

use std::path::Path;

use crate::core::fault::{Blame, Fault, Place};

use super::leaf::{Remarks, Renderer};
use super::node::{Kind, Node, Rendered};
use super::sources::SourceFile;
use super::variables::Variables;
use super::{blocks, extends};

/// One option of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOption {
    /// Keys from the outside in, joined by points.
    pub key: String,
    /// The value; the items of a list joined by commas.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// The options of a file, bases first where a key is not written again.
///
/// # Errors
/// What is wrong with the file, each with its place; a variable that is not set.
pub fn options(path: &Path, variables: &Variables) -> Result<Vec<FileOption>, Vec<Fault>> {
    let read = |path: &Path| -> Result<Node, Vec<Fault>> {
        let file = SourceFile::read(path.to_owned());
        let text = file.text.as_ref().map_err(|fault| vec![fault.clone()])?;
        let parsed = blocks::parse(&file.shown(), text, variables).map_err(|fault| vec![fault])?;
        if parsed.faults.is_empty() { Ok(parsed.node) } else { Err(parsed.faults) }
    };
    let mut tree = extends::resolve(path, read(path)?, &mut |base| read(base))?;
    let mut remarks = Remarks::default();
    Renderer::new(variables).render(&mut tree, &[], &mut remarks);
    let mut found = Vec::new();
    let mut faults = remarks.faults;
    flatten("", &tree, &mut found, &mut faults);
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

fn flatten(path: &str, node: &Node, found: &mut Vec<FileOption>, faults: &mut Vec<Fault>) {
    match &node.kind {
        Kind::Map(entries) => {
            for entry in entries {
                let key = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                flatten(&key, &entry.value, found, faults);
            }
        }
        Kind::List(items) => {
            let texts: Vec<_> = items
                .iter()
                .map(|item| match &item.kind {
                    Kind::Leaf(leaf) => leaf.text.as_str(),
                    _ => {
                        let what = format!("`{path}` takes single values in its list");
                        faults.push(Fault::new(Blame::Configuration, what).at(item.place.clone()));
                        ""
                    }
                })
                .collect();
            found.push(FileOption { key: path.to_owned(), text: texts.join(","), place: node.place.clone() });
        }
        Kind::Leaf(leaf) if leaf.is_null() => {}
        Kind::Leaf(leaf) => match &leaf.rendered {
            Some(Rendered::Missing(missing)) => faults.extend(missing.iter().map(|(name, hint)| {
                Fault::new(Blame::Configuration, format!("`{path}` needs the variable {name}, which is not set"))
                    .at(node.place.clone())
                    .next(hint.clone())
            })),
            _ => found.push(FileOption { key: path.to_owned(), text: leaf.text.clone(), place: node.place.clone() }),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_lies_over_its_base_and_nests_become_points() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("base.yaml"),
            "type: kafka_source\nbrokers: a:1\nkafka:\n  fetch.min.bytes: 5\n",
        )
        .unwrap();
        std::fs::write(folder.path().join("top.yaml"), "extends: base.yaml\ntopic: orders\nbrokers: b:2\n").unwrap();
        let found = options(&folder.path().join("top.yaml"), &Variables::default()).unwrap();
        let mut pairs: Vec<_> = found.iter().map(|one| format!("{}={}", one.key, one.text)).collect();
        pairs.sort();
        assert_eq!(pairs, ["brokers=b:2", "kafka.fetch.min.bytes=5", "topic=orders", "type=kafka_source"]);
    }
}
