//! The ends of a pipeline: which connector a name stands for, with which options, and where a source's time comes from.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion_common::{DFSchema, DataFusionError, Result as PlanResult};
use datafusion_expr::{Expr, ExprSchemable};
use datafusion_sql::planner::SqlToRel;
use sqlparser::ast as sql;

use super::provider::{Provider, parser_options};
use super::session::{Session, refused};
use crate::config::options::options as file_options;
use crate::connectors::accept::{LOOKUP_CACHE, OF_ONE_END, engine_option, named_as_the_engine_does};
use crate::connectors::contract::{Connector, End};
use crate::connectors::options::{Options, duration};
use crate::core::fault::{Blame, Fault};
use crate::sql::functions::quoted::NoNumber;
use crate::sql::parse::statement::{Column, Declaration, EndName};
use crate::sql::parse::{parse_expression, with_variables};

/// A name of a statement as a connector and its options.
pub struct Resolved {
    /// The name, for messages.
    pub name: String,
    /// The connector.
    pub connector: String,
    /// Its options and the engine's.
    pub options: Options,
}

impl Resolved {
    /// The connector itself.
    ///
    /// # Errors
    /// There is none of that name, where an option names it.
    pub fn connector<'s>(&self, session: &'s Session) -> Result<&'s Arc<dyn Connector>, Fault> {
        session.connectors.get(&self.connector).map_err(|fault| {
            let written = ["connector", "type"].into_iter().find_map(|key| self.options.value(key));
            match written.and_then(|value| value.place.clone()) {
                Some(place) => fault.at(place),
                None => fault,
            }
        })
    }
}

/// A table to look into is read from its beginning to its end, again and again.
pub fn endless_lookup(end: &Resolved) -> Fault {
    let what = format!("`{}` does not end, and a lookup table is read whole", end.name);
    let next = match end.connector.as_str() {
        "kafka" => {
            "'scan.bounded' = 'latest' reads the topic up to its present end; as a TABLE with a PRIMARY KEY it is followed"
        }
        "file" => "leave 'watch' out: 'lookup.full-cache.periodic-reload.interval' reads the file again",
        _ => "leave 'lookup.cache' out, and declare it as a TABLE with a PRIMARY KEY",
    };
    end.options.fault(LOOKUP_CACHE, what).next(next)
}

/// A relation's name as it stands in a statement.
pub fn named(name: &str) -> EndName {
    if name.contains("://") { EndName::Uri(name.to_owned()) } else { EndName::Name(name.to_owned()) }
}

