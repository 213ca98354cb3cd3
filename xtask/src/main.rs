//! cargo xtask ci: every check CI runs.

fn main() {}
