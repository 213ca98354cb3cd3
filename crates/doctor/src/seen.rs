//! A fact with the place where it is seen.

use std::fmt;
use std::time::Duration;

/// Where and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// The frame of the capture that shows it.
    pub frame: Option<u64>,
    /// Time since the call's beginning.
    pub time: Option<Duration>,
}

impl At {
    /// Not in a capture, at no special time.
    pub const NOWHERE: At = At { frame: None, time: None };

    /// In a frame of a capture.
    pub const fn frame(frame: u64, time: Duration) -> At {
        At { frame: Some(frame), time: Some(time) }
    }

    /// At a time since the call's beginning.
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

/// A fact, and where it is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// The fact.
    pub what: T,
    /// Where.
    pub at: At,
}

impl<T> Seen<T> {
    /// A fact without a place.
    pub const fn new(what: T) -> Seen<T> {
        Seen { what, at: At::NOWHERE }
    }

    /// A fact in a frame of a capture.
    pub const fn in_frame(what: T, frame: u64, time: Duration) -> Seen<T> {
        Seen { what, at: At::frame(frame, time) }
    }

    /// A fact at a place.
    pub const fn at(what: T, at: At) -> Seen<T> {
        Seen { what, at }
    }
}
