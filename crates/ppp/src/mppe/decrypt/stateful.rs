//! Stateful mode (RFC 3078 sections 7.2, 8.2): one RC4 stream over many frames, which the loss of one frame
//! breaks.

use std::time::{Duration, Instant};

use adit_crypto::mppe::KeySchedule;
use adit_crypto::rc4::Rc4;
use adit_wire::mppe::{COUNT_MODULUS, Header};

use super::Refusal;
use super::found::Found;

/// The interval at which a Reset-Request is repeated.
const REPEAT: Duration = Duration::from_secs(1);
/// The most Reset-Requests after the last frame that needed one: a forged frame must not cause more.
const REQUESTS: u8 = 10;

/// Where a frame is in the sequence of frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The count of the next frame if nothing is lost.
    pub(super) expected: u16,
    /// How many counts it is after that, modulo 4096.
    pub(super) skipped: u16,
    /// The distance in GRE numbers from the last good frame: no more frames were lost.
    pub(super) gap: u32,
    /// How often the count may have gone around.
    pub(super) turns: u32,
}

/// Finds the stream of a frame. `spend` is called before more work than a frame without loss needs.
pub(super) fn find(
    stream: &Rc4,
    keys: &KeySchedule,
    place: Place,
    header: Header,
    data: &[u8],
    spend: &mut dyn FnMut(u32) -> bool,
) -> Result<(Found, u32), Refusal> {
    let Place { skipped, gap, turns, .. } = place;
    if skipped >= COUNT_MODULUS / 2 && u32::from(skipped) >= gap {
        return Err(Refusal::Noise); // an old count: late, after its gap was given up
    }
    let flags = place.flags(0);
    let is_next = skipped == 0 && gap <= u32::from(COUNT_MODULUS);
    if skipped == 0 && flags == 0 && !header.flushed {
        let found = Found::new(keys.key(), stream.clone(), data);
        let refusal = if is_next { Refusal::Noise } else { Refusal::Discarded };
        return found.map(|found| (found, 0)).ok_or(refusal);
    }
    if !header.flushed && !is_next {
        return Err(Refusal::Discarded);
    }
    // With the A bit the sender reinitializes RC4 with the current key (RFC 3078, FreeBSD), or changes
    // the key once more before that (Linux): try which one gives a packet. So many frames may be lost that the count has
    // gone around.
    let mut tried = keys.clone();
    let mut changes = flags;
    for turn in 0..=turns {
        if turn > 0 {
            changes = place.flags(turn) - place.flags(turn - 1);
        }
        if !is_next && !spend(changes + 2) {
            return Err(Refusal::Throttled);
        }
        for _ in 0..changes {
            tried.advance();
        }
        let mut once_more = tried.clone();
        once_more.advance();
        for key in [tried.key(), once_more.key()] {
            if let Some(found) = Found::at_start(key, data) {
                return Ok((found, turn));
            }
        }
    }
    Err(Refusal::Noise)
}

impl Place {
    /// The flag packets, which have the low octet FF and change the key (RFC 3078 section 7.2), from the expected count to
    /// this one, if the count has gone around so many times.
    fn flags(self, turns: u32) -> u32 {
        let to = u32::from(self.expected) + u32::from(self.skipped) + turns * u32::from(COUNT_MODULUS) + 1;
        (to >> 8) - u32::from(self.expected >> 8)
    }
}

/// Requests for a reset while frames arrive that cannot be decrypted. The stream is kept: if the frame was forged, the
/// next one continues it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reset {
    next: Instant,
    left: u8,
}

impl Reset {
    /// Begins to request, or continues.
    pub(super) fn want(reset: &mut Option<Reset>, now: Instant) {
        reset.get_or_insert(Reset { next: now, left: 0 }).left = REQUESTS;
    }

    pub(super) fn poll(&mut self, now: Instant) -> bool {
        let is_due = self.left > 0 && self.next <= now;
        if is_due {
            self.next = now + REPEAT;
            self.left -= 1;
        }
        is_due
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        (self.left > 0).then_some(self.next)
    }
}
