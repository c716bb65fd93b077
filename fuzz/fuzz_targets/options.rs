//! Whatever stands in `WITH (…)` or where a length of time is wanted, it is read or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| velox_tui_fuzz::answers::to_options(text));
