//! What may stand at a cursor, told from the words before it: the clause, the brackets, and whether an operand is due.

use super::declared::{column, create, option};
use super::frames::{Frame, Kind, Part, within};
use super::words::Word;

/// What may stand at a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Nothing that is known: a new name, a number.
    Nothing,
    /// A statement begins.
    Statement,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A value of a row: columns, functions.
    Operand(Clause),
    /// Behind a value: operators, and what may follow the clause.
    Behind(Clause),
    /// A part of what stands before the point.
    Member(Vec<String>, Clause),
    /// A relation to read from.
    Relation,
    /// Behind a relation of FROM; whether it is joined.
    BehindRelation { is_joined: bool },
    /// Where rows go.
    Sink,
    /// A relation of the buffer, to drop.
    Defined,
    /// A type.
    Type,
    /// A length of time; within quotes behind INTERVAL.
    Duration { is_interval: bool },
    /// A kind of window.
    Window,
    /// Within the brackets of a window: a time, lengths.
    WindowArgument { is_first: bool },
    /// A key of `WITH (…)`.
    OptionKey,
    /// The value of this key.
    OptionValue(String),
}

/// Clauses of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    /// A condition that stands alone.
    Predicate,
    Select,
    On,
    Where,
    Group,
    Having,
    Order,
    Partition,
    /// `ORDER BY` within OVER.
    OverOrder,
}

const JOINS: &[&str] = &["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"];

