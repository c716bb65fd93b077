//! NTILE as standard SQL has it: where rows do not divide evenly, the first buckets have one more.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{Documentation, LimitEffect, PartitionEvaluator, Signature, WindowUDF, WindowUDFImpl};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Literal;

/// The function, in place of DataFusion's of the same name.
pub fn function() -> Arc<WindowUDF> {
    Arc::new(WindowUDF::new_from_impl(Ntile { stock: datafusion_functions_window::ntile::ntile_udwf() }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Ntile {
    stock: Arc<WindowUDF>,
}

impl WindowUDFImpl for Ntile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "ntile"
    }

    fn signature(&self) -> &Signature {
        self.stock.signature()
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let literal = args.input_exprs().first().and_then(|expr| expr.as_any().downcast_ref::<Literal>());
        let buckets = literal.map(|literal| literal.value().cast_to(&DataType::Int64)).transpose()?;
        match buckets {
            Some(ScalarValue::Int64(Some(buckets))) if buckets > 0 => Ok(Box::new(Buckets(buckets as u64))),
            _ => exec_err!("NTILE requires a positive integer"),
        }
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        self.stock.field(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.stock.documentation()
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Buckets(u64);

impl PartitionEvaluator for Buckets {
    fn evaluate_all(&mut self, _: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let rows = rows as u64;
        let buckets = self.0.min(rows).max(1);
        let (size, more) = (rows / buckets, rows % buckets);
        let in_larger = more * (size + 1);
        let bucket = |row: u64| match row < in_larger {
            true => row / (size + 1),
            false => more + (row - in_larger) / size,
        };
        Ok(Arc::new(UInt64Array::from_iter_values((0..rows).map(|row| bucket(row) + 1))))
    }
}
