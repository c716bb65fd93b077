//! Names in a query before it is planned: which relations and system columns it names, columns written in another case,
//! names of unnamed results. Pure.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use sqlparser::ast::{
    self as sql, Expr, Ident, Query, SelectItem, SetExpr, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
    visit_expressions, visit_expressions_mut,
};

use super::selects::{selects, selects_mut};
use super::stars::{self, Tables};
use crate::connectors::contract::system_columns;
use crate::core::fault::Fault;
use crate::sql::functions::headers::needs_headers;
use crate::sql::functions::rewrite::rewrite;
use crate::sql::parse::expand_aliases;
use crate::sql::parse::mark::Mark;
use crate::sql::parse::statement::WindowSpec;

/// A relation's name as one text.
pub fn whole(name: &sql::ObjectName) -> String {
    name.0.iter().filter_map(|part| part.as_ident().map(|ident| ident.value.clone())).collect::<Vec<_>>().join(".")
}

/// The system columns that a query and the times and keys of its windows name, in their order.
pub fn system_columns(query: &Query, windows: &[WindowSpec]) -> Vec<&'static str> {
    let mut named = BTreeSet::new();
    let windowed: Vec<Expr> =
        windows.iter().flat_map(|window| window.time.iter().chain(&window.partition_by)).cloned().collect();
    let mut note = |expr: &Expr| {
        let last = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(idents) => idents.last(),
            _ => None,
        };
        named.extend(last.map(|ident| ident.value.to_lowercase()));
        if let Expr::Function(function) = expr
            && needs_headers(&whole(&function.name))
        {
            named.insert(system_columns::HEADERS.to_owned());
        }
        ControlFlow::<()>::Continue(())
    };
    let _ = visit_expressions(query, &mut note);
    let _ = visit_expressions(&windowed, &mut note);
    system_columns::ALL.into_iter().filter(|column| named.contains(*column)).collect()
}

/// Makes a query mean what its writer meant: see the module.
///
/// # Errors
/// See [`stars::settle`].
pub fn settle(
    query: &mut Query,
    columns: &BTreeSet<String>,
    system: &[&'static str],
    tables: &Tables,
) -> Result<(), Fault> {
    let _ = query.visit(&mut EarlierAliases { columns, given: given_twice(query) });
    name_results(query);
    settle_case(query, columns);
    rewrite(query);
    stars::settle(query, system, tables)
}

/// Makes an expression that stands alone mean what its writer meant.
pub fn settle_expression(expression: &mut Expr, columns: &BTreeSet<String>) {
    settle_case(expression, columns);
    rewrite(expression);
}

/// A name that no column has as it is written, but one has in another case, is that column.
fn settle_case<N: Visit + VisitMut>(node: &mut N, columns: &BTreeSet<String>) {
    let mut known: BTreeSet<String> = columns.clone();
    known.extend(system_columns::ALL.map(str::to_owned));
    known.extend(["window_start", "window_end"].map(str::to_owned));
    let mut aliases = Aliases(BTreeSet::new());
    let _ = Visit::visit(node, &mut aliases);
    known.extend(aliases.0);
    let by_lower: HashMap<String, &String> = known.iter().map(|name| (name.to_lowercase(), name)).collect();
    let _ = visit_expressions_mut(node, |expr| {
        let fix = |ident: &mut Ident| {
            if ident.quote_style.is_none()
                && !known.contains(&ident.value)
                && let Some(meant) = by_lower.get(&ident.value.to_lowercase())
            {
                ident.value.clone_from(meant);
            }
        };
        match expr {
            Expr::Identifier(ident) => fix(ident),
            Expr::CompoundIdentifier(idents) => idents.iter_mut().for_each(fix),
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

/// Names that a query itself gives: of results, relations and `WITH`.
struct Aliases(BTreeSet<String>);

impl Visitor for Aliases {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        for alias in tables.map(|table| &table.alias) {
            self.0.insert(alias.name.value.clone());
            self.0.extend(alias.columns.iter().map(|column| column.name.value.clone()));
        }
        for item in selects(&query.body).into_iter().flat_map(|select| &select.projection) {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.0.insert(alias.value.clone());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                self.0.insert(whole(name));
                self.0.extend(alias.iter().map(|alias| alias.name.value.clone()));
            }
            TableFactor::Derived { alias: Some(alias), .. } => {
                self.0.insert(alias.name.value.clone());
            }
            TableFactor::UNNEST { alias: Some(alias), .. } => {
                self.0.insert(alias.name.value.clone());
                self.0.extend(alias.columns.iter().map(|column| column.name.value.clone()));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Names that more than one SELECT of a query gives: which of them is meant is what SQL says, not what stands left.
fn given_twice(query: &Query) -> BTreeSet<String> {
    #[derive(Default)]
    struct Given(BTreeSet<String>, BTreeSet<String>);
    impl Visitor for Given {
        type Break = ();
        // The elements of an array are columns of a FROM, as those of tables are.
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::UNNEST { alias: Some(alias), .. } = factor {
                self.1.extend(alias.columns.iter().map(|column| column.name.value.to_lowercase()));
            }
            ControlFlow::Continue(())
        }
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            for item in selects(&query.body).into_iter().flat_map(|select| &select.projection) {
                if let SelectItem::ExprWithAlias { alias, .. } = item
                    && !self.0.insert(alias.value.to_lowercase())
                {
                    self.1.insert(alias.value.to_lowercase());
                }
            }
            ControlFlow::Continue(())
        }
    }
    let mut given = Given::default();
    let _ = query.visit(&mut given);
    given.1
}

/// Puts what an alias stands for where it is named to its right.
struct EarlierAliases<'a> {
    columns: &'a BTreeSet<String>,
    given: BTreeSet<String>,
}

impl VisitorMut for EarlierAliases<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let is_column = |name: &str| {
            self.columns.iter().any(|column| column.eq_ignore_ascii_case(name)) || self.given.contains(name)
        };
        selects_mut(&mut query.body).into_iter().for_each(|select| expand_aliases(select, &is_column));
        ControlFlow::Continue(())
    }
}

/// A result without a name gets the text that computes it, the function's name in lower case: `sum(amount)`.
fn name_results(query: &mut Query) {
    if let SetExpr::Select(select) = query.body.as_mut() {
        for item in &mut select.projection {
            if let Some((expr, name)) = unnamed(item) {
                *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) };
            }
        }
    }
    let _ = query.visit(&mut Halves);
}

