//! Numbers in the words that every surface uses: grouped, and with their noun. Values only.

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
}
