//! Whatever the text, the parser, the renderer of its findings, the tokens and the formatter answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| velox_tui_fuzz::answers::to_text(text));
