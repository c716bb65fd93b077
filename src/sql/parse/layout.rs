//! Tokens to lines: one clause a line, long lists one item a line, comments where they were. Decides nothing about words.

use super::lex::Lexeme;
use super::words;
use sqlparser::tokenizer::Token;

/// Columns of a line before its list is broken: what two files side by side show on a wide screen.
const LINE_COLUMNS: usize = 100;
/// Columns of one step of indentation.
const STEP: usize = 4;

/// A token as it is written, with the comments before it.
#[derive(Clone)]
pub(super) struct Piece {
    pub text: String,
    pub lexeme: Lexeme,
    pub comments: Vec<Remark>,
    /// It stood directly behind the token before it.
    pub touches: bool,
    /// A blank line stood before it, behind its comments.
    pub blank: bool,
    /// An angle bracket of a type: `ARRAY<INT>`.
    pub angle: bool,
}

/// A comment to keep.
#[derive(Clone)]
pub(super) struct Remark {
    pub text: String,
    /// Ends its line.
    pub line: bool,
    /// It stood on the line of the token before it.
    pub trailing: bool,
    /// A blank line stood before it.
    pub blank: bool,
}

/// Lines in the making.
#[derive(Default)]
pub(super) struct Page {
    out: String,
    /// A comment ended the line: the next token begins one.
    broken: bool,
}

