//! What names mean at a cursor: the relations of the FROM around it with their columns, names of WITH, names of results.
//! It reads tokens, not a parsed tree, for what is being typed seldom parses.

use super::words::{Word, closing, outside};
use crate::sql::assist::catalog::{Catalog, Columns, Field, RelationKind};

/// How deep queries within queries are looked into: deeper than anybody writes by hand.
const DEPTH_MAX: usize = 8;

/// Words that end the FROM clause.
const AFTER_FROM: &[&str] = &[
    "WHERE",
    "GROUP",
    "WINDOW",
    "HAVING",
    "QUALIFY",
    "ORDER",
    "LIMIT",
    "EMIT",
    "INTO",
    "WITH",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "OFFSET",
    "FETCH",
];
/// Words between relations.
const JOIN_WORDS: &[&str] = &["NATURAL", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER", "SEMI", "ANTI", "JOIN"];
/// Words that stand behind a relation and are not its alias.
const BEHIND: &[&str] = &["ON", "USING", "WITHIN", "FOR", "AS"];
/// Words of set operations.
const SETS: &[&str] = &["UNION", "EXCEPT", "INTERSECT"];
/// Windows as table functions.
const WINDOWS: &[&str] = &["TUMBLE", "HOP", "SESSION", "CUMULATE", "TABLE"];

/// Elements of arrays as a relation.
const ELEMENTS: &[&str] = &["UNNEST", "EXPLODE"];

/// Something that columns come from.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    /// What its columns are qualified with.
    pub alias: String,
    /// What it is, for people: `orders`.
    pub of: String,
    /// The columns that are known.
    pub fields: Vec<Field>,
}

/// What a SELECT sees.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Relations of FROM, in order.
    pub sources: Vec<Source>,
    /// Results with a name, in order.
    pub results: Vec<Field>,
    /// Whether rows carry `window_start` and `window_end`.
    pub is_windowed: bool,
}

/// Names that queries have: of WITH, and of statements before.
pub(super) type Named = Vec<(String, Vec<Field>)>;

/// The part of a query between set operations that holds position `at`.
pub(super) fn segment<'w, 't>(words: &'w [Word<'t>], at: usize) -> (&'w [Word<'t>], usize) {
    let cuts: Vec<usize> = outside(words).filter(|(_, word)| word.is_one_of(SETS)).map(|(index, _)| index).collect();
    let start = cuts.iter().rev().find(|cut| **cut < at).map_or(0, |cut| cut + 1);
    let end = cuts.iter().find(|cut| **cut >= at).copied().unwrap_or(words.len());
    (&words[start..end.max(start)], start)
}

