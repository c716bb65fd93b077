//! `EMIT EVERY` across restarts: what changed and was not given before a restart is given after it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion_functions_aggregate::sum::sum_udaf;
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::col;
use proptest::prelude::*;

use super::aggregate::{Told, build};
use crate::sql::exec::group_aggregate;
use crate::sql::exec::operator::{Operator, Output};
use crate::sql::exec::rows_and_restarts::{Table, coming_and_going, fold, input, restarted, run};
use crate::sql::parse::statement::WindowKind;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{AggregateCall, AggregateNode, Changes, EmitMode, WindowNode};

const PERIOD_MS: i64 = 100;
const WINDOW_MS: i64 = 10;

/// `SELECT k, SUM(v) … GROUP BY k EMIT EVERY`, within windows or without.
fn make(is_windowed: bool) -> Box<dyn Operator> {
    let schema = input();
    let sum = AggregateExprBuilder::new(sum_udaf(), vec![col("v", &schema).unwrap()]);
    let sum = sum.schema(Arc::clone(&schema)).alias("sum").build().unwrap();
    let calls = vec![AggregateCall { function: Arc::new(sum), filter: None }];
    let emit = EmitMode::Every(Duration::from_millis(PERIOD_MS as u64));
    let node = AggregateNode { keys: vec![col("k", &schema).unwrap()], calls, emit };
    let mut fields = vec![Field::new("k", DataType::Int64, true)];
    if is_windowed {
        let time = DataType::Timestamp(TimeUnit::Millisecond, None);
        fields.extend(["window_start", "window_end"].map(|name| Field::new(name, time.clone(), false)));
    }
    fields.push(Field::new("sum", DataType::Int64, true));
    let output = Arc::new(Schema::new(fields));
    if !is_windowed {
        return group_aggregate::build(&node, schema, Changes::Changelog, output, None).unwrap();
    }
    let size = Duration::from_millis(WINDOW_MS as u64);
    let kind = WindowKind::Tumbling { size, offset: Duration::ZERO };
    let window = WindowNode { kind, time: None, lateness: Duration::ZERO };
    let told = Told { late: LateStrategy::Drop, ttl: None };
    build(&window, &node, schema, Changes::Changelog, output, &told).unwrap()
}

proptest! {
    #[test]
    fn what_was_not_given_before_a_restart_is_given_after_it(
        rows in prop::collection::vec((0_i64..4, 1_i64..9, 0_i64..30, any::<bool>()), 1..60), cut in 1_usize..8,
        restart in 0_usize..9, is_windowed in any::<bool>(),
    ) {
        let (all, left) = coming_and_going(rows);
        // A restart forgets when results were given last: after it they come at the first tick.
        let tick = |operator: &mut dyn Operator, index: usize, out: &mut Output| {
            operator.tick(index as i64 * PERIOD_MS / 3, out).unwrap();
        };
        let make = || make(is_windowed);
        let (operator, mut table) = run(&make, &all, cut, restart, &tick);
        let mut operator = restarted(operator, &make);
        let mut out = Output::default();
        operator.watermark(i64::MAX, &mut out).unwrap();
        fold(&mut table, &out);
        let mut sums: BTreeMap<Vec<i64>, i64> = BTreeMap::new();
        for (key, value, time) in left {
            let start = time - time.rem_euclid(WINDOW_MS);
            let group = if is_windowed { vec![key, start, start + WINDOW_MS] } else { vec![key] };
            *sums.entry(group).or_default() += value;
        }
        let expected: Table = sums.into_iter().map(|(mut group, sum)| {
            group.push(sum);
            (group, 1)
        }).collect();
        prop_assert_eq!(table, expected);
    }
}
