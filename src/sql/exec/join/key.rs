//! Keys of a join as words or bytes that are equal when the keys are: encoded and hashed a batch at a time. It keeps
//! nothing.

use ahash::RandomState;
use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};

/// Turns key columns into [`Keys`]. Codecs of equal types and one `hasher` give equal keys equal codes.
pub(super) struct Codec {
    form: Form,
    nulls_equal: bool,
    hasher: RandomState,
}

enum Form {
    /// No key: every row has the same.
    Unit,
    /// One column of at most eight bytes.
    Word,
    /// Anything else, in Arrow's row format.
    Bytes(RowConverter),
}

/// The keys of a batch.
pub(super) struct Keys {
    codes: Codes,
    /// A hash of each key.
    pub hashes: Vec<u64>,
    /// Which keys have a NULL in them that equals nothing.
    nulls: Option<NullBuffer>,
}

enum Codes {
    Unit,
    Words(Vec<u64>),
    Bytes(Rows),
}

/// One key, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyRef<'a> {
    /// Up to eight bytes.
    Word(u64),
    /// Row format.
    Bytes(&'a [u8]),
}

/// One key, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// Up to eight bytes.
    Word(u64),
    /// Row format.
    Bytes(Box<[u8]>),
}

impl Key {
    /// The key, borrowed.
    pub fn borrow(&self) -> KeyRef<'_> {
        match self {
            Self::Word(word) => KeyRef::Word(*word),
            Self::Bytes(bytes) => KeyRef::Bytes(bytes),
        }
    }

    /// Bytes beyond its own size.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Word(_) => 0,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

impl KeyRef<'_> {
    /// The key, to keep.
    pub fn to_key(self) -> Key {
        match self {
            Self::Word(word) => Key::Word(word),
            Self::Bytes(bytes) => Key::Bytes(bytes.into()),
        }
    }
}

impl Codec {
    /// A codec for columns of these types.
    ///
    /// # Errors
    /// A type that has no row format (a map).
    pub fn new(types: &[DataType], nulls_equal: bool, hasher: RandomState) -> Result<Self, ArrowError> {
        let form = match types {
            [] => Form::Unit,
            [single] if !nulls_equal && single.primitive_width().is_some_and(|width| width <= 8) => Form::Word,
            several => Form::Bytes(RowConverter::new(several.iter().cloned().map(SortField::new).collect())?),
        };
        Ok(Self { form, nulls_equal, hasher })
    }

    /// The keys in `columns`, each `rows` long.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn encode(&self, columns: &[ArrayRef], rows: usize) -> Result<Keys, ArrowError> {
        let nulls = if self.nulls_equal {
            None
        } else {
            columns
                .iter()
                .fold(None, |nulls, column| NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref()))
        };
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        let (codes, hashes) = match &self.form {
            Form::Unit => (Codes::Unit, vec![0; rows]),
            Form::Word => {
                let words = words(columns[0].as_ref());
                let hashes = words.iter().map(|word| self.hasher.hash_one(word)).collect();
                (Codes::Words(words), hashes)
            }
            Form::Bytes(converter) => {
                let encoded = converter.convert_columns(columns)?;
                let hashes = encoded.iter().map(|row| self.hasher.hash_one(row.data())).collect();
                (Codes::Bytes(encoded), hashes)
            }
        };
        Ok(Keys { codes, hashes, nulls })
    }
}

impl Keys {
    /// The key of a row.
    pub fn key(&self, row: usize) -> KeyRef<'_> {
        match &self.codes {
            Codes::Unit => KeyRef::Word(0),
            Codes::Words(words) => KeyRef::Word(words[row]),
            Codes::Bytes(rows) => KeyRef::Bytes(rows.row(row).data()),
        }
    }

    /// Whether the key of a row equals no other.
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

/// The bits of a column of at most eight bytes a value; what stands under a NULL is arbitrary.
fn words(column: &dyn Array) -> Vec<u64> {
    let data = column.to_data();
    let (buffer, from, rows) = (&data.buffers()[0], data.offset(), data.len());
    match column.data_type().primitive_width() {
        Some(8) => buffer.typed_data::<u64>()[from..from + rows].to_vec(),
        Some(4) => buffer.typed_data::<u32>()[from..from + rows].iter().map(|word| u64::from(*word)).collect(),
        Some(2) => buffer.typed_data::<u16>()[from..from + rows].iter().map(|word| u64::from(*word)).collect(),
        _ => buffer.typed_data::<u8>()[from..from + rows].iter().map(|word| u64::from(*word)).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{Int16Array, Int32Array, Int64Array, StringArray};

    use super::*;

    fn encode(columns: &[ArrayRef], nulls_equal: bool) -> Keys {
        let types: Vec<DataType> = columns.iter().map(|column| column.data_type().clone()).collect();
        let codec = Codec::new(&types, nulls_equal, RandomState::with_seeds(1, 2, 3, 4)).unwrap();
        codec.encode(columns, columns[0].len()).unwrap()
    }

    #[test]
    fn equal_keys_have_equal_codes_and_different_keys_do_not() {
        let columns: [ArrayRef; 4] = [
            Arc::new(Int64Array::from(vec![7, -7, 7])),
            Arc::new(Int32Array::from(vec![7, -7, 7])),
            Arc::new(Int16Array::from(vec![7, -7, 7])),
            Arc::new(StringArray::from(vec!["a", "ab", "a"])),
        ];
        for column in columns {
            let keys = encode(&[column], false);
            assert_eq!(keys.key(0), keys.key(2));
            assert_eq!(keys.hashes[0], keys.hashes[2]);
            assert_ne!(keys.key(0), keys.key(1));
        }
    }

    #[test]
    fn a_slice_gives_the_keys_of_its_rows() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        assert_eq!(encode(&[column.slice(1, 2)], false).key(1), KeyRef::Word(3));
    }

    #[test]
    fn a_null_equals_nothing_unless_it_is_asked_to() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, None]));
        let keys = encode(&[Arc::clone(&column)], false);
        assert!(!keys.is_null(0) && keys.is_null(1));
        let keys = encode(&[column], true);
        assert!(!keys.is_null(1));
        assert_eq!(keys.key(1), keys.key(2));
    }
}
