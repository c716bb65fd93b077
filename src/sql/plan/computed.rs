//! Columns of a declaration that no record holds: computed from others, or read from beside the record. Each becomes an
//! expression over what the source gives, whatever the order they stand in. Pure.

use std::ops::ControlFlow;

use sqlparser::ast::{self as sql, Expr, Ident, VisitMut, VisitorMut};

use super::session::refused;
use crate::connectors::contract::system_columns;
use crate::core::fault::{Blame, Fault};
use crate::sql::parse::parse;
use crate::sql::parse::statement::{Column, Declaration, StatementKind};

/// Columns that are put in for names while one declaration is resolved. Names of names double what they come to: past
/// this it is no longer a table that a person wrote.
const PUT_IN_MAX: usize = 1_000;
/// Columns that are computed from one another in a row: as deep as the parser lets expressions nest.
const DEPTH_MAX: usize = 50;

/// The columns of a declaration, in order, each as an expression over what the source gives.
pub struct Computed {
    columns: Vec<(String, Expr)>,
    /// System columns among what they are computed from.
    pub system: Vec<&'static str>,
}

/// The columns of a declaration that has computed ones; `None` for one that has not.
///
/// # Errors
/// Columns that are computed from each other in a circle.
pub fn columns(declared: &Declaration) -> Result<Option<Computed>, Fault> {
    if declared.columns.iter().all(|column| column.computed.is_none() && column.metadata.is_none()) {
        return Ok(None);
    }
    let mut put_in = PutIn { declared, under: Vec::new(), left: PUT_IN_MAX };
    let columns = declared.columns.iter().map(|column| Ok((column.name.clone(), put_in.of(column)?)));
    let columns = columns.collect::<Result<Vec<_>, Fault>>()?;
    let beside = declared.columns.iter().filter_map(beside);
    Ok(Some(Computed { columns, system: beside.collect() }))
}

impl Computed {
    /// What computes a column.
    pub fn column(&self, name: &str) -> Option<&Expr> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, expression)| expression)
    }

    /// `SELECT` of the columns, and of the system columns that the statement names, from the table they belong to.
    ///
    /// # Errors
    /// A defect: a plain query that does not parse.
    pub fn query(&self, table: &str, system: &[&'static str]) -> Result<Box<sql::Query>, Fault> {
        let plain = parse(&format!("SELECT NULL FROM \"{}\"", table.replace('"', "\"\"")), "");
        let Some(StatementKind::Query(plain)) = plain.statements.into_iter().next().map(|statement| statement.kind)
        else {
            return Err(Fault::new(Blame::Program, format!("`{table}` is the name of no table")));
        };
        let mut query = plain.query;
        if let sql::SetExpr::Select(select) = query.body.as_mut() {
            let named = self.columns.iter().map(|(name, expression)| sql::SelectItem::ExprWithAlias {
                expr: expression.clone(),
                alias: Ident::with_quote('"', name),
            });
            let shown = system.iter().map(|name| sql::SelectItem::UnnamedExpr(Expr::Identifier(Ident::new(*name))));
            select.projection = named.chain(shown).collect();
        }
        Ok(query)
    }
}

/// The system column that a column of METADATA reads.
fn beside(column: &Column) -> Option<&'static str> {
    let metadata = column.metadata.as_deref().filter(|_| column.computed.is_none())?;
    let name = if metadata.is_empty() { column.name.as_str() } else { metadata };
    let wanted = format!("_{}", name.trim_start_matches('_').to_lowercase());
    system_columns::ALL.into_iter().find(|known| *known == wanted)
}

/// An expression as the type that its column is declared with, where it is. Times are milliseconds here.
fn typed(expression: Expr, declared: &sql::DataType) -> Expr {
    let data_type = match declared {
        sql::DataType::Unspecified => return expression,
        sql::DataType::Timestamp(None, zone) => sql::DataType::Timestamp(Some(3), *zone),
        other => other.clone(),
    };
    Expr::Cast { kind: sql::CastKind::Cast, expr: Box::new(expression), data_type, array: false, format: None }
}

/// Puts what a computed column stands for where another one names it.
struct PutIn<'a> {
    declared: &'a Declaration,
    /// The columns that are being resolved, each for the sake of the one before it.
    under: Vec<&'a str>,
    left: usize,
}

impl<'a> PutIn<'a> {
    fn of(&mut self, column: &'a Column) -> Result<Expr, Fault> {
        let Some(computed) = &column.computed else {
            let name = beside(column).map_or_else(|| Ident::with_quote('"', &column.name), Ident::new);
            return Ok(Expr::Identifier(name));
        };
        if let Some(from) = self.under.iter().position(|name| *name == column.name) {
            let circle: Vec<_> = self.under[from..].iter().map(|name| format!("`{name}`")).collect();
            let what = match circle.as_slice() {
                [one] => format!("the column {one} is computed from itself"),
                _ => format!("the columns {} are computed from each other in a circle", circle.join(", ")),
            };
            return Err(refused(&what).next("compute them from columns that records hold"));
        }
        if self.under.len() == DEPTH_MAX {
            return Err(self.too_much());
        }
        self.under.push(&column.name);
        let mut expression = computed.clone();
        let outcome = expression.visit(self);
        self.under.pop();
        match outcome {
            ControlFlow::Break(fault) => Err(fault),
            ControlFlow::Continue(()) => Ok(typed(expression, &column.data_type)),
        }
    }

    fn too_much(&self) -> Fault {
        let what = format!("the computed columns of `{}` come to too much when they are put in", self.declared.name);
        refused(&what).next("name fewer computed columns in one another")
    }

    /// The column that a name means: as it is written, else in another case.
    fn named(&self, name: &Ident) -> Option<&'a Column> {
        let columns = &self.declared.columns;
        columns.iter().find(|column| column.name == name.value).or_else(|| {
            let is_alike = |column: &&Column| column.name.eq_ignore_ascii_case(&name.value);
            columns.iter().find(is_alike).filter(|_| name.quote_style.is_none())
        })
    }
}

impl VisitorMut for PutIn<'_> {
    type Break = Fault;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Fault> {
        let Expr::Identifier(name) = expression else { return ControlFlow::Continue(()) };
        let Some(column) = self.named(name).filter(|column| column.computed.is_some() || beside(column).is_some())
        else {
            return ControlFlow::Continue(());
        };
        let Some(left) = self.left.checked_sub(1) else {
            return ControlFlow::Break(self.too_much());
        };
        self.left = left;
        match self.of(column) {
            Ok(found) => *expression = Expr::Nested(Box::new(found)),
            Err(fault) => return ControlFlow::Break(fault),
        }
        ControlFlow::Continue(())
    }
}
