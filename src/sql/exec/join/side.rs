//! One side of a join: its rows, which of them have a key, and which is the one that a change takes back. It pairs
//! nothing.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt32Type};

use super::expression::defect;
use super::index::{Index, NONE};
use super::key::{Codec, KeyRef, Keys};
use super::store::{NEVER, Store};
use crate::connectors::contract::Op;
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::operator::StateTable;
use crate::sql::plan::stream::Expression;

/// A table of a snapshot is cut above this: a column of text may hold 2 GB at most, and a reader wants less at once.
const TABLE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Columns of a snapshot behind those of the row: time, compared time, due, partners.
pub(super) const SLOT_COLUMNS: usize = 4;
/// Where the rows are whose key has a NULL that may be equal to any: no encoded key is empty.
const NULL_KEY: (u64, KeyRef<'static>) = (0, KeyRef::Bytes(&[]));

/// One side.
pub(super) struct Side {
    /// Name in a snapshot.
    name: &'static str,
    /// Rows.
    pub store: Store,
    /// Rows by key.
    pub index: Index,
    /// The keys over the input.
    pub expressions: Vec<Expression>,
    /// How many of them rows are spread over instances by; behind them are the ends of windows.
    spread: usize,
    codec: Codec,
    layout: Layout,
    identity: Identity,
    /// Whether rows with a NULL key are found by [`Side::null_group`].
    keeps_nulls: bool,
}

/// Which columns a side keeps.
pub(super) struct Layout {
    /// Those of the input, in order.
    columns: Vec<usize>,
    /// Where the keys are among those kept.
    keys: Vec<usize>,
    /// The keys that are no column of the input, kept behind the others.
    computed: Vec<usize>,
    schema: SchemaRef,
}

/// How the row is found that a change takes back.
pub(super) enum Identity {
    /// Rows only come.
    None,
    /// The key of the join: one row a key.
    Key,
    /// Columns of its own.
    Columns(Box<IdentityColumns>),
}

/// Rows by columns that are not, or not only, the key of the join.
pub(super) struct IdentityColumns {
    /// Where they are among the columns kept.
    pub columns: Vec<usize>,
    /// Encodes them.
    pub codec: Codec,
    /// Rows by them.
    pub index: Index,
    /// Whether a row takes the place of one that has the same; else both stand.
    pub replaces: bool,
}

impl Layout {
    /// Keeps these columns of the input, and the keys.
    pub fn new(input: &SchemaRef, columns: Vec<usize>, keys: &[Expression]) -> Result<Self, Fault> {
        let mut fields: Vec<_> = columns.iter().map(|column| Arc::clone(&input.fields()[*column])).collect();
        let (mut positions, mut computed) = (Vec::new(), Vec::new());
        for (number, key) in keys.iter().enumerate() {
            let column = key.as_any().downcast_ref::<datafusion_physical_expr::expressions::Column>();
            let kept = column.and_then(|column| columns.iter().position(|kept| *kept == column.index()));
            positions.push(kept.unwrap_or(fields.len()));
            if kept.is_none() {
                let data_type = key.data_type(input).map_err(defect)?;
                fields.push(Arc::new(Field::new(format!("key_{number}"), data_type, true)));
                computed.push(number);
            }
        }
        Ok(Self { columns, keys: positions, computed, schema: Arc::new(Schema::new(fields)) })
    }

    /// Where a column of the input is among those kept.
    pub fn position(&self, column: usize) -> Option<usize> {
        self.columns.iter().position(|kept| *kept == column)
    }

    /// What is kept of the input, in order.
    pub fn inputs(&self) -> std::ops::Range<usize> {
        0..self.columns.len()
    }

    /// The columns kept.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Side {
    /// A side without rows.
    pub fn new(
        name: &'static str,
        expressions: Vec<Expression>,
        spread: usize,
        codec: Codec,
        layout: Layout,
        identity: Identity,
        keeps_nulls: bool,
    ) -> Self {
        let store = Store::new(Arc::clone(&layout.schema));
        Self { name, store, index: Index::default(), expressions, spread, codec, layout, identity, keeps_nulls }
    }

    /// Which columns it keeps.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The keys in these columns.
    pub fn encode(&self, keys: &[ArrayRef], rows: usize) -> Result<Keys, Fault> {
        self.codec.encode(keys, rows).map_err(defect)
    }

    /// What is kept of rows of the input.
    pub fn kept(&self, batch: &RecordBatch, keys: &[ArrayRef]) -> Result<RecordBatch, Fault> {
        let mut columns: Vec<ArrayRef> =
            self.layout.columns.iter().map(|column| Arc::clone(batch.column(*column))).collect();
        columns.extend(self.layout.computed.iter().map(|key| Arc::clone(&keys[*key])));
        batch_of(&self.layout.schema, columns, batch.num_rows())
    }

    /// Takes rows in without telling anybody: no key finds them before [`Side::link`].
    pub fn append(&mut self, kept: RecordBatch, times: &[i64], dues: &[i64]) -> Result<Vec<u32>, Fault> {
        self.store.append(kept, times, dues).map_err(defect)
    }

    /// Lets the row be found by its key.
    pub fn link(&mut self, keys: &Keys, row: usize, slot: u32) {
        if !keys.is_null(row) {
            self.index.link(keys.hashes[row], keys.key(row), slot);
        } else if self.keeps_nulls {
            self.index.link(NULL_KEY.0, NULL_KEY.1, slot);
        }
    }

    /// The rows whose key has a NULL, which may be equal to any.
    pub fn null_group(&self) -> Option<u32> {
        self.index.find(NULL_KEY.0, NULL_KEY.1)
    }

    /// Identities of rows as they are kept, for [`Side::claim`] and [`Side::release`].
    pub fn identities(&self, kept: &RecordBatch) -> Result<Option<Keys>, Fault> {
        let Identity::Columns(identity) = &self.identity else { return Ok(None) };
        let columns: Vec<ArrayRef> = identity.columns.iter().map(|column| Arc::clone(kept.column(*column))).collect();
        identity.codec.encode(&columns, kept.num_rows()).map(Some).map_err(defect)
    }

    /// The row that `row` takes the place of, if rows replace each other and there is one.
    pub fn replaced(&self, keys: &Keys, identities: Option<&Keys>, row: usize) -> Option<u32> {
        match &self.identity {
            Identity::Columns(identity) if !identity.replaces => None,
            Identity::None => None,
            _ => self.found(keys, identities, row),
        }
    }

    /// The row that is taken back by one of this key and identity.
    pub fn found(&self, keys: &Keys, identities: Option<&Keys>, row: usize) -> Option<u32> {
        match (&self.identity, identities) {
            (Identity::Columns(identity), Some(identities)) => {
                identity.index.find_row(identities, row).map(|group| identity.index.head(group))
            }
            (Identity::Key, _) if keys.is_null(row) => self.null_group().map(|group| self.index.head(group)),
            (Identity::Key, _) => self.index.find_row(keys, row).map(|group| self.index.head(group)),
            _ => None,
        }
    }

    /// Lets the row be found by its identity.
    pub fn identify(&mut self, identities: Option<&Keys>, row: usize, slot: u32) {
        if let (Identity::Columns(identity), Some(identities)) = (&mut self.identity, identities) {
            identity.index.link(identities.hashes[row], identities.key(row), slot);
        }
    }

    /// Nothing finds the row any more; it is there until [`Store::remove`].
    pub fn unlink(&mut self, slot: u32) {
        self.index.unlink(slot);
        if let Identity::Columns(identity) = &mut self.identity {
            identity.index.unlink(slot);
        }
    }

    /// The row goes.
    pub fn remove(&mut self, slot: u32) {
        self.unlink(slot);
        self.store.remove(slot);
    }

    /// Whether no key and no change will ever find the row.
    pub fn is_lost(&self, slot: u32) -> bool {
        !matches!(self.identity, Identity::Columns(_)) && self.index.group_of(slot) == NONE
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let identity = match &self.identity {
            Identity::Columns(identity) => identity.index.bytes(),
            _ => 0,
        };
        self.store.bytes() + self.index.bytes() + identity
    }

    /// Keys, columns kept, and what is known of each row.
    pub fn snapshot(&self) -> Result<Vec<StateTable>, Fault> {
        let schema = self.table_schema();
        let mut tables = Vec::new();
        let (mut parts, mut bytes) = (Vec::new(), 0);
        for (batch, slots) in self.store.rows().map_err(defect)? {
            let mut columns: Vec<ArrayRef> =
                self.layout.keys.iter().map(|key| Arc::clone(batch.column(*key))).collect();
            columns.extend(batch.columns().iter().cloned());
            let of = |value: &dyn Fn(&super::store::Slot) -> i64| -> ArrayRef {
                Arc::new(Int64Array::from_iter_values(slots.iter().map(|slot| value(self.store.slot(*slot)))))
            };
            columns.extend([of(&|slot| slot.time), of(&|slot| slot.at), of(&|slot| slot.due)]);
            let matched = slots.iter().map(|slot| self.store.slot(*slot).matched);
            columns.push(Arc::new(UInt32Array::from_iter_values(matched)));
            bytes += batch.get_array_memory_size();
            parts.push(batch_of(&schema, columns, slots.len())?);
            if bytes > TABLE_BYTES_MAX {
                tables.push(self.table(&schema, &parts, tables.len())?);
                parts.clear();
                bytes = 0;
            }
        }
        tables.push(self.table(&schema, &parts, tables.len())?);
        Ok(tables)
    }

    /// Takes the rows of a snapshot, if the table is of this side, and tells their slots.
    pub fn restore(&mut self, table: &StateTable) -> Result<Option<Vec<u32>>, Fault> {
        if !self.is_mine(table) {
            return Ok(None);
        }
        let (batch, keys) = (&table.batch, self.layout.keys.len());
        let schema = self.table_schema();
        let fits = batch.num_columns() == schema.fields().len()
            && batch
                .columns()
                .iter()
                .zip(schema.fields())
                .all(|(column, field)| column.data_type() == field.data_type());
        if !fits {
            let what = format!("the state `{}` of a join has other columns than the join has now", self.name);
            return Err(Fault::new(Blame::Operator, what).next("start the job without its checkpoint"));
        }
        let rows = batch.num_rows();
        let kept_columns = batch.columns()[keys..batch.num_columns() - SLOT_COLUMNS].to_vec();
        let kept = batch_of(&self.layout.schema, kept_columns, rows)?;
        let numbers = |behind: usize| batch.column(batch.num_columns() - behind).as_primitive::<Int64Type>().values();
        let (times, ats, dues) = (numbers(4), numbers(3), numbers(2));
        let matched = batch.column(batch.num_columns() - 1).as_primitive::<UInt32Type>().values();
        let encoded = self.encode(&batch.columns()[..keys], rows)?;
        let identities = self.identities(&kept)?;
        let slots = self.append(kept, times, dues)?;
        for (row, slot) in slots.iter().enumerate() {
            self.link(&encoded, row, *slot);
            self.identify(identities.as_ref(), row, *slot);
            let entry = self.store.slot_mut(*slot);
            (entry.at, entry.matched) = (ats[row], matched[row]);
        }
        Ok(Some(slots))
    }

    /// Whether a table of a snapshot is of this side.
    pub fn is_mine(&self, table: &StateTable) -> bool {
        table.name.split('.').next() == Some(self.name)
    }

    fn table(&self, schema: &SchemaRef, parts: &[RecordBatch], number: usize) -> Result<StateTable, Fault> {
        let batch = compute::concat_batches(schema, parts).map_err(defect)?;
        let name = if number == 0 { self.name.to_owned() } else { format!("{}.{number}", self.name) };
        Ok(StateTable { name, batch, keys: self.spread })
    }

    fn table_schema(&self) -> SchemaRef {
        let kept = self.layout.schema.fields();
        let keys =
            self.layout.keys.iter().enumerate().map(|(number, key)| {
                Arc::new(Field::new(format!("_key_{number}"), kept[*key].data_type().clone(), true))
            });
        let slot = [("_time", DataType::Int64), ("_at", DataType::Int64), ("_due", DataType::Int64)];
        let slot = slot.into_iter().chain([("_matched", DataType::UInt32)]);
        let slot = slot.map(|(name, data_type)| Arc::new(Field::new(name, data_type, false)));
        Arc::new(Schema::new(keys.chain(kept.iter().cloned()).chain(slot).collect::<Vec<_>>()))
    }
}

/// What happens to a row of a table, found out in the order of the changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act {
    /// The row.
    pub slot: u32,
    /// It comes; else it goes.
    pub comes: bool,
    /// The next act is the new half of this old one.
    pub is_replaced_by_next: bool,
}

