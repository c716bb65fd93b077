//! Words of the grammar by place, each with a line of help, and the functions that people reach for first.

/// What a statement begins with.
pub(super) const STATEMENTS: &[&str] = &[
    "SELECT",
    "WITH",
    "CREATE STREAM",
    "CREATE TABLE",
    "CREATE VIEW",
    "CREATE SOURCE",
    "CREATE SINK",
    "INSERT INTO",
    "EXPLAIN",
    "DESCRIBE",
    "SHOW TOPICS",
    "SHOW FUNCTIONS",
    "DROP",
];

/// Where a value is due.
pub(super) const VALUES: &[&str] = &["CASE", "CAST(", "NOT", "NULL", "TRUE", "FALSE", "INTERVAL", "EXISTS ("];

/// Behind a value that is compared or joined to others.
pub(super) const OPERATORS: &[&str] = &[
    "AND",
    "OR",
    "IN (",
    "LIKE",
    "BETWEEN",
    "IS NULL",
    "IS NOT NULL",
    "NOT IN (",
    "NOT LIKE",
    "ILIKE",
    "IS DISTINCT FROM",
];

/// Behind a relation.
pub(super) const RELATION: &[&str] = &[
    "WHERE",
    "JOIN",
    "LEFT JOIN",
    "GROUP BY",
    "WINDOW",
    "AS",
    "EMIT CHANGES",
    "EMIT FINAL",
    "LIMIT",
    "ORDER BY",
    "HAVING",
    "INTO",
    "WITH (",
    "INNER JOIN",
    "RIGHT JOIN",
    "FULL JOIN",
    "CROSS JOIN",
    "CROSS JOIN UNNEST(",
    "UNION ALL",
    "FOR SYSTEM_TIME AS OF",
];

/// Behind a condition, by clause; each follows the others in this order.
pub(super) const AFTER_WHERE: &[&str] = &[
    "GROUP BY",
    "WINDOW",
    "HAVING",
    "ORDER BY",
    "LIMIT",
    "EMIT CHANGES",
    "EMIT FINAL",
    "EMIT EVERY INTERVAL '1' SECOND",
    "INTO",
    "WITH (",
    "UNION ALL",
];

/// Behind a key of GROUP BY.
pub(super) const AFTER_GROUP: &[&str] = &[
    "HAVING",
    "WINDOW",
    "EMIT CHANGES",
    "EMIT FINAL",
    "EMIT EVERY INTERVAL '1' SECOND",
    "ORDER BY",
    "LIMIT",
    "INTO",
    "WITH (",
    "UNION ALL",
];

/// Behind a key of ORDER BY.
pub(super) const AFTER_ORDER: &[&str] =
    &["DESC", "ASC", "NULLS FIRST", "NULLS LAST", "LIMIT", "EMIT CHANGES", "EMIT FINAL", "INTO", "WITH ("];

/// Behind an item of the SELECT list.
pub(super) const AFTER_ITEM: &[&str] = &["FROM", "AS", "OVER (", "PRIMARY KEY", "FILTER (WHERE"];

/// Within CASE.
pub(super) const CASE: &[&str] = &["WHEN", "THEN", "ELSE", "END"];

/// Windows: name, what is inserted, where the cursor stands in it, signature, help.
pub(super) const WINDOWS: &[(&str, &str, usize, &str, &str)] = &[
    ("TUMBLING", "TUMBLING(10s)", 9, "TUMBLING([time,] size)", "windows side by side, each row in one"),
    (
        "HOPPING",
        "HOPPING(10m, 1m)",
        8,
        "HOPPING([time,] size, advance)",
        "overlapping windows, one begins every advance",
    ),
    ("SLIDING", "SLIDING(10m, 1m)", 8, "SLIDING([time,] size, advance)", "the same as HOPPING"),
    ("SESSION", "SESSION(30s)", 8, "SESSION([time,] gap)", "as long as rows of a key follow each other within the gap"),
    (
        "CUMULATING",
        "CUMULATING(1m, 1h)",
        11,
        "CUMULATING([time,] step, size)",
        "growing by a step up to a size, then anew",
    ),
];

/// Windows as relations.
pub(super) const WINDOW_RELATIONS: &[(&str, &str, &str)] = &[
    (
        "TUMBLE",
        "TUMBLE(table, time, INTERVAL '1' MINUTE)",
        "a relation with window_start and window_end: windows side by side",
    ),
    ("HOP", "HOP(table, time, slide, size)", "a relation with window_start and window_end: overlapping windows"),
    ("CUMULATE", "CUMULATE(table, time, step, size)", "a relation with window_start and window_end: growing windows"),
];

/// Lengths of time that people write.
pub(super) const DURATIONS: &[(&str, &str)] = &[
    ("10s", "ten seconds"),
    ("1m", "a minute"),
    ("5m", "five minutes"),
    ("1h", "an hour"),
    ("1d", "a day"),
    ("500ms", "half a second"),
    ("30s", "half a minute"),
    ("15m", "a quarter of an hour"),
    ("7d", "a week"),
];

