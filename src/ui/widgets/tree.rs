//! A tree of two levels, branches and leaves, drawn as a table. Which branches are closed is its own; facts are lent to it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cursor::Pointed;
use super::listing::{Listing, Rows};
use super::number::grouped;
use super::search::Search;
use super::table::{self, Look};
use crate::ui::theme::{Theme, marks};

/// A line of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// A branch, from 0.
    Branch(usize),
    /// A branch, and a leaf of it, from 0.
    Leaf(usize, usize),
}

/// What a tree shows. The first column names a node; branches' names differ.
pub trait Branches {
    /// The number of branches.
    fn branches(&self) -> usize;

    /// The number of leaves of a branch.
    fn leaves(&self, branch: usize) -> usize;

    /// What a cell says.
    fn text(&self, node: Node, column: usize) -> Cow<'_, str>;

    /// How a cell looks, over the theme's base.
    fn style(&self, _node: Node, _column: usize, _theme: &Theme) -> Style {
        Style::new()
    }
}

/// Cursor, filter, and what is closed.
#[derive(Debug, Default)]
pub struct Tree {
    listing: Listing,
    lines: Vec<Node>,
    closed: BTreeSet<String>,
    changed: bool,
    stamp: Option<(u64, u64)>,
}

impl Tree {
    /// Takes the facts as they are now; the same revision costs nothing. The cursor stays on its node.
    pub fn refresh(&mut self, facts: &impl Branches, columns: usize, revision: u64) {
        let stamp = Some((revision, self.listing.search().revision()));
        if self.stamp == stamp && !self.changed {
            return;
        }
        let typed = self.stamp.is_some_and(|(_, search)| Some(search) != stamp.map(|(_, search)| search));
        (self.stamp, self.changed) = (stamp, false);
        self.lines = self.lines_of(facts, columns);
        let order = self.lines.iter().enumerate().map(|(line, node)| (line as u32, identity(facts, *node))).collect();
        self.listing.set_order(order, self.lines.len());
        if typed && self.listing.search().is_active() {
            // The first leaf: a branch is there only to say where it belongs.
            self.listing.select(usize::from(self.lines.len() > 1));
        }
    }

    /// The node under the cursor.
    pub fn selected(&self) -> Option<Node> {
        self.listing.selected().and_then(|line| self.lines.get(line)).copied()
    }

    /// Puts the cursor on a node, where it is shown.
    pub fn select(&mut self, node: Node) {
        if let Some(line) = self.lines.iter().position(|shown| *shown == node) {
            self.listing.select(line);
        }
    }

    /// Puts the cursor on a node wherever it is: opens its branch, and drops a filter, which might hide it.
    pub fn reveal(&mut self, facts: &impl Branches, columns: usize, revision: u64, node: Node) {
        let (Node::Branch(branch) | Node::Leaf(branch, _)) = node;
        self.closed.remove(&*facts.text(Node::Branch(branch), 0));
        self.listing.search_mut().clear();
        self.changed = true;
        self.refresh(facts, columns, revision);
        self.select(node);
    }

    /// Whether keys go into the filter.
    pub fn is_typing(&self) -> bool {
        self.listing.search().is_typing()
    }

    /// Whether a filter hides nodes.
    pub fn is_filtered(&self) -> bool {
        self.listing.search().is_active()
    }

    /// The filter.
    pub fn search(&self) -> &Search {
        self.listing.search()
    }

    /// The filter, to be changed from outside.
    pub fn listing_mut(&mut self) -> &mut Listing {
        &mut self.listing
    }

    /// Takes a key: Left and `h` close, Right and `l` open, Enter and Space turn a branch over; and all of a list but sorting.
    pub fn key(&mut self, facts: &impl Branches, key: KeyEvent) -> bool {
        if self.is_typing() {
            return self.listing.key(key);
        }
        match (key.code, self.selected()) {
            (KeyCode::Char('s' | 'S'), _) => return false,
            (KeyCode::Enter | KeyCode::Char(' '), Some(Node::Branch(branch))) => {
                let name = facts.text(Node::Branch(branch), 0).into_owned();
                if !self.closed.remove(&name) {
                    self.closed.insert(name);
                }
            }
            (KeyCode::Left | KeyCode::Char('h'), Some(Node::Branch(branch) | Node::Leaf(branch, _))) => {
                self.closed.insert(facts.text(Node::Branch(branch), 0).into_owned());
                self.select(Node::Branch(branch));
            }
            (KeyCode::Right | KeyCode::Char('l'), Some(Node::Branch(branch))) => {
                self.closed.remove(&*facts.text(Node::Branch(branch), 0));
            }
            _ => return self.listing.key(key),
        }
        self.changed = true;
        true
    }

    /// Takes the mouse; a second press on a branch turns it over.
    pub fn mouse(&mut self, facts: &impl Branches, mouse: MouseEvent) -> Pointed {
        let pointed = self.listing.mouse(mouse);
        if pointed == Pointed::Opened && matches!(self.selected(), Some(Node::Branch(_))) {
            self.key(facts, KeyEvent::from(KeyCode::Enter));
            return Pointed::Chosen;
        }
        pointed
    }

