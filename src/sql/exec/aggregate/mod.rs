//! Aggregates over groups: accumulators that can be read without being emptied, taken back where rows are taken back, and
//! written into a checkpoint. Native ones for what everybody uses, DataFusion's own for the rest.

pub mod changes;
pub mod grouped;
pub mod grouped_state;
pub mod keys;
pub mod prepared;

mod count;
mod distinct;
mod extreme;
mod float_sum;
mod mean;
mod once;
mod ordered;
mod per_group;
mod refused;
mod replay;
mod sum;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, SchemaRef};

use crate::core::fault::{Blame, Fault};
use crate::sql::functions::aggregates::only_value::SEVERAL;
use crate::sql::plan::stream::{AggregateCall, Changes};

/// The stage of rows that aggregates refuse.
pub(crate) const STAGE: &str = "aggregate";

/// One aggregate over many groups. Groups are numbered from 0; a number may be used again after [`Self::clear`].
pub trait GroupAccumulator: Send {
    /// There are `groups` groups from now on, new ones empty.
    fn grow(&mut self, groups: usize);

    /// Whether one of these rows, or of some of them, may not be added (an overflow). `false` is a promise; after `true`
    /// a [`Self::trial`] says which. Asked before [`Self::update`] and [`Self::follow`], which refuse nothing.
    ///
    /// # Errors
    /// What no row can be blamed for.
    fn may_refuse(&mut self, _: &Rows<'_>) -> Result<bool, Fault> {
        Ok(false)
    }

    /// Rows tried one by one, in order, without a change to any group.
    ///
    /// # Errors
    /// What no row can be blamed for.
    fn trial<'a>(&'a self, _: &'a Rows<'a>) -> Result<Box<dyn Trial + 'a>, Fault> {
        Ok(Box::new(NoTrial))
    }

    /// Adds rows: row `i` belongs to `groups[i]`.
    ///
    /// # Errors
    /// What no row can be blamed for.
    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault>;

    /// Adds rows one by one. Answers with the results of each row's group before it and after it.
    ///
    /// # Errors
    /// What no row can be blamed for.
    fn follow(&mut self, rows: &Rows<'_>) -> Result<(ArrayRef, ArrayRef), Fault> {
        if rows.groups.is_empty() {
            return Ok((self.evaluate(&[])?, self.evaluate(&[])?));
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (row, group) in rows.groups.iter().enumerate() {
            let groups = std::slice::from_ref(group);
            let values: Vec<_> = rows.values.iter().map(|values| values.slice(row, 1)).collect();
            let filter = rows.filter.map(|filter| filter.slice(row, 1));
            before.push(self.evaluate(groups)?);
            self.update(&Rows { values: &values, groups, filter: filter.as_ref() })?;
            after.push(self.evaluate(groups)?);
        }
        Ok((joined(&before)?, joined(&after)?))
    }

    /// Takes rows back that were added before.
    ///
    /// # Errors
    /// What no row can be blamed for.
    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault>;

    /// The results of these groups, one a group, as they are now.
    ///
    /// # Errors
    /// Arrow's or DataFusion's.
    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault>;

    /// What is needed to go on another time, one row a group.
    ///
    /// # Errors
    /// Arrow's or DataFusion's.
    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault>;

    /// Adds states: state `i` to `groups[i]`.
    ///
    /// # Errors
    /// States that are not this aggregate's.
    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault>;

    /// Groups that a merged state was not added to, because the result would not fit, and why. They are told once.
    fn spilled(&mut self) -> Vec<(u32, String)> {
        Vec::new()
    }

    /// Empties a group, whose number will be used again.
    fn clear(&mut self, group: u32);

    /// Bytes held.
    fn size(&self) -> usize;

    /// Whether rows that go are only left out when what is left is read anew, whatever their order was.
    fn reads_anew(&self) -> bool {
        false
    }
}

/// Rows on trial: a row that every accumulator would take is added to all of them, in thought.
pub trait Trial {
    /// Why a row cannot be added to what is there and was added in thought; none where it can.
    fn refusal(&self, row: usize) -> Option<String>;

    /// Adds a row in thought.
    fn add(&mut self, row: usize);
}