/// What may stand behind these words of a condition that stands alone.
pub(super) fn of_condition(words: &[Word<'_>]) -> Position {
    if words.is_empty() {
        Position::Operand(Clause::Predicate)
    } else {
        position(words, &within(Part::Condition, words))
    }
}

/// What may stand behind these words, in these frames.
pub(super) fn position(words: &[Word<'_>], frames: &[Frame]) -> Position {
    let Some(frame) = frames.last() else { return Position::Statement };
    let Some(last) = words.last() else { return Position::Statement };
    let before = words.len().checked_sub(2).map(|at| &words[at]);
    let clause = clause(frames);
    if last.text == "." {
        let path = member(words);
        return match frame.part {
            Part::From | Part::Join | Part::Into | Part::Insert | Part::Describe if frame.kind != Kind::Call => {
                Position::Nothing
            }
            _ if path.is_empty() => Position::Nothing,
            _ => Position::Member(path, clause),
        };
    }
    if last.text == "::" {
        return Position::Type;
    }
    let is_first = words.len() == frame.open;
    match frame.kind {
        Kind::Options => return option(words, last),
        Kind::Columns => return column(last, before, is_first),
        Kind::Cast if last.is("AS") => return Position::Type,
        Kind::Window if !last.is_one_of(&["INTERVAL", "SIZE", "PERIOD"]) => {
            let is_due = is_first || last.text == ",";
            return if is_due { Position::WindowArgument { is_first } } else { Position::Nothing };
        }
        Kind::Over if !frame.is_query => return over(frame, last, is_first),
        Kind::Group if is_first && !frame.is_query && !matches!(frame.part, Part::With) => {
            let outer = frames.get(frames.len().wrapping_sub(2)).map_or(Part::None, |outer| outer.part);
            if matches!(outer, Part::From | Part::Join | Part::With | Part::Create) {
                return Position::Words(&["SELECT", "WITH"]);
            }
        }
        _ => {}
    }
    if let Some(position) = pending(last, before, frame) {
        return position;
    }
    let is_due = is_first || !last.ends_operand() && last.text != "*";
    match frame.part {
        Part::None => first(frames, last, is_first, clause, is_due),
        Part::With if last.is("WITH") => Position::Words(&["RECURSIVE"]),
        Part::With if last.text == ")" => Position::Words(&["SELECT", ","]),
        Part::With if last.is("AS") => Position::Words(&["("]),
        Part::With => Position::Words(&["AS ("]),
        Part::From | Part::Join => {
            let names = last.is_one_of(&["FROM", "JOIN"]) || last.text == ",";
            if names { Position::Relation } else { Position::BehindRelation { is_joined: frame.part == Part::Join } }
        }
        Part::Using => Position::Behind(Clause::On),
        Part::Window if last.is("WINDOW") => Position::Window,
        Part::Window => Position::Behind(Clause::Where),
        Part::Emit if last.is("EMIT") => {
            Position::Words(&["CHANGES", "FINAL", "ON WINDOW CLOSE", "EVERY INTERVAL '1' SECOND"])
        }
        Part::Emit if last.is("EVERY") => Position::Duration { is_interval: false },
        Part::Emit => Position::Words(&["INTO", "WITH ("]),
        Part::Into if last.is("INTO") => Position::Sink,
        Part::Into => Position::Words(&["EMIT CHANGES", "EMIT FINAL", "WITH ("]),
        Part::Limit if is_due => Position::Nothing,
        Part::Limit => Position::Words(&["EMIT CHANGES", "EMIT FINAL", "INTO", "WITH (", "OFFSET"]),
        Part::Create => create(last, before),
        Part::Insert if last.is("INTO") => Position::Sink,
        Part::Insert if last.is("INSERT") => Position::Words(&["INTO"]),
        Part::Insert => Position::Words(&["SELECT", "WITH"]),
        Part::Show if last.is("SHOW") => Position::Words(crate::sql::parse::SHOWN),
        Part::Drop if last.is("DROP") => {
            Position::Words(&["STREAM", "TABLE", "VIEW", "MATERIALIZED VIEW", "SOURCE", "SINK"])
        }
        Part::Drop if last.is_one_of(&["STREAM", "TABLE", "VIEW", "SOURCE", "SINK"]) => Position::Defined,
        Part::Describe if last.is_one_of(&["DESCRIBE", "DESC"]) => Position::Relation,
        Part::Show | Part::Drop | Part::Describe => Position::Nothing,
        Part::Job if last.is_one_of(&["START", "STOP", "PAUSE", "RESUME", "DEPLOY", "ROLLBACK"]) => {
            Position::Words(&["JOB"])
        }
        Part::Job => Position::Nothing,
        _ if is_due => Position::Operand(clause),
        _ => Position::Behind(clause),
    }
}

/// Where a frame has no clause of its own: the beginning of a statement, or brackets within a clause.
fn first(frames: &[Frame], last: &Word<'_>, is_first: bool, clause: Clause, is_due: bool) -> Position {
    let is_statement = frames.len() == 1;
    match () {
        () if last.is_one_of(&["UNION", "EXCEPT", "INTERSECT"]) => Position::Words(&["ALL", "SELECT"]),
        () if last.is("ALL") => Position::Words(&["SELECT"]),
        () if last.is("EXPLAIN") => {
            Position::Words(&["ANALYZE", "SELECT", "WITH", "CREATE STREAM", "CREATE TABLE", "INSERT INTO"])
        }
        () if last.is_one_of(&["ANALYZE", "ANALYSE"]) => {
            Position::Words(&["SELECT", "WITH", "CREATE STREAM", "INSERT INTO"])
        }
        () if is_statement && is_first => Position::Statement,
        () if is_statement => Position::Nothing,
        () if is_due => Position::Operand(clause),
        () => Position::Behind(clause),
    }
}

/// Words that want one more of their kind.
fn pending(last: &Word<'_>, before: Option<&Word<'_>>, frame: &Frame) -> Option<Position> {
    let words: &'static [&'static str] = match last.text.to_ascii_uppercase().as_str() {
        "GROUP" | "ORDER" | "PARTITION" => &["BY"],
        "INTERVAL" => return Some(Position::Duration { is_interval: true }),
        "WITHIN" => return Some(Position::Duration { is_interval: false }),
        "IS" => &["NULL", "NOT NULL", "TRUE", "FALSE", "DISTINCT FROM", "NOT DISTINCT FROM"],
        "NOT" if before.is_some_and(Word::ends_operand) => &["IN", "LIKE", "ILIKE", "BETWEEN"],
        "NOT" if before.is_some_and(|before| before.is("IS")) => &["NULL", "TRUE", "FALSE", "DISTINCT FROM"],
        "NULLS" => &["FIRST", "LAST"],
        "PRIMARY" => &["KEY"],
        "AS" if frame.part == Part::Create => &["SELECT", "WITH"],
        "AS" if frame.part != Part::With => return Some(Position::Nothing),
        word if JOINS.contains(&word) && matches!(frame.part, Part::From | Part::Join | Part::On) => {
            &["JOIN", "OUTER JOIN"]
        }
        _ => return None,
    };
    Some(Position::Words(words))
}

fn over(frame: &Frame, last: &Word<'_>, is_first: bool) -> Position {
    const FRAMES: &[&str] = &[
        "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
        "ROWS BETWEEN 10 PRECEDING AND CURRENT ROW",
        "RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW",
        "ROWS WINDOW BUFFER 100 ROWS",
    ];
    match () {
        () if is_first => Position::Words(&["PARTITION BY", "ORDER BY", "ROWS WINDOW BUFFER 100 ROWS"]),
        () if last.is_one_of(&["PARTITION", "ORDER"]) => Position::Words(&["BY"]),
        () if last.is_one_of(&["BY"]) || last.text == "," => {
            Position::Operand(if frame.part == Part::Partition { Clause::Partition } else { Clause::OverOrder })
        }
        () if !last.ends_operand() => Position::Operand(Clause::Select),
        () if frame.part == Part::Partition => Position::Words(&["ORDER BY"]),
        () if frame.part == Part::Order => Position::Words(match last.is_one_of(&["ASC", "DESC"]) {
            true => FRAMES,
            false => &[
                "DESC",
                "ASC",
                "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
                "ROWS BETWEEN 10 PRECEDING AND CURRENT ROW",
                "RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW",
            ],
        }),
        () => Position::Words(&["PARTITION BY", "ORDER BY"]),
    }
}

/// The clause that the innermost frames leave the cursor in.
fn clause(frames: &[Frame]) -> Clause {
    for frame in frames.iter().rev() {
        return match frame.part {
            Part::Select => Clause::Select,
            Part::On | Part::Using | Part::Join => Clause::On,
            Part::Where => Clause::Where,
            Part::Group => Clause::Group,
            Part::Having => Clause::Having,
            Part::Order => Clause::Order,
            Part::Partition => Clause::Partition,
            Part::Condition => Clause::Predicate,
            Part::None => continue,
            _ => Clause::Where,
        };
    }
    Clause::Predicate
}

/// `a.b.` as `a`, `b`.
fn member(words: &[Word<'_>]) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = words.len();
    while at >= 2 && words[at - 1].text == "." {
        let name = &words[at - 2];
        // `tags[1].name`: the subscript leads to the item.
        let name = if name.text == "]" {
            let open = words[..at - 2].iter().rposition(|word| word.text == "[");
            let Some(open) = open.filter(|open| *open > 0) else { return Vec::new() };
            at = open + 1;
            &words[open - 1]
        } else {
            name
        };
        if !name.is_name() && name.class != crate::sql::parse::TokenClass::Name {
            return Vec::new();
        }
        path.push(name.name().to_owned());
        at -= 2;
    }
    path.reverse();
    path
}
