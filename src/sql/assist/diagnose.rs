//! What is wrong with a text before anything runs: syntax at once, names and types against the catalog. Nothing is opened.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;

use super::catalog::{Catalog, Field, Relation, RelationKind, fields_of};
use super::known::{self, Gap, Gaps, Why};
use super::place;
use crate::config::variables::Variables;
use crate::connectors::contract::Context;
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::core::words::did_you_mean;
use crate::formats::types;
use crate::sql::parse;
use crate::sql::parse::statement::{
    Declaration, Definition, Diagnostic, EndName, Object, Script, Span, Statement, StatementKind, StreamQuery,
};
use crate::sql::plan::session::{Planned, Session};

/// Topics that are named where one is missing: what a line holds.
const NAMED_MAX: usize = 8;

/// What was found in a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Diagnosis {
    /// Errors in the order of the text, each with the range of bytes to underline. One a statement beyond syntax: the
    /// planner stops at the first.
    pub errors: Vec<Diagnostic>,
    /// What works and should be known.
    pub warnings: Vec<Diagnostic>,
    /// What the statements define, with its columns; goes into the catalog.
    pub relations: Vec<Relation>,
    /// Topics that statements read and whose columns are not known, as nobody has looked or a look failed: with a sample
    /// of them more could be said.
    pub wanted: Vec<String>,
}

/// The place that a text would run in.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// Variables; `None` leaves `${NAME}` as it is written.
    pub variables: Option<Variables>,
    /// The folder that `config_file` starts from.
    pub folder: PathBuf,
}

/// Reads a text, and plans its statements against the columns that the catalog knows.
pub fn diagnose(text: &str, catalog: &Arc<Catalog>) -> Diagnosis {
    diagnose_in(text, catalog, &Surroundings::default())
}

/// The same, with the variables and the folder of the place that it would run in.
pub fn diagnose_in(text: &str, catalog: &Arc<Catalog>, surroundings: &Surroundings) -> Diagnosis {
    let script = match &surroundings.variables {
        Some(variables) => {
            parse::parse_with(text, "", &|name| variables.get(name).map(|value| value.expose().to_owned()))
        }
        None => parse::parse(text, ""),
    };
    let Script { statements, errors, warnings, .. } = script;
    let gaps = Gaps::default();
    let session = Session::new(
        known::connectors(catalog, &gaps),
        Context { kafka: None, absent: None, folder: surroundings.folder.clone() },
        surroundings.variables.clone().unwrap_or_default(),
        ("discard".to_owned(), Options::default()),
    );
    let found = Diagnosis { errors, warnings, ..Diagnosis::default() };
    let mut reading = Reading { text, catalog, session, gaps, found, unsound: BTreeSet::new() };
    for statement in &statements {
        if let Some(fault) = defect(|| reading.statement(statement)) {
            reading.wrong(statement.span, fault);
        }
    }
    let mut found = reading.found;
    found.errors.sort_by_key(|error| error.span.start);
    found.warnings.sort_by_key(|warning| warning.span.start);
    found
}

/// What a panic of looking at one statement says: the others are looked at all the same.
fn defect(looking: impl FnOnce()) -> Option<Fault> {
    let panic = catch_unwind(AssertUnwindSafe(looking)).err()?;
    let said = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let what = format!("this statement cannot be looked at, by a defect of this program: {said}");
    Some(Fault::new(Blame::Program, what).next("write it another way, and report it with its text"))
}

/// The statements before the one that is read, as far as they stand.
struct Reading<'a> {
    text: &'a str,
    catalog: &'a Catalog,
    session: Session,
    gaps: Gaps,
    found: Diagnosis,
    /// Names whose own statement is wrong, or reads what is not known: nothing is said of who reads them.
    unsound: BTreeSet<String>,
}

