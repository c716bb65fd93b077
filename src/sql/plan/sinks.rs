//! The sink of a query: where its rows go, under which names, and whether it takes them. It opens none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::ends::{self, Resolved};
use super::mistakes;
use super::scope::relations;
use super::session::{Session, refused};
use super::stream::{Changes, Node, SinkNode};
use super::wishes::Settings;
use crate::connectors::accept::{self, accept};
use crate::connectors::contract::{End, SinkRequest};
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::words::counted;
use crate::formats::types;
use crate::sql::parse::statement::{Declaration, EndName, InsertName, Object, StreamQuery};
use crate::sql::parse::uri_without_secrets;

impl Session {
    /// Where a query says that its rows go.
    pub(super) fn sink_end(&self, query: &StreamQuery, into: Option<&EndName>) -> Result<Option<Resolved>, Fault> {
        let named = into.or(query.into.as_ref());
        let options = self.in_full(query, into);
        let resolved = |name| ends::resolve(self, name, self.catalog.end(name), &options, End::Sink);
        named.map(resolved).transpose().map_err(|fault| at_sink(fault, query))
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
        // What the declaration of the sink says of itself counts as what the query says of it.
        let said = Settings::read(&options)?.exactly_once.or(settings.exactly_once);
        let request = SinkRequest {
            name,
            options,
            schema,
            key,
            key_lacks: key_lacks.to_vec(),
            key_refused: None,
            changes: end.changes == Changes::Changelog,
            job: job.to_owned(),
            exactly_once: self.exactly_once.or(said).unwrap_or(false),
        };
        Ok(SinkNode { connector, request })
    }

    /// The PRIMARY KEY of a declared sink is the key of its records. Where the result takes rows back, it has to tell them
    /// apart: rows of equal keys replace each other there.
    pub(super) fn keyed_as_declared(
        &self,
        request: &mut SinkRequest,
        into: Option<&EndName>,
        key_lacks: &[String],
    ) -> Result<(), Fault> {
        let declared = into.and_then(|into| self.catalog.end(into));
        let columns = declared.map_or(&[][..], |declared| &declared.columns).iter().filter(|column| column.primary_key);
        let key: Vec<usize> = columns
            .map(|column| {
                let place = request.schema.index_of(&column.name);
                place.map_err(|_| {
                    refused(&format!("the PRIMARY KEY `{}` of `{}` is computed", column.name, request.name))
                })
            })
            .collect::<Result<_, _>>()?;
        if key.is_empty() {
            return Ok(());
        }
        let listed = |columns: &[usize]| {
            let names = columns.iter().map(|column| request.schema.field(*column).name().as_str());
            names.collect::<Vec<_>>().join(", ")
        };
        let of_result = std::mem::replace(&mut request.key, key);
        if !request.changes || !of_result.is_empty() && of_result.iter().all(|column| request.key.contains(column)) {
            return Ok(());
        }
        let what = format!(
            "`{}` takes rows back, and its PRIMARY KEY ({}) does not tell them apart",
            request.name,
            listed(&request.key)
        );
        let all = |more: String| format!("make it PRIMARY KEY ({more})");
        let next = match (key_lacks, of_result.as_slice()) {
            ([], []) => {
                let key = listed(&request.key);
                format!(
                    "two rows of the result may have the same: GROUP BY {key}, or take ROW_NUMBER() OVER (PARTITION BY {key} \
                     ORDER BY …) = 1; where you know better, SELECT {key} AS {key} PRIMARY KEY"
                )
            }
            ([], own) => {
                let more = own.iter().filter(|column| !request.key.contains(column)).copied();
                let together: Vec<usize> = request.key.iter().copied().chain(more).collect();
                format!("the rows of the result are known by {}: {}", listed(own), all(listed(&together)))
            }
            (lacks, _) => {
                let together = std::iter::once(listed(&request.key)).chain(lacks.iter().cloned());
                let mut together: Vec<_> = together.collect();
                together.dedup();
                format!("SELECT {} too, and {}", lacks.join(" and "), all(together.join(", ")))
            }
        };
        request.key_refused = Some(Fault::new(Blame::Operator, what).next(next));
        Ok(())
    }

    /// How often each row is to be written and how often it is checkpointed, as a statement or its sink say, where they do.
    ///
    /// # Errors
    /// Options that are wrong.
    pub fn said(&self, query: &StreamQuery, into: Option<&EndName>) -> Result<(Option<bool>, Option<Duration>), Fault> {
        let own = Settings::read(&accept::named_as_the_engine_does(&query.options))?;
        let of_sink = match self.sink_end(query, into)? {
            Some(end) => Settings::read(&end.options)?.exactly_once,
            None => None,
        };
        Ok((of_sink.or(own.exactly_once), own.checkpoint_interval))
    }

