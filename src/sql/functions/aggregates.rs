//! Aggregates that DataFusion does not have (COUNT_IF, COLLECT_SET, PERCENTILE_DISC), and other engines' names for those
//! it has.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Documentation, Expr, Signature, Volatility,
};
use datafusion_functions_aggregate as stock;

use super::median::Median;
use super::scalar::document;

const CATEGORY: &str = "Aggregates";

/// The aggregates of this engine's own, and DataFusion's under more names.
pub fn functions() -> Vec<Arc<AggregateUDF>> {
    let also = |function: Arc<AggregateUDF>, names: &'static [&'static str]| {
        Arc::new(function.as_ref().clone().with_aliases(names.iter().copied()))
    };
    vec![
        Arc::new(AggregateUDF::new_from_impl(Median::new())),
        Arc::new(AggregateUDF::new_from_impl(CountIf::new())),
        Arc::new(AggregateUDF::new_from_impl(CollectSet::new())),
        Arc::new(AggregateUDF::new_from_impl(PercentileDisc::new())),
        also(stock::string_agg::string_agg_udaf(), &["listagg", "group_concat"]),
        also(stock::array_agg::array_agg_udaf(), &["collect", "collect_list"]),
        also(stock::approx_distinct::approx_distinct_udaf(), &["approx_count_distinct", "count_distinct_approx"]),
        also(stock::stddev::stddev_udaf(), &["stddev_samp", "stdev", "std"]),
        also(stock::stddev::stddev_pop_udaf(), &["stdevp"]),
        also(stock::variance::var_samp_udaf(), &["var_samp", "var_sample", "variance", "variance_samp"]),
        also(stock::variance::var_pop_udaf(), &["var_population", "variance_pop"]),
        also(stock::first_last::first_value_udaf(), &["first", "earliest", "earliest_by_offset", "any_value"]),
        also(stock::first_last::last_value_udaf(), &["last", "latest", "latest_by_offset"]),
        also(stock::bool_and_or::bool_and_udaf(), &["every", "logical_and"]),
        also(stock::bool_and_or::bool_or_udaf(), &["some", "logical_or"]),
    ]
}

/// Rows for which something is true.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CountIf {
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl CountIf {
    fn new() -> Self {
        Self {
            aliases: vec!["countif".to_owned()],
            signature: Signature::exact(vec![DataType::Boolean], Volatility::Immutable),
            documentation: document(
                CATEGORY,
                "count_if(condition)",
                "How many rows the condition is true for.",
                "SELECT count_if(amount > 100) FROM orders GROUP BY customer_id",
            ),
        }
    }
}

impl AggregateUDFImpl for CountIf {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "count_if"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    /// `count(CASE WHEN condition THEN 1 END)`, so that engines with a COUNT of their own use that.
    fn simplify(&self) -> Option<datafusion_expr::function::AggregateFunctionSimplification> {
        Some(Box::new(|mut call, _| {
            let condition = call.params.args.pop();
            let Some(condition) = condition.filter(|_| call.params.args.is_empty()) else {
                return plan_err!("it is written `count_if(condition)`");
            };
            call.params.args = vec![datafusion_expr::when(condition, datafusion_expr::lit(1_i64)).end()?];
            call.func = stock::count::count_udaf();
            Ok(Expr::AggregateFunction(call))
        }))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(TrueCount(0)))
    }

    fn create_sliding_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(TrueCount(0)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

#[derive(Debug)]
struct TrueCount(i64);

impl TrueCount {
    fn of(values: &[ArrayRef]) -> i64 {
        values.first().map_or(0, |values| i64::try_from(values.as_boolean().true_count()).unwrap_or(i64::MAX))
    }
}

impl Accumulator for TrueCount {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0 += Self::of(values);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0 -= Self::of(values);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0 += arrow::compute::sum(states[0].as_primitive::<Int64Type>()).unwrap_or(0);
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.0))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.0)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// ARRAY_AGG(DISTINCT …) under one name.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CollectSet {
    aliases: Vec<String>,
    all: Arc<AggregateUDF>,
    documentation: Documentation,
}

impl CollectSet {
    fn new() -> Self {
        Self {
            aliases: vec!["collect_distinct".to_owned(), "array_agg_distinct".to_owned()],
            all: stock::array_agg::array_agg_udaf(),
            documentation: document(
                CATEGORY,
                "collect_set(value)",
                "The different values of a group as an array.",
                "SELECT collect_set(status) FROM orders GROUP BY customer_id",
            ),
        }
    }
}

impl AggregateUDFImpl for CollectSet {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "collect_set"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.all.signature()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.all.return_type(given)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.all.state_fields(StateFieldsArgs { is_distinct: true, ..args })
    }

    /// `array_agg(DISTINCT value)`.
    fn simplify(&self) -> Option<datafusion_expr::function::AggregateFunctionSimplification> {
        Some(Box::new(|mut call, _| {
            call.params.distinct = true;
            call.func = stock::array_agg::array_agg_udaf();
            Ok(Expr::AggregateFunction(call))
        }))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.all.accumulator(AccumulatorArgs { is_distinct: true, ..args })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The value at a share of the sorted values: one of them, never something between two.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PercentileDisc {
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl PercentileDisc {
    fn new() -> Self {
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
            [value, share] if share.is_numeric() && !value.is_nested() => Ok(vec![value.clone(), DataType::Float64]),
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
        let empty = RecordBatch::new_empty(Arc::new(args.schema.clone()));
        let share = match args.exprs[1].evaluate(&empty)? {
            ColumnarValue::Scalar(share) => share.cast_to(&DataType::Float64)?,
            ColumnarValue::Array(_) => return plan_err!("the share of percentile_disc is a constant"),
        };
        let ScalarValue::Float64(Some(share)) = share else {
            return plan_err!("the share of percentile_disc is a number");
        };
        if !(0.0..=1.0).contains(&share) {
            return plan_err!("the share of percentile_disc is between 0 and 1, not {share}");
        }
        let descending = args.order_bys.first().is_some_and(|sort| sort.options.descending);
        let kind = args.expr_fields[0].data_type().clone();
        let converter = RowConverter::new(vec![SortField::new(kind.clone())])?;
        Ok(Box::new(Shares { share, descending, kind, converter, counts: BTreeMap::new(), total: 0, key_bytes: 0 }))
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
    share: f64,
    descending: bool,
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

    /// The place, from 1, of the value at the share.
    fn place(&self) -> i64 {
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
        let place = (self.share * self.total as f64).ceil() as i64;
        let place = place.clamp(1, self.total);
        if self.descending { self.total + 1 - place } else { place }
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
        let place = self.place();
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
