//! Functions of DataFusion that answer otherwise than people of other engines expect: times that wrap far from 1970, base64
//! without its padding, OVERLAY by bytes, ATAN2 in 32 bits and ARRAY_REMOVE of the first element alone. All
//! else of them is DataFusion's.

use std::any::Any;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Float64Array, StringBuilder};
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMillisecondType};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::planner::{ExprPlanner, PlannerResult};
use datafusion_expr::{ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use datafusion_functions::{datetime, encoding};
use datafusion_functions_nested::remove::array_remove_all_udf;

use super::scalar::{Call, Scalar, Want, document};
use super::time::wide;

/// The functions.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let of = |stock, kind| Arc::new(ScalarUDF::new_from_impl(Mended { stock, kind }));
    vec![
        of(datetime::date_trunc(), Kind::Truncated),
        of(datetime::date_bin(), Kind::Binned),
        of(encoding::encode(), Kind::Padded),
        of(array_remove_all_udf(), Kind::EachRemoved),
        overlay(),
        Scalar::new(
            "Numbers",
            "atan2",
            "atan2(y, x)",
            "The angle of a point with the axis of x, in radians.",
            "SELECT atan2(1, 3)",
        )
        .takes(&[Want::Number, Want::Number])
        .runs(|_| DataType::Float64, atan2),
    ]
}

fn overlay() -> Arc<ScalarUDF> {
    Scalar::new(
        "Text",
        "overlay",
        "overlay(text PLACING part FROM from [FOR count])",
        "The text with a part in the place of so many letters, as many as the part has where it is not said.",
        "SELECT overlay('Kafak' PLACING 'ka' FROM 4 FOR 2)",
    )
    .takes(&[Want::Text, Want::Text, Want::Whole])
    .takes(&[Want::Text, Want::Text, Want::Whole, Want::Whole])
    .runs(|_| DataType::Utf8, overlaid)
}

fn overlaid(call: &Call) -> Result<ArrayRef> {
    let (texts, parts, from) = (call.text(0), call.text(1), call.whole(2));
    let count = (call.count() > 3).then(|| call.whole(3));
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 16);
    for row in 0..call.rows {
        let (Some(text), Some(part), Some(from)) = (texts.at(row), parts.at(row), from.at(row)) else {
            made.append_null();
            continue;
        };
        let letters = || i64::try_from(part.chars().count()).ok();
        let Some(count) = count.as_ref().map_or_else(letters, |count| count.at(row)) else {
            made.append_null();
            continue;
        };
        let place = |at: i64| usize::try_from(at).unwrap_or_default();
        let (head, rest) = (place(from.saturating_sub(1)), place(from.saturating_sub(1).saturating_add(count)));
        let tail = text.chars().skip(rest);
        made.append_value(text.chars().take(head).chain(part.chars()).chain(tail).collect::<String>());
    }
    Ok(Arc::new(made.finish()))
}

fn atan2(call: &Call) -> Result<ArrayRef> {
    let (y, x) = (call.column(0)?, call.column(1)?);
    let (y, x) = (y.as_primitive::<Float64Type>(), x.as_primitive::<Float64Type>());
    let made: Float64Array = arrow::compute::binary(y, x, f64::atan2)?;
    Ok(Arc::new(made))
}

/// Plans `OVERLAY(… PLACING …)` as the function above.
#[derive(Debug)]
pub struct OverlayPlanner;

impl ExprPlanner for OverlayPlanner {
    fn plan_overlay(&self, arguments: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(overlay().call(arguments)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Truncated,
    Binned,
    Padded,
    EachRemoved,
}

static REMOVED_NAMES: LazyLock<[String; 1]> = LazyLock::new(|| ["list_remove".to_owned()]);
static REMOVED: LazyLock<Documentation> = LazyLock::new(|| {
    let help = "The array without the elements that are equal to a value.";
    document("Array Functions", "array_remove(array, element)", help, "SELECT array_remove(ARRAY['x', 'y', 'x'], 'x')")
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct Mended {
    stock: Arc<ScalarUDF>,
    kind: Kind,
}

impl Mended {
    /// The moments of such a call, where they are too far from 1970 for DataFusion's.
    fn wide(&self, args: &ScalarFunctionArgs) -> Result<Option<ColumnarValue>> {
        let is_moment = |time: &&ColumnarValue| time.data_type() == DataType::Timestamp(TimeUnit::Millisecond, None);
        let Some(times) = args.args.get(1).filter(is_moment) else { return Ok(None) };
        let is_constant = matches!(times, ColumnarValue::Scalar(_));
        let times = times.to_array(if is_constant { 1 } else { args.number_rows })?;
        let times = times.as_primitive::<TimestampMillisecondType>();
        if !wide::any(times) {
            return Ok(None);
        }
        let made = match self.kind {
            Kind::Truncated => wide::truncated(&args.args, times)?,
            _ => wide::binned(&args.args, times)?,
        };
        Ok(Some(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?),
            false => ColumnarValue::Array(Arc::new(made)),
        }))
    }
}

impl ScalarUDFImpl for Mended {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        if self.kind == Kind::EachRemoved { "array_remove" } else { self.stock.name() }
    }

    fn aliases(&self) -> &[String] {
        if self.kind == Kind::EachRemoved { &*REMOVED_NAMES } else { self.stock.aliases() }
    }

    fn signature(&self) -> &Signature {
        self.stock.signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.stock.coerce_types(given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.stock.return_type(given)
    }

    fn return_field_from_args(&self, args: datafusion_expr::ReturnFieldArgs) -> Result<arrow::datatypes::FieldRef> {
        self.stock.return_field_from_args(args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match self.kind {
            Kind::Truncated | Kind::Binned => match self.wide(&args)? {
                Some(made) => Ok(made),
                None => self.stock.invoke_with_args(args),
            },
            Kind::EachRemoved => self.stock.invoke_with_args(args),
            Kind::Padded => {
                if let Some(ColumnarValue::Scalar(
                    ScalarValue::Utf8(Some(format))
                    | ScalarValue::Utf8View(Some(format))
                    | ScalarValue::LargeUtf8(Some(format)),
                )) = args.args.get_mut(1)
                    && format.eq_ignore_ascii_case("base64")
                {
                    "base64pad".clone_into(format);
                }
                self.stock.invoke_with_args(args)
            }
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        if self.kind == Kind::EachRemoved { Some(&*REMOVED) } else { self.stock.documentation() }
    }
}
