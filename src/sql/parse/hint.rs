//! The word that somebody probably meant.

/// The nearest of the candidates, unless all are far.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |candidate: &str| strsim::osa_distance(&lower, &candidate.to_lowercase());
    let (far, candidate) = candidates.map(|candidate| (distance(candidate), candidate)).min_by_key(|(far, _)| *far)?;
    // A third of the letters may differ: `TUMLING` is TUMBLING, `orders` is not FINAL.
    (far < word.chars().count() && far <= word.chars().count().max(3) / 3).then_some(candidate)
}

/// `A, B or C`.
pub(super) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
