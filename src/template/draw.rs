//! Randomness for templates: from the operating system, or from a seed so that a run can be repeated event for event.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use minijinja::State;
use rand::SeedableRng;
use rand::rngs::SmallRng;

/// Where random values come from; `None` is the operating system's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    pub seed: Option<u64>,
}

/// The generator of one seeded render, kept in its state.
struct OfRender(SmallRng);

thread_local! {
    static OF_THREAD: RefCell<SmallRng> = RefCell::new(rand::make_rng());
}

impl Draw {
    /// Lends the generator: the render's own where there is a seed, else the thread's.
    pub fn with<R>(self, state: &mut State, draw: impl FnOnce(&mut SmallRng) -> R) -> R {
        match self.seed {
            None => OF_THREAD.with_borrow_mut(draw),
            Some(seed) => {
                if state.get_extension::<OfRender>().is_none() {
                    let of_render = OfRender(SmallRng::seed_from_u64(of_event(seed, state)));
                    state.get_or_insert_extension(of_render);
                }
                match state.get_extension_mut::<OfRender>() {
                    Some(of_render) => draw(&mut of_render.0),
                    None => OF_THREAD.with_borrow_mut(draw),
                }
            }
        }
    }
}

/// The seed of one event. Events render in any order on any thread, so it hangs on what the event is, not on when.
/// `DefaultHasher::new()` has fixed keys: the same on every run.
fn of_event(seed: u64, state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    state.name().hash(&mut hasher);
    for name in ["environment", "event_index"] {
        state.lookup(name).map(|value| value.to_string()).hash(&mut hasher);
    }
    hasher.finish()
}