/// Endings of names that people give to files.
const FILE_ENDINGS: [&str; 8] = [".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".zst"];

fn is_named_as_a_file(name: &str) -> bool {
    let lower = name.to_lowercase();
    !name.contains("://") && FILE_ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// What is wrong with a topic whose name is that of a file says how a file is named; behind `clause`, where one is written.
pub fn unless_a_file(fault: Fault, clause: &str, name: &str) -> Fault {
    if fault.blame != Blame::Operator || !is_named_as_a_file(name) {
        return fault;
    }
    let header = if name.to_lowercase().contains(".csv") { "?header=true" } else { "" };
    fault.next(format!("a file is named by a URI: {clause}'file://{name}{header}'"))
}

/// The same of a name that is described.
pub fn undescribed(fault: Fault, name: &EndName) -> Fault {
    match name {
        EndName::Name(topic) => unless_a_file(fault, "", topic),
        EndName::Uri(_) => fault,
    }
}

/// Whether a query reads from a text in single quotes, where a URI stands, that is the name of a file.
pub fn is_file_in_quotes(query: &sql::Query, name: &str) -> bool {
    let is_it = |relation: &sql::ObjectName| {
        let is_text =
            relation.0.iter().any(|part| part.as_ident().is_some_and(|ident| ident.quote_style == Some('\'')));
        is_text && super::names::whole(relation) == name
    };
    is_named_as_a_file(name)
        && sql::visit_relations(
            query,
            |relation| {
                if is_it(relation) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        )
        .is_break()
}

/// A path as the operator would type it.
fn beside(folder: &Path, name: &str) -> PathBuf {
    if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) }
}

/// The name of a file that is no URI would be a topic: what was meant instead.
pub fn no_topic(folder: &Path, name: &str, end: End) -> Fault {
    let path = beside(folder, name);
    let (declares, word) = match end {
        End::Source => ("CREATE SOURCE", "read as"),
        End::Sink => ("CREATE SINK", "written to"),
    };
    refused(&format!("`{name}` is no URI, and would be {word} a topic of that name")).next(format!(
        "did you mean 'file://{}'? A topic that is called so is declared: {declares} … WITH ('topic' = '{name}')",
        path.display()
    ))
}

/// What a name stands for: a URI, a declaration, the options that bear its name, else a topic of the environment.
///
/// # Errors
/// A connector that there is not, a file that cannot be read, options that contradict each other.
pub fn resolve(
    session: &Session,
    name: &EndName,
    declared: Option<&Declaration>,
    options: &Options,
    end: End,
) -> Result<Resolved, Fault> {
    let (shown, mut found) = match name {
        EndName::Uri(name) if !name.contains("://") && is_named_as_a_file(name) => {
            return Err(no_topic(&session.context.folder, name, end));
        }
        EndName::Uri(uri) => {
            let scheme = uri.split("://").next().unwrap_or_default().to_lowercase();
            let from_uri = session.connectors.get(&scheme)?.uri(uri)?;
            let own = named_as_the_engine_does(&options.under(&format!("{}.", uri.to_lowercase())));
            for (key, value) in own.iter() {
                let same = |said: &str| said.replace('_', ".") == key.replace('_', ".");
                if from_uri.iter().any(|(said, there)| same(said) && there.text != value.text) {
                    let what = format!("`{key}` is said twice: in the URI, and here");
                    return Err(own.fault(key, what).next("leave one of them out"));
                }
            }
            let mut found = own.over(&from_uri).over(&engine_only(options));
            found.set("connector", scheme, None);
            (uri.clone(), found)
        }
        EndName::Name(name) => {
            let own = of_the_end(options).under(&format!("{}.", name.to_lowercase()));
            let own = match declared {
                Some(declared) => own.over(&declared.options),
                None => own,
            };
            let mut found = named_as_the_engine_does(&own).over(&engine_only(options));
            if let Some(file) = found.value("config_file").cloned() {
                found = found.over(&named_as_the_engine_does(&read_file(session, &file.text, name)?));
            }
            (name.clone(), found)
        }
    };
    let says_where = ["connector", "type", "topic", "path"].iter().any(|key| found.get(key).is_some());
    if end == End::Sink && declared.is_none() && !says_where && is_named_as_a_file(&shown) {
        return Err(no_topic(&session.context.folder, &shown, end));
    }
    let connector = connector_of(&found, end)?;
    if connector == "kafka" && found.get("topic").is_none() {
        found.set("topic", shown.clone(), None);
    }
    Ok(Resolved { name: shown, connector, options: found })
}

/// `connector`, else `type` as the documents write it, else what the options are about, else Kafka.
pub fn connector_of(options: &Options, end: End) -> Result<String, Fault> {
    if let Some(name) = options.get("connector") {
        return Ok(name.to_lowercase());
    }
    if let Some(kind) = options.get("type") {
        let (suffix, other) = match end {
            End::Source => ("_source", "_sink"),
            End::Sink => ("_sink", "_source"),
        };
        let kind = kind.to_lowercase();
        if let Some(name) = kind.strip_suffix(other) {
            return Err(refused(&format!(
                "`{kind}` cannot be the {} here; say `{name}{suffix}`",
                suffix.trim_start_matches('_')
            )));
        }
        return Ok(kind.strip_suffix(suffix).or(kind.strip_suffix("_table")).unwrap_or(&kind).to_owned());
    }
    Ok(if options.get("path").is_some() && options.get("topic").is_none() { "file" } else { "kafka" }.to_owned())
}

/// Options that are none of the statement's own: a source may be called `late` or `state`.
fn of_the_end(options: &Options) -> Options {
    let mut kept = Options::default();
    for (key, value) in options.iter().filter(|(key, _)| engine_option(key).is_none()) {
        kept.set(key, value.text.clone(), value.place.clone());
    }
    kept
}

/// The engine's options among those of a statement: they hold for every source that does not say otherwise.
fn engine_only(options: &Options) -> Options {
    let mut kept = Options::default();
    for (key, value) in options.iter() {
        if let Some(name) = engine_option(key).filter(|name| !OF_ONE_END.contains(name)) {
            kept.set(name, value.text.clone(), value.place.clone());
        }
    }
    kept
}

fn read_file(session: &Session, file: &str, name: &str) -> Result<Options, Fault> {
    let path = beside(&session.context.folder, file);
    let found = file_options(&path, &session.variables).map_err(|faults| {
        faults
            .into_iter()
            .next()
            .unwrap_or_else(|| Fault::new(Blame::Configuration, format!("`{file}` cannot be read")))
    })?;
    let mut options = Options::default();
    // A file may keep everything under the end's own name or under its type, as the documents' example does.
    let under = [
        format!("{name}."),
        "kafka_source.".to_owned(),
        "kafka_sink.".to_owned(),
        "file_source.".to_owned(),
        "file_sink.".to_owned(),
    ];
    for option in found {
        let outer = under.iter().find(|prefix| option.key.starts_with(prefix.as_str()));
        if let Some(prefix) = outer.filter(|prefix| prefix.ends_with("_source.") || prefix.ends_with("_sink.")) {
            options.set("type", prefix.trim_end_matches('.'), Some(option.place.clone()));
        }
        let key = outer.map_or(option.key.as_str(), |prefix| &option.key[prefix.len()..]);
        let lookup = |variable: &str| session.variables.get(variable).map(|value| value.expose().to_owned());
        let text = with_variables(&option.text, &lookup).map_err(|fault| fault.at(option.place.clone()))?;
        options.set(key, text, Some(option.place));
    }
    Ok(options)
}

/// The text of an option as one SQL expression.
///
/// # Errors
/// A text that is none, at the option's place.
pub fn expression(options: &Options, key: &str) -> Result<Option<sql::Expr>, Fault> {
    let Some(value) = options.value(key) else { return Ok(None) };
    parse_expression(&value.text, "").map(Some).map_err(|error| {
        let fault =
            options.fault(key, format!("`{key}` is `{}`, which is no expression: {}", value.text, error.fault.what));
        fault.next(error.fault.next)
    })
}

/// `column - INTERVAL '5' SECOND` in `WATERMARK FOR`: the five seconds.
pub fn delay(watermark: &sql::Expr) -> Option<Duration> {
    match watermark {
        sql::Expr::Nested(inner) => delay(inner),
        sql::Expr::BinaryOp { op: sql::BinaryOperator::Minus, right, .. } => match right.as_ref() {
            sql::Expr::Interval(interval) => {
                let value = match interval.value.as_ref() {
                    sql::Expr::Value(value) => value.value.clone().into_string()?,
                    other => other.to_string(),
                };
                let unit =
                    interval.leading_field.as_ref().map_or_else(String::new, |unit| format!(" {unit}").to_lowercase());
                duration(&format!("{value}{unit}"))
            }
            _ => None,
        },
        _ => None,
    }
}

/// What turns a field into a time: a time stays, a number is milliseconds unless the format says seconds, a text is
/// RFC 3339 unless the format says how.
pub fn time(written: sql::Expr, schema: &DFSchema, format: Option<&str>) -> sql::Expr {
    let data_type = match &written {
        sql::Expr::Identifier(name) => {
            schema.field_with_unqualified_name(&name.value).ok().map(|field| field.data_type().clone())
        }
        _ => None,
    };
    let lower = format.unwrap_or_default().to_lowercase();
    match data_type {
        Some(data_type) if data_type.is_integer() => match lower.as_str() {
            "epoch_seconds" | "epoch" | "s" | "seconds" => call("to_timestamp_seconds", written, None),
            "epoch_micros" | "us" => call("to_timestamp_micros", written, None),
            "epoch_nanos" | "ns" => call("to_timestamp_nanos", written, None),
            _ => call("to_timestamp_millis", written, None),
        },
        Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            let format = format.filter(|_| !["", "iso8601", "rfc3339"].contains(&lower.as_str()));
            call("to_timestamp_millis", written, format)
        }
        _ => written,
    }
}

