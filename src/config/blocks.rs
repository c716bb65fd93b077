//! A file that is not YAML as it stands, because it has block tags or bare `{{ … }}`, is rendered as text first.
//!
//! What an expression gives never becomes part of the text: the text gets a token, the text is parsed, and the token
//! in a leaf becomes the expression (or its value, where it uses a loop's variable) again. So a password arrives
//! intact here too. Tokens are as long as what they stand for and every line carries its number through the
//! rendering, so that places are those of the file and not of the rendered text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind};

use crate::core::fault::{Blame, Fault, Place};
use crate::core::lock::WholeMutex;
use crate::core::secret::Secret;

use super::leaf::{engine, hint, is_template, said};
use super::node::{Kind, Node};
use super::variables::Variables;
use super::yaml;

mod tags;

use tags::{Piece, pieces};

/// Characters of the last private plane, which no file has a reason to use: they frame tokens.
const OPEN: char = '\u{10F000}';
const PAD: char = '\u{10F001}';
const CLOSE: char = '\u{10F002}';
const LINE: char = '\u{10F003}';
const BRACE: char = '\u{10F004}';
/// Numbers are written as one character from here on.
const NUMBER_FROM: u32 = 0x10_0000;
/// Most tokens and lines of a file.
const NUMBERS_MAX: usize = 0xF000;

/// A text that became a tree.
pub struct Parsed {
    pub node: Node,
    /// What does not stop it from being one.
    pub faults: Vec<Fault>,
    /// Values that its block tags saw: they may have become keys, which faults name.
    pub seen: Vec<Secret>,
}

/// A text as a tree: as it stands if it can be, else rendered first.
///
/// # Errors
/// Where it stops being YAML, or Jinja; or which variable its blocks need.
pub fn parse(file: &str, text: &str, variables: &Variables) -> Result<Parsed, Fault> {
    match yaml::parse(file, text) {
        Ok((node, faults)) => Ok(Parsed { node, faults, seen: Vec::new() }),
        Err(_) if text.contains("{{") || text.contains("{%") => rendered(file, text, variables),
        Err(fault) => Err(fault),
    }
}

fn rendered(file: &str, text: &str, variables: &Variables) -> Result<Parsed, Fault> {
    let refused = |what: &str| Fault::new(Blame::Configuration, what).at(Place::file(file));
    if text.chars().any(|letter| NUMBER_FROM <= u32::from(letter)) {
        return Err(refused("a file with block tags may not use characters of the last private plane"));
    }
    let pieces = pieces(text);
    if NUMBERS_MAX < pieces.len() || NUMBERS_MAX < text.lines().count() {
        return Err(refused("this file has too many lines or expressions to be rendered"));
    }
    let engine = engine();
    let (masked, expressions) = mask(text, &pieces, &engine);
    let (lines, values) = render(file, text, &numbered(&masked), variables, engine)?;
    let (plain, sources) = without_numbers(&lines);
    let mapped = |place: &mut Place| match sources.get(place.line.saturating_sub(1) as usize) {
        Some(source) => place.line = *source,
        None => place.line = sources.last().copied().unwrap_or(1),
    };
    let (mut node, mut faults) = yaml::parse(file, &plain).map_err(|mut fault| {
        fault.place.iter_mut().for_each(mapped);
        fault.what = format!("{} (after its block tags were rendered)", fault.what);
        fault
    })?;
    restore(&mut node, &expressions, &values, &mapped);
    for fault in &mut faults {
        fault.place.iter_mut().for_each(mapped);
        fault.what = detokenised(&fault.what, &expressions, &[]);
    }
    let seen = tags::names(text).iter().filter_map(|name| variables.get(name).cloned()).collect();
    Ok(Parsed { node, faults, seen })
}

/// Puts a token in place of every expression that no block tag has a part in, and hides braces of comments.
fn mask(text: &str, pieces: &[Piece], engine: &Environment) -> (String, Vec<String>) {
    let locals: BTreeSet<String> = pieces.iter().flat_map(|piece| piece.locals(text)).collect();
    let mut masked = String::with_capacity(text.len());
    let mut expressions = Vec::new();
    for piece in pieces {
        let source = piece.text(text);
        match piece {
            Piece::Comment(_) => masked.push_str(&source.replace('{', &BRACE.to_string())),
            Piece::Expression(_) if is_outer(source, &locals, engine) => {
                masked.push_str(&token(expressions.len(), source.chars().count()));
                expressions.push(source.to_owned());
            }
            _ => masked.push_str(source),
        }
    }
    (masked, expressions)
}

/// Whether an expression uses no name that a block tag gives.
fn is_outer(expression: &str, locals: &BTreeSet<String>, engine: &Environment) -> bool {
    engine
        .template_from_str(expression)
        .is_ok_and(|template| template.undeclared_variables(false).iter().all(|name| !locals.contains(name)))
}

fn token(number: usize, length: usize) -> String {
    let mut token = String::from_iter([OPEN, number_letter(number)]);
    token.extend(std::iter::repeat_n(PAD, length.saturating_sub(3)));
    token.push(CLOSE);
    token
}

fn number_letter(number: usize) -> char {
    u32::try_from(number).ok().and_then(|number| char::from_u32(NUMBER_FROM + number)).unwrap_or(PAD)
}

