//! Whether large packets get through: once the network is up, Echo-Requests as long as the largest packet.
//!
//! A path that drops large packets and says nothing is the fault that nobody sees: the call is up, small things work. A
//! peer that answers shorter requests and never the long ones proves it. One that answers no padded request at all, or
//! misses one now and then, proves nothing.

use core::time::Duration;
use std::time::Instant;

use adit_wire::cp;
use adit_wire::lcp::Marked;

use super::state::later;
use super::{Link, LinkEvent};

/// Lengths of information fields that are tried below the largest.
const SHORTER: [u16; 5] = [1300, 1200, 1000, 576, 400];
/// Requests of the largest length, of each shorter one, and once more of the shortest that seems lost.
const TRIES: (u8, u8, u8) = (4, 3, 3);
/// The first request comes so long after the network, the others so long after one another.
const SETTLE: Duration = Duration::from_millis(500);
const WAIT: Duration = Duration::from_millis(1500);
/// Octets of an LCP header and the Magic-Number.
const HEAD: u16 = 8;

/// Where the search stands.
#[derive(Debug)]
pub(super) struct Sizes {
    /// Length of the information field that is tried now.
    size: u16,
    /// The shortest that was never answered, and the longest that was.
    lost: Option<u16>,
    passes: Option<u16>,
    tries_left: u8,
    /// Identifiers of the requests of this length.
    ids: Vec<u8>,
    due: Instant,
}

/// What a step of the search came to.
enum Next {
    /// Ask with this length.
    Ask(u16),
    /// Nothing is known, or everything is well.
    Over,
    /// Packets of the first length vanish, those of the second pass.
    Found(u16, u16),
}

impl Sizes {
    pub(super) fn new(now: Instant, largest: u16) -> Sizes {
        Sizes {
            size: largest,
            lost: None,
            passes: None,
            tries_left: TRIES.0,
            ids: Vec::new(),
            due: later(now, SETTLE),
        }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    fn try_size(&mut self, size: u16, tries: u8) {
        (self.size, self.tries_left) = (size, tries);
        self.ids.clear();
    }

    /// The time to wait for an answer has passed.
    fn overdue(&mut self) -> Next {
        if self.tries_left > 0 {
            self.tries_left -= 1;
            return Next::Ask(self.size);
        }
        if let Some(passes) = self.passes {
            return Next::Found(self.size, passes);
        }
        self.lost = Some(self.size);
        let Some(shorter) = SHORTER.into_iter().find(|shorter| *shorter < self.size) else {
            return Next::Over;
        };
        self.try_size(shorter, TRIES.1 - 1);
        Next::Ask(shorter)
    }

    /// A reply came with this identifier.
    fn answered(&mut self, id: u8) -> Option<Next> {
        if !self.ids.contains(&id) {
            return None;
        }
        let Some(lost) = self.lost.filter(|lost| *lost != self.size) else { return Some(Next::Over) };
        self.passes = Some(self.size);
        self.try_size(lost, TRIES.2 - 1);
        Some(Next::Ask(lost))
    }
}

impl Link {
    /// The network is up: whether large packets pass is to be found out, once.
    pub(super) fn begin_sizes(&mut self, now: Instant) {
        if self.config.test_sizes && !self.sizes_tested {
            self.sizes_tested = true;
            let largest = self.lcp.protocol().agreed().peer_mru.min(self.config.mru);
            self.sizes = Some(Box::new(Sizes::new(now, largest)));
        }
    }

    pub(super) fn sizes_timeout(&mut self, now: Instant) {
        if let Some(sizes) = self.sizes.as_mut().filter(|sizes| now >= sizes.due) {
            let next = sizes.overdue();
            self.next_size(now, next);
        }
    }

    /// An Echo-Reply came.
    pub(super) fn echo_answered(&mut self, now: Instant, id: u8) {
        if let Some(next) = self.sizes.as_mut().and_then(|sizes| sizes.answered(id)) {
            self.next_size(now, next);
        }
    }

    fn next_size(&mut self, now: Instant, next: Next) {
        match next {
            Next::Ask(size) => {
                let padding = vec![0x55; usize::from(size.saturating_sub(HEAD))];
                let request = Marked { magic: self.lcp.protocol().magic(), rest: &padding };
                let id = self.lcp.send(cp::ECHO_REQUEST, &request.to_vec());
                if let (Some(id), Some(sizes)) = (id, &mut self.sizes) {
                    sizes.ids.push(id);
                    sizes.due = later(now, WAIT);
                } else {
                    // LCP is not open any more: there is nothing to ask.
                    self.sizes = None;
                }
            }
            Next::Over => self.sizes = None,
            Next::Found(lost, passes) => {
                self.sizes = None;
                self.output.tell(LinkEvent::LargeLost { lost, passes });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays the search on a path that passes these lengths at these tries; what it found, and how many requests it took.
    fn search(passes: impl Fn(u16, usize) -> bool) -> (Option<(u16, u16)>, usize) {
        let mut sizes = Sizes::new(Instant::now(), 1400);
        let (mut next, mut asked) = (sizes.overdue(), 0);
        loop {
            next = match next {
                Next::Over => return (None, asked),
                Next::Found(lost, passes) => return (Some((lost, passes)), asked),
                Next::Ask(size) => {
                    asked += 1;
                    sizes.ids.push(asked as u8);
                    match passes(size, asked) {
                        true => sizes.answered(asked as u8).unwrap(),
                        false => sizes.overdue(),
                    }
                }
            };
            assert!(asked < 50);
        }
    }

    #[test]
    fn one_request_where_all_is_well() {
        assert_eq!(search(|_, _| true), (None, 1));
    }

    #[test]
    fn row_60_a_black_hole_is_bracketed() {
        assert_eq!(search(|size, _| size <= 1250).0, Some((1300, 1200)));
        assert_eq!(search(|size, _| size <= 600).0, Some((1000, 576)));
    }

    #[test]
    fn a_peer_that_answers_no_padded_request_proves_nothing() {
        assert_eq!(search(|_, _| false).0, None);
        assert_eq!(search(|size, _| size < 400).0, None);
    }

    #[test]
    fn loss_is_not_a_black_hole() {
        // Every third passes, whatever its length; the first four of the largest are among the others.
        assert_eq!(search(|_, asked| asked > 4).0, None, "the second look finds that large ones pass");
        assert_eq!(search(|_, asked| asked % 3 == 0).0, None);
    }

    #[test]
    fn a_small_link_is_asked_with_what_it_takes() {
        let mut sizes = Sizes::new(Instant::now(), 400);
        for _ in 0..TRIES.0 {
            assert!(matches!(sizes.overdue(), Next::Ask(400)));
        }
        assert!(matches!(sizes.overdue(), Next::Over), "there is nothing shorter to compare with");
    }
}
