//! Which names `WITH` gives where a walk through a query stands: the query of a name does not see it, what stands behind
//! it does. It reads syntax and changes none.

use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Visit, Visitor};

use super::names::whole;

/// The relations that a query names, without those that its own WITH gives where they are named.
pub fn relations(query: &Query) -> Vec<String> {
    struct Found(Scopes, Vec<String>);
    impl Visitor for Found {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            self.0.enter(query);
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            self.0.leave(query);
            ControlFlow::Continue(())
        }
        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
            let name = whole(relation);
            if !self.0.is_given(&name) && !self.1.contains(&name) {
                self.1.push(name);
            }
            ControlFlow::Continue(())
        }
    }
    let mut found = Found(Scopes::default(), Vec::new());
    let _ = query.visit(&mut found);
    found.1
}

/// The queries that a walk is inside of, outermost first. Whoever walks says where it goes in and out.
#[derive(Debug, Default)]
pub struct Scopes(Vec<Scope>);

#[derive(Debug)]
struct Scope {
    /// The queries that names are given to, told by their places in memory, which no walk changes.
    given: Vec<(*const Query, String)>,
    seen: Vec<String>,
}

impl Scopes {
    /// The walk goes into a query.
    pub fn enter(&mut self, query: &Query) {
        let is_recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        let given: Vec<_> =
            tables.map(|table| (std::ptr::from_ref(&*table.query), table.alias.name.value.clone())).collect();
        let seen = if is_recursive { given.iter().map(|(_, name)| name.clone()).collect() } else { Vec::new() };
        self.0.push(Scope { given, seen });
    }

    /// The walk leaves a query that it went into.
    pub fn leave(&mut self, query: &Query) {
        self.0.pop();
        if let Some(outside) = self.0.last_mut()
            && let Some((_, name)) = outside.given.iter().find(|(given, _)| std::ptr::eq(*given, query))
        {
            outside.seen.push(name.clone());
        }
    }

    /// Whether a relation of this name is one that `WITH` gives here.
    pub fn is_given(&self, name: &str) -> bool {
        self.0.iter().any(|scope| scope.seen.iter().any(|seen| seen == name))
    }
}
