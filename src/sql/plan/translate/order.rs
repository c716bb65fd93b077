//! ORDER BY and LIMIT: of rows that end, of a window's rows, or the first rows at any time.

use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion_common::{DFSchema, Result, plan_err};
use datafusion_expr::{FetchType, Limit, LogicalPlan, SkipType, Sort, SortExpr};
use datafusion_physical_expr::PhysicalSortExpr;

use super::{Stream, Translation, columns};
use crate::sql::parse::statement::Emit;
use crate::sql::plan::stream::{Changes, NodeKind, SortKey, TopNNode};

impl Translation {
    /// The nodes of an order, of its first rows where `fetch` says how many.
    pub(super) fn sort(
        &mut self,
        sort: &Sort,
        offset: usize,
        fetch: Option<usize>,
        emit: Option<Emit>,
    ) -> Result<Stream> {
        let input = self.translate(&sort.input, emit)?;
        let order = sort.expr.iter().map(|key| self.sort_key(key, sort.input.schema())).collect::<Result<Vec<_>>>()?;
        let below = self.node(&input);
        let (schema, key) = (Arc::clone(&below.schema), below.key.clone());
        let label = format!(
            "order by {}",
            sort.expr.iter().map(|key| columns::plain(&key.expr)).collect::<Vec<_>>().join(", ")
        );
        if input.is_bounded || input.window.is_some() && below.changes == Changes::Append {
            let kind = NodeKind::Sort { order, limit: fetch, offset };
            let node = self.add(kind, vec![input.node], schema, Changes::Append, key, label);
            return Ok(Stream { node, ..input });
        }
        match fetch {
            Some(limit) if offset == 0 => {
                let kind =
                    NodeKind::TopN(TopNNode { partition: Vec::new(), order, limit, has_rank: false, window_end: None });
                let label = format!("first {limit} by {}", label.trim_start_matches("order by "));
                let node = self.add(kind, vec![input.node], schema, Changes::Changelog, key, label);
                Ok(Stream { node, is_table: false, ..input })
            }
            _ => plan_err!(
                "ORDER BY needs rows that end: add LIMIT n for the first n at any time, \
                 a WINDOW, or read a bounded source"
            ),
        }
    }

    /// The nodes of a limit.
    pub(super) fn limit(&mut self, limit: &Limit, emit: Option<Emit>) -> Result<Stream> {
        let offset = match limit.get_skip_type()? {
            SkipType::Literal(rows) => rows,
            SkipType::UnsupportedExpr => return plan_err!("OFFSET takes a number"),
        };
        let fetch = match limit.get_fetch_type()? {
            FetchType::Literal(rows) => rows,
            FetchType::UnsupportedExpr => return plan_err!("LIMIT takes a number"),
        };
        if let LogicalPlan::Sort(sort) = limit.input.as_ref() {
            return self.sort(sort, offset, fetch, emit);
        }
        let input = self.translate(&limit.input, emit)?;
        let below = self.node(&input);
        if below.changes == Changes::Changelog && !input.is_bounded {
            return plan_err!("LIMIT of a result that changes needs ORDER BY: which rows are the first?");
        }
        let (schema, changes, key) = (Arc::clone(&below.schema), below.changes, below.key.clone());
        let kind = NodeKind::Limit { limit: fetch.unwrap_or(usize::MAX), offset };
        let label = format!("limit {}", fetch.map_or_else(|| "none".to_owned(), |rows| rows.to_string()));
        let node = self.add(kind, vec![input.node], schema, changes, key, label);
        Ok(Stream { node, ..input })
    }

    /// One key of an order.
    pub(super) fn sort_key(&self, key: &SortExpr, schema: &DFSchema) -> Result<SortKey> {
        Ok(SortKey { expression: self.key(&key.expr, schema)?, descending: !key.asc, nulls_first: key.nulls_first })
    }

    /// The keys of an order, as DataFusion's own functions take them.
    pub(super) fn sort_exprs(&self, keys: &[SortExpr], schema: &DFSchema) -> Result<Vec<PhysicalSortExpr>> {
        let made = |key: &SortExpr| {
            let options = SortOptions { descending: !key.asc, nulls_first: key.nulls_first };
            Ok(PhysicalSortExpr { expr: self.key(&key.expr, schema)?, options })
        };
        keys.iter().map(made).collect()
    }
}
