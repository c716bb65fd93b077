//! How well a candidate fits what is typed: the same letters from its beginning first, then from a word inside it, then
//! anywhere, then in order with gaps.

/// The rank of a candidate, larger is better; `None` where it does not fit. Nothing typed fits all.
pub(super) fn rank(typed: &str, candidate: &str) -> Option<u32> {
    if typed.is_empty() {
        return Some(0);
    }
    let (typed, candidate) = (typed.to_lowercase(), candidate.to_lowercase());
    if candidate == typed {
        return Some(1_000);
    }
    if candidate.starts_with(&typed) {
        return Some(900);
    }
    let at_word = |place: usize| candidate[..place].ends_with(|letter: char| !letter.is_alphanumeric());
    if candidate.match_indices(&typed).any(|(place, _)| at_word(place)) {
        return Some(700);
    }
    // `ci` is `customer_id`: the first letters of the parts.
    let firsts: String =
        candidate.split(|letter: char| !letter.is_alphanumeric()).filter_map(|part| part.chars().next()).collect();
    if typed.chars().count() > 1 && firsts.starts_with(&typed) {
        return Some(600);
    }
    if typed.chars().count() > 1 && candidate.contains(&typed) {
        return Some(500);
    }
    // With gaps, only from the first letter on: else everything fits everything.
    let mut rest = candidate.chars();
    let begins = candidate.chars().next() == typed.chars().next();
    (typed.chars().count() > 2 && begins && typed.chars().all(|letter| rest.any(|other| other == letter)))
        .then_some(200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_alike_comes_before_what_merely_contains_it() {
        for (typed, better, worse) in [
            ("am", "amount", "sample"),
            ("id", "id", "idle"),
            ("id", "customer_id", "valid"),
            ("ci", "customer_id", "specific"),
            ("cst", "customer", "orders"),
        ] {
            assert!(rank(typed, better) > rank(typed, worse), "{typed}: {better} before {worse}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert_eq!(rank("xyz", "amount"), None);
        assert_eq!(rank("tn", "amount"), None);
    }
}
