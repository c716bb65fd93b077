//! What has been named so far: sources, sinks and tables that are declared, streams, tables and views that a query makes.
//! It plans nothing.

use std::collections::HashMap;

use super::session::refused;
use crate::core::fault::Fault;
use crate::sql::parse::statement::{Declaration, Definition, EndName, Object, StatementKind};

/// Names and what stands behind them.
#[derive(Default)]
pub struct Catalog {
    declared: HashMap<String, Declaration>,
    defined: HashMap<String, Defined>,
}

/// A query that has a name.
pub struct Defined {
    /// The statement.
    pub definition: Definition,
    /// What it makes.
    pub kind: Kind,
}

/// What a named query makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows without an end.
    Stream,
    /// The newest row of each key.
    Table,
    /// Another spelling of its query.
    View,
}

impl Catalog {
    /// Takes the name that a statement gives, if it gives one.
    ///
    /// # Errors
    /// A name that is taken already, or one to drop that is not.
    pub fn define(&mut self, statement: &StatementKind) -> Result<(), Fault> {
        match statement {
            StatementKind::CreateStream(definition) => self.take(definition, Kind::Stream),
            StatementKind::CreateTable(definition) => self.take(definition, Kind::Table),
            StatementKind::CreateView(definition) => self.take(definition, Kind::View),
            StatementKind::Declare(declaration) => {
                let name = &declaration.name;
                if !self.may_be_given(name, declaration.or_replace, declaration.if_not_exists)? {
                    return Ok(());
                }
                self.defined.remove(name);
                self.declared.insert(name.clone(), declaration.clone());
                Ok(())
            }
            StatementKind::Drop { name, if_exists, .. } => {
                let was = self.declared.remove(name).is_some() | self.defined.remove(name).is_some();
                if was || *if_exists { Ok(()) } else { Err(self.unknown(name)) }
            }
            _ => Ok(()),
        }
    }

    /// The names, in order, each with what it is.
    pub fn names(&self) -> Vec<(String, &'static str)> {
        let declared = self.declared.values().map(|declared| {
            let is = match declared.object {
                Object::Stream => "stream",
                Object::Table => "table",
                Object::Source => "source",
                Object::Sink => "sink",
            };
            (declared.name.clone(), is)
        });
        let defined = self.defined.values().map(|defined| {
            let is = match defined.kind {
                Kind::Stream => "stream",
                Kind::Table => "table",
                Kind::View => "view",
            };
            (defined.definition.name.clone(), is)
        });
        let mut names: Vec<_> = declared.chain(defined).collect();
        names.sort();
        names
    }

    /// A name as it was given, where it was given in another case and only once.
    pub fn spelled<'n>(&'n self, name: &'n str) -> &'n str {
        if self.is_known(name) {
            return name;
        }
        let known = self.declared.keys().chain(self.defined.keys());
        let mut alike = known.filter(|known| known.eq_ignore_ascii_case(name));
        match (alike.next(), alike.next()) {
            (Some(known), None) => known,
            _ => name,
        }
    }

    /// The query of a name.
    pub fn defined(&self, name: &str) -> Option<&Defined> {
        self.defined.get(name)
    }

    /// The declaration of a name.
    pub fn declared(&self, name: &str) -> Option<&Declaration> {
        self.declared.get(name)
    }

    /// The declaration of an end.
    pub fn end(&self, name: &EndName) -> Option<&Declaration> {
        match name {
            EndName::Name(name) => self.declared.get(name),
            EndName::Uri(_) => None,
        }
    }

    /// All declarations.
    pub fn declarations(&self) -> impl Iterator<Item = &Declaration> {
        self.declared.values()
    }

    /// All queries that have names.
    pub fn definitions(&self) -> impl Iterator<Item = &Defined> {
        self.defined.values()
    }

    fn is_known(&self, name: &str) -> bool {
        self.declared.contains_key(name) || self.defined.contains_key(name)
    }

    /// Whether a statement gives this name, or leaves it to the one that has it.
    fn may_be_given(&self, name: &str, or_replace: bool, if_not_exists: bool) -> Result<bool, Fault> {
        match self.is_known(name) && !or_replace {
            false => Ok(true),
            true if if_not_exists => Ok(false),
            true => Err(refused(&format!("`{name}` exists already"))
                .next("say CREATE OR REPLACE, or IF NOT EXISTS, or DROP it first")),
        }
    }

    fn take(&mut self, definition: &Definition, kind: Kind) -> Result<(), Fault> {
        let name = &definition.name;
        if self.may_be_given(name, definition.or_replace, definition.if_not_exists)? {
            self.declared.remove(name);
            self.defined.insert(name.clone(), Defined { definition: definition.clone(), kind });
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> Fault {
        let names: Vec<_> = self.names().into_iter().map(|(name, _)| name).collect();
        let next = match names.is_empty() {
            true => "nothing is defined here".to_owned(),
            false => format!("there are: {}", names.join(", ")),
        };
        refused(&format!("there is no `{name}`")).next(next)
    }
}
