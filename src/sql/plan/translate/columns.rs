//! Where columns go: through projections, under aliases, in labels. Pure.

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, ScalarValue};
use datafusion_expr::{Aggregate, Expr};

use crate::core::duration::told;
use crate::sql::functions::narrowed;
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
                // `GROUPING(a, b)` of all keys is what tells their sets apart, as another type.
                Expr::Cast(cast) => match cast.expr.as_ref() {
                    Expr::Column(column) if column.name == Aggregate::INTERNAL_GROUPING_ID => {
                        input.maybe_index_of_column(column)
                    }
                    _ => None,
                },
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
    let shown = |text: String| Expr::Column(Column::new_unqualified(text));
    let bare = unaliased(expr).clone().transform(|expr| {
        Ok(match &expr {
            Expr::Column(column) if element(&column.name).is_some() => {
                Transformed::yes(shown(element(&column.name).unwrap_or_default()))
            }
            Expr::Column(column) if column.relation.is_some() => Transformed::yes(shown(own_name(column))),
            Expr::Literal(value, _) => Transformed::yes(shown(literal(value))),
            Expr::Alias(named) => Transformed::yes(named.expr.as_ref().clone()),
            _ => narrowed::written(&expr).map_or_else(|| Transformed::no(expr), Transformed::yes),
        })
    });
    let text = match bare {
        Ok(bare) => bare.data.human_display().to_string(),
        Err(_) => expr.human_display().to_string(),
    };
    let text = text.replace("count(Int64(1))", "count(*)");
    match expr {
        Expr::Alias(alias) if alias.name != text && element(&alias.name).is_none() => {
            format!("{text} AS {}", alias.name)
        }
        _ => text,
    }
}

/// The name of a column without its relation; marks of joins, which are all called alike, are told by their number.
fn own_name(column: &Column) -> String {
    let number = column.relation.as_ref().and_then(|relation| relation.table().strip_prefix("__correlated_sq_"));
    match number.filter(|_| column.name == "mark") {
        Some(number) => format!("mark_{number}"),
        None => column.name.clone(),
    }
}

/// A column as people know it who look for a key.
pub fn known_as(name: &str) -> String {
    if name == Aggregate::INTERNAL_GROUPING_ID { "GROUPING(…) of all keys".to_owned() } else { name.to_owned() }
}

/// What the planner calls an array, or its elements, while it makes rows of a SELECT list: as a person would write it.
pub fn element(name: &str) -> Option<String> {
    let inside = name.strip_prefix("__unnest_placeholder(")?.strip_suffix(')')?;
    let Some((array, _)) = inside.rsplit_once(",depth=") else { return Some(inside.to_owned()) };
    // A relation's name may be an address.
    let column = array.rsplit('.').next().filter(|_| !array.contains(['(', ' '])).unwrap_or(array);
    Some(format!("UNNEST({column})"))
}

fn literal(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        other => other
            .to_array()
            .ok()
            .and_then(|array| arrow::util::display::array_value_to_string(&array, 0).ok())
            .filter(|_| !other.is_null())
            .unwrap_or_else(|| "NULL".to_owned()),
    }
}

/// A window as a person would write it.
pub fn window_label(kind: &WindowKind) -> String {
    match kind {
        WindowKind::Tumbling { size, .. } => format!("tumbling {}", told(*size)),
        WindowKind::Hopping { size, advance } => format!("hopping {} every {}", told(*size), told(*advance)),
        WindowKind::Session { gap } => format!("session {}", told(*gap)),
        WindowKind::Cumulating { size, step } => format!("cumulating {} by {}", told(*size), told(*step)),
    }
}
