//! The lines around a fault with a sign under its column. Pure text.

use crate::core::fault::Place;

/// Lines shown before and after the one at fault.
const AROUND: usize = 2;

/// A line of an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpted {
    /// The line as it is drawn, with its number.
    pub words: String,
    /// Whether it is the line at fault, or the sign under it.
    pub at_fault: bool,
}

/// The lines around a place in a text; none where the line is not known or not there.
pub fn around(text: &str, place: &Place) -> Vec<Excerpted> {
    let lines: Vec<&str> = text.lines().collect();
    let line = place.line as usize;
    if line == 0 || lines.len() < line {
        return Vec::new();
    }
    let (first, last) = (line.saturating_sub(AROUND).max(1), (line + AROUND).min(lines.len()));
    let gutter = last.to_string().len();
    let mut excerpt = Vec::new();
    for number in first..=last {
        let words = lines[number - 1].replace('\t', " ");
        excerpt.push(Excerpted { words: format!("{number:>gutter$} │ {words}"), at_fault: number == line });
        if number == line && place.column > 0 {
            let indent = " ".repeat(place.column as usize - 1);
            excerpt.push(Excerpted { words: format!("{:gutter$} │ {indent}^", ""), at_fault: true });
        }
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(place: &Place) -> Vec<String> {
        around("{\n  \"id\": {{ id }},\n  \"n\": {{ nmae }}\n}\n", place).into_iter().map(|line| line.words).collect()
    }

    #[test]
    fn the_sign_is_under_the_column_and_the_neighbours_are_shown() {
        assert_eq!(
            told(&Place::at("a.j2", 3, 11)),
            ["1 │ {", "2 │   \"id\": {{ id }},", "3 │   \"n\": {{ nmae }}", "  │           ^", "4 │ }"]
        );
    }

    #[test]
    fn a_place_that_is_not_in_the_text_has_no_excerpt() {
        assert!(told(&Place::file("a.j2")).is_empty());
        assert!(told(&Place::at("a.j2", 9, 1)).is_empty());
        assert!(!told(&Place::at("a.j2", 4, 0)).iter().any(|line| line.contains('^')));
    }
}
