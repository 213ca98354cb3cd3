//! Counts of each kind of PPP control frame, including those that the list of steps leaves out.

use std::collections::BTreeMap;
use std::time::Duration;

/// The most kinds that are counted.
pub const KINDS_COUNTED_MAX: usize = 96;

/// The frames of one kind from one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The number of frames.
    pub times: u64,
    /// Frame and time of the first.
    pub first: (u64, Duration),
    /// Frame and time of the last.
    pub last: (u64, Duration),
}

/// The counts by protocol, code and side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<(u16, u8, bool), Count>);

impl Tally {
    pub(super) fn add(&mut self, protocol: u16, code: u8, by_client: bool, frame: u64, time: Duration) {
        let key = (protocol, code, by_client);
        if self.0.len() == KINDS_COUNTED_MAX && !self.0.contains_key(&key) {
            return;
        }
        let count =
            self.0.entry(key).or_insert(Count { times: 0, first: (frame, time), last: (frame, time) });
        count.times += 1;
        count.last = (frame, time);
    }

    /// The count of frames of `protocol` with `code` from one side; `None` if there are none.
    pub fn of(&self, protocol: u16, code: u8, by_client: bool) -> Option<Count> {
        self.0.get(&(protocol, code, by_client)).copied()
    }

    /// The number of such frames.
    pub fn times(&self, protocol: u16, code: u8, by_client: bool) -> u64 {
        self.of(protocol, code, by_client).map_or(0, |count| count.times)
    }
}
