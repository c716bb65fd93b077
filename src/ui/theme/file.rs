//! Theme files: those of the working folder over those compiled in. A wrong line is a fault with its place. It reads texts,
//! never a disk.

use ratatui::style::Color;
use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};

use super::{Palette, Role, colour};
use crate::app::model::themes::ThemeFile;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::words::did_you_mean;

/// Themes that need no file, by name.
const BUILT_IN: [(&str, &str); 6] = [
    ("dark", include_str!("../../../themes/dark.yaml")),
    ("light", include_str!("../../../themes/light.yaml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.yaml")),
    ("nord", include_str!("../../../themes/nord.yaml")),
    ("gruvbox", include_str!("../../../themes/gruvbox.yaml")),
    ("catppuccin-mocha", include_str!("../../../themes/catppuccin-mocha.yaml")),
];

/// Names of all themes: those compiled in, then others of `files`, in order of name.
pub fn names(files: &[ThemeFile]) -> Vec<String> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut others: Vec<String> =
        files.iter().map(|file| file.name.clone()).filter(|name| !names.contains(name)).collect();
    others.sort();
    names.append(&mut others);
    names
}

/// The palette of a theme: that of its file if there is one, else what is compiled in.
///
/// # Errors
/// The theme does not exist, its file could not be read, or lines of it are wrong (all of them are told).
pub fn load(name: &str, files: &[ThemeFile]) -> Result<Palette, Vec<Fault>> {
    if let Some(file) = files.iter().find(|file| file.name == name) {
        return match &file.text {
            Ok(text) => read(text, &file.path),
            Err(why) => {
                let what = format!("this theme cannot be read: {why}");
                Err(vec![Fault::new(Blame::Configuration, what).at(Place::file(&file.path))])
            }
        };
    }
    match BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        Some((name, text)) => read(text, &format!("themes/{name}.yaml")),
        None => {
            let known = names(files);
            Err(vec![
                Fault::new(Blame::Configuration, format!("there is no theme `{name}`"))
                    .next(format!("choose one of {}", known.join(", "))),
            ])
        }
    }
}

/// Reads a theme. What it does not name is taken from the default theme's roles.
///
/// # Errors
/// Every wrong line, with its place in `file`.
pub fn read(text: &str, file: &str) -> Result<Palette, Vec<Fault>> {
    let mut reading = Reading { file, palette: Palette::plain(), faults: Vec::new() };
    match MarkedYaml::load_from_str(text) {
        Ok(documents) => reading.document(documents.first()),
        Err(error) => reading.fault(*error.marker(), format!("this is not YAML: {}", error.info()), String::new()),
    }
    if reading.faults.is_empty() { Ok(reading.palette) } else { Err(reading.faults) }
}

