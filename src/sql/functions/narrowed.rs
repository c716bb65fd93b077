//! A cast that is compared with, of which no other cast is the reverse: of a time to fewer digits, of a decimal to fewer places.
//! The optimizer would move it to the constant on the other side and lose what it cuts. The planner puts it there; nobody
//! calls it.

use std::any::Any;

use arrow::compute::CastOptions;
use arrow::datatypes::DataType;
use datafusion_common::{ExprSchema, Result, exec_err};
use datafusion_expr::expr::{Cast, TryCast};
use datafusion_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The expression as the optimizer leaves it, where it is such a cast.
///
/// # Errors
/// An expression that has no type.
pub fn opaque(expr: Expr, schema: &dyn ExprSchema) -> Result<Expr> {
    let (inner, made, is_safe) = match expr {
        Expr::Cast(Cast { expr, data_type }) => (opaque(*expr, schema)?, data_type, false),
        Expr::TryCast(TryCast { expr, data_type }) => (opaque(*expr, schema)?, data_type, true),
        other => return Ok(other),
    };
    if loses(&inner.get_type(schema)?, &made) {
        let signature = Signature::any(1, Volatility::Immutable);
        return Ok(ScalarUDF::new_from_impl(Narrowed { made, is_safe, signature }).call(vec![inner]));
    }
    let inner = Box::new(inner);
    Ok(match is_safe {
        true => Expr::TryCast(TryCast { expr: inner, data_type: made }),
        false => Expr::Cast(Cast { expr: inner, data_type: made }),
    })
}

/// The cast as it was written, where an expression is one.
pub fn written(expr: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let narrowed = call.func.inner().as_any().downcast_ref::<Narrowed>()?;
    let (inner, data_type) = (Box::new(call.args.first()?.clone()), narrowed.made.clone());
    Some(match narrowed.is_safe {
        true => Expr::TryCast(TryCast { expr: inner, data_type }),
        false => Expr::Cast(Cast { expr: inner, data_type }),
    })
}

/// Whether a value, or a constant that is taken back, may lose digits; the optimizer checks whole numbers itself.
fn loses(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Timestamp(from, _), DataType::Timestamp(to, _)) => from != to,
        (DataType::Decimal128(_, from) | DataType::Decimal256(_, from), to) => match to {
            DataType::Decimal128(_, to) | DataType::Decimal256(_, to) => to < from,
            other => other.is_integer() && *from > 0,
        },
        _ => false,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Narrowed {
    made: DataType,
    is_safe: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Narrowed {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "__cast"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.made.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let options = CastOptions { safe: self.is_safe, ..CastOptions::default() };
        match &args.args[..] {
            [value] => value.cast_to(&self.made, Some(&options)),
            _ => exec_err!("one value is cast"),
        }
    }
}
