//! What the logical plan says of a relation that DataFusion has no word for: a window over it, a table as of a time, a named
//! result with an identity of its own, the elements of arrays beside their row. Values only; the optimizer looks through it as far as it allows.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion_common::{DFSchema, DFSchemaRef, Result, TableReference, plan_err};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::sql::parse::statement::{Emit, WindowKind};

/// The column where a window begins.
pub const WINDOW_START: &str = "window_start";
/// The column where a window ends.
pub const WINDOW_END: &str = "window_end";

/// A relation of which something is said.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Marked {
    /// The relation.
    pub input: LogicalPlan,
    /// What is said of it.
    pub mark: Mark,
    /// The relation's columns, and those that a window or elements add.
    schema: DFSchemaRef,
}

/// What is said of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Its rows carry the window they are in.
    Windowed(Window),
    /// It is a table as of the time of the row that meets it, `FOR SYSTEM_TIME AS OF`: the time as it is written, a column
    /// of the other side of the join, which is not in scope here.
    AsOf(String),
    /// It is the result of a named statement.
    Named(Named),
    /// Each of its rows stands beside the elements of its arrays, once for each of them.
    Elements(Elements),
}

/// The elements of arrays and maps, several side by side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Elements {
    /// Arrays and maps, over the relation.
    pub arrays: Vec<Expr>,
    /// The columns that they give, with the relation that these are of.
    pub columns: Vec<(Option<TableReference>, FieldRef, Part)>,
    /// Whether a row without elements stays, with NULL in their place.
    pub is_outer: bool,
    /// Which of the relation's columns go on; all of them where absent.
    pub kept: Option<Vec<usize>>,
}

/// What a column shows of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// It, of the array of this number.
    Whole(usize),
    /// A field of it: the number of the array, and of the field.
    Field(usize, usize),
    /// Its place in the array, from 1.
    Ordinality,
}

/// A window over a relation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Window {
    /// Kind and lengths.
    pub kind: WindowKind,
    /// The time, over the relation; its event time where absent.
    pub time: Option<Expr>,
    /// Lateness that the statement names.
    pub grace: Option<Duration>,
}

/// The result of a named statement. Nothing is pushed into it: it has its own way of giving results, and two readers
/// share one.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub name: String,
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

impl Marked {
    /// `input` with the bounds of a window behind its columns.
    ///
    /// # Errors
    /// An input that has columns of the window's names already.
    pub fn windowed(input: LogicalPlan, window: Window) -> Result<LogicalPlan> {
        Self::of(input, Mark::Windowed(window)).map(Self::plan)
    }

    /// `input` as of `time`.
    ///
    /// # Errors
    /// None that a relation with a schema has.
    pub fn as_of(input: LogicalPlan, time: String) -> Result<LogicalPlan> {
        Self::of(input, Mark::AsOf(time)).map(Self::plan)
    }

    /// `input` under a name.
    ///
    /// # Errors
    /// None that a relation with a schema has.
    pub fn named(input: LogicalPlan, named: Named) -> Result<LogicalPlan> {
        Self::of(input, Mark::Named(named)).map(Self::plan)
    }

    /// `input` beside elements of its arrays.
    ///
    /// # Errors
    /// A relation of elements that is called as one of the input is.
    pub fn elements(input: LogicalPlan, elements: Elements) -> Result<LogicalPlan> {
        Self::of(input, Mark::Elements(elements)).map(Self::plan)
    }

    /// What is said of the relation that a plan is, if anything is.
    pub fn find(plan: &LogicalPlan) -> Option<&Self> {
        match plan {
            LogicalPlan::Extension(extension) => extension.node.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// Its columns.
    pub fn columns(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn of(input: LogicalPlan, mark: Mark) -> Result<Self> {
        let schema = match &mark {
            Mark::Windowed(_) => {
                let bound = |name: &str| {
                    (None, Arc::new(Field::new(name, DataType::Timestamp(TimeUnit::Millisecond, None), false)))
                };
                let mut fields: Vec<_> =
                    input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
                fields.extend([bound(WINDOW_START), bound(WINDOW_END)]);
                Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?)
            }
            Mark::Elements(Elements { columns, kept, .. }) => {
                let is_kept = |index: &usize| kept.as_ref().is_none_or(|kept| kept.contains(index));
                let carried = input.schema().iter().enumerate().filter(|(index, _)| is_kept(index));
                let mut fields: Vec<_> =
                    carried.map(|(_, (qualifier, field))| (qualifier.cloned(), Arc::clone(field))).collect();
                fields.extend(columns.iter().map(|(qualifier, field, _)| (qualifier.clone(), Arc::clone(field))));
                Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?)
            }
            Mark::AsOf(_) | Mark::Named(_) => Arc::clone(input.schema()),
        };
        Ok(Self { input, mark, schema })
    }

    fn plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// What is computed of the relation's rows.
    fn computed(&self) -> &[Expr] {
        match &self.mark {
            Mark::Windowed(window) => window.time.as_slice(),
            Mark::Elements(elements) => &elements.arrays,
            Mark::AsOf(_) | Mark::Named(_) => &[],
        }
    }
}

/// Such relations have no order among each other; DataFusion asks for one in its own derives only.
impl PartialOrd for Marked {
    fn partial_cmp(&self, _: &Self) -> Option<Ordering> {
        None
    }
}

impl UserDefinedLogicalNodeCore for Marked {
    fn name(&self) -> &str {
        match &self.mark {
            Mark::Windowed(_) => "Windowed",
            Mark::AsOf(_) => "AsOf",
            Mark::Named(_) => "Named",
            Mark::Elements(_) => "Elements",
        }
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.computed().to_vec()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        match &self.mark {
            Mark::Windowed(_) => [WINDOW_START, WINDOW_END].map(str::to_owned).into(),
            Mark::Elements(elements) => elements.columns.iter().map(|(_, field, _)| field.name().clone()).collect(),
            Mark::AsOf(_) | Mark::Named(_) => self.schema.fields().iter().map(|field| field.name().clone()).collect(),
        }
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.mark {
            Mark::Windowed(window) => write!(f, "Windowed: {:?}", window.kind),
            Mark::AsOf(time) => write!(f, "AsOf: {time}"),
            Mark::Named(named) => write!(f, "Named: {}", named.name),
            Mark::Elements(elements) => {
                let arrays = elements.arrays.iter().map(ToString::to_string).collect::<Vec<_>>();
                write!(f, "Elements: {}", arrays.join(", "))
            }
        }
    }

    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return plan_err!("a {} relation has one input", self.name()) };
        let mark = match &self.mark {
            Mark::Windowed(window) => Mark::Windowed(Window { time: exprs.pop(), ..window.clone() }),
            Mark::Elements(elements) => Mark::Elements(Elements { arrays: exprs, ..elements.clone() }),
            other => other.clone(),
        };
        Self::of(input, mark)
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        if matches!(self.mark, Mark::Named(_)) {
            return None;
        }
        let below = self.input.schema();
        let mut needed: Vec<usize> = output.iter().copied().filter(|index| *index < below.fields().len()).collect();
        let read = self.computed().iter().flat_map(Expr::column_refs);
        needed.extend(read.filter_map(|column| below.maybe_index_of_column(column)));
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