    /// Draws nodes, and a last line with filter and the count of leaves. Refresh before.
    pub fn draw(&mut self, facts: &impl Branches, look: Look<'_>, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        if area.height < 2 || area.width < 4 {
            return;
        }
        let all_open = self.listing.search().is_active();
        let lines = Lines { facts, lines: &self.lines, closed: &self.closed, all_open };
        let body = Rect { height: area.height - 1, ..area };
        table::draw_rows(&mut self.listing, &lines, look, body, buffer, theme);
        let last = Rect { y: area.bottom() - 1, height: 1, ..area };
        table::draw_filter(self.listing.search(), &self.count(facts), last, look.focused, buffer, theme);
    }

    /// `(7/12)`: the leaf under the cursor of all leaves; `(12)` where the cursor is on none.
    fn count(&self, facts: &impl Branches) -> String {
        let total: usize = (0..facts.branches()).map(|branch| facts.leaves(branch)).sum();
        let place = match self.selected() {
            Some(Node::Leaf(branch, leaf)) => (0..branch).map(|before| facts.leaves(before)).sum::<usize>() + leaf + 1,
            Some(Node::Branch(_)) | None => 0,
        };
        if self.listing.search().is_active() {
            let shown = self.lines.iter().filter(|node| matches!(node, Node::Leaf(..))).count();
            return format!("({} of {})", grouped(shown as u64), grouped(total as u64));
        }
        match place {
            0 => format!("({})", grouped(total as u64)),
            place => format!("({}/{})", grouped(place as u64), grouped(total as u64)),
        }
    }

    fn lines_of(&mut self, facts: &impl Branches, columns: usize) -> Vec<Node> {
        let mut lines = Vec::new();
        for branch in 0..facts.branches() {
            let node = Node::Branch(branch);
            let name = facts.text(node, 0).into_owned();
            let leaves = (0..facts.leaves(branch)).map(|leaf| Node::Leaf(branch, leaf));
            if !self.listing.search().is_active() {
                lines.push(node);
                lines.extend(leaves.filter(|_| !self.closed.contains(&name)));
                continue;
            }
            let whole = self.listing.search_mut().score(&name).is_some();
            let matching: Vec<Node> = leaves.filter(|leaf| whole || self.matches(facts, *leaf, columns)).collect();
            if whole || !matching.is_empty() {
                lines.push(node);
                lines.extend(matching);
            }
        }
        lines
    }

    fn matches(&mut self, facts: &impl Branches, node: Node, columns: usize) -> bool {
        let words: Vec<Cow<'_, str>> = (0..columns).map(|column| facts.text(node, column)).collect();
        self.listing.search_mut().score(&words.join(" ")).is_some()
    }
}

/// The same node before and after others came or went: by its words, which is all that a tree knows of it.
fn identity(facts: &impl Branches, node: Node) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let (Node::Branch(branch) | Node::Leaf(branch, _)) = node;
    facts.text(Node::Branch(branch), 0).hash(&mut hasher);
    if let Node::Leaf(..) = node {
        facts.text(node, 0).hash(&mut hasher);
    }
    hasher.finish()
}

/// The tree's lines as rows of a table: branches with their mark, leaves moved in.
struct Lines<'a, B> {
    facts: &'a B,
    lines: &'a [Node],
    closed: &'a BTreeSet<String>,
    all_open: bool,
}

impl<B: Branches> Rows for Lines<'_, B> {
    fn count(&self) -> usize {
        self.lines.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(node) = self.lines.get(row).copied() else { return "".into() };
        let words = self.facts.text(node, column);
        match node {
            _ if column > 0 => words,
            Node::Leaf(..) => format!("  {words}").into(),
            Node::Branch(_) if self.all_open || !self.closed.contains(&*words) => {
                format!("{} {words}", marks::OPEN).into()
            }
            Node::Branch(_) => format!("{} {words}", marks::CLOSED).into(),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        self.lines.get(row).map_or_else(Style::new, |node| self.facts.style(*node, column, theme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Etls;

    const ETLS: [(&str, &[&str]); 2] =
        [("customer", &["customer_update", "customer_merge"]), ("payments", &["payment_captured", "refund_issued"])];

    impl Branches for Etls {
        fn branches(&self) -> usize {
            ETLS.len()
        }

        fn leaves(&self, branch: usize) -> usize {
            ETLS[branch].1.len()
        }

        fn text(&self, node: Node, _column: usize) -> Cow<'_, str> {
            match node {
                Node::Branch(branch) => ETLS[branch].0.into(),
                Node::Leaf(branch, leaf) => ETLS[branch].1[leaf].into(),
            }
        }
    }

    fn press(tree: &mut Tree, codes: &[KeyCode]) {
        for code in codes {
            assert!(tree.key(&Etls, KeyEvent::from(*code)), "{code:?}");
            tree.refresh(&Etls, 1, 1);
        }
    }

    fn fresh() -> Tree {
        let mut tree = Tree::default();
        tree.refresh(&Etls, 1, 1);
        tree
    }

    #[test]
    fn a_closed_branch_hides_its_leaves_and_keeps_the_cursor() {
        let mut tree = fresh();
        assert_eq!(tree.lines.len(), 6);
        press(&mut tree, &[KeyCode::Down, KeyCode::Down, KeyCode::Left]);
        assert_eq!((tree.lines.len(), tree.selected()), (4, Some(Node::Branch(0))));
        press(&mut tree, &[KeyCode::Enter, KeyCode::Down]);
        assert_eq!((tree.lines.len(), tree.selected()), (6, Some(Node::Leaf(0, 0))));
    }

    #[test]
    fn a_filter_opens_branches_and_a_branch_that_matches_brings_its_leaves() {
        let mut tree = fresh();
        press(&mut tree, &[KeyCode::Left]);
        tree.listing_mut().search_mut().set("merge");
        tree.refresh(&Etls, 1, 1);
        assert_eq!(tree.lines, [Node::Branch(0), Node::Leaf(0, 1)]);
        assert_eq!((tree.selected(), tree.count(&Etls).as_str()), (Some(Node::Leaf(0, 1)), "(1 of 4)"));
        tree.listing_mut().search_mut().set("payments");
        tree.refresh(&Etls, 1, 1);
        assert_eq!(tree.lines.len(), 3);
    }
}
