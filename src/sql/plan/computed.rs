//! Columns of a declaration that no record holds: computed from others, or read from beside the record. Pure.

use datafusion_sql::sqlparser::ast as sql;
use datafusion_sql::sqlparser::dialect::GenericDialect;
use datafusion_sql::sqlparser::parser::Parser;

use super::session::refused;
use crate::connectors::contract::system_columns;
use crate::core::fault::Fault;
use crate::sql::parse::statement::Declaration;

/// The columns of a declaration, in order, each as SQL over what the source gives.
pub struct Computed {
    columns: Vec<(String, String)>,
    /// System columns among what they are computed from.
    pub system: Vec<&'static str>,
}

/// The columns of a declaration that has computed ones; `None` for one that has not.
pub fn columns(declared: &Declaration) -> Option<Computed> {
    if declared.columns.iter().all(|column| column.computed.is_none() && column.metadata.is_none()) {
        return None;
    }
    let mut system = Vec::new();
    let columns = declared.columns.iter().map(|column| {
        let quoted = quoted(&column.name);
        let text = match (&column.computed, &column.metadata) {
            (Some(expression), _) => expression.to_string(),
            (None, Some(metadata)) => {
                let name = match metadata.is_empty() {
                    true => column.name.as_str(),
                    false => metadata.as_str(),
                };
                let wanted = format!("_{}", name.trim_start_matches('_').to_lowercase());
                match system_columns::ALL.into_iter().find(|known| *known == wanted) {
                    Some(known) => {
                        system.push(known);
                        known.to_owned()
                    }
                    None => quoted,
                }
            }
            (None, None) => quoted,
        };
        (column.name.clone(), text)
    });
    Some(Computed { columns: columns.collect(), system })
}

impl Computed {
    /// `SELECT` of the columns, and of the system columns that the statement names, from the table they belong to.
    ///
    /// # Errors
    /// A text that is no expression.
    pub fn query(&self, table: &str, system: &[&'static str]) -> Result<Box<sql::Query>, Fault> {
        let columns = self.columns.iter().map(|(name, text)| format!("{text} AS {}", quoted(name)));
        let listed: Vec<String> = columns.chain(system.iter().map(|name| (*name).to_owned())).collect();
        let text = format!("SELECT {} FROM {}", listed.join(", "), quoted(table));
        let parsed = Parser::parse_sql(&GenericDialect {}, &text);
        match parsed.map(|statements| statements.into_iter().next()) {
            Ok(Some(sql::Statement::Query(query))) => Ok(query),
            Ok(_) => Err(refused(&format!("`{text}` is no query"))),
            Err(error) => Err(refused(&format!("the columns of `{table}` cannot be computed: {error}"))),
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