/// Lengths of time behind INTERVAL.
pub(super) const INTERVALS: &[(&str, &str)] = &[
    ("'1' SECOND", "a second"),
    ("'10' SECOND", "ten seconds"),
    ("'1' MINUTE", "a minute"),
    ("'5' MINUTE", "five minutes"),
    ("'1' HOUR", "an hour"),
    ("'1' DAY", "a day"),
];

/// Types that are declared and cast to.
pub(super) const TYPES: &[(&str, &str)] = &[
    ("BIGINT", "a whole number of 64 bits"),
    ("INT", "a whole number of 32 bits"),
    ("DECIMAL(18,2)", "an exact number: digits in all, digits behind the point"),
    ("DOUBLE", "a number that is not exact"),
    ("FLOAT", "a number that is not exact, of 32 bits"),
    ("VARCHAR", "a text"),
    ("STRING", "a text"),
    ("BOOLEAN", "true or false"),
    ("TIMESTAMP(3)", "a time to the millisecond"),
    ("DATE", "a day"),
    ("TIME", "a time of day"),
    ("BYTES", "bytes"),
    ("ARRAY<VARCHAR>", "a list"),
    ("MAP<VARCHAR, VARCHAR>", "values by key"),
    ("STRUCT<a VARCHAR, b BIGINT>", "fields under one name"),
];

/// The functions that people reach for first, in this order: they come before others that fit as well.
pub(super) const COMMON: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "coalesce",
    "round",
    "lag",
    "lead",
    "row_number",
    "rank",
    "first_value",
    "last_value",
    "upper",
    "lower",
    "concat",
    "substr",
    "date_trunc",
    "date_format",
    "to_timestamp",
    "now",
    "abs",
    "nullif",
    "json_value",
];

/// A line on a word of the grammar.
pub(super) fn help(word: &str) -> &'static str {
    let line = HELP.iter().find(|(known, _)| word == *known);
    line.or_else(|| HELP.iter().find(|(known, _)| word.starts_with(known))).map_or("", |(_, line)| line)
}

const HELP: &[(&str, &str)] = &[
    ("SELECT", "columns of a result"),
    ("FROM", "where rows come from: a topic, a stream, a table, a URI in quotes"),
    ("WHERE", "keeps the rows for which a condition is true"),
    ("GROUP BY", "one result a key"),
    ("HAVING", "keeps the groups for which a condition is true"),
    ("WINDOW", "groups rows by time: WINDOW TUMBLING(10s)"),
    ("EMIT CHANGES", "every change of a result as it happens"),
    ("EMIT FINAL", "a result once, when its window closes"),
    ("EMIT EVERY", "what changed, at most this often"),
    ("CHANGES", "every change of a result as it happens"),
    ("FINAL", "a result once, when its window closes"),
    ("ON WINDOW CLOSE", "a result once, when its window closes"),
    ("EVERY INTERVAL", "what changed, at most this often"),
    ("LIMIT", "ends after so many rows"),
    ("ORDER BY", "orders rows: bounded input, a window, or the first N"),
    ("INTO", "writes rows to a topic or a sink"),
    ("WITH (", "options: event time, watermark, failures, ends"),
    ("WITH", "names for queries of this statement"),
    ("JOIN", "rows of both sides that fit; of two streams, WITHIN a time"),
    ("LEFT JOIN", "all rows of the left, with what fits of the right"),
    ("RIGHT JOIN", "all rows of the right, with what fits of the left"),
    ("FULL JOIN", "all rows of both, joined where they fit"),
    ("INNER JOIN", "rows of both sides that fit"),
    ("CROSS JOIN", "every row of the left with every row of the right"),
    ("FOR SYSTEM_TIME", "a table as it was at the row's time"),
    ("WITHIN", "how far apart in time the rows of a join may be: WITHIN 5m"),
    ("UNION ALL", "rows of both queries"),
    ("CREATE STREAM", "a name for an unbounded result"),
    ("CREATE TABLE", "the newest row a key, to join with"),
    ("CREATE VIEW", "a name for a query"),
    ("CREATE SOURCE", "columns and options of something to read from"),
    ("CREATE SINK", "columns and options of something to write to"),
    ("INSERT INTO", "writes the rows of a query to a topic or a sink"),
    ("EXPLAIN", "the plan of a statement"),
    ("DESCRIBE", "the columns of a name"),
    ("PARTITION BY", "rows of one key are looked at together"),
    ("ROWS WINDOW BUFFER", "keeps so many rows a partition"),
    ("PRIMARY KEY", "makes this column the key of the record"),
    ("OVER (", "the rows around this one"),
    ("CASE", "CASE WHEN condition THEN value ELSE value END"),
    ("CAST(", "a value as another type: CAST(amount AS BIGINT)"),
    ("WATERMARK FOR", "which column is the event time, and how late rows may be"),
    ("METADATA FROM", "what comes beside the record: timestamp, key, offset"),
];