struct Reading<'a> {
    file: &'a str,
    palette: Palette,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    fn document(&mut self, document: Option<&MarkedYaml>) {
        let Some(document) = document else {
            return self.fault(Marker::new(0, 1, 0), "this theme is empty".into(), "name its roles".into());
        };
        for (key, name, value) in self.entries(document) {
            match name.as_str() {
                "name" => {}
                "roles" => self.roles(value),
                "environments" => self.environments(value),
                other => {
                    let next = advice(other, ["name", "roles", "environments"].into_iter());
                    self.fault(key, format!("unknown key `{other}`"), next);
                }
            }
        }
    }

    fn roles(&mut self, roles: &MarkedYaml) {
        for (key, name, value) in self.entries(roles) {
            if name == "background" {
                if let Some(colour) = self.colour(value, "background") {
                    self.palette.background = colour;
                }
                continue;
            }
            match Role::ALL.into_iter().find(|role| role.name() == name) {
                Some(role) => {
                    if let Some(colour) = self.colour(value, &name) {
                        self.palette.roles[role as usize] = colour;
                    }
                }
                None => {
                    let known = Role::ALL.into_iter().map(Role::name).chain(["background"]);
                    self.fault(key, format!("unknown role `{name}`"), advice(&name, known));
                }
            }
        }
    }

    fn environments(&mut self, environments: &MarkedYaml) {
        self.palette.environments.clear();
        for (_, name, value) in self.entries(environments) {
            match self.colour(value, &name) {
                Some(colour) if name == "other" => self.palette.other_environment = colour,
                Some(colour) => self.palette.environments.push((name, colour)),
                None => {}
            }
        }
    }

    fn colour(&mut self, node: &MarkedYaml, role: &str) -> Option<Color> {
        let text = scalar(node);
        let colour = text.as_deref().and_then(colour::parse);
        if colour.is_none() {
            let what = match text {
                Some(text) => format!("`{text}` is no colour ({role})"),
                None => format!("{role} has no colour; a colour that begins with # needs quotes"),
            };
            let next = "write \"#rrggbb\", \"#rgb\", a name such as bright-red, a number to 255, or default";
            self.fault(node.span.start, what, next.into());
        }
        colour
    }

    /// Where each key of a mapping stands, its name, and its value.
    fn entries<'n, 'i>(&mut self, node: &'n MarkedYaml<'i>) -> Vec<(Marker, String, &'n MarkedYaml<'i>)> {
        let YamlData::Mapping(mapping) = &node.data else {
            self.fault(node.span.start, "expected `key: value` lines".into(), String::new());
            return Vec::new();
        };
        mapping.iter().filter_map(|(key, value)| Some((key.span.start, scalar(key)?, value))).collect()
    }

    fn fault(&mut self, marker: Marker, what: String, next: String) {
        let place = Place::at(self.file, marker.line() as u32, marker.col() as u32 + 1);
        self.faults.push(Fault::new(Blame::Configuration, what).at(place).next(next));
    }
}

fn scalar(node: &MarkedYaml) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// The name that was meant, or all that there are.
fn advice<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    did_you_mean(name, known.clone()).unwrap_or_else(|| format!("one of: {}", known.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_compiled_in_is_whole() {
        for (name, text) in BUILT_IN {
            let palette = read(text, name).expect(name);
            assert!(palette.environments.iter().any(|(name, _)| name == "prod"), "{name}");
            for role in Role::ALL {
                assert!(text.contains(&format!("\n  {}: ", role.name())), "{name} does not name {}", role.name());
            }
        }
    }

    #[test]
    fn a_wrong_line_is_told_with_its_place_and_what_to_write() {
        let faults =
            read("roles:\n  accent: reddish\n  dangr: red\n  text: #fff\n", "themes/mine.yaml").expect_err("wrong");
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(told[0].starts_with("themes/mine.yaml:2:11: `reddish` is no colour (accent); write"), "{told:?}");
        assert!(told[1].starts_with("themes/mine.yaml:3:3: unknown role `dangr`; did you mean `danger`?"), "{told:?}");
        assert!(told[2].contains("themes/mine.yaml:4:") && told[2].contains("needs quotes"), "{told:?}");
    }

    #[test]
    fn a_file_goes_before_the_theme_compiled_in_and_new_ones_are_listed() {
        let file = |name: &str, text: Result<&str, &str>| ThemeFile {
            name: name.into(),
            path: format!("themes/{name}.yaml"),
            text: text.map(str::to_owned).map_err(str::to_owned),
        };
        let files = [
            file("dark", Ok("roles:\n  accent: red\n")),
            file("zebra", Ok("roles:\n  accent: 9\n")),
            file("locked", Err("permission denied")),
        ];
        let palette = load("dark", &files).expect("a theme");
        assert_eq!(palette.roles[Role::Accent as usize], Color::Red);
        assert_eq!(names(&files)[BUILT_IN.len()..], ["locked", "zebra"]);
        let missing = load("drak", &[]).expect_err("no such theme");
        assert!(missing[0].to_string().contains("choose one of dark, light"), "{missing:?}");
        let locked = load("locked", &files).expect_err("no text");
        assert_eq!(locked[0].to_string(), "themes/locked.yaml: this theme cannot be read: permission denied");
    }
}
