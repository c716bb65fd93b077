//! A scalar function of this engine: its name, what it takes, what it gives and the kernel that makes a column of
//! columns. It looks no function up and knows no plan.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, StringArray};
use arrow::datatypes::{DataType, IntervalUnit, TimeUnit, TimestampMillisecondType};
use arrow::temporal_conversions::as_datetime_with_timezone;
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// A moment as this engine has it: milliseconds since 1970, without a zone, which is UTC.
pub const MOMENT: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// What an argument is cast to before the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// As it is.
    Any,
    /// `Utf8`; anything that is not nested is printed.
    Text,
    /// `Int64`.
    Whole,
    /// `Float64`, of a number or a text that is one.
    Number,
    /// `Timestamp(ms)`: of a timestamp, a date, a text in ISO 8601, or whole milliseconds since 1970.
    Moment,
    /// As `Moment`, but a timestamp keeps its zone, whose clock is read.
    Shown,
    /// An interval of months, days and nanoseconds.
    Interval,
}

impl Want {
    /// The type that an argument of type `given` is cast to.
    fn of(self, given: &DataType) -> Option<DataType> {
        match self {
            Self::Any => Some(given.clone()),
            Self::Text => (!given.is_nested()).then_some(DataType::Utf8),
            Self::Whole => (given.is_integer() || given.is_null()).then_some(DataType::Int64),
            Self::Number => (given.is_numeric() || given.is_null() || given.is_string()).then_some(DataType::Float64),
            Self::Shown => match given {
                DataType::Timestamp(_, Some(zone)) => {
                    Some(DataType::Timestamp(TimeUnit::Millisecond, Some(Arc::clone(zone))))
                }
                other => Self::Moment.of(other),
            },
            Self::Moment => {
                let fits = given.is_temporal() && !matches!(given, DataType::Interval(_) | DataType::Duration(_));
                (fits || given.is_integer() || given.is_null() || given.is_string()).then_some(MOMENT)
            }
            Self::Interval => matches!(given, DataType::Interval(_) | DataType::Duration(_) | DataType::Null)
                .then_some(DataType::Interval(IntervalUnit::MonthDayNano)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Text => "text",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Moment | Self::Shown => "a timestamp",
            Self::Interval => "an interval",
        }
    }
}

/// The type a function gives, of the types it is given.
pub type Gives = fn(&[DataType]) -> DataType;
/// The kernel: a column of [`Call::rows`] rows.
pub type Kernel = fn(&Call) -> Result<ArrayRef>;

/// A scalar function. Made by [`Scalar::new`], one or more [`Scalar::takes`], and [`Scalar::runs`].
#[derive(Debug)]
pub struct Scalar {
    name: &'static str,
    aliases: Vec<String>,
    forms: Vec<&'static [Want]>,
    gives: Gives,
    kernel: Kernel,
    signature: Signature,
    documentation: Documentation,
}

impl Scalar {
    /// A function by its name, with its line of help. `syntax` and `example` are SQL.
    pub fn new(
        category: &'static str,
        name: &'static str,
        syntax: &'static str,
        help: &'static str,
        example: &'static str,
    ) -> Self {
        Self {
            name,
            aliases: Vec::new(),
            forms: Vec::new(),
            gives: |_| DataType::Utf8,
            kernel: |_| exec_err!("this function has no kernel"),
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: document(category, syntax, help, example),
        }
    }

    /// Other names.
    #[must_use]
    pub fn also(mut self, aliases: &[&str]) -> Self {
        self.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        self
    }

    /// One form it can be called in.
    #[must_use]
    pub fn takes(mut self, form: &'static [Want]) -> Self {
        self.forms.push(form);
        self
    }

    /// It is not the same each time, so it is evaluated per batch and never at planning.
    #[must_use]
    pub fn volatile(mut self) -> Self {
        self.signature.volatility = Volatility::Volatile;
        self
    }

    /// What it gives and how.
    #[must_use]
    pub fn runs(mut self, gives: Gives, kernel: Kernel) -> Arc<ScalarUDF> {
        self.gives = gives;
        self.kernel = kernel;
        Arc::new(ScalarUDF::new_from_impl(self))
    }
}

/// A function's help in DataFusion's form.
pub fn document(
    category: &'static str,
    syntax: &'static str,
    help: &'static str,
    example: &'static str,
) -> Documentation {
    Documentation::builder(DocSection { include: true, label: category, description: None }, help, syntax)
        .with_sql_example(example)
        .build()
}

// A function is what its name says: the registry holds one of a name.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok((self.gives)(given))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let mut of_this_length = self.forms.iter().filter(|form| form.len() == given.len()).peekable();
        if of_this_length.peek().is_none() {
            return plan_err!(
                "it is written `{}`, not with {} arguments",
                self.documentation.syntax_example,
                given.len()
            );
        }
        let fitting = of_this_length
            .clone()
            .find_map(|form| form.iter().zip(given).map(|(want, given)| want.of(given)).collect::<Option<Vec<_>>>());
        match (fitting, of_this_length.next()) {
            (Some(types), _) => Ok(types),
            (None, Some(form)) => {
                let wanted: Vec<_> = form.iter().map(|want| want.name()).collect();
                plan_err!("it is written `{}` and takes {}", self.documentation.syntax_example, wanted.join(", "))
            }
            (None, None) => plan_err!("it is written `{}`", self.documentation.syntax_example),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let call = Call::of(&args.args, if constant { 1 } else { args.number_rows })?;
        let made = (self.kernel)(&call)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?));
        }
        Ok(ColumnarValue::Array(made))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The arguments of one call: columns of [`Call::rows`] rows, or of one row that stands for all.
