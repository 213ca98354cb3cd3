//! A probe for lost large packets: once the network is up, sends Echo-Requests as long as the largest packet.
//!
//! A path that silently drops large packets is easily overlooked: the call is up and small packets pass. A
//! peer that answers shorter requests but never the long ones proves the fault. A peer that answers no padded
//! request at all, or misses one now and then, proves nothing.

use core::time::Duration;
use std::time::Instant;

use adit_wire::cp;
use adit_wire::lcp::Marked;

use super::state::later;
use super::{Link, LinkEvent};

/// The lengths of information fields that are tried after the largest one was not answered.
const SHORTER: [u16; 5] = [1300, 1200, 1000, 576, 400];
/// The number of rounds that try all lengths, after a first one that tries the largest only.
const ROUNDS: u8 = 3;
/// The number of answered rounds that show that a length passes.
const ANSWERS: u8 = 2;
/// The delay of the first round after the network is up; further delays separate the rounds.
const SETTLE: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(700);
const BETWEEN: Duration = Duration::from_millis(500);
/// The octets of an LCP header and the Magic-Number.
const HEAD: u16 = 8;

/// The state of the probe.
#[derive(Debug)]
pub(super) struct Sizes {
    /// The lengths, the largest first, and how many requests of each were answered.
    lengths: Vec<(u16, u8)>,
    /// The unanswered requests: identifier and index of the length.
    asked: Vec<(u8, usize)>,
    rounds: u8,
    due: Instant,
}

impl Sizes {
    pub(super) fn new(now: Instant, largest: u16) -> Sizes {
        let shorter = SHORTER.into_iter().filter(|shorter| *shorter < largest);
        let lengths = [largest].into_iter().chain(shorter).map(|length| (length, 0)).collect();
        Sizes { lengths, asked: Vec::new(), rounds: 0, due: later(now, SETTLE) }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The lengths to send now; none when the probe is done.
    fn round(&mut self, now: Instant) -> Vec<u16> {
        self.rounds += 1;
        self.due = later(now, if self.rounds == 1 { PAUSE } else { BETWEEN });
        let count = match self.rounds {
            1 => 1,
            rounds if rounds <= 1 + ROUNDS => self.lengths.len(),
            _ => 0,
        };
        self.lengths.iter().take(count).map(|(length, _)| *length).collect()
    }

    fn note(&mut self, id: u8, length: u16) {
        if let Some(which) = self.lengths.iter().position(|(known, _)| *known == length) {
            self.asked.push((id, which));
        }
    }

    fn has_asked(&self, id: u8) -> bool {
        self.asked.iter().any(|(asked, _)| *asked == id)
    }

    /// Handles a reply with this identifier; returns whether the largest packet has passed, which ends the
    /// probe.
    fn answered(&mut self, id: u8) -> bool {
        let Some(at) = self.asked.iter().position(|(asked, _)| *asked == id) else { return false };
        let (_, which) = self.asked.swap_remove(at);
        if let Some((_, answers)) = self.lengths.get_mut(which) {
            *answers += 1;
        }
        which == 0
    }

    /// The shortest length that never passed and the longest that did, provided that all that passed are
    /// shorter than all that did not.
    fn found(&self) -> Option<(u16, u16)> {
        let first = self.lengths.iter().position(|(_, answers)| *answers > 0)?;
        let (lost, passed) = self.lengths.split_at(first);
        let clear = passed.iter().all(|(_, answers)| *answers >= ANSWERS);
        Some((lost.last()?.0, passed.first()?.0)).filter(|_| clear)
    }
}

impl Link {
    /// Starts the probe after the network is up, once.
    pub(super) fn begin_sizes(&mut self, now: Instant) {
        if self.config.test_sizes && !self.sizes_tested {
            self.sizes_tested = true;
            let largest = self.lcp.protocol().agreed().peer_mru.min(self.config.mru);
            self.sizes = Some(Box::new(Sizes::new(now, largest)));
        }
    }

    pub(super) fn sizes_timeout(&mut self, now: Instant) {
        let Some(sizes) = self.sizes.as_mut().filter(|sizes| now >= sizes.due) else { return };
        let lengths = sizes.round(now);
        if lengths.is_empty() {
            let found = sizes.found();
            self.sizes = None;
            if let Some((lost, passes)) = found {
                self.output.push_event(LinkEvent::LargeLost { lost, passes });
            }
        }
        for length in lengths {
            let padding = vec![0x55; usize::from(length.saturating_sub(HEAD))];
            let request = Marked { magic: self.lcp.protocol().magic(), rest: &padding };
            let id = self.lcp.send(cp::ECHO_REQUEST, &request.to_vec());
            if let (Some(id), Some(sizes)) = (id, &mut self.sizes) {
                sizes.note(id, length);
            }
        }
    }

    /// Handles an Echo-Reply; returns whether it answers a request of the probe.
    pub(super) fn size_answered(&mut self, id: u8) -> bool {
        let Some(sizes) = &mut self.sizes else { return false };
        let is_ours = sizes.has_asked(id);
        if sizes.answered(id) {
            self.sizes = None;
        }
        is_ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the probe on a path that passes these lengths in these rounds; returns the result and the number
    /// of requests.
    fn search(largest: u16, passes: impl Fn(u16, u8) -> bool) -> (Option<(u16, u16)>, usize) {
        let now = Instant::now();
        let (mut sizes, mut id) = (Sizes::new(now, largest), 0);
        loop {
            let lengths = sizes.round(now);
            if lengths.is_empty() {
                return (sizes.found(), usize::from(id));
            }
            for length in lengths {
                id += 1;
                sizes.note(id, length);
                if passes(length, sizes.rounds) && sizes.answered(id) {
                    return (None, usize::from(id));
                }
            }
        }
    }

    #[test]
    fn one_request_where_all_is_well() {
        assert_eq!(search(1400, |_, _| true), (None, 1));
        assert_eq!(search(1400, |_, round| round > 1).0, None, "the first was lost");
    }

    #[test]
    fn row_60_a_black_hole_is_bracketed() {
        assert_eq!(search(1400, |length, _| length <= 1250).0, Some((1300, 1200)));
        assert_eq!(search(1400, |length, _| length <= 600).0, Some((1000, 576)));
        assert_eq!(
            search(1400, |length, round| length <= 1250 && round != 3).0,
            Some((1300, 1200)),
            "and a loss"
        );
    }

    #[test]
    fn a_peer_that_answers_no_padded_request_proves_nothing() {
        assert_eq!(search(1400, |_, _| false).0, None);
        assert_eq!(search(400, |_, _| false).0, None, "there is nothing shorter to compare with");
    }

    #[test]
    fn loss_is_not_a_black_hole() {
        assert_eq!(search(1400, |length, round| length == 1000 && round == 2).0, None);
        assert_eq!(search(1400, |length, round| length < 1400 && round == 3).0, None);
        assert_eq!(
            search(1400, |length, _| length == 1300 || length == 400).0,
            None,
            "shorter ones lost too"
        );
    }
}
