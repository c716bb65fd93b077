//! First rows against restarts and rows that fail.

#![allow(clippy::unwrap_used)]

use datafusion_physical_expr::expressions::col;
use proptest::prelude::*;

use super::*;
use crate::sql::exec::rows_and_restarts::{Table, coming_and_going, input, run};
use crate::sql::plan::stream::SortKey;

fn make(changes: Changes) -> Box<dyn Operator> {
    let schema = input();
    let by = SortKey { expression: col("v", &schema).unwrap(), descending: true, nulls_first: false };
    let node = TopNNode {
        partition: vec![col("k", &schema).unwrap()],
        order: vec![by],
        limit: 2,
        has_rank: false,
        window_end: None,
    };
    build(&node, &schema, changes, &schema, Changes::Changelog, LateStrategy::Drop).unwrap()
}

proptest! {
    #[test]
    fn the_folded_changelog_is_the_first_rows_of_those_that_are_left(
        steps in prop::collection::vec((0_i64..3, 0_i64..20, any::<bool>()), 1..50), cut in 1_usize..8,
        restart in 0_usize..9, takes_back in any::<bool>(),
    ) {
        let changes = if takes_back { Changes::Changelog } else { Changes::Append };
        let steps = steps.into_iter().map(|(key, value, goes)| (key, value, 0, takes_back && goes)).collect();
        let (rows, mut left) = coming_and_going(steps);
        let (_, table) = run(&|| make(changes), &rows, cut, restart, &|_, _, _| {});
        left.sort_by_key(|(key, value, _)| (*key, -value));
        let mut expected = Table::new();
        for rows in left.chunk_by(|a, b| a.0 == b.0) {
            for (key, value, _) in rows.iter().take(2) {
                *expected.entry(vec![*key, *value]).or_default() += 1;
            }
        }
        prop_assert_eq!(table, expected);
    }
}
