//! Load generator and side-by-side measurements.

fn main() {}
