//! The planner's sentences in the words of SQL: one rule a sentence, in the order in which they are tried. A sentence that
//! no rule knows is passed on without what only its programmers read. Pure.

use datafusion_common::DataFusionError;

use super::calls;
use super::refusals::refusals;
use super::template::{holes, listed};
use super::types::{all, is_text, is_time, sql};
use crate::core::fault::Fault;
use crate::core::words::did_you_mean;
use crate::sql::functions::registry::Functions;
use crate::sql::plan::session::refused;

/// What is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is wrong.
    pub what: String,
    /// What to do; empty where that is plain.
    pub next: String,
}

/// A rule: what it makes of a sentence that it knows.
type Rule = fn(&str, &Functions) -> Option<Said>;

const RULES: [Rule; 11] = [
    refusals,
    calls::unknown,
    calls::arguments,
    grouping,
    operators,
    branches,
    conversions,
    fields,
    widths,
    numbers,
    names,
];

/// What stands before a sentence and says who in the planner says it.
const PREFIXES: [&str; 12] = [
    "Error during planning: ",
    "Execution error: ",
    "Internal error: ",
    "This feature is not implemented: ",
    "Schema error: ",
    "SQL error: ",
    "ParserError: ",
    "Arrow error: ",
    "Parser error: ",
    "Cast error: ",
    "Invalid argument error: ",
    "External error: ",
];

/// What a rule says.
pub(super) fn said(what: impl Into<String>, next: impl Into<String>) -> Option<Said> {
    Some(Said { what: what.into(), next: next.into() })
}

impl Said {
    /// What an error says.
    pub fn of(error: &DataFusionError, functions: &Functions) -> Self {
        let text = error.strip_backtrace();
        let plain = plain(&text);
        RULES.iter().find_map(|rule| rule(plain, functions)).unwrap_or_else(|| passed_on(plain))
    }

    /// It as a fault.
    pub fn fault(self) -> Fault {
        let fault = refused(&self.what);
        if self.next.is_empty() { fault } else { fault.next(self.next) }
    }
}

/// A sentence of which nothing is known: its first line, without what asks for a report to the planner's makers.
fn passed_on(text: &str) -> Said {
    let text = text.split("\nThis issue was likely caused").next().unwrap_or(text);
    let text = text.split(" No function matches").next().unwrap_or(text);
    let line = text.lines().next().unwrap_or(text).trim_end_matches('.');
    // A tree of the planner's own names helps nobody.
    match line.split_once("Physical plan does not support logical expression ") {
        Some((_, tree)) => {
            let kind = tree.split(['(', ' ', '{']).next().unwrap_or(tree);
            Said { what: format!("this cannot be computed over a stream ({kind})"), next: String::new() }
        }
        None => Said { what: line.to_owned(), next: String::new() },
    }
}

/// A sentence without who says it.
pub(super) fn plain(text: &str) -> &str {
    let mut text = text.rsplit("caused by\n").next().unwrap_or(text);
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    text.trim()
}

fn grouping(text: &str, _: &Functions) -> Option<Said> {
    let last = |column: &str| column.rsplit('.').next().unwrap_or(column).trim_matches('"').to_owned();
    if let Some(found) =
        holes(text, "Column in {} must be in GROUP BY or an aggregate function: {}column \"{}\" must{}")
    {
        let column = last(found[2]);
        let what = format!("`{column}` is neither in GROUP BY nor inside an aggregate");
        return said(
            what,
            format!("add it to GROUP BY, or say which of its values: MAX({column}), LAST_VALUE({column})"),
        );
    }
    if holes(text, "HAVING clause references: {} must appear{}").is_some() {
        return said(
            "HAVING is about groups, and nothing is grouped here",
            "write the condition in WHERE, or add GROUP BY",
        );
    }
    if text.starts_with("Aggregate functions are not allowed in the WHERE clause") {
        return said(
            "an aggregate cannot stand in WHERE, which looks at one row at a time",
            "write the condition in HAVING",
        );
    }
    if let Some(found) = holes(text, "Physical plan does not support logical expression {}(Exists {{}")
        .or_else(|| holes(text, "Physical plan does not support logical expression {}(InSubquery {{}"))
    {
        let sign = if found[0] == "Exists" { "EXISTS" } else { "IN with a subquery" };
        return said(
            format!("{sign} cannot be made a join where it stands here"),
            "compare with the row outside by =, joined to the rest by AND, or write a LEFT JOIN, and look for NULL",
        );
    }
    if text.contains("Physical plan does not support logical expression ScalarSubquery") {
        let next = "compare with the row outside by =, joined to the rest by AND, or write a LEFT JOIN";
        return said("this subquery cannot be made a join", next);
    }
    let found = holes(text, "QUALIFY clause requires window functions{}");
    found.and_then(|_| said("QUALIFY is about window functions, and there is none", "write the condition in WHERE"))
}

