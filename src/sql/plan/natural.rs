//! `NATURAL JOIN` of tables: it becomes `USING` of the columns that both sides have, system columns left out. Joins of
//! anything else it leaves to the planner, or refuses where that would take the columns of the wrong side.

use sqlparser::ast::{Ident, JoinConstraint, JoinOperator, TableFactor, TableWithJoins};

use super::names::whole;
use super::scope::Scopes;
use super::session::refused;
use super::stars::Tables;
use super::tables::SourceTable;
use super::using::{Wrong, constraint, known_as};

/// What names in a FROM mean.
pub struct Natural<'a> {
    /// Tables.
    pub tables: &'a Tables,
    /// Names that WITH gives, which are none.
    pub scopes: &'a Scopes,
}

impl Natural<'_> {
    /// Names the columns of the natural joins in a FROM.
    ///
    /// # Errors
    /// An outer join of which that cannot be said.
    pub fn settle(&self, from: &mut [TableWithJoins]) -> Result<(), Wrong> {
        from.iter_mut().try_for_each(|from| self.joined(from).map(drop))
    }

    /// The columns of all sides, where they are known.
    fn joined(&self, from: &mut TableWithJoins) -> Result<Option<Vec<String>>, Wrong> {
        let mut left = self.columns(&mut from.relation)?;
        for join in &mut from.joins {
            let right = self.columns(&mut join.relation)?;
            let is_outer = !matches!(join.join_operator, JoinOperator::Join(_) | JoinOperator::Inner(_));
            if let Some(constraint @ JoinConstraint::Natural) = constraint(&mut join.join_operator) {
                let is_common = |name: &&String| right.iter().flatten().any(|other| other == *name);
                let common: Vec<_> = left.iter().flatten().filter(is_common).collect();
                if !common.is_empty() {
                    let names = common.into_iter().map(|name| Ident::with_quote('"', name).into());
                    *constraint = JoinConstraint::Using(names.collect());
                } else if is_outer {
                    let what = match left.is_some() && right.is_some() {
                        true => "NATURAL joins by the columns of one name, and the sides have none",
                        false => "NATURAL cannot stand before LEFT, RIGHT and FULL JOIN of a subquery",
                    };
                    let fault = refused(what).next("name the columns: … JOIN b USING (id)");
                    return Err((fault, known_as(&join.relation).map(|name| name.value)));
                }
            }
            left = left.zip(right).map(|(mut left, right)| {
                let more: Vec<_> = right.into_iter().filter(|name| !left.contains(name)).collect();
                left.extend(more);
                left
            });
        }
        Ok(left)
    }

    fn columns(&self, factor: &mut TableFactor) -> Result<Option<Vec<String>>, Wrong> {
        let name = match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => return self.joined(table_with_joins),
            TableFactor::Table { name, .. } => whole(name),
            _ => return Ok(None),
        };
        let table = self.tables.get(&name).filter(|_| !self.scopes.is_given(&name));
        Ok(table.map(|table| {
            let shown = table.as_any().downcast_ref::<SourceTable>().map_or(&[][..], |table| &table.system);
            let schema = table.schema();
            let names = schema.fields().iter().map(|field| field.name());
            names.filter(|name| !shown.contains(&name.as_str())).cloned().collect()
        }))
    }
}