/// A call of a function: of an expression, and of a text behind it.
fn call(function: &str, of: sql::Expr, text: Option<&str>) -> sql::Expr {
    let text = text.map(|text| sql::Expr::Value(sql::Value::SingleQuotedString(text.to_owned()).into()));
    let arguments = std::iter::once(of).chain(text).map(|argument| sql::FunctionArg::Unnamed(argument.into()));
    sql::Expr::Function(sql::Function {
        name: sql::ObjectName::from(vec![sql::Ident::new(function)]),
        uses_odbc_syntax: false,
        parameters: sql::FunctionArguments::None,
        args: sql::FunctionArguments::List(sql::FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// An expression with its types coerced, as a timestamp in milliseconds.
pub fn coerced(expr: Expr, schema: &DFSchema) -> PlanResult<Expr> {
    let expr = super::compared::coerced(expr, schema, NoNumber::Refused)?.data;
    expr.cast_to(&DataType::Timestamp(TimeUnit::Millisecond, None), schema)
}

/// The columns of a declaration as Arrow has them.
///
/// # Errors
/// A column whose type there is not.
pub fn columns<'d>(
    declared: &'d Declaration,
    provider: &Provider,
) -> Result<Schema, (&'d Column, Box<DataFusionError>)> {
    let planner = SqlToRel::new_with_options(provider, parser_options());
    let mut fields = Vec::new();
    for column in declared.columns.iter().filter(|column| column.computed.is_none() && column.metadata.is_none()) {
        let data_type = arrow_type(&column.data_type, &planner).map_err(|error| (column, Box::new(error)))?;
        fields.push(Field::new(&column.name, data_type, !column.not_null));
    }
    Ok(Schema::new(fields))
}

/// A type as SQL writes it. Times are milliseconds here, at any depth.
fn arrow_type(written: &sql::DataType, planner: &SqlToRel<'_, Provider>) -> PlanResult<DataType> {
    Ok(match written {
        sql::DataType::Timestamp(None | Some(3), zone) => {
            let zone = matches!(zone, sql::TimezoneInfo::WithTimeZone | sql::TimezoneInfo::Tz);
            DataType::Timestamp(TimeUnit::Millisecond, zone.then(|| "+00:00".into()))
        }
        sql::DataType::Bytes(_) | sql::DataType::Bytea => DataType::Binary,
        sql::DataType::Array(
            sql::ArrayElemTypeDef::AngleBracket(item)
            | sql::ArrayElemTypeDef::SquareBracket(item, _)
            | sql::ArrayElemTypeDef::Parenthesis(item),
        ) => DataType::new_list(arrow_type(item, planner)?, true),
        sql::DataType::Map(key, value) => {
            let fields = vec![
                Field::new("key", arrow_type(key, planner)?, false),
                Field::new("value", arrow_type(value, planner)?, true),
            ];
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields.into()), false)), false)
        }
        sql::DataType::Struct(fields, _) => {
            let field = |(index, field): (usize, &sql::StructField)| {
                let name = field.field_name.as_ref().map_or_else(|| format!("c{index}"), |name| name.value.clone());
                Ok(Field::new(name, arrow_type(&field.field_type, planner)?, true))
            };
            DataType::Struct(fields.iter().enumerate().map(field).collect::<PlanResult<Vec<_>>>()?.into())
        }
        other => {
            let column = sql::ColumnDef { name: sql::Ident::new("c"), data_type: other.clone(), options: Vec::new() };
            planner.build_schema(vec![column])?.field(0).data_type().clone()
        }
    })
}