/// Signs between two types, longer ones first.
const SIGNS: [&str; 23] = [
    "IS NOT DISTINCT FROM",
    "IS DISTINCT FROM",
    "<<",
    ">>",
    "<=",
    ">=",
    "<>",
    "!=",
    "=",
    "<",
    ">",
    "AND",
    "OR",
    "||",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "#",
    "~",
];

/// Two types and the sign between them.
fn operands(text: &str) -> Option<(String, &'static str, String)> {
    SIGNS.iter().find_map(|sign| {
        let (left, right) = text.split_once(&format!(" {sign} "))?;
        Some((sql(left), *sign, sql(right)))
    })
}

fn operators(text: &str, _: &Functions) -> Option<Said> {
    if let Some(found) = holes(text, "Cannot infer common argument type for logical boolean operation {}") {
        let (left, sign, right) = operands(found[0])?;
        let wrong = if left == "BOOLEAN" { right } else { left };
        return said(format!("{sign} stands between conditions, and this is {wrong}"), COMPARE);
    }
    if let Some(found) = holes(text, "Cannot infer common argument type for comparison operation {}") {
        let (left, sign, right) = operands(found[0])?;
        if sign == "IS DISTINCT FROM" && right == "BOOLEAN" {
            return said(format!("NOT stands before a condition, and this is {left}"), COMPARE);
        }
        let next = match is_time(&left) || is_time(&right) {
            true => "write a time as text, '2026-01-31 12:00:00', or CAST one of them",
            false => "CAST one of them to the other's type",
        };
        return said(format!("{left} and {right} cannot be compared"), next);
    }
    if let Some(found) = holes(
        text,
        "Cannot get result type for decimal operation {}: Invalid argument error: Output scale of {} would exceed max scale of {}",
    ) {
        let (left, sign, right) = operands(found[0])?;
        let what = format!("{left} {sign} {right} has more than {} digits behind the point", found[2]);
        return said(what, "CAST one of them to fewer: CAST(… AS DECIMAL(18, 4))");
    }
    let computed = holes(text, "Cannot coerce arithmetic expression {} to valid types")
        .or_else(|| holes(text, "Cannot get result type for temporal operation {}: {}"))
        .or_else(|| holes(text, "Invalid timestamp arithmetic operation: {}"));
    if let Some(found) = computed {
        let (left, sign, right) = operands(found[0])?;
        let next = if is_time(&left) && is_time(&right) {
            "two times can be subtracted; a time and an interval can be added"
        } else if is_time(&left) || is_time(&right) {
            "a time moves by an interval: ts + INTERVAL '1' HOUR"
        } else if sign == "+" && is_text(&left) && is_text(&right) {
            "texts are joined with ||"
        } else if is_text(&left) || is_text(&right) {
            "CAST(… AS DECIMAL(18, 2)) makes a number of a text; texts are joined with ||"
        } else {
            "CAST one of them to a number"
        };
        return said(format!("{left} {sign} {right} cannot be computed"), next);
    }
    if let Some(found) = holes(text, "Cannot infer common type for bitwise operation {}") {
        let (left, sign, right) = operands(found[0])?;
        return said(format!("{left} {sign} {right} cannot be computed"), "CAST both to BIGINT");
    }
    if let Some(found) = holes(text, "There isn't a common type to coerce {} and {} in {} expression") {
        let wrong = if is_text(&sql(found[0])) { sql(found[1]) } else { sql(found[0]) };
        return said(format!("{} compares texts, and this is {wrong}", found[2]), "CAST(… AS VARCHAR) makes a text");
    }
    if let Some(found) = holes(text, "Can not find compatible types to compare {} with [{}]") {
        return said(
            format!("{} cannot be compared with all of {}", sql(found[0]), all(found[1]).join(", ")),
            "the values of IN are of one type with what stands before it",
        );
    }
    if let Some(found) = holes(text, "Failed to coerce types {} and {} in BETWEEN expression{}") {
        let what = format!("{} and {} cannot be compared", sql(found[0]), sql(found[1]));
        return said(what, "the bounds of BETWEEN are of one type with what stands before it");
    }
    if text.starts_with("Negation only supports") {
        return said("`-` stands before a number or an interval", "CAST(… AS DECIMAL(18, 2)) makes a number of a text");
    }
    let found = holes(text, "Unsupported binary operator: {}")?;
    match found[0] {
        "PGOverlap" => said("there is no operator `&&`", "write AND"),
        other => said(format!("there is no operator `{other}`"), "SHOW FUNCTIONS lists what there is in its place"),
    }
}

