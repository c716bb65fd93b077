//! Texts between taking out what was selected and putting in what takes its place: two steps of the text's own history, one
//! of a person's. It keeps marks of them, not the texts.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Changes that are known: as many as anybody takes back one by one.
const HALVES_MAX: usize = 200;

/// Marks of such texts, oldest first.
#[derive(Debug, Default)]
pub struct Halves(VecDeque<u64>);

impl Halves {
    /// Notes the text that is left when what stands between these two is taken out.
    pub fn note(&mut self, before: &str, after: &str) {
        if self.0.len() == HALVES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(mark(&[before, after].concat()));
    }

    /// Whether a text is one of them.
    pub fn has(&self, text: &str) -> bool {
        self.0.contains(&mark(text))
    }
}

fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
