//! Output to stderr.

/// Prints a line to stderr. A closed stderr must not stop the server.
macro_rules! log_stderr {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}
