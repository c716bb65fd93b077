//! The bounds of windows: one name for each, whoever's spelling it was.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    Interval, ObjectName, Value, VisitMut, VisitorMut,
};

use super::balance;
use super::mark::window_alias;

/// The column where a window begins.
pub(super) const START: &str = "window_start";
/// The column where a window ends.
pub(super) const END: &str = "window_end";

/// Flink's time of a window: its last millisecond. No column of its own, but one less than the end.
pub(super) const TIME: &str = "window_time";

/// Bounds of windows in an expression that stands alone.
pub(super) fn finish_expression(expression: &mut Expr) {
    let _ = expression.visit(&mut Bounds);
}

/// What a SELECT sees of windows.
#[derive(Clone)]
pub(super) struct Scope {
    /// The windows of its FROM, by their numbers.
    pub windows: Vec<usize>,
    /// The struct of Arroyo.
    pub column: Option<String>,
}

impl VisitorMut for Scope {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if !self.windows.is_empty() && names(expression, TIME) {
            *expression = last_millisecond(beside(expression, END));
            return ControlFlow::Continue(());
        }
        match expression {
            Expr::CompoundIdentifier(parts) if !self.windows.is_empty() => {
                if let [.., before, last] = parts.as_slice() {
                    let column = self.column.as_deref().unwrap_or("window");
                    let bound = match last.value.to_ascii_lowercase().as_str() {
                        "start" if before.value.eq_ignore_ascii_case(column) => Some(START),
                        "end" if before.value.eq_ignore_ascii_case(column) => Some(END),
                        _ => None,
                    };
                    if let Some(bound) = bound {
                        *expression =
                            Expr::Identifier(Ident { value: bound.to_owned(), quote_style: None, span: last.span });
                    }
                }
            }
            Expr::Identifier(name) if self.windows.iter().any(|index| name.value == window_alias(*index)) => {
                *expression = structure();
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// One name for the bounds, whoever's spelling it was.
struct Bounds;

impl VisitorMut for Bounds {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        balance::balance(expression);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        bound(expression);
        ControlFlow::Continue(())
    }
}

pub(super) fn bound(expression: &mut Expr) {
    let renamed = |name: &str| match name.to_ascii_lowercase().as_str() {
        "_window_start" | "windowstart" => Some(START),
        "_window_end" | "windowend" => Some(END),
        _ => None,
    };
    match expression {
        Expr::Identifier(name) => {
            if let Some(known) = renamed(&name.value) {
                known.clone_into(&mut name.value);
                name.quote_style = None;
            }
        }
        Expr::CompoundIdentifier(parts) => {
            if let Some(last) = parts.last_mut()
                && let Some(known) = renamed(&last.value)
            {
                known.clone_into(&mut last.value);
                last.quote_style = None;
            }
        }
        Expr::Function(function) => {
            let known = match function.name.to_string().to_ascii_lowercase().as_str() {
                "tumble_start" | "hop_start" | "session_start" | "cumulate_start" => START,
                "tumble_end" | "hop_end" | "session_end" | "cumulate_end" => END,
                _ => return,
            };
            *expression = Expr::Identifier(Ident::new(known));
        }
        _ => {}
    }
}

pub(super) fn names(expression: &Expr, column: &str) -> bool {
    match expression {
        Expr::Identifier(name) => name.value.eq_ignore_ascii_case(column),
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|last| last.value.eq_ignore_ascii_case(column)),
        _ => false,
    }
}

/// The other bound, of the same relation.
pub(super) fn beside(known: &Expr, column: &str) -> Expr {
    match known {
        Expr::CompoundIdentifier(parts) => {
            let mut parts = parts.clone();
            if let Some(last) = parts.last_mut() {
                *last = Ident::new(column);
            }
            Expr::CompoundIdentifier(parts)
        }
        _ => Expr::Identifier(Ident::new(column)),
    }
}

/// `(window_end - INTERVAL '1 millisecond')`.
fn last_millisecond(end: Expr) -> Expr {
    let one = Interval {
        value: Box::new(Expr::Value(Value::SingleQuotedString("1 millisecond".to_owned()).into())),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    };
    let right = Box::new(Expr::Interval(one));
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(end), op: BinaryOperator::Minus, right }))
}

/// `named_struct('start', window_start, 'end', window_end)`.
fn structure() -> Expr {
    let text = |text: &str| Expr::Value(Value::SingleQuotedString(text.to_owned()).into());
    let column = |name: &str| Expr::Identifier(Ident::new(name));
    let arguments = [text("start"), column(START), text("end"), column(END)];
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("named_struct")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).to_vec(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
