//! The brackets around a cursor, and the clause that each of them is in: told from the words before it.

use super::words::Word;

/// An open bracket, or the statement itself.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The first word inside.
    pub open: usize,
    /// Whether a query stands inside.
    pub is_query: bool,
    pub kind: Kind,
    pub part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Statement,
    Group,
    Call,
    Cast,
    Over,
    Window,
    Options,
    Columns,
}

/// Where within its frame the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Before any clause: inside of brackets, the clause around them holds.
    None,
    /// A condition that stands alone.
    Condition,
    With,
    Select,
    From,
    Join,
    On,
    Using,
    Where,
    Group,
    Having,
    Order,
    Partition,
    Window,
    Emit,
    Into,
    Limit,
    Create,
    Insert,
    Show,
    Drop,
    Describe,
    Job,
    Values,
}

const WINDOWS: &[&str] = &["TUMBLING", "TUMBLE", "SLIDING", "HOPPING", "HOP", "SESSION", "CUMULATING", "CUMULATE"];
/// The brackets that are open behind these words, outermost first; there is always one.
pub(super) fn frames(words: &[Word<'_>]) -> Vec<Frame> {
    within(Part::None, words)
}

pub(super) fn within(part: Part, words: &[Word<'_>]) -> Vec<Frame> {
    let mut frames = vec![Frame { open: 0, is_query: false, kind: Kind::Statement, part }];
    for (index, word) in words.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &words[before]);
        match word.text {
            "(" => {
                let kind = opened(&frames, before);
                frames.push(Frame { open: index + 1, is_query: false, kind, part: Part::None });
            }
            ")" if frames.len() > 1 => {
                frames.pop();
            }
            _ => {
                if let Some(frame) = frames.last_mut() {
                    step(frame, index, word, before, words);
                }
            }
        }
    }
    frames
}

fn opened(frames: &[Frame], before: Option<&Word<'_>>) -> Kind {
    let part = frames.last().map_or(Part::None, |frame| frame.part);
    match before {
        None => Kind::Group,
        Some(word) if word.is("WITH") => Kind::Options,
        Some(word) if word.is("OVER") => Kind::Over,
        Some(word) if word.is_one_of(&["CAST", "TRY_CAST"]) => Kind::Cast,
        Some(word) if word.is_one_of(WINDOWS) => Kind::Window,
        Some(_) if part == Part::Create => Kind::Columns,
        Some(word) if word.class == crate::sql::parse::TokenClass::Function => Kind::Call,
        Some(word) if word.is_one_of(&["LEFT", "RIGHT", "EXTRACT", "IF", "REPLACE", "FIRST", "LAST"]) => Kind::Call,
        Some(_) => Kind::Group,
    }
}

/// Takes a word of the frame that the cursor is in.
fn step(frame: &mut Frame, index: usize, word: &Word<'_>, before: Option<&Word<'_>>, words: &[Word<'_>]) {
    let after = words.get(index + 1);
    let is_part = before.is_some_and(|before| before.text == ".");
    if is_part || !word.text.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return;
    }
    let begins =
        index == frame.open || before.is_some_and(|before| before.is_one_of(&["EXPLAIN", "ANALYZE", "ANALYSE"]));
    let upper = word.text.to_ascii_uppercase();
    frame.part = match upper.as_str() {
        "SELECT" => {
            frame.is_query = true;
            Part::Select
        }
        "WITH" if begins => {
            frame.is_query = true;
            Part::With
        }
        "WITH" if frame.part == Part::Create && before.is_some_and(|before| before.is("AS")) => {
            frame.is_query = true;
            Part::With
        }
        "CREATE" if begins => Part::Create,
        "INSERT" if begins => Part::Insert,
        "SHOW" if begins => Part::Show,
        "DROP" if begins => Part::Drop,
        "DESCRIBE" | "DESC" if begins => Part::Describe,
        "START" | "STOP" | "PAUSE" | "RESUME" | "DEPLOY" | "ROLLBACK" if begins => Part::Job,
        "VALUES" if frame.part != Part::Where => Part::Values,
        "FROM"
            if !matches!(frame.kind, Kind::Call | Kind::Columns)
                && before.is_none_or(|before| !before.is("DISTINCT")) =>
        {
            Part::From
        }
        "JOIN" => Part::Join,
        "ON" if before.is_none_or(|before| !before.is("EMIT")) => Part::On,
        "USING" if matches!(frame.part, Part::Join) => Part::Using,
        "WHERE" => Part::Where,
        "BY" => match before.map(|before| before.text.to_ascii_uppercase()).as_deref() {
            Some("GROUP") => Part::Group,
            Some("ORDER") => Part::Order,
            Some("PARTITION") => Part::Partition,
            _ => frame.part,
        },
        "HAVING" | "QUALIFY" => Part::Having,
        "WINDOW" if frame.is_query && !before.is_some_and(|before| before.is_one_of(&["ROWS", "ON"])) => Part::Window,
        "EMIT" if frame.is_query || frame.kind == Kind::Statement => Part::Emit,
        "INTO" if frame.part != Part::Insert => Part::Into,
        "LIMIT" | "OFFSET" if frame.is_query => Part::Limit,
        "UNION" | "EXCEPT" | "INTERSECT" if after.is_none_or(|after| after.text != "(") => Part::None,
        _ => frame.part,
    };
}
