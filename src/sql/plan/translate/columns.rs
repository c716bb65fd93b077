//! Where columns go: through projections, under aliases, in labels. Pure.

use datafusion_common::DFSchema;
use datafusion_expr::Expr;

use crate::sql::parse::statement::WindowKind;

/// Where the columns of an input stand in a projection of it.
pub struct Moved {
    from: Vec<Option<usize>>,
}

impl Moved {
    /// By the expressions of a projection.
    pub fn of(exprs: &[Expr], input: &DFSchema) -> Self {
        let from = exprs
            .iter()
            .map(|expr| match unaliased(expr) {
                Expr::Column(column) => input.maybe_index_of_column(column),
                _ => None,
            })
            .collect();
        Self { from }
    }

    /// The first place of an input column.
    pub fn one(&self, column: usize) -> Option<usize> {
        self.from.iter().position(|from| *from == Some(column))
    }

    /// Every place of every one of these.
    pub fn all(&self, columns: &[usize]) -> Vec<usize> {
        (0..self.from.len()).filter(|place| self.from[*place].is_some_and(|from| columns.contains(&from))).collect()
    }

    /// The places of these, or none where one of them is gone.
    pub fn whole(&self, columns: &[usize]) -> Vec<usize> {
        columns.iter().map(|column| self.one(*column)).collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}

/// An expression without the names around it.
pub fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// An expression as a person would write it.
pub fn plain(expr: &Expr) -> String {
    expr.human_display().to_string()
}

/// A window as a person would write it.
pub fn window_label(kind: &WindowKind) -> String {
    match kind {
        WindowKind::Tumbling { size, .. } => format!("tumbling {size:?}"),
        WindowKind::Hopping { size, advance } => format!("hopping {size:?} every {advance:?}"),
        WindowKind::Session { gap } => format!("session {gap:?}"),
        WindowKind::Cumulating { size, step } => format!("cumulating {size:?} by {step:?}"),
    }
}
