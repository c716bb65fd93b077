//! `/`, `%`, `DIV` and MOD as this engine has them: exact on whole numbers and decimals, NULL (counted) or an error where
//! the divisor is zero. Decimals are rounded half away from zero at the scale of the dividend plus four, as PostgreSQL
//! and Flink round; DataFusion cuts. Floats follow IEEE 754.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, PrimitiveBuilder, Scalar};
use arrow::compute::kernels::{numeric, zip::zip};
use arrow::compute::{cast, kernels::cmp};
use arrow::datatypes::{
    ArrowNativeTypeOp, DataType, Decimal128Type, DecimalType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type, i256,
};
use arrow::error::ArrowError;
use datafusion_common::{DFSchema, DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion_expr::{
    ColumnarValue, Documentation, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use sqlparser::ast::BinaryOperator;

use super::scalar::document;

/// What a division by zero does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ZeroDivisor {
    /// It gives NULL and is counted.
    #[default]
    Null,
    /// It is an error of the row, for the job's failure strategy.
    Fail,
}

/// How divisions by zero are taken, and how many there were.
#[derive(Debug, Clone, Default)]
pub struct Divisions {
    /// What happens.
    pub on_zero: ZeroDivisor,
    /// How many gave NULL, over all that share it.
    pub by_zero: Arc<AtomicU64>,
}

/// Which of the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Quotient,
    Remainder,
    /// The whole part of a quotient, as BIGINT.
    Whole,
}

/// A division as a function.
#[derive(Debug)]
struct Division {
    kind: Kind,
    divisions: Divisions,
    signature: Signature,
    documentation: Documentation,
}

impl PartialEq for Division {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.divisions.on_zero) == (other.kind, other.divisions.on_zero)
    }
}

impl Eq for Division {}

impl Hash for Division {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.kind, self.divisions.on_zero).hash(state);
    }
}

impl Division {
    fn function(kind: Kind, divisions: &Divisions) -> Arc<ScalarUDF> {
        let documentation = match kind {
            Kind::Quotient => document(
                "Numbers",
                "divide(a, b)",
                "The quotient, written a / b; by zero NULL. Whole numbers give a whole number, decimals are rounded.",
                "SELECT 2.00 / 3.00",
            ),
            Kind::Remainder => document(
                "Numbers",
                "mod(a, b)",
                "The remainder with the sign of a, written a % b; by zero NULL.",
                "SELECT mod(7, 3)",
            ),
            Kind::Whole => document(
                "Numbers",
                "div(a, b)",
                "The whole part of a quotient as BIGINT, written a DIV b; by zero NULL.",
                "SELECT div(7, 3)",
            ),
        };
        Arc::new(ScalarUDF::new_from_impl(Self {
            kind,
            divisions: divisions.clone(),
            signature: Signature::user_defined(Volatility::Immutable),
            documentation,
        }))
    }

    fn operator(&self) -> Operator {
        if self.kind == Kind::Remainder { Operator::Modulo } else { Operator::Divide }
    }
}

/// `divide`, `mod` and `div`.
pub fn functions(divisions: &Divisions) -> Vec<Arc<ScalarUDF>> {
    [Kind::Quotient, Kind::Remainder, Kind::Whole].map(|kind| Division::function(kind, divisions)).to_vec()
}

