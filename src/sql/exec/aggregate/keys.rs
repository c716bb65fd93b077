//! Groups by key: each key has a number, a number that is given back is used again. It knows nothing of what is counted.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, RowParser, SortField};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::failed;
use crate::core::fault::Fault;

/// Bytes of a key beyond its own: the slot and the table's entry.
const SLOT_BYTES: usize = 40;

/// Keys and their numbers.
pub struct Keys {
    encoding: RowConverter,
    parser: RowParser,
    table: HashTable<u32>,
    hasher: ahash::RandomState,
    slots: Vec<Option<Box<[u8]>>>,
    free: Vec<u32>,
    bytes: usize,
    /// No key columns: every row is of one group.
    is_single: bool,
}

impl Keys {
    /// No keys yet, of these types.
    ///
    /// # Errors
    /// A type that cannot be a key.
    pub fn new(types: &[DataType]) -> Result<Self, Fault> {
        let fields = types.iter().cloned().map(SortField::new).collect();
        let encoding = RowConverter::new(fields).map_err(|error| failed(&error))?;
        Ok(Self {
            parser: encoding.parser(),
            encoding,
            table: HashTable::new(),
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
            slots: Vec::new(),
            free: Vec::new(),
            bytes: 0,
            is_single: types.is_empty(),
        })
    }

    /// The number of each row's key; a new key gets one.
    ///
    /// # Errors
    /// Columns of other types.
    pub fn intern(&mut self, columns: &[ArrayRef], rows: usize, groups: &mut Vec<u32>) -> Result<(), Fault> {
        groups.clear();
        if self.is_single {
            if self.slots.is_empty() {
                self.slots.push(Some(Box::default()));
            }
            groups.resize(rows, 0);
            return Ok(());
        }
        let encoded = self.encoding.convert_columns(columns).map_err(|error| failed(&error))?;
        groups.reserve(rows);
        let (slots, hasher) = (&mut self.slots, &self.hasher);
        for row in &encoded {
            let key = row.as_ref();
            let hash = hasher.hash_one(key);
            // A neighbour is often of the same group: streams come in bursts.
            if let Some(last) = groups.last()
                && slots[*last as usize].as_deref() == Some(key)
            {
                groups.push(*last);
                continue;
            }
            let entry = self.table.entry(
                hash,
                |group| slots[*group as usize].as_deref() == Some(key),
                |group| hasher.hash_one(slots[*group as usize].as_deref().unwrap_or_default()),
            );
            let group = match entry {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => {
                    let group = match self.free.pop() {
                        Some(free) => free,
                        None => slots.len() as u32,
                    };
                    place.insert(group);
                    self.bytes += key.len() + SLOT_BYTES;
                    match slots.get_mut(group as usize) {
                        Some(slot) => *slot = Some(key.into()),
                        None => slots.push(Some(key.into())),
                    }
                    group
                }
            };
            groups.push(group);
        }
        Ok(())
    }

    /// The key columns of these groups.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub fn columns(&self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        if self.is_single {
            return Ok(Vec::new());
        }
        let keys =
            groups.iter().map(|group| self.parser.parse(self.slots[*group as usize].as_deref().unwrap_or_default()));
        self.encoding.convert_rows(keys).map_err(|error| failed(&error))
    }

    /// Forgets a key; its number is free.
    pub fn remove(&mut self, group: u32) {
        if self.is_single {
            // Its number is always the same, and it costs nothing.
            self.slots.clear();
            return;
        }
        let Some(key) = self.slots.get_mut(group as usize).and_then(Option::take) else { return };
        let hash = self.hasher.hash_one(&*key);
        if let Ok(found) = self.table.find_entry(hash, |known| *known == group) {
            found.remove();
        }
        self.bytes -= key.len() + SLOT_BYTES;
        self.free.push(group);
    }

    /// Numbers given so far, free ones included.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Keys there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers in use, ascending: in order of arrival as long as none was given back.
    pub fn all(&self) -> Vec<u32> {
        (0..self.slots.len() as u32).filter(|group| self.slots[*group as usize].is_some()).collect()
    }

    /// The one group of a grouping without keys.
    pub fn single(&mut self) -> Option<u32> {
        if self.is_single && self.slots.is_empty() {
            self.slots.push(Some(Box::default()));
        }
        self.is_single.then_some(0)
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.bytes + self.table.capacity() * size_of::<u32>()
    }
}
