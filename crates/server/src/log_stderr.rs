//! Lines on stderr.

/// Prints a line to stderr. Nothing may be reading it any more, and the server does not stop for that.
macro_rules! log_stderr {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}
