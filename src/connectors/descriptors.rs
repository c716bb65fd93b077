//! When this program has no file descriptor left: how a fault says so, and how whoever meets it knows that it passes. It
//! opens and closes nothing.

use std::io;

use crate::core::fault::Fault;

/// Too many files are open in the whole system; the number is the same on Linux, macOS and the BSDs.
const ENFILE: i32 = 23;
/// Too many files are open in this program; likewise.
const EMFILE: i32 = 24;
/// The advice of such a fault, by which it is known.
const ADVICE: &str = "more files are open than this program may have: raise the limit (`ulimit -n`)";

/// The fault of an error, which is known later where it was the want of a descriptor.
pub fn told(fault: Fault, error: &io::Error) -> Fault {
    if matches!(error.raw_os_error(), Some(ENFILE | EMFILE)) { fault.next(ADVICE) } else { fault }
}

/// The same for an error that has become a text on its way.
pub fn told_of_text(fault: Fault, said: &str) -> Fault {
    let is_one = [ENFILE, EMFILE].iter().any(|code| said.contains(&format!("(os error {code})")));
    if is_one { fault.next(ADVICE) } else { fault }
}

/// Whether a fault passes once another file is closed.
pub fn are_wanting(fault: &Fault) -> bool {
    fault.next == ADVICE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fault::Blame;

    #[test]
    fn the_want_of_a_descriptor_is_known_from_other_faults() {
        let of = |code| {
            let error = io::Error::from_raw_os_error(code);
            let fault = Fault::new(Blame::Operator, format!("could not open a.csv: {error}"));
            (
                are_wanting(&told(fault.clone(), &error)),
                are_wanting(&told_of_text(fault, &format!("External: {error}"))),
            )
        };
        assert_eq!((of(EMFILE), of(ENFILE), of(2)), ((true, true), (true, true), (false, false)));
    }
}
