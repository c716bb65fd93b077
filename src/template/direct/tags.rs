//! Takes a template's text apart into text, `{{ … }}` and `{% … %}`, with whitespace control as the language has it.
//! Never looks inside a tag.

/// A part of a template, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag<'s> {
    Text(&'s str),
    /// What stands in `{{ … }}`.
    Print(&'s str),
    /// What stands in `{% … %}`.
    Block(&'s str),
}

/// The parts, or `None` for what only the language's own reader should judge: an unclosed tag, `{% raw %}`, a carriage
/// return.
pub(super) fn tags(source: &str) -> Option<Vec<Tag<'_>>> {
    if source.contains('\r') {
        return None;
    }
    let mut rest = source.strip_suffix('\n').unwrap_or(source);
    let (mut tags, mut trimmed) = (Vec::new(), false);
    loop {
        let open = next_opening(rest);
        let (mut text, tag) = rest.split_at(open.unwrap_or(rest.len()));
        if trimmed {
            text = text.trim_start();
        }
        if tag.get(2..).is_some_and(|inside| inside.starts_with('-')) {
            text = text.trim_end();
        }
        if !text.is_empty() {
            tags.push(Tag::Text(text));
        }
        if open.is_none() {
            return Some(tags);
        }
        let (inside, length) = inside(tag)?;
        trimmed = tag[..length - 2].ends_with('-') && length > 4;
        match tag.as_bytes()[1] {
            b'{' => tags.push(Tag::Print(inside)),
            b'%' if inside.split_whitespace().next() == Some("raw") => return None,
            b'%' => tags.push(Tag::Block(inside)),
            _ => {}
        }
        rest = &tag[length..];
    }
}

fn next_opening(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    text.match_indices('{').map(|(at, _)| at).find(|at| matches!(bytes.get(at + 1), Some(b'{' | b'%' | b'#')))
}

/// What stands between a tag's marks, and the tag's length in bytes.
fn inside(tag: &str) -> Option<(&str, usize)> {
    let end = match tag.as_bytes()[1] {
        b'{' => "}}",
        b'%' => "%}",
        _ => return comment(tag),
    };
    let start = 2 + usize::from(tag[2..].starts_with(['-', '+']));
    let (mut depth, mut quote) = (0_u32, None);
    for (at, letter) in tag.char_indices().skip_while(|(at, _)| *at < start) {
        match (quote, letter) {
            // An escape may hide a quote: not worth a second reader.
            (Some(_), '\\') => return None,
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, _) => {
                let behind = &tag[at..];
                let marked = behind.strip_prefix(['-', '+']).filter(|behind| behind.starts_with(end));
                if depth == 0 && (marked.is_some() || behind.starts_with(end)) {
                    return Some((tag[start..at].trim(), at + end.len() + usize::from(marked.is_some())));
                }
                match letter {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.checked_sub(1)?,
                    _ => {}
                }
            }
        }
    }
    None
}

fn comment(tag: &str) -> Option<(&str, usize)> {
    tag[2..].find("#}").map(|at| (&tag[2..2 + at], at + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_comes_apart_into_text_and_tags() {
        let source = "a {{ b }}{# c }} #} {%- if d -%}  e\n";
        let parts = [Tag::Text("a "), Tag::Print("b"), Tag::Block("if d"), Tag::Text("e")];
        assert_eq!(tags(source), Some(parts.into()));
    }

    #[test]
    fn braces_and_quotes_inside_a_tag_do_not_end_it() {
        let parts = [Tag::Print("x | default({'a': {}})"), Tag::Print("'}}'"), Tag::Text("\n")];
        assert_eq!(tags("{{ x | default({'a': {}}) }}{{ '}}' }}\n\n"), Some(parts.into()));
    }

    #[test]
    fn what_is_unclosed_or_raw_is_not_judged_here() {
        for source in ["{{ a", "{# a", "{% raw %}{{ a }}{% endraw %}", "{{ 'a\\'' }}", "a\r\n", "{{ ) }}"] {
            assert_eq!(tags(source), None, "{source}");
        }
    }
}