/// Adds the names of a `WITH` that a query begins with.
pub(super) fn with_names(words: &[Word<'_>], named: &mut Named, catalog: &Catalog, depth: usize) {
    if depth > DEPTH_MAX || !words.first().is_some_and(|word| word.is("WITH")) {
        return;
    }
    let mut at = 1 + usize::from(words.get(1).is_some_and(|word| word.is("RECURSIVE")));
    while let Some(name) = words.get(at).filter(|word| word.is_name()) {
        let mut open = at + 1;
        let listed = words.get(open).filter(|word| word.text == "(").map(|_| closing(words, open));
        open = listed.map_or(open, |close| close + 1);
        if !words.get(open).is_some_and(|word| word.is("AS")) || words.get(open + 1).is_none_or(|word| word.text != "(")
        {
            return;
        }
        let close = closing(words, open + 1);
        let mut fields = results(words.get(open + 2..close).unwrap_or_default(), named, catalog, depth + 1);
        if let Some(listed) = listed {
            let names = words[at + 2..listed].iter().filter(|word| word.is_name());
            for (field, name) in fields.iter_mut().zip(names) {
                name.name().clone_into(&mut field.name);
            }
        }
        named.push((name.name().to_owned(), fields));
        if words.get(close + 1).is_none_or(|word| word.text != ",") {
            return;
        }
        at = close + 2;
    }
}

/// The columns that a query gives.
pub(super) fn results(words: &[Word<'_>], named: &Named, catalog: &Catalog, depth: usize) -> Vec<Field> {
    if depth > DEPTH_MAX {
        return Vec::new();
    }
    let mut named = named.clone();
    with_names(words, &mut named, catalog, depth);
    let Some(select) = outside(words).find(|(_, word)| word.is("SELECT")).map(|(index, _)| index) else {
        return Vec::new();
    };
    let (part, _) = segment(&words[select..], 0);
    scope(part, &named, catalog, depth).results
}

/// What a SELECT sees: `words` is one segment of a query.
pub(super) fn scope(words: &[Word<'_>], named: &Named, catalog: &Catalog, depth: usize) -> Scope {
    let mut scope = Scope::default();
    if depth > DEPTH_MAX {
        return scope;
    }
    let place = |wanted: &str| outside(words).find(|(_, word)| word.is(wanted)).map(|(index, _)| index);
    let select = place("SELECT");
    let from = outside(words)
        .find(|(index, word)| {
            word.is("FROM") && !index.checked_sub(1).is_some_and(|before| words[before].is("DISTINCT"))
        })
        .map(|(index, _)| index);
    if let Some(from) = from {
        let rest = &words[from + 1..];
        let ends = |(index, word): &(usize, &Word<'_>)| {
            let is_numbered = rest.get(index + 1).is_some_and(|next| next.is("ORDINALITY"));
            word.is_one_of(AFTER_FROM) && !is_numbered
        };
        let end = outside(rest).find(ends).map_or(rest.len(), |(index, _)| index);
        scope.is_windowed = relations(&rest[..end], named, catalog, depth, &mut scope.sources);
    }
    let groups = words.windows(2).any(|pair| {
        pair[1].text == "("
            && (pair[0].is_one_of(WINDOWS) || pair[0].is_one_of(&["TUMBLING", "HOPPING", "SLIDING", "CUMULATING"]))
    });
    scope.is_windowed |= groups;
    if let Some(select) = select {
        let end = from.filter(|from| *from > select).unwrap_or(words.len());
        let items = &words[select + 1..end];
        let items = &items[items.iter().take_while(|word| word.is_one_of(&["DISTINCT", "ALL"])).count()..];
        for item in by_commas(items) {
            let found = item_fields(item, &scope.sources);
            scope.results.extend(found);
        }
    }
    scope
}

/// Reads relations; says whether one is a window over another.
fn relations(words: &[Word<'_>], named: &Named, catalog: &Catalog, depth: usize, into: &mut Vec<Source>) -> bool {
    let mut is_windowed = false;
    let mut starts = vec![0];
    for (index, word) in outside(words) {
        if word.text == "," || word.is("JOIN") {
            starts.push(index + 1);
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([words.len() + 1]).collect();
    for (start, end) in starts.into_iter().zip(ends) {
        let part = &words[start.min(words.len())..(end - 1).clamp(start.min(words.len()), words.len())];
        let stop = outside(part).find(|(_, word)| word.is_one_of(JOIN_WORDS)).map_or(part.len(), |(index, _)| index);
        is_windowed |= relation(&part[..stop], named, catalog, depth, into);
    }
    is_windowed
}

fn relation(part: &[Word<'_>], named: &Named, catalog: &Catalog, depth: usize, into: &mut Vec<Source>) -> bool {
    let Some(first) = part.first() else { return false };
    let called = part.get(1).is_some_and(|next| next.text == "(");
    let (mut source, behind, is_window) = if first.text == "(" {
        let close = closing(part, 0);
        let inner = part.get(1..close).unwrap_or_default();
        if inner.first().is_some_and(|word| word.is_one_of(&["SELECT", "WITH"])) {
            let fields = results(inner, named, catalog, depth + 1);
            (Source { fields, of: "query".to_owned(), ..Source::default() }, close + 1, false)
        } else {
            return relations(inner, named, catalog, depth + 1, into);
        }
    } else if called && first.is_one_of(WINDOWS) {
        let close = closing(part, 1);
        let mut inner = part.get(2..close).unwrap_or_default();
        // `TUMBLE(TABLE orders, …)`, `TABLE(TUMBLE(…))`
        while inner.first().is_some_and(|word| word.is_one_of(WINDOWS) || word.text == "(") {
            inner = &inner[1..];
        }
        let (name, _) = joined(inner);
        (Source { fields: columns_of(&name, named, catalog), alias: name.clone(), of: name }, close + 1, true)
    } else if called && first.is_one_of(ELEMENTS) {
        into.extend(elements(part));
        return false;
    } else {
        let (name, taken) = joined(part);
        (Source { fields: columns_of(&name, named, catalog), alias: name.clone(), of: name }, taken.max(1), false)
    };
    let mut rest = part.get(behind..).unwrap_or_default();
    if rest.first().is_some_and(|word| word.is("FOR")) {
        let alias = rest.iter().rposition(|word| word.is("AS"));
        rest = alias.filter(|at| *at > 1).map_or(&[], |at| &rest[at..]);
    }
    if rest.first().is_some_and(|word| word.is("AS")) {
        rest = &rest[1..];
    }
    if let Some(alias) = rest.first().filter(|word| word.is_name() && !word.is_one_of(BEHIND)) {
        alias.name().clone_into(&mut source.alias);
    }
    into.push(source);
    is_window
}

/// `UNNEST(o.tags) [WITH ORDINALITY] [AS] t (tag)`: the columns that its alias names.
fn elements(part: &[Word<'_>]) -> Option<Source> {
    let behind = part.get(closing(part, 1) + 1..)?;
    let skipped = behind.iter().take_while(|word| word.is_one_of(&["WITH", "ORDINALITY", "AS"])).count();
    let behind = &behind[skipped..];
    let alias = behind.first().filter(|word| word.is_name() && !word.is_one_of(BEHIND))?;
    let listed = behind.get(1).filter(|word| word.text == "(").map(|_| &behind[2..closing(behind, 1)]);
    let names = listed.into_iter().flatten().filter(|word| word.is_name());
    let fields = names.map(|word| Field { name: word.name().to_owned(), ..Field::default() }).collect();
    Some(Source { alias: alias.name().to_owned(), of: part[0].name().to_lowercase(), fields })
}

/// A name that points and hyphens join, and how many words it takes.
pub(super) fn joined(words: &[Word<'_>]) -> (String, usize) {
    let Some(first) = words.first() else { return (String::new(), 0) };
    let mut name = first.name().trim_matches('\'').to_owned();
    let mut taken = 1;
    while let Some(word) = words.get(taken).filter(|word| word.start == words[taken - 1].end) {
        if word.text == "(" || word.text == "," || word.text == ")" {
            break;
        }
        name.push_str(word.name());
        taken += 1;
    }
    (name, taken)
}

/// The columns of a name, as far as they are known.
fn columns_of(name: &str, named: &Named, catalog: &Catalog) -> Vec<Field> {
    let own = named.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, fields)| fields);
    if let Some(fields) = own.filter(|fields| !fields.is_empty()) {
        return fields.clone();
    }
    let relation = catalog.relation(name).filter(|relation| relation.kind != RelationKind::Sink);
    if let Some(fields) = relation.and_then(|relation| relation.columns.clone()) {
        return fields;
    }
    match catalog.topic(name).map(|topic| &topic.columns) {
        Some(Columns::Known(sample)) => sample.fields.clone(),
        _ => Vec::new(),
    }
}

fn by_commas<'w, 't>(words: &'w [Word<'t>]) -> Vec<&'w [Word<'t>]> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, _) in outside(words).filter(|(_, word)| word.text == ",") {
        parts.push(&words[start..index]);
        start = index + 1;
    }
    parts.push(&words[start..]);
    parts
}

/// The columns that one item of a SELECT list gives.
fn item_fields(item: &[Word<'_>], sources: &[Source]) -> Vec<Field> {
    let item = match item {
        [rest @ .., primary, key] if primary.is("PRIMARY") && key.is("KEY") => rest,
        item => item,
    };
    match item {
        [star] if star.text == "*" => sources.iter().flat_map(|source| source.fields.clone()).collect(),
        [alias, dot, star] if dot.text == "." && star.text == "*" => {
            let own = sources.iter().filter(|source| source.alias == alias.name());
            own.flat_map(|source| source.fields.clone()).collect()
        }
        [expression @ .., word, alias] if word.is("AS") => vec![renamed(expression, alias.name(), sources)],
        [expression @ .., alias]
            if alias.is_name() && expression.last().is_some_and(|before| before.ends_operand()) =>
        {
            vec![renamed(expression, alias.name(), sources)]
        }
        _ => path(item).and_then(|path| find(&path, sources)).into_iter().collect(),
    }
}

fn renamed(expression: &[Word<'_>], name: &str, sources: &[Source]) -> Field {
    let known = path(expression).and_then(|path| find(&path, sources)).unwrap_or_default();
    Field { name: name.to_owned(), ..known }
}

/// `a.b.c` as its parts, where that is all there is.
pub(super) fn path<'t>(words: &[Word<'t>]) -> Option<Vec<&'t str>> {
    let parts = words.iter().step_by(2).map(|word| word.is_name().then(|| word.name())).collect::<Option<Vec<_>>>()?;
    let dotted = words.iter().skip(1).step_by(2).all(|word| word.text == ".");
    (dotted && !words.is_empty() && words.len() % 2 == 1).then_some(parts)
}

/// The field that a path leads to.
pub(super) fn find(path: &[&str], sources: &[Source]) -> Option<Field> {
    let of = |fields: &[Field], name: &str| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).cloned();
    let (first, rest) = path.split_first()?;
    let qualified = sources.iter().find(|source| source.alias.eq_ignore_ascii_case(first));
    let (mut field, rest) = match (qualified, rest) {
        (Some(source), [column, rest @ ..]) => (of(&source.fields, column)?, rest),
        _ => (sources.iter().find_map(|source| of(&source.fields, first))?, rest),
    };
    for name in rest {
        field = of(&field.fields, name)?;
    }
    Some(field)
}
