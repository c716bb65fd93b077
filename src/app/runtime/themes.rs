//! Reads the files of `themes/`. It knows nothing of colours; a file that cannot be read is given with the reason.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::app::model::themes::ThemeFile;

/// Where theme files are looked for: in the working folder.
pub const THEMES: &str = "themes";
/// Most theme files that are read: far more than anybody chooses from.
const FILES_MAX: usize = 200;
/// Largest theme file, bytes: forty times what a whole theme takes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The theme files of a folder in order of name; none where there is no such folder.
pub fn read(folder: &Path) -> Vec<ThemeFile> {
    let entries = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    paths.sort();
    paths.truncate(FILES_MAX);
    let file = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        Some(ThemeFile { name, path: path.display().to_string(), text: text_of(&path) })
    };
    paths.into_iter().filter_map(file).collect()
}

fn text_of(path: &Path) -> Result<String, String> {
    let reading = |path: &Path| {
        let mut text = String::new();
        std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        std::io::Result::Ok(text)
    };
    match reading(path) {
        Ok(text) if FILE_BYTES_MAX < text.len() as u64 => Err(format!("it is larger than {FILE_BYTES_MAX} bytes")),
        Ok(text) => Ok(text),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_file_is_given_with_its_text_or_with_why_it_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let written = [("zebra.yaml", "roles:\n"), ("notes.txt", "no theme"), ("huge.yaml", &"#".repeat(70_000))];
        written.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        std::fs::create_dir(folder.path().join("folder.yaml")).unwrap();
        let files = read(folder.path());
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["folder", "huge", "zebra"]);
        assert!(files[0].text.is_err() && files[0].path.ends_with("folder.yaml"), "{files:?}");
        assert_eq!(files[1].text, Err("it is larger than 65536 bytes".into()));
        assert_eq!(files[2].text.as_deref(), Ok("roles:\n"));
        assert!(read(&folder.path().join("absent")).is_empty());
    }
}
