//! How well a candidate fits what is typed: the same letters from its beginning first, then from a word inside it, then
//! anywhere, then in order with gaps.

/// Letters that must be typed before what does not begin with them is offered.
const SCATTERED_MIN: usize = 3;

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
    // Of one or two letters everything has some, somewhere.
    if typed.chars().count() < SCATTERED_MIN {
        return None;
    }
    // `ewz` is `event_with_zone`: the first letters of the parts.
    let firsts: String =
        candidate.split(|letter: char| !letter.is_alphanumeric()).filter_map(|part| part.chars().next()).collect();
    if firsts.starts_with(&typed) {
        return Some(600);
    }
    if candidate.contains(&typed) {
        return Some(500);
    }
    // With gaps, only from the first letter on: else everything fits everything.
    let mut rest = candidate.chars();
    let begins = candidate.chars().next() == typed.chars().next();
    (begins && typed.chars().all(|letter| rest.any(|other| other == letter))).then_some(200)
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
            ("ewz", "event_with_zone", "browser"),
            ("cst", "customer", "orders"),
        ] {
            assert!(rank(typed, better) > rank(typed, worse), "{typed}: {better} before {worse}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert_eq!(rank("xyz", "amount"), None);
        assert_eq!(rank("tn", "amount"), None);
        assert_eq!(rank("am", "to_timestamp"), None, "two letters are somewhere in everything");
        assert_eq!(rank("am", "array_max"), None);
    }
}
