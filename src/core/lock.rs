//! Locks that are taken even where a holder panicked. What they protect is whole then, because every change under a lock
//! of this house is a single step; the panic itself is reported as the ending of its job.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A value that one thread at a time has.
pub trait WholeMutex<T> {
    /// Waits for the value and has it until the guard is dropped.
    fn hold(&self) -> MutexGuard<'_, T>;
}

/// A value that many threads read, or one changes.
pub trait WholeRwLock<T> {
    /// Waits until nobody changes the value, and reads it.
    fn look(&self) -> RwLockReadGuard<'_, T>;

    /// Waits until nobody else has the value, and has it alone.
    fn change(&self) -> RwLockWriteGuard<'_, T>;
}

impl<T> WholeMutex<T> for Mutex<T> {
    fn hold(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> WholeRwLock<T> for RwLock<T> {
    fn look(&self) -> RwLockReadGuard<'_, T> {
        self.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, T> {
        self.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outlives_the_panic_of_its_holder() {
        let (counted, shared) = (Mutex::new(1), RwLock::new(1));
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let (mut counted, mut shared) = (counted.hold(), shared.change());
                (*counted, *shared) = (2, 2);
                panic!("while it held both");
            });
            assert!(holder.join().is_err());
        });
        assert!(counted.is_poisoned() && shared.is_poisoned());
        assert_eq!((*counted.hold(), *shared.look()), (2, 2));
        assert_eq!(*shared.change(), 2);
    }
}
