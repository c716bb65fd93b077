//! `sql fmt`, the tokens of the editor, and aliases.

use sqlparser::ast as sql;

use super::corpus::{FOREIGN, printed};
use super::*;

#[test]
fn a_text_is_laid_out_by_clauses() {
    let text = "-- @app: x\n\n-- @metric: m\ncreate stream s as select a,b , sum( x )as total -- the sum\nfrom high-value-orders o left join t on o.id=t.id window tumbling(5m) \
                where a>-1 and b is not null group by a,b emit changes into out with ('out.topic'='o', format=json);  -- done\nselect 1";
    let wanted = "-- @app: x\n\n-- @metric: m\nCREATE STREAM s AS\nSELECT a, b, sum(x) AS total -- the sum\nFROM high-value-orders o\nLEFT JOIN t ON o.id = t.id\n\
                  WINDOW TUMBLING(5m)\nWHERE a > -1 AND b IS NOT NULL\nGROUP BY a, b\nEMIT CHANGES\nINTO out\nWITH ('out.topic' = 'o', format = json); -- done\n\nSELECT 1\n";
    assert_eq!(format(text).unwrap(), wanted);
}

#[test]
fn elements_and_grouping_sets_are_laid_out_as_they_are_written_elsewhere() {
    let text = "select tag, n from o cross join unnest(o.tags) with ordinality as t(tag, n) cross join lateral(select b from p) q group by rollup(a, b), grouping sets((a), ())";
    let wanted = "SELECT tag, n\nFROM o\nCROSS JOIN unnest(o.tags) WITH ORDINALITY AS t(tag, n)\n\
                  CROSS JOIN LATERAL (SELECT b FROM p) q\nGROUP BY ROLLUP (a, b), GROUPING SETS ((a), ())\n";
    assert_eq!(format(text).unwrap(), wanted);
}

#[test]
fn a_name_that_looks_like_a_keyword_keeps_its_letters() {
    assert_eq!(format("select window.start, emit, Key from t").unwrap(), "SELECT window.start, emit, Key\nFROM t\n");
}

#[test]
fn formatting_twice_changes_nothing() {
    let texts = printed().into_iter().map(|(_, text)| text).chain(FOREIGN.iter().map(|text| (*text).to_owned()));
    for text in texts {
        let once = format(&text).unwrap();
        assert_eq!(format(&once).unwrap(), once);
        assert!(once.lines().all(|line| !line.ends_with(' ')), "{once}");
    }
}

#[test]
fn a_text_with_an_error_is_not_touched() {
    assert_eq!(format("SELECT FROM").unwrap_err().len(), 1);
}

#[test]
fn every_token_has_a_class() {
    let text = "-- @app: x\nSELECT sum(a) FROM t WHERE b = 'x' AND c > 5m -- y\n${V} CAST(a AS INT) 'open";
    let classes: Vec<(&str, TokenClass)> =
        tokens(text).into_iter().map(|(span, class)| (&text[span.start..span.end], class)).collect();
    for wanted in [
        ("-- @app: x", TokenClass::Annotation),
        ("SELECT", TokenClass::Keyword),
        ("sum", TokenClass::Function),
        ("t", TokenClass::Name),
        ("'x'", TokenClass::String),
        ("=", TokenClass::Operator),
        ("m", TokenClass::Number),
        ("-- y", TokenClass::Comment),
        ("${V}", TokenClass::Variable),
        ("INT", TokenClass::Type),
        ("'open", TokenClass::String),
    ] {
        assert!(classes.contains(&wanted), "{wanted:?} in {classes:?}");
    }
}

#[test]
fn an_alias_serves_to_its_right_unless_a_column_has_its_name() {
    let expanded = |text: &str| {
        let mut query = query(text).query;
        let sql::SetExpr::Select(select) = query.body.as_mut() else { panic!("no select") };
        expand_aliases(select, &|name| name == "name");
        query.to_string()
    };
    assert_eq!(
        expanded(
            "SELECT a + b AS c, c * 2 AS d, d, upper(name) AS name, length(name) FROM t WHERE C > 1 GROUP BY d HAVING t.c > 1"
        ),
        "SELECT a + b AS c, (a + b) * 2 AS d, ((a + b) * 2), upper(name) AS name, length(name) FROM t WHERE (a + b) > 1 GROUP BY ((a + b) * 2) HAVING t.c > 1"
    );
    assert_eq!(
        expanded("SELECT a AS c, (SELECT c FROM u) FROM t WHERE c IN (SELECT c FROM u)"),
        "SELECT a AS c, (SELECT c FROM u) FROM t WHERE a IN (SELECT c FROM u)"
    );
}