/// What a result is that has no name, and the text that computes it.
fn unnamed(item: &SelectItem) -> Option<(Expr, String)> {
    let SelectItem::UnnamedExpr(expr) = item else { return None };
    if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
        return None;
    }
    let mut text = without_marks(expr).to_string();
    if let Expr::Function(function) = expr {
        let name = function.name.to_string();
        text.replace_range(..name.len(), &name.to_lowercase());
    }
    Some((expr.clone(), text))
}

/// The columns of a UNION are called as those of its first half: of the others each has a name, and nobody reads it.
struct Halves;

impl Halves {
    fn body(body: &mut SetExpr) {
        let SetExpr::SetOperation { set_quantifier, left, right, .. } = body else { return };
        use sql::SetQuantifier::{AllByName, ByName, DistinctByName};
        if let SetExpr::Select(select) = right.as_mut()
            && !matches!(set_quantifier, AllByName | ByName | DistinctByName)
        {
            for (place, item) in select.projection.iter_mut().enumerate() {
                if let Some((expr, name)) = unnamed(item) {
                    let alias = Ident::with_quote('"', format!("{name} ({})", place + 1));
                    *item = SelectItem::ExprWithAlias { expr, alias };
                }
            }
        }
        Self::body(left);
        Self::body(right);
    }
}

impl VisitorMut for Halves {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        Self::body(&mut query.body);
        ControlFlow::Continue(())
    }
}

/// An expression without the marks of buffers, which nobody wrote.
fn without_marks(expr: &Expr) -> Expr {
    let mut plain = expr.clone();
    let _ = visit_expressions_mut(&mut plain, |expr| {
        if let Expr::Function(function) = expr
            && let Some(sql::WindowType::WindowSpec(spec)) = &mut function.over
        {
            let is_mark = |expr: &Expr| matches!(expr, Expr::Function(mark) if Mark::Buffer.is(&whole(&mark.name)));
            spec.partition_by.retain(|expr| !is_mark(expr));
        }
        ControlFlow::<()>::Continue(())
    });
    plain
}
