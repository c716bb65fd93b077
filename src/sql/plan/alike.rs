//! The type that a value takes beside others, where the planner's own choice loses digits: a decimal beside a DOUBLE is DOUBLE,
//! times are of the finest unit among them, and a text beside exact numbers is a decimal with room for both. Pure.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use datafusion_expr::expr::Cast;

use crate::formats::moment;
use crate::sql::functions::quoted::DIGITS_MAX;

/// Places behind the point of a text beside a whole number: the digits before it are those of any BIGINT.
const TEXT_SCALE: u8 = 18;

/// The type that a value of type `own` is made beside such of these types; none where it stays.
pub fn beside(own: &DataType, types: &[&DataType]) -> Option<DataType> {
    match own {
        own if own.is_decimal() => types.iter().any(|other| other.is_floating()).then_some(DataType::Float64),
        DataType::Timestamp(unit, zone) => {
            let finest = finest(types.iter().copied())?;
            (finest != *unit).then(|| DataType::Timestamp(finest, zone.clone()))
        }
        // A day beside a moment of a zone is left to the planner.
        DataType::Date32 | DataType::Date64 => {
            let is_zoned = types.iter().any(|other| matches!(other, DataType::Timestamp(_, Some(_))));
            let finest = finest(types.iter().copied()).filter(|_| !is_zoned)?;
            Some(DataType::Timestamp(finest, None))
        }
        _ => None,
    }
}

/// Types that all these values reach: nanoseconds of 64 bits end in 2262, so those beside a constant that is further are
/// microseconds.
pub fn reached(exprs: &[Expr], types: &[DataType]) -> Vec<DataType> {
    let is_far = exprs.iter().any(is_far);
    let one = |data_type: &DataType| match data_type {
        DataType::Timestamp(TimeUnit::Nanosecond, zone) if is_far => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        other => other.clone(),
    };
    types.iter().map(one).collect()
}

/// The decimal that a text is beside whole numbers and decimals: of their digits before the point, and as many behind it as
/// there is room for, or as they have.
pub fn beside_exact(types: &[&DataType]) -> DataType {
    let places = types.iter().filter_map(|data_type| match data_type {
        DataType::Decimal128(precision, scale) => Some((i16::from(*precision), i16::from(*scale))),
        _ => None,
    });
    let (whole, scale) =
        places.fold((0, 0), |(whole, most), (precision, scale)| (whole.max(precision - scale), most.max(scale)));
    let room = (i16::from(DIGITS_MAX) - whole).clamp(0, i16::from(TEXT_SCALE));
    DataType::Decimal128(DIGITS_MAX, i8::try_from(room.max(scale)).unwrap_or_default())
}

/// The finest unit of the timestamps among these types.
fn finest<'t>(types: impl Iterator<Item = &'t DataType>) -> Option<TimeUnit> {
    let unit = |data_type: &DataType| match data_type {
        DataType::Timestamp(unit, _) => Some(*unit),
        _ => None,
    };
    types.filter_map(unit).max()
}

fn is_far(expr: &Expr) -> bool {
    let value = match expr {
        Expr::Cast(Cast { expr, data_type }) if data_type.is_temporal() => expr,
        other => other,
    };
    let Expr::Literal(value, _) = value else { return false };
    let text = match value {
        ScalarValue::Utf8(Some(text)) => text.clone(),
        ScalarValue::Date32(Some(_)) | ScalarValue::TimestampMillisecond(Some(_), _) => value.to_string(),
        _ => return false,
    };
    moment::parse(text.as_bytes()).is_some_and(|at| at.count(TimeUnit::Nanosecond).is_none())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use datafusion_expr::{cast, col, lit};

    use super::*;

    #[test]
    fn times_are_of_the_finest_unit_that_all_reach() {
        let [milli, micro, nano] = [TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
            .map(|unit| DataType::Timestamp(unit, None));
        assert_eq!(beside(&milli, &[&milli, &micro]), Some(micro.clone()));
        assert_eq!(beside(&micro, &[&milli, &micro]), None);
        assert_eq!(beside(&DataType::Date32, &[&DataType::Date32, &micro]), Some(micro.clone()));
        assert_eq!(beside(&DataType::Date32, &[&DataType::Date32]), None);

        let until = cast(lit("9999-12-31 00:00:00"), milli.clone());
        let types = [nano.clone(), milli.clone()];
        assert_eq!(reached(&[col("t"), until], &types), [micro, milli.clone()]);
        assert_eq!(reached(&[col("t"), cast(lit("2024-12-31 00:00:00"), milli)], &types), types);
    }
}
