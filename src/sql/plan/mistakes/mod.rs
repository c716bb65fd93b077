//! What is wrong with a query, said to its writer: what the planner means, in the words of SQL, at its place, with what to
//! do. It changes no query.

mod calls;
mod check;
mod constants;
mod locate;
mod place;
mod refusals;
mod said;
pub mod template;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeSet;

use datafusion_common::{Column, DataFusionError, SchemaError};
use sqlparser::ast::Query;
use sqlparser::tokenizer::Location;

use super::session::refused;
use crate::core::fault::{Fault, Place};
use crate::core::words::did_you_mean;
use crate::sql::functions::registry::Functions;

pub use check::check;
use said::Said;

/// What an error is said with.
pub struct Known<'a> {
    /// The query, as far as names and places go.
    pub query: Option<&'a Query>,
    /// Columns of what the query reads.
    pub columns: &'a BTreeSet<String>,
    /// Functions.
    pub functions: &'a Functions,
}

/// A planner's error as a fault. `again` says whether another query can be planned where the failed one could not: with
/// parts taken out, that shows where the error is, where the planner does not say.
pub fn explain(error: &DataFusionError, known: &Known<'_>, again: &dyn Fn(Query) -> bool) -> Fault {
    let fault = alone(error, known);
    // The planner shows where a UNION begins; what is wrong begins with its second half.
    let is_near = fault.place.is_some() && !locate::is_of_halves(&error.find_root().strip_backtrace());
    let found = known.query.filter(|_| !is_near).and_then(|query| {
        // What a sentence is about is nearer than a part without which all is well.
        let said = match error.find_root() {
            DataFusionError::SchemaError(schema, _) => locate::of_name(schema, query),
            root => locate::of_sentence(said::plain(&root.strip_backtrace()), query),
        };
        said.or_else(|| place::of(query, again))
    });
    match found {
        Some(place) => fault.at(at(place)),
        None => fault,
    }
}

/// The same of an expression that stands alone: its place is what the planner says.
pub fn alone(error: &DataFusionError, known: &Known<'_>) -> Fault {
    let fault = match error.find_root() {
        DataFusionError::SchemaError(schema, _) => of_names(schema, known),
        root => Said::of(root, known.functions).fault(),
    };
    match error.diagnostic().and_then(|diagnostic| diagnostic.span) {
        Some(span) => fault.at(at(Location { line: span.start.line, column: span.start.column })),
        None => fault,
    }
}

/// What is wrong with a relation, at its name in the query, unless it is known more closely.
pub fn at_relation(fault: Fault, query: &Query, name: &str) -> Fault {
    match place::of_relation(query, name).filter(|_| fault.place.is_none()) {
        Some(place) => fault.at(at(place)),
        None => fault,
    }
}

/// Where the item of a column of the result stands, as far as its place can be told.
pub fn of_item(query: &Query, column: usize) -> Option<Place> {
    place::of_item(query, column).map(at)
}

/// A place in the statement; the file is known elsewhere.
fn at(location: Location) -> Place {
    let number = |at: u64| u32::try_from(at).unwrap_or(0);
    Place::at("", number(location.line), number(location.column))
}

/// Names that mean nothing, or more than one thing.
fn of_names(error: &SchemaError, known: &Known<'_>) -> Fault {
    let relations = known.query.map(place::relations).unwrap_or_default();
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => not_found(field, valid_fields, &relations, known),
        SchemaError::AmbiguousReference { field } => {
            let which: Vec<_> = relations.iter().map(|relation| format!("{relation}.{}", field.name)).collect();
            let fault = refused(&format!("the column `{}` is in more than one relation", field.name));
            fault.next(format!("say which is meant: {}", which.join(" or ")))
        }
        SchemaError::DuplicateQualifiedField { qualifier, .. } => {
            refused(&format!("two relations are called `{qualifier}`"))
                .next("give one of them another name: JOIN … AS b")
        }
        SchemaError::DuplicateUnqualifiedField { name } => {
            refused(&format!("two columns are called `{name}`")).next("give one of them another name with AS")
        }
    }
}

fn not_found(field: &Column, valid: &[Column], relations: &[String], known: &Known<'_>) -> Fault {
    let name = field.name.as_str();
    let of_relation = |column: &&Column| column.relation == field.relation;
    // What stands beside relations knows their columns, and the planner none of them.
    let is_beside = valid.is_empty()
        && !relations.is_empty()
        && field.relation.as_ref().is_none_or(|relation| relations.contains(&relation.to_string()));
    if is_beside && !known.columns.contains(name) {
        let fault = refused(&format!("there is no column `{name}`"));
        let names = known.columns.iter().map(String::as_str);
        return match did_you_mean(name, names.clone()) {
            Some(meant) => fault.next(meant),
            None => fault.next(format!("columns are: {}", names.collect::<Vec<_>>().join(", "))),
        };
    }
    if let Some(relation) = field.relation.as_ref().map(ToString::to_string)
        && !valid.iter().any(|column| of_relation(&column))
    {
        let fault = refused(&format!("there is no relation `{relation}` here"));
        let holds = valid.iter().find(|column| column.name == name);
        return match holds.and_then(|column| column.relation.as_ref()) {
            Some(other) => fault.next(format!("did you mean `{other}.{name}`?")),
            None => fault.next(format!("here are: {}", relations.join(", "))),
        };
    }
    let fault = refused(&format!("there is no column `{name}`"));
    let in_relation = field.relation.is_some();
    let names: BTreeSet<&str> = match in_relation {
        true => valid.iter().filter(of_relation).map(|column| column.name.as_str()).collect(),
        false => valid.iter().map(|column| column.name.as_str()).collect(),
    };
    if valid.is_empty() && known.columns.contains(name) {
        return refused(&format!("no column is known here, and `{name}` is one")).next("write a value");
    }
    if ["window_start", "window_end"].contains(&name) {
        return fault.next("rows have a window where the query names one: add WINDOW TUMBLING(1m)");
    }
    match did_you_mean(name, names.iter().copied()) {
        Some(meant) => fault.next(meant),
        _ if known.query.is_some_and(|query| place::is_in_double_quotes(query, name)) => {
            fault.next(format!("a text stands in single quotes: '{name}'"))
        }
        _ if names.is_empty() => fault.next("nothing is read here: write FROM and a topic"),
        _ => fault.next(format!("columns are: {}", names.into_iter().collect::<Vec<_>>().join(", "))),
    }
}
