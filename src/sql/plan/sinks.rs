//! The sink of a query: where its rows go, under which names, and whether it takes them. It opens none.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};

use super::ends::{self, Resolved};
use super::session::{Session, refused};
use super::stream::{Changes, Node, SinkNode};
use super::wishes::Settings;
use crate::connectors::accept::accept;
use crate::connectors::contract::{End, SinkRequest};
use crate::connectors::options::Options;
use crate::core::fault::Fault;
use crate::core::words::counted;
use crate::sql::parse::statement::{Declaration, EndName, Object, StreamQuery};

impl Session {
    /// Where a query says that its rows go.
    pub(super) fn sink_end(&self, query: &StreamQuery, into: Option<&EndName>) -> Result<Option<Resolved>, Fault> {
        let named = into.or(query.into.as_ref());
        named.map(|name| ends::resolve(self, name, self.catalog.end(name), &query.options, End::Sink)).transpose()
    }

    /// The sink of a query, as it is asked for.
    pub(super) fn sink(
        &self,
        job: &str,
        query: &StreamQuery,
        into: Option<&EndName>,
        (end, key_lacks): (&Node, &[String]),
        settings: &Settings,
    ) -> Result<SinkNode, Fault> {
        let schema = Arc::clone(&end.schema);
        let mut key: Vec<usize> = query
            .key
            .iter()
            .map(|name| {
                schema.index_of(name).map_err(|_| refused(&format!("the key column `{name}` is not in the result")))
            })
            .collect::<Result<_, _>>()?;
        if key.is_empty() {
            key.clone_from(&end.key);
        }
        let (name, connector, options) = match self.sink_end(query, into)? {
            Some(found) => (found.name, found.connector, found.options),
            None => ("screen".to_owned(), self.screen.0.clone(), self.screen.1.clone()),
        };
        let request = SinkRequest {
            name,
            options,
            schema,
            key,
            key_lacks: key_lacks.to_vec(),
            changes: end.changes == Changes::Changelog,
            job: job.to_owned(),
            exactly_once: settings.exactly_once,
        };
        Ok(SinkNode { connector, request })
    }

    /// What is wrong with the sink that a statement names: whatever looks at the statement meets it.
    pub(super) fn check(&self, sink: &SinkNode) -> Result<(), Fault> {
        self.connectors.get(&sink.connector)?.check(&sink.request, &self.context)
    }

    /// Whether the connector of a declaration is there and takes its options, also where no statement names it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn declared(&self, declared: &Declaration) -> Result<(), Fault> {
        let name = EndName::Name(declared.name.clone());
        let found = |end: End| {
            let found = ends::resolve(self, &name, Some(declared), &Options::default(), end)?;
            Ok::<_, Fault>((self.connectors.get(&found.connector)?, found.options))
        };
        let end = match declared.object {
            Object::Sink => End::Sink,
            Object::Source => End::Source,
            // Either, as the statement that names it wants.
            Object::Stream | Object::Table => {
                return found(End::Source).or_else(|fault| found(End::Sink).map_err(|_| fault)).map(drop);
            }
        };
        let (connector, options) = found(end)?;
        accept(connector.as_ref(), end, &options).map(drop)
    }

    /// The columns of a result under the names that `INSERT INTO sink (…)` gives them; `None` where it gives none.
    pub(super) fn named(
        &self,
        query: &StreamQuery,
        into: Option<&EndName>,
        result: &Schema,
    ) -> Result<Option<SchemaRef>, Fault> {
        let (names, into) = match into.or(query.into.as_ref()) {
            Some(into) if !query.names.is_empty() => (&query.names, into),
            _ => return Ok(None),
        };
        let sink = match into {
            EndName::Name(name) | EndName::Uri(name) => name,
        };
        if names.len() != result.fields().len() {
            let (named, given) = (counted(names.len() as u64, "column"), result.fields().len());
            return Err(refused(&format!("INSERT INTO `{sink}` names {named}, and its query gives {given}"))
                .next("name each column of the query, in its order, or leave the list out"));
        }
        let declared = self.catalog.end(into).map_or(&[][..], |declared| &declared.columns);
        let mut taken = BTreeSet::new();
        let mut fields = Vec::with_capacity(names.len());
        for (name, field) in names.iter().zip(result.fields()) {
            let exact = declared.iter().find(|column| column.name == *name);
            let column = exact.or_else(|| declared.iter().find(|column| column.name.eq_ignore_ascii_case(name)));
            if column.is_none() && !declared.is_empty() {
                let there: Vec<_> = declared.iter().map(|column| column.name.as_str()).collect();
                return Err(refused(&format!("the sink `{sink}` has no column `{name}`"))
                    .next(format!("its columns are: {}", there.join(", "))));
            }
            let name = column.map_or(name, |column| &column.name);
            if !taken.insert(name) {
                return Err(refused(&format!("INSERT INTO `{sink}` names the column `{name}` twice")));
            }
            fields.push(Field::clone(field).with_name(name));
        }
        Ok(Some(Arc::new(Schema::new(fields))))
    }
}
