//! A panic on demand, so that tests see what the real program does then. Only debug builds have it: `VELOX_PANIC_IN=job|ui`.

/// Panics where this is the place that `VELOX_PANIC_IN` names; never in a release build.
pub fn provoke(place: &str) {
    let asked = cfg!(debug_assertions) && std::env::var("VELOX_PANIC_IN").is_ok_and(|asked| asked == place);
    assert!(!asked, "provoked in `{place}`");
}