impl Reading<'_> {
    fn statement(&mut self, statement: &Statement) {
        let span = statement.span;
        if let Err(fault) = self.session.define(&statement.kind) {
            return self.wrong(span, fault);
        }
        match &statement.kind {
            StatementKind::Query(query) => drop(self.query(span, query, None)),
            StatementKind::Insert { sink, query, .. } => drop(self.query(span, query, Some(sink))),
            StatementKind::CreateStream(made) => self.definition(span, made, RelationKind::Stream),
            StatementKind::CreateTable(made) => self.definition(span, made, RelationKind::Table),
            StatementKind::CreateView(made) => self.definition(span, made, RelationKind::View),
            StatementKind::Declare(declared) => self.declaration(span, declared),
            StatementKind::Drop { name, .. } => self.found.relations.retain(|relation| relation.name != *name),
            StatementKind::Explain { statement, .. } => {
                // What is explained is not defined.
                if let Some((query, into)) = moved(&statement.kind) {
                    drop(self.query(span, query, into));
                }
            }
            StatementKind::Show { .. } | StatementKind::Describe { .. } | StatementKind::Job { .. } => {}
        }
    }

    fn definition(&mut self, span: Span, made: &Definition, kind: RelationKind) {
        let planned = self.query(span, &made.query, None);
        if planned.is_none() {
            self.unsound.insert(made.name.clone());
        }
        let columns = planned.and_then(|planned| planned.plan.nodes.last().map(|sink| fields_of(&sink.schema)));
        self.name(Relation { name: made.name.clone(), kind, columns, at: span.start });
    }

    fn declaration(&mut self, span: Span, declared: &Declaration) {
        let kind = match declared.object {
            Object::Stream => RelationKind::Stream,
            Object::Table => RelationKind::Table,
            Object::Source => RelationKind::Source,
            Object::Sink => RelationKind::Sink,
        };
        let described = self.described(span, declared);
        let columns = if declared.columns.is_empty() { described } else { Some(columns(declared)) };
        self.name(Relation { name: declared.name.clone(), kind, columns, at: span.start });
    }

    /// The columns of a declaration as a query of it finds them; what is wrong with it is noted.
    fn described(&mut self, span: Span, declared: &Declaration) -> Option<Vec<Field>> {
        if declared.object == Object::Sink {
            return None;
        }
        let name = EndName::Name(declared.name.clone());
        let described = self.session.describe(&name).now_or_never()?;
        if !self.explained(span) {
            self.unsound.insert(declared.name.clone());
            return None;
        }
        match described {
            Ok((schema, _)) => Some(fields_of(&schema)),
            Err(fault) => {
                self.unsound.insert(declared.name.clone());
                self.wrong(span, fault);
                None
            }
        }
    }

    fn name(&mut self, relation: Relation) {
        self.found.relations.retain(|known| known.name != relation.name);
        self.found.relations.push(relation);
    }

    /// The plan of a query; what is wrong with it is noted, and then there is none.
    fn query(&mut self, span: Span, query: &StreamQuery, into: Option<&EndName>) -> Option<Planned> {
        let reads_unsound = place::words(self.text, span).any(|word| self.unsound.contains(word));
        if reads_unsound {
            return None;
        }
        let planned = self.session.plan("look", query, into, false).now_or_never()?;
        if !self.explained(span) {
            return None;
        }
        match planned {
            Ok(planned) => {
                for warning in &planned.warnings {
                    let fault = Fault::new(Blame::Operator, warning.clone());
                    self.found.warnings.push(place::diagnostic(self.text, span, fault));
                }
                Some(planned)
            }
            Err(fault) => {
                self.wrong(span, fault);
                None
            }
        }
    }

    /// Whether every source's columns were known. What was missing is noted: topics to look into, or an error.
    fn explained(&mut self, span: Span) -> bool {
        let gaps = self.gaps.take();
        let is_whole = gaps.is_empty();
        for Gap { name, why } in gaps {
            let fault = match why {
                Why::Unsampled(topic) => {
                    self.want(topic);
                    continue;
                }
                Why::Failed(topic, fault) => {
                    self.want(topic);
                    // A broker that is away says nothing of the text.
                    if matches!(fault.blame, Blame::Connection | Blame::Authentication) {
                        continue;
                    }
                    fault
                }
                Why::Closed => continue,
                Why::Absent(topic) => absent(self.catalog, &self.found.relations, &topic),
            };
            let at = place::find(self.text, span, &name).unwrap_or(Span { start: span.start, end: span.start });
            self.found.errors.push(place::at(self.text, at, fault));
        }
        is_whole
    }

    fn want(&mut self, topic: String) {
        if !self.found.wanted.contains(&topic) {
            self.found.wanted.push(topic);
        }
    }

    fn wrong(&mut self, span: Span, fault: Fault) {
        self.found.errors.push(place::diagnostic(self.text, span, fault));
    }
}

/// The query of a statement that moves rows, and where they go.
fn moved(kind: &StatementKind) -> Option<(&StreamQuery, Option<&EndName>)> {
    match kind {
        StatementKind::Query(query) => Some((query, None)),
        StatementKind::Insert { sink, query, .. } => Some((query, Some(sink))),
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made) | StatementKind::CreateView(made) => {
            Some((&made.query, None))
        }
        _ => None,
    }
}

/// The columns of a declaration as it writes them.
fn columns(declared: &Declaration) -> Vec<Field> {
    let field = |column: &parse::statement::Column| Field {
        name: column.name.clone(),
        sql_type: match &column.computed {
            Some(_) => String::new(),
            None => types::parse(&column.data_type.to_string())
                .map_or_else(|| column.data_type.to_string(), |known| types::name(&known)),
        },
        ..Field::default()
    };
    declared.columns.iter().map(field).collect()
}

/// A name that nothing has, with the nearest that something has.
fn absent(catalog: &Catalog, relations: &[Relation], name: &str) -> Fault {
    let names = || {
        let own = relations.iter().map(|relation| relation.name.as_str());
        own.chain(catalog.topics.iter().map(|topic| topic.name.as_str())).filter(|name| !name.starts_with("__"))
    };
    let fault = Fault::new(Blame::Operator, format!("there is no stream, table or topic `{name}`"));
    match did_you_mean(name, names()) {
        Some(meant) => fault.next(meant),
        None => match names().count() {
            0 => fault.next("the environment has no topics yet"),
            count => {
                let shown = names().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
                let more = if count > NAMED_MAX { ", …" } else { "" };
                fault.next(format!("there are: {shown}{more}"))
            }
        },
    }
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