const COMPARE: &str = "compare it with something: `… > 100`";

fn branches(text: &str, _: &Functions) -> Option<Said> {
    if let Some(found) = holes(text, "Cannot create filter with non-boolean predicate '{}' returning {}") {
        let what = format!("this gives {}, not true or false", sql(found[1]));
        return said(what, COMPARE);
    }
    if let Some(found) = holes(text, "Cannot automatically convert {} to {}") {
        let (is, wanted) = (sql(found[0]), sql(found[1]));
        if wanted == "BOOLEAN" {
            return said(format!("this gives {is}, not true or false"), COMPARE);
        }
        return said(format!("{is} stands where {wanted} is wanted"), "CAST it");
    }
    if text.starts_with("WHEN expressions in CASE couldn't be converted") {
        return said(
            "CASE WHEN takes a condition",
            "write CASE WHEN amount > 100 THEN …, or CASE status WHEN 'new' THEN …",
        );
    }
    let found = holes(text, "Failed to coerce then ({}) and else ({}) to common types{}")?;
    let then: Vec<_> = all(found[0]);
    let what = format!("CASE gives one type, and here are {} and {}", then.join(", "), sql(found[1]));
    said(what, "CAST one of them to the other's type")
}

/// Types that somebody may have meant.
const TYPES: [&str; 24] = [
    "BIGINT",
    "INT",
    "INTEGER",
    "SMALLINT",
    "TINYINT",
    "DOUBLE",
    "FLOAT",
    "REAL",
    "DECIMAL",
    "NUMERIC",
    "VARCHAR",
    "STRING",
    "TEXT",
    "CHAR",
    "BOOLEAN",
    "TIMESTAMP",
    "DATE",
    "TIME",
    "INTERVAL",
    "BYTES",
    "BINARY",
    "ARRAY",
    "MAP",
    "STRUCT",
];

fn conversions(text: &str, _: &Functions) -> Option<Said> {
    if let Some(found) = holes(text, "Error parsing timestamp from '{}': {}") {
        return said(format!("`{}` is no time", found[0]), "write '2026-01-31', or '2026-01-31 12:00:00'");
    }
    if let Some(found) = holes(text, "Cannot cast string '{}' to value of {} type") {
        let of = sql(found[1]);
        let next = if of == "DATE" { "write '2026-01-31'" } else { "TRY_CAST gives NULL where CAST fails" };
        return said(format!("`{}` is no {of}", found[0]), next);
    }
    if let Some(found) = holes(text, "Unsupported CAST from {} to {}") {
        let to = found[1].trim_end_matches('.');
        return said(format!("{} cannot be cast to {}", sql(found[0]), sql(to)), "");
    }
    if let Some(found) = holes(text, "Unsupported SQL type {}") {
        let listed = "types are BIGINT, INT, DOUBLE, DECIMAL(18, 2), VARCHAR, BOOLEAN, TIMESTAMP(3), DATE, TIME, BYTES";
        let next = did_you_mean(found[0], TYPES).unwrap_or_else(|| listed.to_owned());
        return said(format!("there is no type {}", found[0]), next);
    }
    let found = holes(text, "Decimal(precision = {}, scale = {}) should satisfy{}")?;
    let what = format!("DECIMAL({}, {}) cannot be", found[0], found[1]);
    said(what, "a decimal has 1 to 76 digits, no more of them behind the point")
}

