//! Headless commands, one file each, over the same engine as the console.
