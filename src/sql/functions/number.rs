//! ROUND, CEIL, FLOOR, TRUNC and POWER that stay exact: DataFusion's take whole numbers through floats, its CEIL fails
//! where the carry needs a digit more than the type has, and its POWER cuts decimals to the scale of the base.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowNativeTypeOp, DataType, Decimal128Type, DecimalType, Field, FieldRef, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::scalar::document;
use crate::formats::types;

const CATEGORY: &str = "Numbers";

/// The functions on numbers.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let made = [
        Rounding::new(
            Kind::Round,
            &[],
            document(
                CATEGORY,
                "round(number[, places])",
                "Rounded half away from zero; exact on decimals and whole numbers, which keep their type.",
                "SELECT round(2.345, 2)",
            ),
        ),
        Rounding::new(
            Kind::Ceil,
            &["ceiling"],
            document(
                CATEGORY,
                "ceil(number)",
                "The least whole number not below; exact on decimals.",
                "SELECT ceil(99.1)",
            ),
        ),
        Rounding::new(
            Kind::Floor,
            &[],
            document(
                CATEGORY,
                "floor(number)",
                "The greatest whole number not above; exact on decimals.",
                "SELECT floor(-0.5)",
            ),
        ),
        Rounding::new(
            Kind::Trunc,
            &["truncate"],
            document(
                CATEGORY,
                "trunc(number[, places])",
                "Cut towards zero; exact on decimals and whole numbers.",
                "SELECT trunc(2.999, 1)",
            ),
        ),
    ];
    let mut functions: Vec<_> = made.into_iter().map(|made| Arc::new(ScalarUDF::new_from_impl(made))).collect();
    functions.push(Arc::new(ScalarUDF::new_from_impl(Power::new())));
    functions
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Round,
    Ceil,
    Floor,
    Trunc,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rounding {
    kind: Kind,
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl Rounding {
    fn new(kind: Kind, aliases: &[&str], documentation: Documentation) -> Self {
        Self {
            kind,
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            signature: Signature::user_defined(Volatility::Immutable),
            documentation,
        }
    }

    /// DataFusion's function of the same name, for floats, and for decimals where it is exact.
    fn stock(&self) -> Arc<ScalarUDF> {
        match self.kind {
            Kind::Round => datafusion_functions::math::round(),
            Kind::Ceil => datafusion_functions::math::ceil(),
            Kind::Floor => datafusion_functions::math::floor(),
            Kind::Trunc => datafusion_functions::math::trunc(),
        }
    }

    /// The type of CEIL, FLOOR and TRUNC without places on a decimal: a digit for the carry, no fraction.
    fn whole_decimal(precision: u8, scale: i8) -> DataType {
        let digits = i16::from(precision) - i16::from(scale) + 1;
        let digits = digits.clamp(1, i16::from(Decimal128Type::MAX_PRECISION));
        DataType::Decimal128(u8::try_from(digits).unwrap_or(Decimal128Type::MAX_PRECISION), 0)
    }
}

impl ScalarUDFImpl for Rounding {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        match self.kind {
            Kind::Round => "round",
            Kind::Ceil => "ceil",
            Kind::Floor => "floor",
            Kind::Trunc => "trunc",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let number = match given.first() {
            Some(DataType::Null | DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Float16) => {
                DataType::Float64
            }
            Some(number) if number.is_numeric() => number.clone(),
            _ => return plan_err!("it is written `{}` and takes a number", self.documentation.syntax_example),
        };
        let places = match (self.kind, &number) {
            (Kind::Trunc, DataType::Float32 | DataType::Float64) => DataType::Int64,
            _ => DataType::Int32,
        };
        match (given.len(), self.kind) {
            (1, _) => Ok(vec![number]),
            (2, Kind::Round | Kind::Trunc) if given[1].is_integer() || given[1].is_null() => Ok(vec![number, places]),
            _ => plan_err!("it is written `{}`", self.documentation.syntax_example),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match (&given[0], given.len(), self.kind) {
            (DataType::Decimal128(precision, scale), 1, Kind::Ceil | Kind::Floor | Kind::Trunc) if *scale > 0 => {
                Ok(Self::whole_decimal(*precision, *scale))
            }
            (number, ..) => Ok(number.clone()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let number = args.arg_fields[0].data_type();
        if self.kind == Kind::Round && number.is_decimal() {
            return self.stock().return_field_from_args(args);
        }
        let given: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&given)?, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let number = args.arg_fields[0].data_type().clone();
        let own_decimal = matches!(number, DataType::Decimal128(_, _)) && self.kind != Kind::Round;
        if !number.is_integer() && !own_decimal {
            return self.stock().invoke_with_args(args);
        }
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let numbers = args.args[0].to_array(rows)?;
        let places = match args.args.get(1) {
            Some(places) => Some(arrow::compute::cast(&places.to_array(rows)?, &DataType::Int64)?),
            None => None,
        };
        let places = places.as_ref().map(|places| places.as_primitive::<Int64Type>());
        let made = if own_decimal {
            self.decimals(numbers.as_primitive(), places, args.return_field.data_type())?
        } else {
            self.whole(&numbers, places)?
        };
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?));
        }
        Ok(ColumnarValue::Array(made))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

type Places<'a> = Option<&'a PrimitiveArray<Int64Type>>;

impl Rounding {
    /// Whole numbers stay what they are, unless digits before the point are rounded away.
    fn whole(&self, numbers: &ArrayRef, places: Places) -> Result<ArrayRef> {
        let Some(places) = places else { return Ok(Arc::clone(numbers)) };
        let half_up = self.kind == Kind::Round;
        match numbers.data_type() {
            DataType::Int8 => round_whole::<Int8Type>(numbers, places, half_up),
            DataType::Int16 => round_whole::<Int16Type>(numbers, places, half_up),
            DataType::Int32 => round_whole::<Int32Type>(numbers, places, half_up),
            DataType::Int64 => round_whole::<Int64Type>(numbers, places, half_up),
            DataType::UInt8 => round_whole::<UInt8Type>(numbers, places, half_up),
            DataType::UInt16 => round_whole::<UInt16Type>(numbers, places, half_up),
            DataType::UInt32 => round_whole::<UInt32Type>(numbers, places, half_up),
            DataType::UInt64 => round_whole::<UInt64Type>(numbers, places, half_up),
            other => exec_err!("{other} is no whole number"),
        }
    }

    fn decimals(&self, numbers: &PrimitiveArray<Decimal128Type>, places: Places, made: &DataType) -> Result<ArrayRef> {
        let scale = numbers.scale();
        let unit_of = |digits: i64| 10_i128.checked_pow(u32::try_from(digits).unwrap_or_default());
        if let Some(places) = places {
            // TRUNC with places keeps the type and clears the digits.
            let cut = |row: usize| {
                let cleared = i64::from(scale) - places.value(row);
                let unit = if cleared > 38 { None } else { unit_of(cleared.max(0)) };
                unit.map_or(0, |unit| numbers.value(row) / unit * unit)
            };
            let known = |row: usize| !numbers.is_null(row) && !places.is_null(row);
            let values: PrimitiveArray<Decimal128Type> =
                (0..numbers.len()).map(|row| known(row).then(|| cut(row))).collect();
            return Ok(Arc::new(values.with_data_type(made.clone())));
        }
        let Some(unit) = unit_of(i64::from(scale)).filter(|_| scale > 0) else { return Ok(Arc::new(numbers.clone())) };
        let kind = self.kind;
        let values: PrimitiveArray<Decimal128Type> = numbers.unary(|value| match kind {
            Kind::Ceil => value.div_euclid(unit) + i128::from(value.rem_euclid(unit) != 0),
            Kind::Floor => value.div_euclid(unit),
            Kind::Round | Kind::Trunc => value / unit,
        });
        Ok(Arc::new(values.with_data_type(made.clone())))
    }
}

fn round_whole<T: ArrowPrimitiveType>(
    numbers: &ArrayRef,
    places: &PrimitiveArray<Int64Type>,
    half_up: bool,
) -> Result<ArrayRef>
where
    T::Native: TryInto<i128> + TryFrom<i128>,
{
    let numbers = numbers.as_primitive::<T>();
    let mut made = PrimitiveArray::<T>::builder(numbers.len());
    for row in 0..numbers.len() {
        if numbers.is_null(row) || places.is_null(row) {
            made.append_null();
            continue;
        }
        let (number, places) = (numbers.value(row), places.value(row));
        if places >= 0 {
            made.append_value(number);
            continue;
        }
        // 64 bits have at most 20 digits: rounded beyond them everything is zero.
        let unit = 10_i128.pow(u32::try_from(places.unsigned_abs().min(21)).unwrap_or(21));
        let Ok(value) = number.try_into() else { return exec_err!("a whole number has at most 64 bits") };
        let cut = value / unit * unit;
        let up = half_up && (value % unit).abs() * 2 >= unit;
        let rounded = if up { cut + unit * value.signum() } else { cut };
        let Ok(rounded) = rounded.try_into() else {
            return exec_err!("{rounded} does not fit {}", types::name(&T::DATA_TYPE));
        };
        made.append_value(rounded);
    }
    Ok(Arc::new(made.finish()))
}

/// POWER: exact on a decimal whose exponent is a whole constant that the digits allow, a float otherwise.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Power {
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl Power {
    fn new() -> Self {
        Self {
            aliases: vec!["pow".to_owned()],
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: document(
                CATEGORY,
                "power(base, exponent)",
                "The power; exact for a decimal base and a constant whole exponent, DOUBLE otherwise.",
                "SELECT power(1.05, 3)",
            ),
        }
    }
}

impl ScalarUDFImpl for Power {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "power"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let number = |kind: &DataType| kind.is_numeric() || kind.is_null() || kind.is_string();
        match given {
            [base @ DataType::Decimal128(_, _), exponent] if exponent.is_integer() => {
                Ok(vec![base.clone(), DataType::Int64])
            }
            [base, exponent] if number(base) && number(exponent) => Ok(vec![DataType::Float64; 2]),
            _ => plan_err!("it is written `power(base, exponent)` and takes two numbers"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let exponent = args.scalar_arguments.get(1).copied().flatten();
        let exact = match (args.arg_fields[0].data_type(), exponent) {
            (DataType::Decimal128(_, scale), Some(ScalarValue::Int64(Some(exponent)))) if *exponent >= 0 => {
                let digits = i64::from(*scale).checked_mul(*exponent);
                digits.and_then(|digits| i8::try_from(digits).ok()).filter(|made| (0..=38).contains(made))
            }
            _ => None,
        };
        let made = exact.map_or(DataType::Float64, |scale| DataType::Decimal128(Decimal128Type::MAX_PRECISION, scale));
        Ok(Arc::new(Field::new(self.name(), made, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let base = args.args[0].to_array(rows)?;
        let made: ArrayRef = match (args.return_field.data_type(), &args.args[1]) {
            (DataType::Decimal128(precision, scale), ColumnarValue::Scalar(ScalarValue::Int64(Some(exponent)))) => {
                let exponent = u32::try_from(*exponent).unwrap_or(u32::MAX);
                let values =
                    base.as_primitive::<Decimal128Type>().try_unary::<_, Decimal128Type, ArrowError>(|value| {
                        let value = value.pow_checked(exponent)?;
                        Decimal128Type::validate_decimal_precision(value, *precision, *scale)?;
                        Ok(value)
                    })?;
                Arc::new(values.with_precision_and_scale(*precision, *scale)?)
            }
            (DataType::Decimal128(_, _), _) => return exec_err!("the exponent of an exact power is a constant"),
            (_, exponent) => {
                let base = arrow::compute::cast(&base, &DataType::Float64)?;
                let exponent = arrow::compute::cast(&exponent.to_array(rows)?, &DataType::Float64)?;
                let (base, exponent) = (base.as_primitive::<Float64Type>(), exponent.as_primitive::<Float64Type>());
                Arc::new(arrow::compute::binary::<_, _, _, Float64Type>(base, exponent, f64::powf)?)
            }
        };
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?));
        }
        Ok(ColumnarValue::Array(made))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
