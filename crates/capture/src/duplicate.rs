//! Detection of packets that were captured twice: on two interfaces, before and after a driver, or repeated
//! by 802.11.

use std::collections::VecDeque;
use std::time::Duration;

use crate::octets::Octets as _;

/// The time within which two copies of one packet are captured.
pub const WINDOW: Duration = Duration::from_millis(1);
/// The time within which 802.11 retransmits.
pub const RETRY_WINDOW: Duration = Duration::from_millis(50);
/// The number of recent packets that are compared.
pub const RECENT_MAX: usize = 64;

#[derive(Debug)]
struct Seen {
    frame: u64,
    time: Duration,
    len: usize,
    hash: u64,
}

/// The recent packets.
#[derive(Debug, Default)]
pub(crate) struct Duplicates(VecDeque<Seen>);

impl Duplicates {
    /// Returns the first frame with the IP packet `octets`, if it was captured a moment ago; otherwise adds
    /// the packet.
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

/// FNV-1a over all fields but those that a router changes: time to live and header checksum, or hop limit. A
/// packet that the capturing host forwards counts once.
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