fn number_of(letter: char) -> usize {
    (u32::from(letter) - NUMBER_FROM) as usize
}

/// Each line with its number at its end, but where a tag trims the white space around it or goes on over the line.
fn numbered(text: &str) -> String {
    let inside = tags::lines_inside_tags(text);
    let lines: Vec<&str> = text.split('\n').collect();
    let numbered = lines.iter().enumerate().map(|(index, line)| {
        let trims = ["%}", "-}}", "-#}"].iter().any(|end| line.trim_end().ends_with(end))
            || lines
                .get(index + 1)
                .is_some_and(|next| ["{%-", "{{-", "{#-"].iter().any(|start| next.trim_start().starts_with(start)));
        if trims || inside.contains(&index) {
            (*line).to_owned()
        } else {
            format!("{line}{LINE}{}", number_letter(index))
        }
    });
    numbered.collect::<Vec<_>>().join("\n")
}

/// Renders the blocks. Values of expressions go to a table, and their tokens to the text.
fn render(
    file: &str,
    text: &str,
    masked: &str,
    variables: &Variables,
    mut engine: Environment<'static>,
) -> Result<(String, Vec<String>), Fault> {
    let table: Arc<Mutex<Vec<String>>> = Arc::default();
    let filled = Arc::clone(&table);
    engine.set_formatter(move |out, state, value| {
        if matches!(value.kind(), ValueKind::Undefined | ValueKind::Invalid) {
            // The engine's own formatter raises what is wrong with it.
            return minijinja::escape_formatter(out, state, value);
        }
        let mut values = filled.hold();
        if NUMBERS_MAX <= values.len() {
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, "too many expressions"));
        }
        out.write_str(&String::from_iter([OPEN, number_letter(values.len()), BRACE, CLOSE]))?;
        values.push(value.to_string());
        Ok(())
    });
    let mut scope = BTreeMap::new();
    let mut unset = BTreeSet::new();
    let outcome = engine.template_from_str(masked).and_then(|template| {
        for name in template.undeclared_variables(false) {
            match variables.get(&name) {
                Some(value) => drop(scope.insert(name, value.expose().to_owned())),
                None => drop(unset.insert(name)),
            }
        }
        template.render(&scope)
    });
    let rendered = outcome.map_err(|error| {
        let line = error.line().unwrap_or(1);
        let place = Place::at(file, u32::try_from(line).unwrap_or(u32::MAX), 0);
        let names = tags::names(text.lines().nth(line.saturating_sub(1)).unwrap_or_default());
        let is_global = |name: &String| engine.globals().any(|(global, _)| global == name);
        let needed = names.into_iter().find(|name| unset.contains(name) && !is_global(name));
        match needed.filter(|_| error.kind() == ErrorKind::UndefinedError) {
            Some(name) => Fault::new(Blame::Configuration, format!("a block tag needs `{name}`, not set"))
                .at(place)
                .next(hint(&name)),
            None => said(&error, &scope).at(place),
        }
    })?;
    let values = table.hold().clone();
    Ok((rendered, values))
}

/// The rendered text without line numbers, and for each of its lines the line of the file that it came from.
fn without_numbers(rendered: &str) -> (String, Vec<u32>) {
    let mut sources = Vec::new();
    let mut last = 0u32;
    let mut plain = String::with_capacity(rendered.len());
    for (index, line) in rendered.split('\n').enumerate() {
        if index > 0 {
            plain.push('\n');
        }
        let mut letters = line.chars();
        let mut own = None;
        while let Some(letter) = letters.next() {
            if letter == LINE {
                own = letters.next().map(|number| number_of(number) as u32 + 1).or(own);
            } else {
                plain.push(letter);
            }
        }
        last = own.unwrap_or(last + 1);
        sources.push(last);
    }
    (plain, sources)
}

/// Turns tokens back into what they stand for, and places into those of the file.
fn restore(node: &mut Node, expressions: &[String], values: &[String], mapped: &impl Fn(&mut Place)) {
    mapped(&mut node.place);
    match &mut node.kind {
        Kind::Leaf(leaf) => leaf.text = detokenised(&leaf.text, expressions, values),
        Kind::List(items) => items.iter_mut().for_each(|item| restore(item, expressions, values, mapped)),
        Kind::Map(entries) => {
            for entry in entries {
                mapped(&mut entry.place);
                entry.key = detokenised(&entry.key, expressions, values);
                restore(&mut entry.value, expressions, values, mapped);
            }
        }
    }
}

fn detokenised(text: &str, expressions: &[String], values: &[String]) -> String {
    let mut restored = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            BRACE => restored.push('{'),
            OPEN => {
                let number = letters.next().map_or(usize::MAX, number_of);
                let rest: Vec<char> = letters.by_ref().take_while(|letter| *letter != CLOSE).collect();
                if rest.contains(&BRACE) {
                    restored.push_str(&literal(values.get(number).map_or("", String::as_str)));
                } else {
                    restored.push_str(expressions.get(number).map_or("", String::as_str));
                }
            }
            letter => restored.push(letter),
        }
    }
    restored
}

/// A value that is rendered once more must come out as it is.
fn literal(value: &str) -> String {
    if is_template(value) || value.contains("$${") {
        format!("{{{{ {} }}}}", serde_json::Value::from(value))
    } else {
        value.to_owned()
    }
}
