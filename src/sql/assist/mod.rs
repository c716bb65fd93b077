//! What an editor of SQL knows: the colours of tokens, where statements begin, what is wrong before anything runs, what
//! could stand at the cursor. Pure: text and a [`Catalog`] in, values out; it opens nothing and asks no broker.

mod catalog;
mod complete;
mod diagnose;
mod highlight;
mod known;
mod place;
mod statements;

pub use super::parse::TokenClass;
pub use super::parse::statement::{Diagnostic, Span};
pub use catalog::{Catalog, Columns, Field, Relation, RelationKind, Sample, Topic, fields_of, functions};
pub use complete::{Completion, ITEMS_MAX, Item, ItemKind, complete, complete_predicate, identifier, relation_name};
pub use diagnose::{Diagnosis, Surroundings, diagnose, diagnose_in};
pub use highlight::highlight;
pub use statements::{statement_at, statement_of, statements};
