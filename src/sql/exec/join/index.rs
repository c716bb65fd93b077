//! Which rows have a key: a hash table of groups, and a list of slots for each. It holds keys and slots, never rows.

use hashbrown::HashTable;

use super::key::{Key, KeyRef, Keys};

/// No slot, no group.
pub(super) const NONE: u32 = u32::MAX;

/// Slots by key. Finding, linking and unlinking take constant time; hashes only lead to candidates, keys decide.
#[derive(Default)]
pub(super) struct Index {
    table: HashTable<u32>,
    groups: Vec<Group>,
    free: Vec<u32>,
    links: Vec<Link>,
    heap_bytes: usize,
}

struct Group {
    hash: u64,
    key: Key,
    head: u32,
}

#[derive(Clone, Copy)]
struct Link {
    next: u32,
    previous: u32,
    group: u32,
}

const UNLINKED: Link = Link { next: NONE, previous: NONE, group: NONE };

impl Index {
    /// The group of a key, where one of its rows is here.
    pub fn find(&self, hash: u64, key: KeyRef<'_>) -> Option<u32> {
        self.table
            .find(hash, |group| {
                let group = &self.groups[*group as usize];
                group.hash == hash && group.key.borrow() == key
            })
            .copied()
    }

    /// The group of the key of `row`.
    pub fn find_row(&self, keys: &Keys, row: usize) -> Option<u32> {
        if keys.is_null(row) { None } else { self.find(keys.hashes[row], keys.key(row)) }
    }

    /// Hash and key of a group.
    pub fn key(&self, group: u32) -> (u64, KeyRef<'_>) {
        let group = &self.groups[group as usize];
        (group.hash, group.key.borrow())
    }

    /// The newest slot of a group; the others follow by [`Index::next`].
    pub fn head(&self, group: u32) -> u32 {
        self.groups[group as usize].head
    }

    /// The slot behind `slot`, [`NONE`] behind the last.
    pub fn next(&self, slot: u32) -> u32 {
        self.links[slot as usize].next
    }

    /// The slot before `slot`, [`NONE`] before the first.
    pub fn previous(&self, slot: u32) -> u32 {
        self.links[slot as usize].previous
    }

    /// The group that a slot is in, [`NONE`] for none.
    pub fn group_of(&self, slot: u32) -> u32 {
        self.links.get(slot as usize).map_or(NONE, |link| link.group)
    }

    /// The slots of a group, newest first.
    pub fn slots(&self, group: u32) -> impl Iterator<Item = u32> + '_ {
        let head = self.head(group);
        std::iter::successors((head != NONE).then_some(head), |slot| {
            let next = self.next(*slot);
            (next != NONE).then_some(next)
        })
    }

    /// Puts a slot in front of the others of its key.
    pub fn link(&mut self, hash: u64, key: KeyRef<'_>, slot: u32) {
        let group = match self.find(hash, key) {
            Some(group) => group,
            None => self.add(hash, key),
        };
        let head = self.groups[group as usize].head;
        self.reserve(slot);
        self.links[slot as usize] = Link { next: head, previous: NONE, group };
        if head != NONE {
            self.links[head as usize].previous = slot;
        }
        self.groups[group as usize].head = slot;
    }

    /// Puts a slot directly behind another, into its group.
    pub fn link_behind(&mut self, before: u32, slot: u32) {
        self.reserve(slot);
        let Link { next, group, .. } = self.links[before as usize];
        self.links[slot as usize] = Link { next, previous: before, group };
        self.links[before as usize].next = slot;
        if next != NONE {
            self.links[next as usize].previous = slot;
        }
    }

    /// Takes a slot out; a group without slots goes. A slot that is in no group is left alone.
    pub fn unlink(&mut self, slot: u32) {
        let Some(link) = self.links.get_mut(slot as usize) else { return };
        let Link { next, previous, group } = std::mem::replace(link, UNLINKED);
        if group == NONE {
            return;
        }
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        if previous != NONE {
            self.links[previous as usize].next = next;
        } else if next != NONE {
            self.groups[group as usize].head = next;
        } else {
            self.drop_group(group);
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.heap_bytes
            + self.links.capacity() * size_of::<Link>()
            + self.groups.capacity() * size_of::<Group>()
            + self.table.capacity() * (size_of::<u32>() + 1)
            + self.free.capacity() * size_of::<u32>()
    }

    fn add(&mut self, hash: u64, key: KeyRef<'_>) -> u32 {
        let key = key.to_key();
        self.heap_bytes += key.heap_bytes();
        let group = Group { hash, key, head: NONE };
        let number = match self.free.pop() {
            Some(number) => {
                self.groups[number as usize] = group;
                number
            }
            None => {
                self.groups.push(group);
                u32::try_from(self.groups.len() - 1).unwrap_or(NONE)
            }
        };
        let groups = &self.groups;
        self.table.insert_unique(hash, number, |number| groups[*number as usize].hash);
        number
    }

    fn drop_group(&mut self, number: u32) {
        let group = &mut self.groups[number as usize];
        self.heap_bytes -= group.key.heap_bytes();
        let hash = group.hash;
        group.key = Key::Word(0);
        group.head = NONE;
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == number) {
            entry.remove();
        }
        self.free.push(number);
    }

    fn reserve(&mut self, slot: u32) {
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, UNLINKED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(index: &Index, hash: u64, key: u64) -> Vec<u32> {
        index.find(hash, KeyRef::Word(key)).map(|group| index.slots(group).collect()).unwrap_or_default()
    }

    #[test]
    fn keys_of_one_hash_stay_apart() {
        let mut index = Index::default();
        index.link(9, KeyRef::Word(1), 0);
        index.link(9, KeyRef::Word(2), 1);
        index.link(9, KeyRef::Word(1), 2);
        assert_eq!(slots(&index, 9, 1), [2, 0]);
        assert_eq!(slots(&index, 9, 2), [1]);
        assert_eq!(index.find(9, KeyRef::Word(3)), None);
    }

    #[test]
    fn a_slot_leaves_from_anywhere_and_the_last_takes_the_key_along() {
        let mut index = Index::default();
        for slot in 0..4 {
            index.link(5, KeyRef::Bytes(b"key"), slot);
        }
        index.unlink(2);
        index.unlink(3);
        index.unlink(0);
        index.unlink(0);
        let group = index.find(5, KeyRef::Bytes(b"key")).expect("one slot is left");
        assert_eq!(index.slots(group).collect::<Vec<_>>(), [1]);
        index.unlink(1);
        assert_eq!(index.find(5, KeyRef::Bytes(b"key")), None);
        assert_eq!(index.heap_bytes, 0);
    }

    #[test]
    fn a_slot_may_be_put_behind_another() {
        let mut index = Index::default();
        index.link(1, KeyRef::Word(1), 0);
        index.link_behind(0, 1);
        index.link_behind(0, 2);
        assert_eq!(slots(&index, 1, 1), [0, 2, 1]);
    }
}
