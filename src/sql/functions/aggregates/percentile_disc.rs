//! PERCENTILE_DISC: the value at a share of the sorted values, one of them and never something between two.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};

use super::CATEGORY;
use super::share::Share;
use crate::sql::functions::scalar::document;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PercentileDisc {
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl PercentileDisc {
    /// The aggregate.
    pub fn new() -> Self {
        Self {
            aliases: vec!["quantile_disc".to_owned()],
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: document(
                CATEGORY,
                "percentile_disc(share) WITHIN GROUP (ORDER BY value)",
                "The first value that at least that share of the values is not beyond; exact on decimals.",
                "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY price) FROM trades GROUP BY symbol",
            ),
        }
    }
}

impl AggregateUDFImpl for PercentileDisc {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "percentile_disc"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value, share] if share.is_numeric() && !value.is_nested() => Ok(vec![value.clone(), share.clone()]),
            _ => plan_err!("it is written `{}`", self.documentation.syntax_example),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |name: &str, kind: DataType| {
            let inner = Arc::new(Field::new_list_field(kind, true));
            Arc::new(Field::new(format!("{}[{name}]", args.name), DataType::List(inner), true))
        };
        Ok(vec![list("values", args.input_fields[0].data_type().clone()), list("counts", DataType::Int64)])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("percentile_disc has no DISTINCT");
        }
        let share = Share::of(&args)?;
        let kind = args.expr_fields[0].data_type().clone();
        let converter = RowConverter::new(vec![SortField::new(kind.clone())])?;
        Ok(Box::new(Shares { share, kind, converter, counts: BTreeMap::new(), total: 0, key_bytes: 0 }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// A multiset of values in their order: values come and go, and the one at a share is looked up.
#[derive(Debug)]
struct Shares {
    share: Share,
    kind: DataType,
    converter: RowConverter,
    counts: BTreeMap<OwnedRow, i64>,
    total: i64,
    key_bytes: usize,
}

/// Bytes of a tree's entry beside the value: the row's handle, the count and a share of a node.
const ENTRY_BYTES: usize = 64;

impl Shares {
    fn add(&mut self, values: &ArrayRef, counts: Option<&Int64Array>, sign: i64) -> Result<()> {
        let rows = self.converter.convert_columns(std::slice::from_ref(values))?;
        for at in 0..values.len() {
            if values.is_null(at) {
                continue;
            }
            let change = sign * counts.map_or(1, |counts| counts.value(at));
            let row = rows.row(at);
            let bytes = row.as_ref().len() + ENTRY_BYTES;
            let row = row.owned();
            let count = self.counts.entry(row.clone()).or_insert_with(|| {
                self.key_bytes += bytes;
                0
            });
            *count += change;
            if *count <= 0 {
                self.counts.remove(&row);
                self.key_bytes = self.key_bytes.saturating_sub(bytes);
            }
            self.total += change;
        }
        Ok(())
    }
}

impl Accumulator for Shares {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], None, 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], None, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in (0..values.len()).filter(|row| !values.is_null(*row)) {
            let of_row = counts.value(row);
            self.add(&values.value(row), Some(of_row.as_primitive::<Int64Type>()), 1)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut columns = self.converter.convert_rows(self.counts.keys().map(OwnedRow::row))?;
        let Some(values) = columns.pop() else { return exec_err!("a row has one column") };
        let counts: ArrayRef = Arc::new(self.counts.values().copied().collect::<Int64Array>());
        let list = |kind: DataType, values: ArrayRef| {
            let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
            let inner = Arc::new(Field::new_list_field(kind, true));
            ScalarValue::List(Arc::new(ListArray::new(inner, offsets, values, None)))
        };
        Ok(vec![list(self.kind.clone(), values), list(DataType::Int64, counts)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.total <= 0 {
            return ScalarValue::try_from(&self.kind);
        }
        let place = self.share.place(self.total);
        let mut passed = 0;
        let at = self.counts.iter().find(|(_, count)| {
            passed += **count;
            passed >= place
        });
        let Some((row, _)) = at else { return exec_err!("{place} of {} values", self.total) };
        let column = self.converter.convert_rows([row.row()])?;
        let picked = arrow::compute::take(&column[0], &UInt32Array::from(vec![0]), None)?;
        ScalarValue::try_from_array(&picked, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.key_bytes
    }
}