pub struct Call {
    /// How many rows the result has.
    pub rows: usize,
    columns: Vec<(ArrayRef, bool)>,
}

impl Call {
    fn of(arguments: &[ColumnarValue], rows: usize) -> Result<Self> {
        let columns = arguments
            .iter()
            .map(|argument| match argument {
                ColumnarValue::Array(array) => Ok((Arc::clone(array), false)),
                ColumnarValue::Scalar(scalar) => Ok((scalar.to_array_of_size(1)?, true)),
            })
            .collect::<Result<_>>()?;
        Ok(Self { rows, columns })
    }

    /// How many arguments.
    pub fn count(&self) -> usize {
        self.columns.len()
    }

    /// The type of an argument.
    pub fn data_type(&self, index: usize) -> &DataType {
        self.columns[index].0.data_type()
    }

    /// An argument as a whole column.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn column(&self, index: usize) -> Result<ArrayRef> {
        let (array, constant) = &self.columns[index];
        if *constant && self.rows != 1 {
            return ScalarValue::try_from_array(array, 0)?.to_array_of_size(self.rows);
        }
        Ok(Arc::clone(array))
    }

    /// An argument that was asked for as [`Want::Text`].
    pub fn text(&self, index: usize) -> Text<'_> {
        let (array, constant) = &self.columns[index];
        Text { array: array.as_string::<i32>(), constant: *constant }
    }

    /// An argument that was asked for as [`Want::Whole`].
    pub fn whole(&self, index: usize) -> Whole<'_> {
        let (array, constant) = &self.columns[index];
        Whole { array: array.as_primitive(), constant: *constant }
    }

    /// An argument that was asked for as [`Want::Moment`], in milliseconds.
    pub fn moment(&self, index: usize) -> Moments<'_> {
        let (array, constant) = &self.columns[index];
        Moments { array: array.as_primitive::<TimestampMillisecondType>(), constant: *constant }
    }

    /// An argument that was asked for as [`Want::Shown`].
    ///
    /// # Errors
    /// A zone that there is not.
    pub fn shown(&self, index: usize) -> Result<Shown<'_>> {
        let zone = match self.data_type(index) {
            DataType::Timestamp(_, Some(zone)) => Some(zone.parse()?),
            _ => None,
        };
        Ok(Shown { moments: self.moment(index), zone })
    }
}

/// Texts by row.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    array: &'a StringArray,
    constant: bool,
}

impl<'a> Text<'a> {
    /// The text of a row; `None` is NULL.
    pub fn at(&self, row: usize) -> Option<&'a str> {
        let row = if self.constant { 0 } else { row };
        (!self.array.is_null(row)).then(|| self.array.value(row))
    }
}

/// Whole numbers by row.
#[derive(Clone, Copy)]
pub struct Whole<'a> {
    array: &'a Int64Array,
    constant: bool,
}

impl Whole<'_> {
    /// The number of a row; `None` is NULL.
    pub fn at(&self, row: usize) -> Option<i64> {
        let row = if self.constant { 0 } else { row };
        (!self.array.is_null(row)).then(|| self.array.value(row))
    }
}

/// Moments by row.
#[derive(Clone, Copy)]
pub struct Moments<'a> {
    array: &'a PrimitiveArray<TimestampMillisecondType>,
    constant: bool,
}

impl Moments<'_> {
    /// Milliseconds since 1970 of a row; `None` is NULL.
    pub fn at(&self, row: usize) -> Option<i64> {
        let row = if self.constant { 0 } else { row };
        (!self.array.is_null(row)).then(|| self.array.value(row))
    }
}

/// What clocks show by row.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    moments: Moments<'a>,
    zone: Option<Tz>,
}

/// What the clock of a zone shows at a moment.
#[derive(Clone, Copy, PartialEq)]
pub struct Clock {
    /// Milliseconds from 1970 as that clock counts them.
    pub shown_ms: i64,
    /// How far it is ahead of UTC, milliseconds.
    pub ahead_ms: i64,
}

impl Shown<'_> {
    /// The clock of a row; `None` is NULL.
    pub fn at(&self, row: usize) -> Option<Clock> {
        let moment = self.moments.at(row)?;
        let local = self.zone.and_then(|zone| as_datetime_with_timezone::<TimestampMillisecondType>(moment, zone));
        let shown_ms = local.map_or(moment, |local| local.naive_local().and_utc().timestamp_millis());
        Some(Clock { shown_ms, ahead_ms: shown_ms - moment })
    }
}

/// What was made of a text, kept for as long as the same text follows: a pattern is compiled once a batch, not once a
/// row.
pub struct Kept<T> {
    last: Option<(String, T)>,
}

impl<T> Kept<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { last: None }
    }

    /// What `make` makes of `text`, or made before.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn of(&mut self, text: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<&mut T> {
        if self.last.as_ref().is_none_or(|(known, _)| known != text) {
            self.last = Some((text.to_owned(), make(text)?));
        }
        match &mut self.last {
            Some((_, made)) => Ok(made),
            None => exec_err!("nothing was made of `{text}`"),
        }
    }
}