impl Side {
    /// Applies changes: rows that come are linked, rows that go are only unlinked, for their columns are still needed.
    /// `visit` is told each act while the row can be found by its key.
    pub fn change(
        &mut self,
        batch: &RecordBatch,
        key_columns: &[ArrayRef],
        times: &[i64],
        due: i64,
        op: impl Fn(usize) -> Op,
        mut visit: impl FnMut(&Self, &Act),
    ) -> Result<Vec<Act>, Fault> {
        let kept = self.kept(batch, key_columns)?;
        let rows = batch.num_rows();
        let keys = self.encode(key_columns, rows)?;
        let identities = self.identities(&kept)?;
        let coming: Vec<u32> = (0u32..).take(rows).filter(|row| op(*row as usize).is_addition()).collect();
        let slots = if coming.len() == rows {
            self.append(kept, times, &vec![due; rows])?
        } else {
            let picked = compute::take_record_batch(&kept, &UInt32Array::from(coming.clone())).map_err(defect)?;
            let picked_times: Vec<i64> = coming.iter().map(|row| times[*row as usize]).collect();
            self.append(picked, &picked_times, &vec![due; coming.len()])?
        };
        let mut slots = slots.into_iter();
        let mut acts: Vec<Act> = Vec::with_capacity(rows);
        let mut went = None;
        for row in 0..rows {
            if op(row).is_addition() {
                let slot = slots.next().unwrap_or(NONE);
                let mut is_update = op(row) == Op::UpdateAfter && went.is_some_and(|went| went + 1 == row);
                if let Some(old) = self.replaced(&keys, identities.as_ref(), row) {
                    self.leave(old, &mut acts, &mut visit);
                    is_update = true;
                }
                self.link(&keys, row, slot);
                self.identify(identities.as_ref(), row, slot);
                if let Some(last) = acts.last_mut() {
                    last.is_replaced_by_next = is_update;
                }
                let act = Act { slot, comes: true, is_replaced_by_next: false };
                visit(self, &act);
                acts.push(act);
            } else {
                // A row that is not here outlived its time, or never came: there is nothing to take back.
                if let Some(slot) = self.found(&keys, identities.as_ref(), row) {
                    self.leave(slot, &mut acts, &mut visit);
                    went = (op(row) == Op::UpdateBefore).then_some(row);
                }
            }
        }
        Ok(acts)
    }

    fn leave(&mut self, slot: u32, acts: &mut Vec<Act>, visit: &mut impl FnMut(&Self, &Act)) {
        let act = Act { slot, comes: false, is_replaced_by_next: false };
        visit(self, &act);
        self.unlink(slot);
        acts.push(act);
    }
}

/// A batch, also where it has no columns.
pub(super) fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Fault> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(defect)
}

/// Rows that never go by themselves.
pub(super) const STAYS: i64 = NEVER;