fn fields(text: &str, _: &Functions) -> Option<Said> {
    let found = holes(text, "Cannot access field at argument {}: type {} is not {}")?;
    let of = sql(found[1]);
    let next = match of.as_str() {
        array if array.starts_with("ARRAY") => "an element is read by its place, from 1: tags[1]",
        "VARCHAR" => "text that holds JSON is read with JSON_VALUE(payload, '$.name')",
        _ => "a.b and a['b'] read a field of a STRUCT or a value of a MAP",
    };
    said(format!("{of} has no fields"), next)
}

fn widths(text: &str, _: &Functions) -> Option<Said> {
    let columns = |count: &str| if count == "1" { "1 column".to_owned() } else { format!("{count} columns") };
    if let Some(found) = holes(text, "{} queries have different number of columns{}") {
        let next = "select as many on each side, NULL where there is nothing";
        return said(format!("the sides of {} have different numbers of columns", found[0]), next);
    }
    if let Some(found) = holes(
        text,
        "Incompatible inputs for Union: Previous inputs were of type {}, but got incompatible type {} on column '{}'",
    ) {
        let what = format!("the sides of UNION give {} and {} for one column", sql(found[0]), sql(found[1]));
        return said(what, format!("CAST `{}` to the other's type", found[2]));
    }
    if let Some(found) = holes(text, "Too many columns! The subquery should only return one column: {}") {
        let count = listed(found[0]).len();
        return said(
            format!("a subquery here gives 1 column, and this one gives {count}"),
            "select the one that is meant",
        );
    }
    if let Some(found) = holes(text, "Source table contains {} columns but only {} names given as column alias") {
        let (has, named) = (columns(found[0]), columns(found[1]));
        return said(format!("{named} named for a relation that has {has}"), "name each of its columns, or none");
    }
    let found = holes(text, "Inconsistent data length across values list: got {} values in row {} but expected {}")?;
    let what = format!("row {} of VALUES has {} where the first has {}", row(found[1]), columns(found[0]), found[2]);
    said(what, "write NULL where there is nothing")
}

/// A row's number as a person counts.
fn row(number: &str) -> String {
    number.parse::<u64>().map_or_else(|_| number.to_owned(), |number| (number + 1).to_string())
}

fn numbers(text: &str, _: &Functions) -> Option<Said> {
    if let Some(found) = holes(text, "Order by column out of bounds, specified: {}, max: {}") {
        return said(format!("ORDER BY {} names no column of the result, which has {}", found[0], found[1]), "");
    }
    if let Some(found) = holes(text, "Cannot find column with position {} in SELECT clause. Valid columns: 1 to {}") {
        return said(format!("GROUP BY {} names no column of the result, which has {}", found[0], found[1]), "");
    }
    if let Some(found) = holes(text, "Expected LIMIT to be an integer or null, but got {}") {
        return said(format!("LIMIT takes a number, not {}", sql(found[0])), "write LIMIT 10");
    }
    let found = holes(text, "{} must be >= 0, '{}' was provided")?;
    said(format!("{} takes a number from 0, not {}", found[0], found[1]), "")
}

fn names(text: &str, _: &Functions) -> Option<Said> {
    if let Some(found) =
        holes(text, "Projections require unique expression names but the expression \"{}\" at position{}")
    {
        let name = found[0].rsplit(" AS ").next().unwrap_or(found[0]);
        let name = name.rsplit('.').next().unwrap_or(name);
        return said(format!("two columns of the result are called `{name}`"), "give one of them another name with AS");
    }
    if let Some(found) = holes(text, "Invalid qualifier {}") {
        return said(format!("there is no relation `{}` here", found[0]), "`*` stands behind a name that FROM gives");
    }
    if text.starts_with("Recursive CTE") || text.starts_with("WITH RECURSIVE is not") {
        return said("WITH RECURSIVE is not available over streams", "name each level: WITH one AS (…), two AS (…)");
    }
    let found = holes(text, "WITH query name \"{}\" specified more than once")?;
    said(format!("WITH gives the name `{}` twice", found[0]), "give one of them another name")
}
