//! Text to tree: YAML with anchors, merge keys and places. It knows no variable and no type.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::core::fault::{Blame, Fault, Place};

use super::node::{Entry, Kind, Node};

/// Deepest nesting; no file of ours needs six.
pub const DEPTH_MAX: usize = 64;
/// Most nodes after aliases are expanded, so that a few lines of aliases to aliases cannot fill the memory.
pub const NODES_MAX: usize = 100_000;

/// A text as a tree, and the faults that do not stop it from being one (keys given twice).
///
/// # Errors
/// The place where it stops being YAML.
pub fn parse(file: &str, text: &str) -> Result<(Node, Vec<Fault>), Fault> {
    let mut builder =
        Builder { file, open: Vec::new(), anchors: HashMap::new(), nodes: 0, faults: Vec::new(), root: None };
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) = event.map_err(|error| {
            let place = place(file, error.marker().line(), error.marker().col());
            fault(format!("this is not YAML: {}", error.info()), place)
        })?;
        builder.take(event, span)?;
    }
    let root = builder.root.unwrap_or_else(|| Node { place: Place::at(file, 1, 1), kind: Kind::Map(Vec::new()) });
    Ok((root, builder.faults))
}

fn fault(what: impl Into<String>, place: Place) -> Fault {
    Fault::new(Blame::Configuration, what).at(place)
}

fn place(file: &str, line: usize, column_from_zero: usize) -> Place {
    Place::at(file, u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column_from_zero + 1).unwrap_or(u32::MAX))
}

struct Builder<'a> {
    file: &'a str,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    faults: Vec<Fault>,
    root: Option<Node>,
}

/// A list or mapping whose end has not come yet.
struct Open {
    place: Place,
    anchor: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, known: HashMap<String, Place>, merges: Vec<Node>, key: Option<(String, Place)> },
}

impl Builder<'_> {
    fn take(&mut self, event: Event, span: Span) -> Result<(), Fault> {
        let here = place(self.file, span.start.line(), span.start.col());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let texts = tag.is_some_and(|tag| tag.suffix == "str");
                let plain = style == ScalarStyle::Plain && !texts;
                self.close(Node::text(here, text, plain), anchor)
            }
            Event::Alias(anchor) => {
                let mut node = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| fault("this alias stands inside of what it names", here.clone()))?;
                node.place = here;
                self.nodes += node.size();
                self.close(node, 0)
            }
            Event::SequenceStart(anchor, _) => self.begin(here, anchor, Inside::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(
                here,
                anchor,
                Inside::Map { entries: Vec::new(), known: HashMap::new(), merges: Vec::new(), key: None },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(fault("a second document begins here; a file holds one", here)
                    .next("remove the `---` between them"))
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, place: Place, anchor: usize, inside: Inside) -> Result<(), Fault> {
        if DEPTH_MAX <= self.open.len() {
            return Err(fault(format!("more than {DEPTH_MAX} levels of nesting"), place));
        }
        if let Some(Open { inside: Inside::Map { key: None, .. }, .. }) = self.open.last() {
            return Err(fault("a list or mapping as a key", place).next("put quotes around `{{ … }}`"));
        }
        self.open.push(Open { place, anchor, inside });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let kind = match open.inside {
            Inside::List(items) => Kind::List(items),
            Inside::Map { mut entries, mut known, merges, .. } => {
                for entry in merges.into_iter().flat_map(merged_entries) {
                    if known.insert(entry.key.clone(), entry.place.clone()).is_none() {
                        entries.push(entry);
                    }
                }
                Kind::Map(entries)
            }
        };
        self.close(Node { place: open.place, kind }, open.anchor)
    }

    /// A node is complete: it goes into what is open around it.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        self.nodes += 1;
        if NODES_MAX < self.nodes {
            return Err(fault(format!("more than {NODES_MAX} values, aliases expanded"), node.place));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.root = Some(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map { entries, known, merges, key }) => match key.take() {
                None => match node.kind {
                    Kind::Leaf(leaf) => *key = Some((leaf.text, node.place)),
                    _ => return Err(fault("a list or mapping as a key", node.place)),
                },
                Some((name, place)) if name == "<<" => {
                    if !is_mergeable(&node) {
                        return Err(fault("`<<` takes a mapping or a list of mappings", place));
                    }
                    merges.push(node);
                }
                Some((name, place)) => match known.get(&name) {
                    Some(first) => self.faults.push(
                        fault(format!("the key `{name}` is given twice"), place)
                            .next(format!("keep one; the first is at {first}")),
                    ),
                    None => {
                        known.insert(name.clone(), place.clone());
                        entries.push(Entry { key: name, place, value: node });
                    }
                },
            },
        }
        Ok(())
    }
}

fn is_mergeable(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(_) => true,
        Kind::List(items) => items.iter().all(|item| matches!(item.kind, Kind::Map(_))),
        Kind::Leaf(_) => false,
    }
}

fn merged_entries(node: Node) -> Vec<Entry> {
    match node.kind {
        Kind::Map(entries) => entries,
        Kind::List(items) => items.into_iter().flat_map(merged_entries).collect(),
        Kind::Leaf(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        match &node.kind {
            Kind::Leaf(leaf) if leaf.plain => leaf.text.clone(),
            Kind::Leaf(leaf) => format!("{:?}", leaf.text),
            Kind::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Kind::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|entry| format!("{}={}", entry.key, shown(&entry.value))).collect();
                format!("{{{}}}", entries.join(" "))
            }
        }
    }

    #[test]
    fn anchors_and_merge_keys_expand_and_what_is_written_wins() {
        let text = "base: &b {a: 1, b: '2'}\nuse:\n  <<: *b\n  a: 3\nlist: [*b, x]\nboth:\n  <<: [{a: 7}, *b]\n";
        let (node, faults) = parse("f.yaml", text).expect("YAML");
        assert!(faults.is_empty());
        assert_eq!(shown(&node), "{base={a=1 b=\"2\"} use={a=3 b=\"2\"} list=[{a=1 b=\"2\"} x] both={a=7 b=\"2\"}}");
    }

    #[test]
    fn what_is_not_one_tree_is_refused_with_its_place() {
        let bomb = std::iter::once("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned())
            .chain((1..9).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","))))
            .collect::<String>();
        for (text, expected) in [
            ("a: [1", "f.yaml:2:1: this is not YAML"),
            ("a: &x [*x]", "this alias stands inside of what it names"),
            ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here"),
            ("? [a]\n: 1\n", "a list or mapping as a key"),
            ("a:\n  <<: 3\n", "f.yaml:2:3: `<<` takes a mapping"),
            (&"[".repeat(100), "more than 64 levels"),
            (&bomb, "more than 100000 values"),
        ] {
            let fault = parse("f.yaml", text).err().expect(text).to_string();
            assert!(fault.contains(expected), "{text}: {fault}");
        }
    }

    #[test]
    fn a_key_given_twice_names_both_places() {
        let (_, faults) = parse("f.yaml", "a: 1\nb: 2\na: 3\n").expect("YAML");
        assert_eq!(
            faults[0].to_string(),
            "f.yaml:3:1: the key `a` is given twice; keep one; the first is at f.yaml:1:1"
        );
    }
}
