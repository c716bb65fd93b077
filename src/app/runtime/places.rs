//! Where each line of a definition in force comes from: the text is written anew from values, their places are known by path.

use crate::config::Origins;
use crate::core::fault::Place;

/// The place of every line of a YAML text that was written from values, by the origins of those values. A line without one,
/// as a default has, gives the place of what it stands in.
pub fn places(text: &str, origins: &Origins) -> Vec<Option<Place>> {
    let mut above: Vec<(usize, String)> = Vec::new();
    text.lines()
        .map(|line| {
            let indent = line.len() - line.trim_start().len();
            if let Some(key) = key_of(line) {
                above.retain(|(outer, _)| *outer < indent);
                above.push((indent, key.to_owned()));
            }
            let mut names: Vec<&str> = above.iter().map(|(_, key)| key.as_str()).collect();
            while !names.is_empty() {
                if let Some(place) = place_of(&names.join("."), origins) {
                    return Some(place);
                }
                names.pop();
            }
            None
        })
        .collect()
}

/// The key that a line begins with.
fn key_of(line: &str) -> Option<&str> {
    let (key, rest) = line.trim_start().split_once(':')?;
    let is_key = (rest.is_empty() || rest.starts_with(' ')) && !key.is_empty() && !key.starts_with("- ");
    is_key.then(|| key.trim_matches(['\'', '"']))
}

/// The place of a value, or of the first in a mapping or a list.
fn place_of(path: &str, origins: &Origins) -> Option<Place> {
    let within =
        |other: &str| other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    origins.iter().filter(|effective| within(&effective.path)).find_map(|effective| effective.place.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::{Config, Sources};

    #[test]
    fn every_line_in_force_leads_to_the_line_that_was_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("config/etl")).unwrap();
        std::fs::create_dir_all(folder.path().join("config/environments")).unwrap();
        let written =
            "name: orders\ntopics:\n  dev: dev.orders\n  qa: qa.orders\n\nkey_template: K\npayload_template: orders\n";
        std::fs::write(folder.path().join("config/etl/orders.yaml"), written).unwrap();
        let config = Config::load(&Sources::standard(Some(folder.path().join("config")), None, None));
        let text = "name: orders\ntopics:\n  dev: dev.orders\n  qa: qa.orders\nkey_template: K\nenabled: true\n";
        let lines: Vec<Option<u32>> =
            places(text, &config.etls[0].origins).into_iter().map(|place| place.map(|place| place.line)).collect();
        assert_eq!(lines, [Some(1), Some(3), Some(3), Some(4), Some(6), None]);
    }
}