    /// What is written has names for its columns: two of one name would be one for whoever reads them.
    pub(super) fn named_once(&self, sink: &SinkNode, query: &StreamQuery) -> Result<(), Fault> {
        let fields = sink.request.schema.fields();
        let is_again = |(at, field): &(usize, &Arc<Field>)| fields[..*at].iter().any(|one| one.name() == field.name());
        let Some((at, field)) = fields.iter().enumerate().find(is_again) else { return Ok(()) };
        let (name, sink) = (field.name(), uri_without_secrets(&sink.request.name));
        let fault = refused(&format!("`{sink}` gets two columns called `{name}`"))
            .next(format!("give one of them another name: b.{name} AS b_{name}; JOIN … USING ({name}) has it once"));
        Err(match mistakes::of_item(&query.query, at) {
            Some(place) => fault.at(place),
            None => at_sink(fault, query),
        })
    }

    /// What is wrong with the sink that a statement names: whatever looks at the statement meets it.
    pub(super) fn check(&self, sink: &SinkNode) -> Result<(), Fault> {
        self.connectors.get(&sink.connector)?.check(&sink.request, &self.context)
    }

    /// All that is wrong with the options of the ends that a query names.
    pub fn mistakes(&self, query: &StreamQuery, into: Option<&EndName>) -> Vec<Fault> {
        let mut found = Vec::new();
        let mut look = |end: Resolved, which: End| {
            if let Ok(connector) = end.connector(self) {
                found.extend(accept::mistakes(connector.as_ref(), which, &end.options));
            }
        };
        let options = self.in_full(query, into);
        for name in relations(&query.query) {
            let known = self.catalog.spelled(&name);
            if self.catalog.defined(known).is_none() {
                let name = ends::named(known);
                let end = ends::resolve(self, &name, self.catalog.end(&name), &options, End::Source);
                end.into_iter().for_each(|end| look(end, End::Source));
            }
        }
        self.sink_end(query, into).into_iter().flatten().for_each(|end| look(end, End::Sink));
        found
    }

    /// All that is wrong with a declaration; see [`Session::declared`].
    pub fn wrong_in(&self, declared: &Declaration) -> Vec<Fault> {
        let Err(first) = self.declared(declared) else { return Vec::new() };
        let end = if declared.object == Object::Sink { End::Sink } else { End::Source };
        let name = EndName::Name(declared.name.clone());
        let resolved = ends::resolve(self, &name, Some(declared), &Options::default(), end);
        let all = resolved.ok().and_then(|found| {
            let connector = found.connector(self).ok()?;
            Some(accept::mistakes(connector.as_ref(), end, &found.options))
        });
        all.filter(|all| all.contains(&first)).unwrap_or_else(|| vec![first])
    }