impl ScalarUDFImpl for Division {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        match self.kind {
            Kind::Quotient => "divide",
            Kind::Remainder => "mod",
            Kind::Whole => "div",
        }
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let [left, right] = arguments else { return plan_err!("a division has two sides") };
        let sign = match self.kind {
            Kind::Quotient => "/",
            Kind::Remainder => "%",
            Kind::Whole => "DIV",
        };
        Ok(format!("{} {sign} {}", left.schema_name(), right.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = given else { return plan_err!("`{}` takes two numbers", self.name()) };
        let (left, right) = BinaryTypeCoercer::new(left, &self.operator(), right).get_input_types()?;
        if !(left.is_numeric() && right.is_numeric() || left.is_null() && right.is_null()) {
            return plan_err!("`{}` takes two numbers, not {left} and {right}", self.name());
        }
        Ok(vec![left, right])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let [left, right] = given else { return plan_err!("`{}` takes two numbers", self.name()) };
        if self.kind == Kind::Whole {
            return Ok(DataType::Int64);
        }
        BinaryTypeCoercer::new(left, &self.operator(), right).get_result_type()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = &args.args[..] else { return exec_err!("`{}` takes two numbers", self.name()) };
        let constant = matches!((left, right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let (dividend, divisor) = (left.to_array(rows)?, right.to_array(rows)?);
        let made =
            if self.kind == Kind::Remainder { remainder(&dividend, &divisor)? } else { quotient(&dividend, &divisor)? };
        let by_zero = made.null_count().saturating_sub(
            arrow::buffer::NullBuffer::union(dividend.nulls(), divisor.nulls()).map_or(0, |nulls| nulls.null_count()),
        );
        if by_zero > 0 {
            if self.divisions.on_zero == ZeroDivisor::Fail {
                return Err(ArrowError::DivideByZero.into());
            }
            self.divisions.by_zero.fetch_add(u64::try_from(by_zero).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        let made = match self.kind {
            Kind::Whole if *made.data_type() != DataType::Int64 => whole_part(&made)?,
            _ => made,
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

/// `dividend / divisor`, NULL where the divisor is zero.
fn quotient(dividend: &ArrayRef, divisor: &ArrayRef) -> Result<ArrayRef> {
    fn whole<T: ArrowPrimitiveType>(dividend: &ArrayRef, divisor: &ArrayRef) -> Result<ArrayRef> {
        by_row::<T>(dividend.as_primitive(), divisor.as_primitive(), |a, b| a.div_checked(b))
    }
    let made: ArrayRef = match dividend.data_type() {
        DataType::Int8 => whole::<Int8Type>(dividend, divisor)?,
        DataType::Int16 => whole::<Int16Type>(dividend, divisor)?,
        DataType::Int32 => whole::<Int32Type>(dividend, divisor)?,
        DataType::Int64 => whole::<Int64Type>(dividend, divisor)?,
        DataType::UInt8 => whole::<UInt8Type>(dividend, divisor)?,
        DataType::UInt16 => whole::<UInt16Type>(dividend, divisor)?,
        DataType::UInt32 => whole::<UInt32Type>(dividend, divisor)?,
        DataType::UInt64 => whole::<UInt64Type>(dividend, divisor)?,
        DataType::Decimal128(_, _) => decimals(dividend.as_primitive(), divisor.as_primitive())?,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => numeric::div(dividend, divisor)?,
        _ => numeric::div(dividend, &without_zero(divisor)?)?,
    };
    Ok(made)
}

/// `dividend % divisor`, NULL where the divisor is zero.
fn remainder(dividend: &ArrayRef, divisor: &ArrayRef) -> Result<ArrayRef> {
    if dividend.data_type().is_floating() {
        return Ok(numeric::rem(dividend, divisor)?);
    }
    Ok(numeric::rem(dividend, &without_zero(divisor)?)?)
}

fn by_row<T: ArrowPrimitiveType>(
    dividend: &PrimitiveArray<T>,
    divisor: &PrimitiveArray<T>,
    divide: impl Fn(T::Native, T::Native) -> Result<T::Native, ArrowError>,
) -> Result<ArrayRef> {
    let mut made = PrimitiveBuilder::<T>::with_capacity(dividend.len());
    for row in 0..dividend.len() {
        if dividend.is_null(row) || divisor.is_null(row) || divisor.value(row).is_zero() {
            made.append_null();
        } else {
            made.append_value(divide(dividend.value(row), divisor.value(row))?);
        }
    }
    Ok(Arc::new(made.finish()))
}

/// Decimals: the scale of the dividend plus four, rounded half away from zero.
fn decimals(dividend: &PrimitiveArray<Decimal128Type>, divisor: &PrimitiveArray<Decimal128Type>) -> Result<ArrayRef> {
    let (precision, scale) = (dividend.precision(), dividend.scale());
    let made_scale = scale.saturating_add(4).min(Decimal128Type::MAX_SCALE);
    let raised = made_scale - scale + divisor.scale();
    let Ok(raised) = u32::try_from(raised) else {
        return Ok(numeric::div(dividend, &without_zero(&(Arc::new(divisor.clone()) as ArrayRef))?)?);
    };
    let digits = u32::from(precision) + raised;
    let made_precision = u8::try_from(digits.min(u32::from(Decimal128Type::MAX_PRECISION))).unwrap_or(u8::MAX);
    // Where the raised dividend fits 38 digits for every value of its type, no row needs the wide way.
    let narrow = 10_i128.checked_pow(raised);
    let wide = i256::from_i128(10).pow_checked(raised)?;
    let made = by_row::<Decimal128Type>(dividend, divisor, |a, b| {
        let value = match narrow.and_then(|raise| a.checked_mul(raise)) {
            Some(raised) => rounded(raised, b),
            None => {
                let (raised, b) = (i256::from_i128(a).mul_checked(wide)?, i256::from_i128(b));
                let (whole, rest) = (raised.div_checked(b)?, raised.mod_checked(b)?);
                let twice = rest.wrapping_abs().mul_checked(i256::from_i128(2))?;
                let up = twice >= b.wrapping_abs();
                let sign = if raised.is_negative() == b.is_negative() { i256::ONE } else { i256::MINUS_ONE };
                let value = if up { whole.add_checked(sign)? } else { whole };
                value
                    .to_i128()
                    .ok_or_else(|| ArrowError::ArithmeticOverflow(format!("{value} has more than 38 digits")))?
            }
        };
        Decimal128Type::validate_decimal_precision(value, made_precision, made_scale)?;
        Ok(value)
    })?;
    Ok(Arc::new(made.as_primitive::<Decimal128Type>().clone().with_precision_and_scale(made_precision, made_scale)?))
}

fn rounded(raised: i128, divisor: i128) -> i128 {
    let (whole, rest) = (raised / divisor, raised % divisor);
    // Without doubling, which could overflow: rest is at least half of the divisor.
    let up = rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs();
    if rest != 0 && up { whole + if (raised < 0) == (divisor < 0) { 1 } else { -1 } } else { whole }
}

/// The column with NULL instead of zero.
fn without_zero(divisor: &ArrayRef) -> Result<ArrayRef> {
    let zero = ScalarValue::new_zero(divisor.data_type())?.to_scalar()?;
    let is_zero = cmp::eq(divisor, &zero)?;
    if is_zero.true_count() == 0 {
        return Ok(Arc::clone(divisor));
    }
    let null = Scalar::new(arrow::array::new_null_array(divisor.data_type(), 1));
    Ok(zip(&is_zero, &null, divisor)?)
}

/// The whole part of a column of numbers, as BIGINT.
fn whole_part(made: &ArrayRef) -> Result<ArrayRef> {
    if let DataType::Decimal128(_, scale) = made.data_type() {
        let unit = 10_i128.checked_pow(u32::try_from(*scale).unwrap_or_default()).unwrap_or(i128::MAX);
        let cut = made.as_primitive::<Decimal128Type>().try_unary::<_, Int64Type, DataFusionError>(|value| {
            i64::try_from(value / unit)
                .map_err(|_| DataFusionError::Execution(format!("{} does not fit BIGINT", value / unit)))
        })?;
        return Ok(Arc::new(cut));
    }
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    if made.data_type().is_floating() {
        let floats = cast(made, &DataType::Float64)?;
        return Ok(arrow::compute::cast_with_options(&floats, &DataType::Int64, &options)?);
    }
    Ok(arrow::compute::cast_with_options(made, &DataType::Int64, &options)?)
}

/// Plans `/`, `%` and `DIV` on numbers as these functions, and refuses whole constants that overflow while they are
/// written, before a rule folds them with a wrap.
#[derive(Debug)]
pub struct ArithmeticPlanner {
    quotient: Arc<ScalarUDF>,
    remainder: Arc<ScalarUDF>,
    whole: Arc<ScalarUDF>,
}

impl ArithmeticPlanner {
    /// A planner of divisions that are taken in that way.
    pub fn new(divisions: &Divisions) -> Self {
        let of = |kind| Division::function(kind, divisions);
        Self { quotient: of(Kind::Quotient), remainder: of(Kind::Remainder), whole: of(Kind::Whole) }
    }
}

impl ExprPlanner for ArithmeticPlanner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let function = match expr.op {
            BinaryOperator::Divide => &self.quotient,
            BinaryOperator::Modulo => &self.remainder,
            BinaryOperator::MyIntegerDivide | BinaryOperator::DuckIntegerDivide => &self.whole,
            BinaryOperator::Plus => return constant(expr, Operator::Plus),
            BinaryOperator::Minus => return constant(expr, Operator::Minus),
            BinaryOperator::Multiply => return constant(expr, Operator::Multiply),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let divisible = |side: &Expr| side.get_type(schema).is_ok_and(|kind| kind.is_numeric() || kind.is_null());
        if divisible(&expr.left) && divisible(&expr.right) {
            return Ok(PlannerResult::Planned(function.call(vec![expr.left, expr.right])));
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn constant(expr: RawBinaryExpr, operator: Operator) -> Result<PlannerResult<RawBinaryExpr>> {
    if let (Some(left), Some(right)) = (whole_constant(&expr.left), whole_constant(&expr.right))
        && compute(left, operator, right).is_none()
    {
        return plan_err!("{left} {operator} {right} does not fit BIGINT");
    }
    Ok(PlannerResult::Original(expr))
}

/// What an expression of BIGINT constants is; `None` for any other, and for what does not fit.
fn whole_constant(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int64(value), _) => *value,
        Expr::Negative(inner) => whole_constant(inner)?.checked_neg(),
        Expr::BinaryExpr(binary) => compute(whole_constant(&binary.left)?, binary.op, whole_constant(&binary.right)?),
        _ => None,
    }
}

fn compute(left: i64, operator: Operator, right: i64) -> Option<i64> {
    match operator {
        Operator::Plus => left.checked_add(right),
        Operator::Minus => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        _ => None,
    }
}
