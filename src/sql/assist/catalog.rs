//! What can be named in a statement: topics with the columns that a sample showed, what the buffer itself defines, and
//! functions. Values only.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema, SchemaRef};

use crate::core::fault::Fault;
use crate::formats::types;
use crate::sql::functions::list::{self, Entry};
use crate::sql::functions::registry::Functions;

/// Everything that can be named.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    /// Topics of the environment, in order of name.
    pub topics: Vec<Topic>,
    /// Whether [`Self::topics`] is all there is: only then is a name that is none of them a mistake.
    pub is_complete: bool,
    /// What the statements of the buffer define, in their order, as the last diagnosis found it.
    pub relations: Vec<Relation>,
}

/// Functions, by kind and name. They are collected when somebody first wants to see them: an idle console needs none, and all of
/// them with their signatures are eight megabytes of code and text.
pub fn functions() -> &'static [Entry] {
    static FUNCTIONS: LazyLock<Vec<Entry>> = LazyLock::new(|| list::entries(&Functions::builtin()));
    &FUNCTIONS
}

impl Catalog {
    /// A topic by name.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    /// What the buffer defines under a name, in any case.
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        let alike = |relation: &&Relation| relation.name.eq_ignore_ascii_case(name);
        self.relations.iter().find(|relation| relation.name == name).or_else(|| self.relations.iter().find(alike))
    }
}

/// One topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Partitions.
    pub partitions: u32,
    /// Its columns.
    pub columns: Columns,
}

/// Columns of a topic, as far as they are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Columns {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// As a sample shows them.
    Known(Arc<Sample>),
    /// They cannot be had: it is empty, its records are no JSON, the broker did not answer.
    Failed(Fault),
}

/// What the newest records of a topic showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The columns that a query of the topic would find.
    pub schema: SchemaRef,
    /// Fields in the order of the columns, with values that were seen.
    pub fields: Vec<Field>,
    /// Records that were looked at.
    pub records: usize,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// A column, or a field inside one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type as SQL writes it.
    pub sql_type: String,
    /// Fields inside: those of a STRUCT, or of the items of an ARRAY of them.
    pub fields: Vec<Field>,
    /// Different values that were seen, newest first, as text; strings without quotes.
    pub samples: Vec<String>,
}

/// Fields of a schema, without values.
pub fn fields_of(schema: &Schema) -> Vec<Field> {
    inner(schema.fields())
}

fn inner(fields: &Fields) -> Vec<Field> {
    let field = |field: &Arc<ArrowField>| Field {
        name: field.name().clone(),
        sql_type: types::name(field.data_type()),
        fields: match field.data_type() {
            DataType::Struct(fields) => inner(fields),
            DataType::List(item) | DataType::LargeList(item) => match item.data_type() {
                DataType::Struct(fields) => inner(fields),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        },
        samples: Vec::new(),
    };
    fields.iter().map(field).collect()
}

/// Something that a statement of the buffer gives a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns; `None` where they are not known, as the topic behind it was not looked at.
    pub columns: Option<Vec<Field>>,
    /// Where its statement stands in the buffer, byte.
    pub at: usize,
}

/// What a name of the buffer stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelationKind {
    /// `CREATE STREAM`.
    Stream,
    /// `CREATE TABLE`, `CREATE MATERIALIZED VIEW`.
    Table,
    /// `CREATE VIEW`.
    View,
    /// `CREATE SOURCE`.
    Source,
    /// `CREATE SINK`.
    Sink,
}

impl RelationKind {
    /// The word for it, lower case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Table => "table",
            Self::View => "view",
            Self::Source => "source",
            Self::Sink => "sink",
        }
    }
}
