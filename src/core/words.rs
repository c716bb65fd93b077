//! Words that every surface uses: numbers with their noun, lists of words, and the name that somebody probably meant.
//! Values only.

/// A whole number with its thousands apart: `1,204,332`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun, which takes an `s`: `1 event`, `1,000 events`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `A, B or C`.
pub fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Names that are each there once: the second of a name is numbered, `a`, `a_2`, past those that are written so.
pub fn each_once(written: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(written.len());
    for name in written {
        let is_taken = |own: &str, names: &[String]| {
            names.iter().any(|taken| taken == own) || own != *name && written.contains(&own)
        };
        let mut own = (*name).to_owned();
        let mut number = 2;
        while is_taken(&own, &names) {
            own = format!("{name}_{number}");
            number += 1;
        }
        names.push(own);
    }
    names
}

/// More slips than this are another name, however long both are.
pub const SLIPS_MAX: usize = 4;

/// The name that somebody probably meant who wrote `word`, unless all are far.
///
/// The rule, for every name of the house: a name is near where no more than a third of its letters slipped (added,
/// left out, changed or swapped with a neighbour), at least 1 and at most [`SLIPS_MAX`], and fewer than the word has.
/// Letters of either case are the same; the word itself is not offered; of equals the first wins.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let letters = word.chars().count();
    let lower = word.to_lowercase();
    names
        .into_iter()
        .filter(|name| *name != word)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(slips, name)| *slips <= (name.chars().count() / 3).clamp(1, SLIPS_MAX) && *slips < letters)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

/// The advice that names the [`nearest`].
pub fn did_you_mean<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(word, names).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let groups = [0, 999, 1_000, 1_204_332].map(grouped);
        assert_eq!(groups, ["0", "999", "1,000", "1,204,332"]);
    }

    #[test]
    fn one_is_one_and_everything_else_is_many() {
        assert_eq!([0, 1, 2_000].map(|number| counted(number, "event")), ["0 events", "1 event", "2,000 events"]);
    }

    #[test]
    fn the_last_of_many_stands_behind_an_or() {
        let lists: [&[&str]; 4] = [&[], &["A"], &["A", "B"], &["A", "B", "C"]];
        assert_eq!(lists.map(alternatives), ["", "A", "A or B", "A, B or C"]);
    }

    #[test]
    fn the_second_of_a_name_is_numbered_past_what_is_written() {
        assert_eq!(each_once(&["a", "b", "a", "a_2", "a"]), ["a", "b", "a_3", "a_2", "a_4"]);
    }

    #[test]
    fn a_third_of_the_letters_may_slip_and_another_word_is_not_offered() {
        for (word, names, meant) in [
            ("custmer_update", &["orders", "customer_update"][..], Some("customer_update")),
            ("ordres", &["orders"], Some("orders")),
            ("TUMLING", &["SLIDING", "TUMBLING"], Some("TUMBLING")),
            ("Orders", &["orders"], Some("orders")),
            ("is", &["id"], Some("id")),
            ("i", &["id"], None),
            ("ab", &["cd"], None),
            ("orders", &["FINAL"], None),
            ("orders", &["orders"], None),
            ("orders-of-today", &["orders-of-last-week"], None),
            ("amunt", &["account", "amount", "amounts"], Some("amount")),
            ("cat", &["bat", "hat"], Some("bat")),
            ("any", &[], None),
        ] {
            assert_eq!(nearest(word, names.iter().copied()), meant, "{word} of {names:?}");
        }
        assert_eq!(did_you_mean("uper", ["upper"]).as_deref(), Some("did you mean `upper`?"));
    }
}
