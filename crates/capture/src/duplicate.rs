//! The same packet captured twice: on two interfaces, before and after a driver, or sent again by a radio.

use std::collections::VecDeque;
use std::time::Duration;

use crate::octets::Octets as _;

/// Two copies of one packet are captured within this time.
pub const WINDOW: Duration = Duration::from_millis(1);
/// A radio sends again within this time.
pub const RETRY_WINDOW: Duration = Duration::from_millis(50);
/// Packets that are compared with the next one.
pub const RECENT_MAX: usize = 64;

#[derive(Debug)]
struct Seen {
    frame: u64,
    time: Duration,
    len: usize,
    hash: u64,
}

/// The last packets.
#[derive(Debug, Default)]
pub(crate) struct Duplicates(VecDeque<Seen>);

impl Duplicates {
    /// The first frame that held the IP packet `octets`, if it was a moment ago; else the packet is remembered.
    pub(crate) fn first_of(
        &mut self,
        octets: &[u8],
        time: Duration,
        frame: u64,
        is_retry: bool,
    ) -> Option<u64> {
        let window = if is_retry { RETRY_WINDOW } else { WINDOW };
        let (len, hash) = (octets.len(), fingerprint(octets));
        let same = |seen: &&Seen| seen.hash == hash && seen.len == len && time.abs_diff(seen.time) <= window;
        if let Some(seen) = self.0.iter().rev().find(same) {
            return Some(seen.frame);
        }
        if self.0.len() == RECENT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Seen { frame, time, len, hash });
        None
    }
}

/// FNV-1a over all but what a router changes: time to live and header checksum, or hop limit. A packet that was forwarded
/// by the capturing host counts once.
fn fingerprint(octets: &[u8]) -> u64 {
    let hash = |hash: u64, octets: &[u8]| {
        let (words, rest) = octets.as_chunks::<8>();
        let hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        rest.iter().fold(hash, |hash, octet| mix(hash, u64::from(*octet)))
    };
    let start = 0xcbf2_9ce4_8422_2325;
    match octets.octet(0).map(|first| first >> 4) {
        Some(4) => {
            let start = hash(start, octets.at_most(8));
            let start = hash(start, octets.at_most(10).behind(9));
            hash(start, octets.behind(12))
        }
        _ => hash(hash(start, octets.at_most(7)), octets.behind(8)),
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    hash ^ (hash >> 32)
}
