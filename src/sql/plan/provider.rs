//! What DataFusion's planner asks while it makes a logical plan: tables, functions, and relations that only streams
//! have. It knows nothing that was not resolved before.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Column, DFSchema, Result, TableReference, plan_err};
use datafusion_expr::planner::{
    ContextProvider, ExprPlanner, PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
    TypePlanner,
};
use datafusion_expr::{AggregateUDF, Expr, LogicalPlanBuilder, ScalarUDF, TableSource, WindowUDF};
use datafusion_sql::planner::ParserOptions;
use sqlparser::ast as sql;
use sqlparser::ast::{TableFactor, TableVersion};

use super::inner::{self, Renamed};
use super::nodes::{Marked, Window};
use super::unnest;
use crate::connectors::contract::system_columns::EVENT_TIME;
use crate::core::lock::WholeMutex;
use crate::sql::functions::registry::Functions;
use crate::sql::parse::mark::window_of;
use crate::sql::parse::statement::WindowSpec;

/// Names as they were resolved for one statement.
pub struct Provider {
    /// Tables by the name that stands in the statement.
    pub tables: HashMap<String, Arc<dyn TableSource>>,
    functions: Functions,
    options: ConfigOptions,
    relations: Vec<Arc<dyn RelationPlanner>>,
    renamed: Arc<Mutex<BTreeMap<usize, Renamed>>>,
}

impl Provider {
    /// A provider of these functions and of the statement's windows.
    pub fn new(functions: Functions, windows: Vec<WindowSpec>) -> Self {
        let mut options = ConfigOptions::default();
        options.sql_parser.parse_float_as_decimal = true;
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.map_string_types_to_utf8view = false;
        let renamed = Arc::default();
        let relations = StreamRelations { windows, renamed: Arc::clone(&renamed) };
        Self { tables: HashMap::new(), functions, options, relations: vec![Arc::new(relations)], renamed }
    }

    /// The bounds that made room for those of a window over them, by the number of the window, as far as was planned.
    pub fn renamed(&self) -> BTreeMap<usize, Renamed> {
        self.renamed.hold().clone()
    }
}

/// How statements are read: a number with a point is a decimal, a name is as it is written.
pub fn parser_options() -> ParserOptions {
    ParserOptions {
        parse_float_as_decimal: true,
        enable_ident_normalization: false,
        map_string_types_to_utf8view: false,
        collect_spans: true,
        ..ParserOptions::default()
    }
}

impl ContextProvider for Provider {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        // A topic may have points in its name: what SQL takes for catalog and schema is put together again.
        let whole = match &name {
            TableReference::Bare { table } => table.to_string(),
            TableReference::Partial { schema, table } => format!("{schema}.{table}"),
            TableReference::Full { catalog, schema, table } => format!("{catalog}.{schema}.{table}"),
        };
        match self.tables.get(&whole) {
            Some(table) => Ok(Arc::clone(table)),
            None => plan_err!("there is no stream, table or topic `{whole}`"),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.functions.planners()
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relations
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.functions.scalar(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.functions.aggregate(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.functions.window(name).cloned()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(Milliseconds))
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.scalars().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.functions.aggregates().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.functions.windows().keys().cloned().collect()
    }
}

/// TIMESTAMP is TIMESTAMP(3), as the columns of all topics are: nanoseconds of 64 bits end in 2262.
#[derive(Debug)]
struct Milliseconds;

impl TypePlanner for Milliseconds {
    fn plan_type(&self, written: &sql::DataType) -> Result<Option<DataType>> {
        use sql::TimezoneInfo::{None as Unsaid, WithoutTimeZone};
        Ok(match written {
            sql::DataType::Timestamp(None, Unsaid | WithoutTimeZone) | sql::DataType::Datetime(None) => {
                Some(DataType::Timestamp(TimeUnit::Millisecond, None))
            }
            _ => None,
        })
    }
}

/// The event time that a relation sets or shows: asked for by name, it is not lost on the way to a window.
fn event_time(schema: &DFSchema) -> Option<Expr> {
    let mut times = schema.iter().filter(|(_, field)| field.name() == EVENT_TIME);
    match (times.next(), times.next()) {
        (Some((qualifier, field)), None) => Some(Expr::Column(Column::from((qualifier, field)))),
        _ => None,
    }
}

/// The relation that all columns are of, if it is one.
fn only_relation(schema: &DFSchema) -> Option<TableReference> {
    let mut relations = schema.iter().map(|(relation, _)| relation);
    let first = relations.next()??;
    relations.all(|relation| relation == Some(first)).then(|| first.clone())
}

/// Windows over relations, tables as of a time, and elements of arrays.
#[derive(Debug)]
struct StreamRelations {
    windows: Vec<WindowSpec>,
    renamed: Arc<Mutex<BTreeMap<usize, Renamed>>>,
}

impl RelationPlanner for StreamRelations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        match relation {
            TableFactor::NestedJoin { table_with_joins, alias: Some(alias) } => {
                let marked = window_of(&alias.name.value);
                let Some((number, window)) = marked.and_then(|index| Some((index, self.windows.get(index)?))) else {
                    let alias = Some(alias);
                    return Ok(RelationPlanning::Original(Box::new(TableFactor::NestedJoin {
                        table_with_joins,
                        alias,
                    })));
                };
                let input = context.plan(TableFactor::NestedJoin { table_with_joins, alias: None })?;
                let time = match &window.time {
                    Some(time) => Some(context.sql_to_expr(time.clone(), input.schema())?),
                    None => event_time(input.schema()),
                };
                let (input, time, renamed) = inner::make_room(input, time)?;
                self.renamed.hold().insert(number, renamed);
                let relation = only_relation(input.schema());
                let plan = Marked::windowed(input, Window { kind: window.kind, time, grace: window.grace })?;
                // Beside another window it is by the relation that the bounds of this one are told.
                let plan = match relation {
                    Some(relation) => LogicalPlanBuilder::from(plan).alias(relation)?.build()?,
                    None => plan,
                };
                Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
            }
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version: Some(TableVersion::ForSystemTimeAsOf(time)),
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                let bare = TableFactor::Table {
                    name,
                    alias,
                    args,
                    with_hints,
                    version: None,
                    with_ordinality,
                    partitions,
                    json_path,
                    sample,
                    index_hints,
                };
                let input = context.plan(bare)?;
                let plan = Marked::as_of(input, time.to_string())?;
                Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
            }
            TableFactor::UNNEST { array_exprs, alias, with_ordinality, .. } => {
                let planned = unnest::relation(array_exprs, alias, with_ordinality, context)?;
                Ok(RelationPlanning::Planned(Box::new(planned)))
            }
            other => Ok(RelationPlanning::Original(Box::new(other))),
        }
    }
}
