//! What the clock of a zone shows as a moment. An hour that comes twice is meant by standard time, and one that is left out
//! goes on by the offset before it, as PostgreSQL has both; Arrow's cast gives neither.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMillisecondArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use arrow::error::ArrowError;
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::civil::DAY_MS;
use crate::sql::functions::scalar::MOMENT;

/// The function that takes what a clock of `zone` shows, without its zone, for the moment, both counted in `unit`.
pub fn at_zone(zone: Arc<str>, unit: TimeUnit) -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Timestamp(unit, None)], Volatility::Immutable);
    let made = DataType::Timestamp(TimeUnit::Millisecond, Some(zone));
    ScalarUDF::new_from_impl(AtZone { made, unit, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AtZone {
    /// Milliseconds of the zone: what is below one no zone changes.
    made: DataType,
    unit: TimeUnit,
    signature: Signature,
}

impl AtZone {
    fn whole(&self) -> DataType {
        match &self.made {
            DataType::Timestamp(_, zone) => DataType::Timestamp(self.unit, zone.clone()),
            other => other.clone(),
        }
    }

    fn finer(&self, shown: &ArrayRef) -> Result<ArrayRef> {
        let per_ms = match self.unit {
            TimeUnit::Second | TimeUnit::Millisecond => return self.moments(&cast(shown, &MOMENT)?),
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1_000_000,
        };
        let shown = cast(shown, &DataType::Int64)?;
        let shown = shown.as_primitive::<Int64Type>();
        let whole: Int64Array = shown.unary(|value| value.div_euclid(per_ms));
        let moments = self.moments(&cast(&whole, &MOMENT)?)?;
        let moments = moments.as_primitive::<TimestampMillisecondType>();
        let made: Int64Array = arrow::compute::try_binary(shown, moments, |shown, moment| {
            let whole = moment.checked_mul(per_ms).and_then(|whole| whole.checked_add(shown.rem_euclid(per_ms)));
            whole.ok_or_else(|| ArrowError::ArithmeticOverflow("a time is out of range".into()))
        })?;
        Ok(cast(&made, &self.whole())?)
    }

    fn moments(&self, shown: &ArrayRef) -> Result<ArrayRef> {
        let once = cast_with_options(shown, &self.made, &CastOptions { safe: true, ..CastOptions::default() })?;
        if once.null_count() == shown.null_count() {
            return Ok(once);
        }
        let shown = shown.as_primitive::<TimestampMillisecondType>();
        let (before, after) = (self.offsets(shown, -DAY_MS)?, self.offsets(shown, DAY_MS)?);
        let once = once.as_primitive::<TimestampMillisecondType>();
        let moments = (0..shown.len()).map(|row| match (shown.is_null(row), once.is_null(row)) {
            (true, _) => None,
            (_, false) => Some(once.value(row)),
            // Standard time is the lesser offset: that after an hour that comes twice, and before one that is left out.
            _ => Some(shown.value(row) - before.value(row).min(after.value(row))),
        });
        let moments: TimestampMillisecondArray = moments.collect();
        Ok(Arc::new(moments.with_data_type(self.made.clone())))
    }

    /// How far the clock is ahead of UTC `by` milliseconds from what it shows.
    fn offsets(&self, shown: &TimestampMillisecondArray, by: i64) -> Result<TimestampMillisecondArray> {
        let moved: TimestampMillisecondArray = shown.try_unary::<_, _, DataFusionError>(|value| {
            value.checked_add(by).ok_or_else(|| ArrowError::ArithmeticOverflow("a time is out of range".into()).into())
        })?;
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let there = cast_with_options(&moved, &self.made, &options)?;
        let there = there.as_primitive::<TimestampMillisecondType>();
        Ok(arrow::compute::binary(&moved, there, |shown, there| shown - there)?)
    }
}

impl ScalarUDFImpl for AtZone {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "at_time_zone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.whole())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &args.args[..] {
            [ColumnarValue::Array(shown)] => self.finer(shown).map(ColumnarValue::Array),
            [ColumnarValue::Scalar(shown)] => {
                let made = self.finer(&shown.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?))
            }
            _ => exec_err!("a moment is made of one time"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn hours_of_a_change_are_those_of_standard_time() {
        let zone: Arc<str> = "Europe/Berlin".into();
        let made = DataType::Timestamp(TimeUnit::Millisecond, Some(zone));
        let at = AtZone { made, unit: TimeUnit::Millisecond, signature: Signature::any(1, Volatility::Immutable) };
        let parsed = |texts: [&str; 5]| {
            cast(&(Arc::new(arrow::array::StringArray::from(texts.to_vec())) as ArrayRef), &MOMENT).unwrap()
        };
        let shown = parsed([
            "2024-10-27T02:30:00",
            "2024-03-31T02:30:00",
            "2024-07-01T12:00:00",
            "2024-10-27T01:59:00",
            "2500-01-15T00:00:00",
        ]);
        let meant = parsed([
            "2024-10-27T01:30:00",
            "2024-03-31T01:30:00",
            "2024-07-01T10:00:00",
            "2024-10-26T23:59:00",
            "2500-01-14T23:00:00",
        ]);
        let made = at.moments(&shown).unwrap();
        let values = |of: &ArrayRef| of.as_primitive::<TimestampMillisecondType>().values().to_vec();
        assert_eq!(values(&made), values(&meant));
    }
}