    /// Whether the connector of a declaration is there and takes its options, also where no statement names it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn declared(&self, declared: &Declaration) -> Result<(), Fault> {
        let name = EndName::Name(declared.name.clone());
        let found = |end: End| {
            let found = ends::resolve(self, &name, Some(declared), &Options::default(), end)?;
            Ok::<_, Fault>((found.connector(self)?, found.options))
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

    /// What of a result goes into which column of a sink, as `INSERT INTO sink (…)` says; `None` where it says nothing.
    pub(super) fn arranged(
        &self,
        query: &StreamQuery,
        into: Option<&EndName>,
        result: &Schema,
    ) -> Result<Option<Arranged>, Fault> {
        let Some(into) = into.or(query.into.as_ref()) else { return Ok(None) };
        let sink = match into {
            EndName::Name(name) | EndName::Uri(name) => name,
        };
        let declared = self.catalog.end(into).map(|declared| self.columns(declared)).transpose()?;
        let declared = declared.filter(|declared| !declared.fields().is_empty());
        // Without a list the columns of the sink are meant, in their order.
        let names: Vec<(&String, Option<&Place>)> = match &declared {
            Some(declared) if query.names.is_empty() => {
                declared.fields().iter().map(|field| (field.name(), None)).collect()
            }
            _ => query.names.iter().map(|InsertName { name, place }| (name, Some(place))).collect(),
        };
        let at = |fault: Fault, place: Option<&Place>| Fault { place: place.cloned(), ..fault };
        if names.is_empty() {
            return Ok(None);
        }
        if names.len() != result.fields().len() {
            let (named, given) = (counted(names.len() as u64, "column"), result.fields().len());
            if query.names.is_empty() {
                let listed: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
                let next =
                    format!("select them in their order ({}), or name some: INSERT INTO {sink} (…)", listed.join(", "));
                let fault = refused(&format!("the sink `{sink}` has {named}, and the query gives {given}")).next(next);
                // The first column that is too much, or the sink that wants more.
                let odd = (given > names.len()).then(|| mistakes::of_item(&query.query, names.len())).flatten();
                return Err(at_sink(at(fault, odd.as_ref()), query));
            }
            let odd = names.get(given).or(names.last()).and_then(|(_, place)| place.cloned());
            let fault = refused(&format!("INSERT INTO `{sink}` names {named}, and its query gives {given}"))
                .next("name each column of the query, in its order, or leave the list out");
            return Err(Fault { place: odd, ..fault });
        }
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for (index, (name, place)) in names.iter().copied().enumerate() {
            let column = match &declared {
                None => name,
                Some(declared) => {
                    let fields = declared.fields();
                    let exact = fields.iter().find(|column| column.name() == name);
                    let column =
                        exact.or_else(|| fields.iter().find(|column| column.name().eq_ignore_ascii_case(name)));
                    let Some(column) = column else {
                        let there: Vec<_> = fields.iter().map(|column| column.name().as_str()).collect();
                        let fault = refused(&format!("the sink `{sink}` has no column `{name}`"))
                            .next(format!("its columns are: {}", there.join(", ")));
                        return Err(at(fault, place));
                    };
                    column.name()
                }
            };
            if taken.insert(column.clone(), index).is_some() {
                let what = format!("INSERT INTO `{sink}` names the column `{column}` twice");
                return Err(at(refused(&what), place));
            }
        }
        let Some(declared) = &declared else {
            let of = |(index, (name, _)): (usize, &(&String, Option<&Place>))| {
                (result.field(index).clone().with_name(name.as_str()), Some(index))
            };
            return Ok(Some(Arranged::of(names.iter().enumerate().map(of))));
        };
        let mut columns = Vec::with_capacity(declared.fields().len());
        for field in declared.fields() {
            columns.push(match taken.get(field.name()) {
                Some(index) => {
                    let given = result.field(*index).data_type();
                    if !is_given(given, field.data_type()) {
                        let (name, wanted) = (field.name(), types::name(field.data_type()));
                        let what = format!(
                            "the column `{name}` of the sink `{sink}` is {wanted}, and gets {}",
                            types::name(given)
                        );
                        let fault = refused(&what).next(format!("write CAST(… AS {wanted})"));
                        let item = mistakes::of_item(&query.query, *index);
                        return Err(at_sink(at(fault, names[*index].1.or(item.as_ref())), query));
                    }
                    let of = if given.is_nested() { given } else { field.data_type() };
                    (Field::new(field.name(), of.clone(), true), Some(*index))
                }
                None if field.is_nullable() => (Field::clone(field), None),
                None => {
                    let what = format!("INSERT INTO `{sink}` leaves out `{}`, which is NOT NULL", field.name());
                    let fault = refused(&what).next("name it, and give it a value in the query");
                    return Err(at_sink(at(fault, names.last().and_then(|(_, place)| *place)), query));
                }
            });
        }
        Ok(Some(Arranged::of(columns.into_iter())))
    }
}

/// A fault of a sink, at its name in the statement unless it is known more closely.
pub(super) fn at_sink(fault: Fault, query: &StreamQuery) -> Fault {
    let place = fault.place.clone().or_else(|| query.sink_place.clone());
    Fault { place, ..fault }
}

/// Whether a value of one type is given to a column of another as it is, or made one of it as arithmetic makes them.
fn is_given(given: &DataType, wanted: &DataType) -> bool {
    let is_text = |of: &DataType| matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_moment = |of: &DataType| matches!(of, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
    given == wanted
        || given.is_null()
        || given.is_numeric() && wanted.is_numeric()
        || is_text(given) && is_text(wanted)
        || is_moment(given) && is_moment(wanted)
        || given.is_nested() && wanted.is_nested()
}

/// The columns of a sink, and the column of the result that each is; `None` for one that stays NULL.
pub(super) struct Arranged {
    /// The columns of the sink.
    pub schema: SchemaRef,
    /// Positions in the result.
    pub columns: Vec<Option<usize>>,
}

impl Arranged {
    fn of(columns: impl Iterator<Item = (Field, Option<usize>)>) -> Self {
        let (fields, columns): (Vec<Field>, Vec<_>) = columns.unzip();
        Self { schema: Arc::new(Schema::new(fields)), columns }
    }

    /// Where columns of the result are now.
    pub fn moved(&self, columns: &[usize]) -> Vec<usize> {
        let place = |column: &usize| self.columns.iter().position(|from| *from == Some(*column));
        columns.iter().filter_map(place).collect()
    }
}
