//! The controlling terminal: a SIGHUP because it was closed is no request to reload, and does not end the server.

use std::fs::File;
use std::time::{Duration, Instant};

/// The kernel sends SIGHUP when the terminal is closed, and the shell sends another one. Within this time they are one
/// hang-up.
const TOGETHER: Duration = Duration::from_secs(5);

/// The terminal from which the server was started, if any.
#[derive(Debug)]
pub(crate) struct Terminal {
    is_open: bool,
    closed_at: Option<Instant>,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        Terminal { is_open: has_terminal(), closed_at: None }
    }

    /// Whether a SIGHUP that has just arrived reports that the terminal was closed.
    pub(crate) fn has_hung_up(&mut self) -> bool {
        self.follow(Instant::now(), has_terminal)
    }

    fn follow(&mut self, now: Instant, has_terminal: impl FnOnce() -> bool) -> bool {
        if self.is_open && !has_terminal() {
            self.is_open = false;
            self.closed_at = Some(now);
        }
        self.closed_at.is_some_and(|at| now.saturating_duration_since(at) < TOGETHER)
    }
}

/// Whether this process has a controlling terminal. The kernel takes it away before it sends SIGHUP.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signals_of_the_hang_up_itself_are_no_reload() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut terminal = Terminal { is_open: true, closed_at: None };
        assert!(!terminal.follow(at(0), || true), "sent by a user: reload");
        assert!(terminal.follow(at(10), || false));
        assert!(terminal.follow(at(11), || false), "the shell's signal");
        assert!(!terminal.follow(at(60), || false), "sent by a user: reload");
        let mut service = Terminal { is_open: false, closed_at: None };
        assert!(!service.follow(at(0), || false), "without a terminal: reload");
    }
}
