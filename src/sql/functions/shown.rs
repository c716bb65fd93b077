//! A time as text: with a space between its day and its hour, as SQL engines print it, where Arrow's cast prints a `T`. It
//! changes no other cast.

use std::sync::Arc;

use arrow::compute::CastOptions;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::FormatOptions;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{CastExpr, TryCastExpr};

const TIME: &str = "%Y-%m-%d %H:%M:%S%.f";
/// The offset of its zone stands behind it.
const ZONED: &str = "%Y-%m-%d %H:%M:%S%.f%:z";

/// The expression, over columns of `schema`, in which every cast of a time to a text prints it as SQL does.
pub fn shown(expr: Arc<dyn PhysicalExpr>, schema: &Schema) -> Arc<dyn PhysicalExpr> {
    let rewritten = Arc::clone(&expr).transform_up(|node| {
        Ok(match cast(&node, schema) {
            Some(shown) => Transformed::yes(shown),
            None => Transformed::no(node),
        })
    });
    // The closure above gives no error, and a node keeps as many children as it had.
    rewritten.map_or(expr, |rewritten| rewritten.data)
}

fn cast(node: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Option<Arc<dyn PhysicalExpr>> {
    let any = node.as_any();
    let (of, made, safe) = match (any.downcast_ref::<CastExpr>(), any.downcast_ref::<TryCastExpr>()) {
        (Some(cast), _) => (cast.expr(), cast.cast_type(), cast.cast_options().safe),
        (None, Some(cast)) => (cast.expr(), cast.cast_type(), true),
        (None, None) => return None,
    };
    if !made.is_string() || !matches!(of.data_type(schema).ok()?, DataType::Timestamp(..)) {
        return None;
    }
    let format_options = FormatOptions::new().with_timestamp_format(Some(TIME)).with_timestamp_tz_format(Some(ZONED));
    let options = CastOptions { safe, format_options };
    Some(Arc::new(CastExpr::new(Arc::clone(of), made.clone(), Some(options))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMillisecondArray};
    use arrow::datatypes::DataType;
    use datafusion_physical_expr::expressions::{cast, col, try_cast};

    use super::*;

    #[test]
    fn a_time_as_text_has_a_space_before_its_hour() {
        let times = TimestampMillisecondArray::from(vec![Some(1_705_312_800_000), Some(1_705_312_800_500), None]);
        let zoned = times.clone().with_timezone("Europe/Berlin");
        let columns = [("a", Arc::new(times) as ArrayRef), ("z", Arc::new(zoned))];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap();
        let schema = batch.schema();
        let text = |name: &str| cast(col(name, &schema).unwrap(), &schema, DataType::Utf8).unwrap();
        let tried = try_cast(col("a", &schema).unwrap(), &schema, DataType::Utf8).unwrap();
        for (expr, expected) in [
            (text("a"), ["2024-01-15 10:00:00", "2024-01-15 10:00:00.500"]),
            (tried, ["2024-01-15 10:00:00", "2024-01-15 10:00:00.500"]),
            (text("z"), ["2024-01-15 11:00:00+01:00", "2024-01-15 11:00:00.500+01:00"]),
        ] {
            let made = shown(expr, &schema).evaluate(&batch).unwrap().into_array(3).unwrap();
            assert_eq!(
                made.as_string::<i32>().iter().collect::<Vec<_>>(),
                [Some(expected[0]), Some(expected[1]), None]
            );
        }
    }
}
