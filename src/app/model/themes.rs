//! Theme files of the working folder, as they were read. What their lines mean is the screen's business.

/// A file of `themes/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeFile {
    /// The theme's name: that of the file, without its ending.
    pub name: String,
    /// Path as the person would type it.
    pub path: String,
    /// What stands in it, or why that is not known.
    pub text: Result<String, String>,
}