impl Page {
    pub fn finish(mut self) -> String {
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    /// Begins a line, if none is begun.
    fn line(&mut self, indent: usize) {
        let end = self.out.trim_end_matches(' ').len();
        self.out.truncate(end);
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', indent * STEP));
        self.broken = false;
    }

    fn blank(&mut self) {
        self.line(0);
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    pub fn remarks(&mut self, remarks: &[Remark], indent: usize, apart: bool) {
        for remark in remarks {
            if remark.trailing && !self.out.is_empty() {
                if !self.out.ends_with([' ', '\n']) {
                    self.out.push(' ');
                }
            } else {
                if apart && remark.blank {
                    self.blank();
                }
                self.line(indent);
            }
            self.out.push_str(&remark.text);
            self.broken = remark.line || !remark.trailing;
        }
    }

    /// One token, with the space that belongs before it.
    fn piece(&mut self, before: Option<&Piece>, piece: &Piece, indent: usize) {
        self.remarks(&piece.comments, indent, false);
        if self.broken {
            self.line(indent);
        } else if !self.out.is_empty()
            && !self.out.ends_with([' ', '\n'])
            && before.is_none_or(|before| spaced(before, piece))
        {
            self.out.push(' ');
        }
        self.out.push_str(&piece.text);
    }

    /// Tokens in a row; queries in brackets that would not fit are broken.
    fn row(&mut self, pieces: &[Piece], indent: usize) {
        let mut at = 0;
        while at < pieces.len() {
            self.piece(at.checked_sub(1).map(|before| &pieces[before]), &pieces[at], indent + 1);
            let inner = (pieces[at].lexeme.token == Token::LParen).then(|| closing(pieces, at)).flatten();
            if let Some(close) = inner {
                let query = pieces.get(at + 1).is_some_and(|piece| piece.lexeme.is_one_of(&["SELECT", "WITH"]));
                if query && !fits(&pieces[at..=close], indent) {
                    self.line(indent + 1);
                    self.query(&pieces[at + 1..close], indent + 1);
                    self.remarks(&pieces[close].comments, indent, false);
                    self.line(indent);
                    self.out.push_str(&pieces[close].text);
                    at = close + 1;
                    continue;
                }
            }
            at += 1;
        }
    }

    /// A statement, clause by clause.
    pub fn statement(&mut self, pieces: &[Piece]) {
        let Some(first) = pieces.first() else { return };
        let behind = first.comments.iter().take_while(|remark| remark.trailing && !self.out.is_empty()).count();
        let (behind, above) = first.comments.split_at(behind);
        self.remarks(behind, 0, false);
        if !self.out.is_empty() {
            self.blank();
        }
        self.remarks(above, 0, true);
        if first.blank && !above.is_empty() {
            self.blank();
        }
        self.line(0);
        let mut own = pieces.to_vec();
        own[0].comments.clear();
        self.query(&own, 0);
    }

    /// Clauses at one indentation; the line is begun already.
    fn query(&mut self, pieces: &[Piece], indent: usize) {
        for (index, clause) in clauses(pieces).into_iter().enumerate() {
            if index > 0 {
                let mut clause = clause.to_vec();
                let remarks = std::mem::take(&mut clause[0].comments);
                self.remarks(&remarks, indent, false);
                self.line(indent);
                self.clause(&clause, indent);
            } else {
                self.clause(clause, indent);
            }
        }
    }

    fn clause(&mut self, pieces: &[Piece], indent: usize) {
        let first = &pieces[0].lexeme;
        if fits(pieces, indent) || pieces.len() < 3 {
            return self.row(pieces, indent);
        }
        if first.is("WITH") && pieces[1].lexeme.token == Token::LParen || declares(pieces) {
            return self.bracketed(pieces, indent);
        }
        let head = match first.bare().map(str::to_ascii_uppercase).as_deref() {
            Some("SELECT") => 1 + usize::from(pieces[1].lexeme.is_one_of(&["DISTINCT", "ALL"])),
            Some("GROUP" | "ORDER") => 2,
            Some("WHERE" | "HAVING") => {
                return self.parts(
                    &pieces[..1],
                    &cut(pieces, 1, |piece| piece.lexeme.is_one_of(&["AND", "OR"])),
                    indent,
                    true,
                );
            }
            _ => return self.row(pieces, indent),
        };
        self.parts(&pieces[..head], &cut(pieces, head, |piece| piece.lexeme.token == Token::Comma), indent, false);
    }

    /// A head, then each part on a line of its own.
    fn parts(&mut self, head: &[Piece], parts: &[&[Piece]], indent: usize, first_beside: bool) {
        self.row(head, indent);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 || !first_beside {
                let remarks = part.first().map(|first| first.comments.clone()).unwrap_or_default();
                self.remarks(&remarks, indent + 1, false);
                self.line(indent + 1);
            }
            let mut part = part.to_vec();
            if let Some(first) = part.first_mut().filter(|_| index > 0 || !first_beside) {
                first.comments.clear();
            }
            self.row(&part, indent + 1);
        }
    }

    /// `WITH (` … `)` and the columns of a declaration: an item a line.
    fn bracketed(&mut self, pieces: &[Piece], indent: usize) {
        let open = pieces.iter().position(|piece| piece.lexeme.token == Token::LParen);
        let Some((open, close)) = open.and_then(|open| Some((open, closing(pieces, open)?))) else {
            return self.row(pieces, indent);
        };
        let items = cut(&pieces[open + 1..close], 0, |piece| piece.lexeme.token == Token::Comma);
        self.parts(&pieces[..=open], &items, indent, false);
        self.remarks(&pieces[close].comments, indent + 1, false);
        self.line(indent);
        let mut rest = pieces[close..].to_vec();
        rest[0].comments.clear();
        self.row(&rest, indent);
    }
}

/// `CREATE TABLE name (column TYPE, …)`.
fn declares(pieces: &[Piece]) -> bool {
    let open = pieces.iter().position(|piece| piece.lexeme.token == Token::LParen);
    pieces[0].lexeme.is("CREATE") && open.is_some()
}

/// Parts at a mark outside of brackets: a comma ends its part, an AND begins one.
fn cut(pieces: &[Piece], from: usize, mark: impl Fn(&Piece) -> bool) -> Vec<&[Piece]> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut between) = (0, from, false);
    let mut cases = 0_usize;
    for (index, piece) in pieces.iter().enumerate().skip(from) {
        depth += piece.lexeme.depth();
        between |= piece.lexeme.is("BETWEEN");
        cases += usize::from(piece.lexeme.is("CASE"));
        cases -= usize::from(cases > 0 && piece.lexeme.is("END"));
        if depth != 0 || cases > 0 || !mark(piece) {
            continue;
        }
        if piece.lexeme.token == Token::Comma {
            parts.push(&pieces[start..=index]);
            start = index + 1;
        } else if between && piece.lexeme.is("AND") {
            between = false;
        } else {
            parts.push(&pieces[start..index]);
            start = index;
        }
    }
    parts.push(&pieces[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Where lines begin: clauses, joins, set operations.
fn clauses(pieces: &[Piece]) -> Vec<&[Piece]> {
    let mut starts = vec![0];
    let mut depth = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let outside = depth == 0;
        depth += piece.lexeme.depth();
        if outside && index > 0 && begins_line(pieces, index) {
            starts.push(index);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([pieces.len()]);
    starts.iter().zip(ends).map(|(start, end)| &pieces[*start..end]).collect()
}

fn begins_line(pieces: &[Piece], index: usize) -> bool {
    let lexeme = &pieces[index].lexeme;
    let before = &pieces[index - 1].lexeme;
    let after = pieces.get(index + 1).map(|piece| &piece.lexeme);
    let after_is = |words: &[&str]| after.is_some_and(|after| after.is_one_of(words));
    let Some(word) = lexeme.bare().map(str::to_ascii_uppercase) else { return false };
    if before.token == Token::Period || before.is("AS") && word != "SELECT" && word != "WITH" {
        return false;
    }
    match word.as_str() {
        "SELECT" | "WHERE" | "HAVING" | "QUALIFY" | "LIMIT" => true,
        "FROM" => !before.is("DISTINCT"),
        "GROUP" | "ORDER" => after_is(&["BY"]),
        "UNION" | "INTERSECT" => true,
        "EXCEPT" => before.token != Token::Mul,
        "INTO" => !before.is("INSERT"),
        "EMIT" => after_is(&["CHANGES", "FINAL", "ON", "EVERY"]),
        "WINDOW" => after_is(super::window::WORDS) || pieces.get(index + 2).is_some_and(|piece| piece.lexeme.is("AS")),
        "WITH" => before.is("AS") || after.is_some_and(|after| after.token == Token::LParen),
        "JOIN" => !joins(before),
        "INNER" | "LEFT" | "RIGHT" | "FULL" | "CROSS" | "NATURAL" => {
            !joins(before)
                && pieces[index..].iter().skip(1).take(3).any(|piece| piece.lexeme.is("JOIN"))
                && after_is(&["JOIN", "OUTER", "SEMI", "ANTI", "INNER", "LEFT", "RIGHT", "FULL"])
        }
        _ => false,
    }
}

fn joins(lexeme: &Lexeme) -> bool {
    lexeme.is_one_of(&["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "OUTER", "SEMI", "ANTI"])
}

/// Whether pieces fit on one line and have no comment that would break it.
fn fits(pieces: &[Piece], indent: usize) -> bool {
    let mut width = indent * STEP;
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 && (!piece.comments.is_empty() || piece.text.contains('\n')) {
            return false;
        }
        let space = index > 0 && spaced(&pieces[index - 1], piece);
        width += piece.text.chars().count() + usize::from(space);
    }
    width <= LINE_COLUMNS
}

fn closing(pieces: &[Piece], open: usize) -> Option<usize> {
    let mut depth = 0;
    pieces.iter().enumerate().skip(open).find_map(|(index, piece)| {
        depth += piece.lexeme.depth();
        (depth == 0).then_some(index)
    })
}

/// Whether a space stands between two tokens.
fn spaced(before: &Piece, piece: &Piece) -> bool {
    let (left, right) = (&before.lexeme, &piece.lexeme);
    match (&left.token, &right.token) {
        _ if piece.angle || (before.angle && left.token == Token::Lt) => false,
        (_, Token::Comma | Token::SemiColon | Token::RParen | Token::RBracket | Token::Period | Token::DoubleColon) => {
            false
        }
        (Token::LParen | Token::LBracket | Token::Period | Token::DoubleColon, _) => false,
        (Token::Word(_), Token::LParen) => {
            left.bare().is_some_and(|word| {
                words::has(words::RESERVED, word)
                    && !["CAST", "EXTRACT", "LEFT", "RIGHT"].contains(&word.to_ascii_uppercase().as_str())
            }) || left.is_one_of(&["STREAM", "TABLE", "SINK", "SOURCE", "LATERAL", "SETS", "ROLLUP", "CUBE"])
        }
        (Token::Word(_) | Token::RParen | Token::RBracket, Token::LBracket) => !piece.touches,
        // `5m`, `high-value-orders`, `${A}` and whatever else is not plain keeps its shape.
        (Token::Number(..), Token::Word(_)) | (Token::Word(_) | Token::Number(..), Token::Number(..)) => !piece.touches,
        (_, Token::Minus) => !piece.touches || !left.ends_operand(),
        (Token::Minus, _) => !piece.touches,
        (_, Token::Colon | Token::Placeholder(_) | Token::Char(_) | Token::LBrace | Token::RBrace)
        | (Token::Colon | Token::Placeholder(_) | Token::Char(_) | Token::LBrace, _) => !piece.touches,
        _ => true,
    }
}
