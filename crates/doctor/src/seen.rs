//! A fact with its position.

use std::fmt;
use std::time::Duration;

/// The position and time of a fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// The frame of the capture.
    pub frame: Option<u64>,
    /// The time since the call began.
    pub time: Option<Duration>,
}

impl At {
    /// No position: not in a capture, at no particular time.
    pub const NOWHERE: At = At { frame: None, time: None };

    /// A position in a frame of a capture.
    pub const fn frame(frame: u64, time: Duration) -> At {
        At { frame: Some(frame), time: Some(time) }
    }

    /// A position at a time since the call began.
    pub const fn time(time: Duration) -> At {
        At { frame: None, time: Some(time) }
    }
}

/// `frame 12`, `2.0 s`, or nothing.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.frame, self.time) {
            (Some(frame), _) => write!(f, "frame {frame}"),
            (None, Some(time)) => write!(f, "{:.1} s", time.as_secs_f64()),
            (None, None) => Ok(()),
        }
    }
}

/// A fact with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// The fact.
    pub what: T,
    /// The position.
    pub at: At,
}

impl<T> Seen<T> {
    /// Creates a fact without a position.
    pub const fn new(what: T) -> Seen<T> {
        Seen { what, at: At::NOWHERE }
    }

    /// Creates a fact in a frame of a capture.
    pub const fn in_frame(what: T, frame: u64, time: Duration) -> Seen<T> {
        Seen { what, at: At::frame(frame, time) }
    }

    /// Creates a fact at a position.
    pub const fn at(what: T, at: At) -> Seen<T> {
        Seen { what, at }
    }
}
