//! What an engine's templates can name: asked while a template is read, so that whoever replaced a filter or a function
//! gets theirs.

use std::collections::BTreeSet;

use minijinja::Environment;

use super::super::loader::Folder;

/// An engine as its templates see it.
pub struct Language<'a, 'o> {
    pub environment: &'a Environment<'static>,
    /// Names that whoever built the engine gave a meaning of their own.
    pub replaced: &'o BTreeSet<String>,
    /// Where includes are read from.
    pub folder: &'o Folder,
}

impl Language<'_, '_> {
    /// Whether a filter or function of this name is not the one this house knows.
    pub fn is_replaced(&self, name: &str) -> bool {
        self.replaced.contains(name)
    }

    /// Whether the engine knows the name where the context does not.
    pub fn is_global(&self, name: &str) -> bool {
        self.environment.globals().any(|(global, _)| global == name)
    }
}
