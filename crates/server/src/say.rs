//! Lines on stderr.

/// Prints a line to stderr. Nobody may be listening any more, and the server does not stop for that.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}