/// Of an accumulator that takes every row.
struct NoTrial;

impl Trial for NoTrial {
    fn refusal(&self, _: usize) -> Option<String> {
        None
    }

    fn add(&mut self, _: usize) {}
}

/// Rows for an accumulator.
pub struct Rows<'a> {
    /// Arguments, and behind them what the aggregate orders by.
    pub values: &'a [ArrayRef],
    /// The group of each row.
    pub groups: &'a [u32],
    /// Rows that count (`FILTER (WHERE …)`); all where absent.
    pub filter: Option<&'a BooleanArray>,
}

impl Rows<'_> {
    /// Whether row `row` counts.
    pub fn counts(&self, row: usize) -> bool {
        use arrow::array::Array;
        self.filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
    }
}

/// The accumulator of a call. `input` says whether rows can be taken back.
///
/// # Errors
/// An aggregate that does not know how to do this.
pub fn accumulator(
    call: &AggregateCall,
    input: Changes,
    schema: &SchemaRef,
) -> Result<Box<dyn GroupAccumulator>, Fault> {
    let function = &call.function;
    let name = function.fun().name().to_lowercase();
    let result = function.field().data_type().clone();
    let arguments = function.expressions();
    let plain = !function.is_distinct() && function.order_bys().is_empty();
    let argument = match arguments.first() {
        Some(argument) => Some(argument.data_type(schema).map_err(|error| failed(&error))?),
        None => None,
    };
    let is_changelog = input == Changes::Changelog;
    Ok(match (name.as_str(), argument) {
        ("count", _) if plain && arguments.len() <= 1 => Box::new(count::Count::new()),
        ("count", Some(argument))
            if function.is_distinct() && function.order_bys().is_empty() && arguments.len() == 1 =>
        {
            distinct::distinct(&argument)?
        }
        // Floats that are subtracted again leave behind what large ones rounded off.
        ("sum" | "avg", Some(_)) if plain && is_changelog && result == DataType::Float64 => {
            Box::new(float_sum::FloatSums::new(name == "avg"))
        }
        ("sum" | "avg", Some(argument))
            if function.order_bys().is_empty() && is_changelog && result == DataType::Float64 =>
        {
            once::once(&argument, Box::new(float_sum::FloatSums::new(name == "avg")))?
        }
        ("sum", Some(_)) if plain => match sum::sum(&result) {
            Some(made) => made,
            None => per_group::PerGroup::of(call, is_changelog, schema)?,
        },
        ("avg", Some(argument)) if plain => match mean::mean(&argument, &result) {
            Some(made) => made,
            None => per_group::PerGroup::of(call, is_changelog, schema)?,
        },
        ("sum" | "avg", Some(argument)) if function.order_bys().is_empty() => {
            let made = if name == "sum" { sum::sum(&result) } else { mean::mean(&argument, &result) };
            match made {
                Some(made) => once::once(&argument, made)?,
                None => per_group::PerGroup::of(call, is_changelog, schema)?,
            }
        }
        ("min" | "max", Some(argument)) if function.order_bys().is_empty() => {
            let largest = name == "max";
            if is_changelog {
                Box::new(ordered::Ordered::new(&argument, largest)?)
            } else {
                match extreme::extreme(&argument, largest) {
                    Some(made) => made,
                    None => Box::new(ordered::Kept::new(&argument, largest)?),
                }
            }
        }
        _ => per_group::PerGroup::of(call, is_changelog, schema)?,
    })
}

fn joined(parts: &[ArrayRef]) -> Result<ArrayRef, Fault> {
    let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
    arrow::compute::concat(&parts).map_err(|error| failed(&error))
}

/// A fault of a library's error, which is a defect here or an expression that cannot be computed.
pub(crate) fn failed(error: &dyn std::fmt::Display) -> Fault {
    let error = error.to_string();
    if error.contains(SEVERAL) {
        let next = "say which of them: MAX(x), or ORDER BY … LIMIT 1, or a condition that one row meets";
        return Fault::new(Blame::Operator, SEVERAL).next(next);
    }
    Fault::new(Blame::Program, format!("an aggregate cannot be computed: {error}"))
}
