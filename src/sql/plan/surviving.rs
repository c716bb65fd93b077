//! A panic of the planner, or of a library below it, is a fault of one statement and not the end of the program. It hides
//! nothing: the fault is the program's, and says so.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::core::fault::{Blame, Fault};

/// What planning comes to, also where it panics.
///
/// # Errors
/// Its own, or that it panicked.
pub async fn surviving<T>(planning: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    AssertUnwindSafe(planning).catch_unwind().await.unwrap_or_else(|panic| Err(defect(&*panic)))
}

fn defect(panic: &(dyn Any + Send)) -> Fault {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let said = said.and_then(|said| said.lines().next()).unwrap_or("without a message");
    Fault::new(Blame::Program, format!("this statement cannot be planned by a defect of this program: {said}"))
        .next("write it in another way, and report it with this message")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn planning_that_panics_is_a_fault_of_the_program() {
        let fault = surviving::<()>(async { panic!("index out of bounds\nand more") }).await.unwrap_err();
        assert_eq!(fault.blame, Blame::Program);
        assert!(fault.what.ends_with("of this program: index out of bounds"), "{}", fault.what);
        let refused = Fault::new(Blame::Operator, "there is no column `a`");
        assert_eq!(surviving::<()>(async { Err(refused.clone()) }).await.unwrap_err(), refused);
        assert_eq!(surviving(async { Ok(1) }).await, Ok(1));
    }
}
