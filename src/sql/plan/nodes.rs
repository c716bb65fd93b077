//! Nodes of the logical plan that DataFusion does not have: a window over a relation, a table as of a time, and a named
//! result with an identity of its own. Values only; the optimizer looks through them as far as they allow.

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion_common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::sql::parse::statement::{Emit, WindowKind};

/// The column where a window begins.
pub const WINDOW_START: &str = "window_start";
/// The column where a window ends.
pub const WINDOW_END: &str = "window_end";

/// A relation whose rows carry the window they are in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Windowed {
    /// The relation.
    pub input: LogicalPlan,
    /// Kind and lengths.
    pub kind: WindowKind,
    /// The time, over the input; its event time where absent.
    pub time: Option<Expr>,
    /// Lateness that the statement names.
    pub grace: Option<Duration>,
    /// Input's columns, `window_start`, `window_end`.
    schema: DFSchemaRef,
}

impl Windowed {
    /// A window over `input`.
    ///
    /// # Errors
    /// An input that has columns of the window's names already.
    pub fn over(
        input: LogicalPlan,
        kind: WindowKind,
        time: Option<Expr>,
        grace: Option<Duration>,
    ) -> Result<LogicalPlan> {
        let bound =
            |name: &str| (None, Arc::new(Field::new(name, DataType::Timestamp(TimeUnit::Millisecond, None), false)));
        let mut fields: Vec<_> =
            input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
        fields.extend([bound(WINDOW_START), bound(WINDOW_END)]);
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(extension(Self { input, kind, time, grace, schema }))
    }
}

impl UserDefinedLogicalNodeCore for Windowed {
    fn name(&self) -> &str {
        "Windowed"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.time.iter().cloned().collect()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        [WINDOW_START, WINDOW_END].map(str::to_owned).into()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Windowed: {:?}", self.kind)
    }

    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a window has one input") };
        let LogicalPlan::Extension(made) = Self::over(input, self.kind, exprs.pop(), self.grace)? else {
            return plan_err!("a window is an extension");
        };
        match made.node.as_any().downcast_ref::<Self>() {
            Some(made) => Ok(made.clone()),
            None => plan_err!("a window stays a window"),
        }
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        let mut needed: Vec<usize> = output.iter().copied().filter(|index| *index < width).collect();
        if let Some(time) = &self.time {
            needed.extend(
                time.column_refs().into_iter().filter_map(|column| self.input.schema().maybe_index_of_column(column)),
            );
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}

/// A table as of the time of the row that meets it: `FOR SYSTEM_TIME AS OF`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AsOf {
    /// The table.
    pub input: LogicalPlan,
    /// The time as it is written, a column of the other side of the join: kept as text because it is not in scope here.
    pub time: String,
}

impl AsOf {
    /// `input` as of `time`.
    pub fn over(input: LogicalPlan, time: String) -> LogicalPlan {
        extension(Self { input, time })
    }
}

impl UserDefinedLogicalNodeCore for AsOf {
    fn name(&self) -> &str {
        "AsOf"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "AsOf: {}", self.time)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a table as of a time has one input") };
        Ok(Self { input, time: self.time.clone() })
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output.to_vec()])
    }
}

/// The result of a named statement. Nothing is pushed into it: it has its own way of giving results, and two readers
/// share one.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub name: String,
    /// What gives it.
    pub input: LogicalPlan,
    /// When its own statement gives results.
    pub emit: Option<Emit>,
    /// Whether it is a table: the newest row of a key.
    pub is_table: bool,
    /// Its key columns by name, where the statement or the grouping names them.
    pub key: Vec<String>,
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Named {}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Named {
    fn name(&self) -> &str {
        "Named"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Named: {}", self.name)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a named result has one input") };
        Ok(Self { input, ..self.clone() })
    }
}

/// Logical nodes have no order among each other; DataFusion asks for one in its own derives only.
macro_rules! unordered {
    ($($node:ty),*) => {$(
        impl PartialOrd for $node {
            fn partial_cmp(&self, _: &Self) -> Option<std::cmp::Ordering> {
                None
            }
        }
    )*};
}
unordered!(Windowed, AsOf, Named);

/// A node as a logical plan.
pub fn extension<T: UserDefinedLogicalNodeCore>(node: T) -> LogicalPlan {
    LogicalPlan::Extension(Extension { node: Arc::new(node) })
}

/// The node of type `T` that `plan` is, if it is one.
pub fn as_node<T: 'static>(plan: &LogicalPlan) -> Option<&T> {
    match plan {
        LogicalPlan::Extension(extension) => extension.node.as_any().downcast_ref::<T>(),
        _ => None,
    }
}
