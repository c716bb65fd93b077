//! The files under `src/` with comments and string literals taken out, so that rules are checked on code alone.

use std::fs;
use std::path::{Path, PathBuf};

/// One source file.
pub struct File {
    /// Path under `src/`, with `/`.
    pub path: String,
    /// The text as it stands.
    pub text: String,
    /// The text without comments, the contents of strings, and everything from the unit tests on.
    pub code: String,
}

impl File {
    /// The layer a file belongs to: its first folder, or its own name directly under `src/`.
    pub fn layer(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// Every `.rs` file under `src/`, in order of path.
pub fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let files: Vec<File> = paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).expect("a readable source file");
            let code = without_comments(text.split("#[cfg(test)]").next().unwrap_or_default());
            let path = path.strip_prefix(&root).expect("under src").to_string_lossy().replace('\\', "/");
            File { path, text, code }
        })
        .collect();
    assert!(files.len() > 10, "the walk found no source");
    files
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
        })
        .collect::<Vec<_>>()
        .join("\n")
}
