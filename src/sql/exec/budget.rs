//! The memory that the state of a job may take: counted operator by operator, or held in shares. It allocates nothing itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::core::fault::{Blame, Fault};

/// The state that all operators of a job may hold together.
pub struct Budget {
    used: AtomicUsize,
    bytes_max: usize,
}

impl Budget {
    /// A budget of this many bytes.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), bytes_max })
    }

    /// Nothing yet, of this budget.
    pub fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }

    /// The state of the operator `label` had `before` bytes and has so many bytes and rows now. They are counted even where
    /// they are too many.
    ///
    /// # Errors
    /// The state of all is beyond the budget.
    pub fn change(&self, label: &str, before: usize, now: (usize, usize)) -> Result<(), Fault> {
        let (after, rows) = now;
        let used = if before <= after {
            self.used.fetch_add(after - before, Ordering::Relaxed) + (after - before)
        } else {
            self.used.fetch_sub(before - after, Ordering::Relaxed) - (before - after)
        };
        if used > self.bytes_max { Err(over_budget(label, (after, rows), used, self.bytes_max)) } else { Ok(()) }
    }
}

/// Bytes of a budget, given back when it is dropped.
pub struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Share {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds `bytes` from now on, as far as there are so many: what does not fit is not taken, so that nobody else fails
    /// for it.
    ///
    /// # Errors
    /// How many the budget has, and how many of them others hold.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Full> {
        let (used, bytes_max) = (&self.budget.used, self.budget.bytes_max);
        let changed = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let after = used - self.bytes + bytes;
            (after <= bytes_max || bytes <= self.bytes).then_some(after)
        });
        match changed {
            Ok(_) => {
                self.bytes = bytes;
                Ok(())
            }
            Err(used) => Err(Full { bytes_max, others: used - self.bytes }),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A budget that has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// What it had, bytes.
    pub bytes_max: usize,
    /// What others hold of it, bytes.
    pub others: usize,
}

fn over_budget(label: &str, (bytes, rows): (usize, usize), used: usize, bytes_max: usize) -> Fault {
    let mib = |bytes: usize| bytes.div_ceil(1024 * 1024);
    let what = format!(
        "the state of this job has come to {} MiB of its {} MiB; `{label}` holds {bytes} bytes for {rows} keys or rows",
        mib(used),
        mib(bytes_max),
    );
    Fault::new(Blame::Operator, what)
        .next("bound it with a window, a WITHIN or 'state.ttl', or give the job more memory")
}
