//! The binary: arguments, runtime, dispatch, exit code. Everything else is in the library.

fn main() {}
