//! Stateful mode (RFC 3078 sections 7.2, 8.2): one RC4 stream over many frames, which the loss of one frame
//! breaks.

use std::time::{Duration, Instant};

use adit_crypto::mppe::KeySchedule;
use adit_crypto::rc4::Rc4;
use adit_wire::mppe::{COUNT_MODULUS, Header};

use super::super::plausible::{PEEK, Proof, is_packet};
use super::{MAX_TURNS, Refusal, opens};

/// The interval at which a Reset-Request is repeated.
const REPEAT: Duration = Duration::from_secs(1);

/// The state of the RC4 stream.
#[derive(Debug)]
pub(super) enum Stateful {
    /// In synchronization with the sender.
    InStep(Box<Rc4>),
    /// A frame is missing: frames are discarded until one with the A bit.
    Discarding {
        /// When the next Reset-Request is due.
        next_request: Instant,
    },
}

/// Where a frame is in the sequence of frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The count of the next frame if nothing is lost.
    pub(super) expected: u16,
    /// How many counts it is after that, modulo 4096.
    pub(super) skipped: u16,
    /// The distance in GRE numbers from the last good frame: no more frames were lost.
    pub(super) gap: u32,
}

impl Stateful {
    pub(super) fn new(stream: Rc4) -> Stateful {
        Stateful::InStep(Box::new(stream))
    }

    /// Decrypts in place a frame. `spend` is called before more key changes than a frame without loss needs.
    pub(super) fn decrypt(
        &mut self,
        now: Instant,
        keys: &mut KeySchedule,
        place: Place,
        header: Header,
        data: &mut [u8],
        spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<(), Refusal> {
        let Place { skipped, gap, .. } = place;
        if skipped >= COUNT_MODULUS / 2 && u32::from(skipped) >= gap {
            return Err(Refusal::Noise); // an old count: late, after its gap was given up
        }
        let flags = place.flags(0);
        let is_next = skipped == 0 && gap <= u32::from(COUNT_MODULUS);
        let in_turn = is_next && matches!(self, Stateful::InStep(_));
        if let (Stateful::InStep(stream), true, 0, false) = (&mut *self, in_turn, flags, header.flushed) {
            stream.apply(data);
            let peek = data.get(..data.len().min(PEEK)).unwrap_or_default();
            if is_packet(peek, data.len(), Proof::Fields) {
                return Ok(());
            }
            self.lose_step(now);
            return Err(Refusal::Noise);
        }
        if !header.flushed && !in_turn {
            self.lose_step(now);
            return Err(Refusal::Discarded);
        }
        // With the A bit the sender reinitializes RC4 with the current key (RFC 3078, FreeBSD), or changes
        // the key once more before that (Linux): try which one gives a packet. So many frames may be lost that the count has
        // gone around.
        let mut tried = keys.clone();
        let mut changes = flags;
        for turn in 0..=(gap / u32::from(COUNT_MODULUS)).min(MAX_TURNS) {
            if turn > 0 {
                changes = place.flags(turn) - place.flags(turn - 1);
                if !spend(changes + 2) {
                    self.lose_step(now);
                    return Err(Refusal::Throttled);
                }
            }
            for _ in 0..changes {
                tried.advance();
            }
            let mut once_more = tried.clone();
            once_more.advance();
            for key in [&tried, &once_more] {
                if opens(key, data, Proof::Checksum) {
                    let mut stream = key.cipher();
                    stream.apply(data);
                    *keys = key.clone();
                    *self = Stateful::new(stream);
                    return Ok(());
                }
            }
        }
        self.lose_step(now);
        Err(Refusal::Noise)
    }

    fn lose_step(&mut self, now: Instant) {
        if matches!(self, Stateful::InStep(_)) {
            *self = Stateful::Discarding { next_request: now };
        }
    }

    pub(super) fn poll_reset_request(&mut self, now: Instant) -> bool {
        match self {
            Stateful::Discarding { next_request } if *next_request <= now => {
                *next_request = now + REPEAT;
                true
            }
            _ => false,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Stateful::Discarding { next_request } => Some(*next_request),
            Stateful::InStep(_) => None,
        }
    }
}

impl Place {
    /// The flag packets, which have the low octet FF and change the key (RFC 3078 section 7.2), from the expected count to
    /// this one, if the count has gone around so many times.
    fn flags(self, turns: u32) -> u32 {
        let to = u32::from(self.expected) + u32::from(self.skipped) + turns * u32::from(COUNT_MODULUS) + 1;
        (to >> 8) - u32::from(self.expected >> 8)
    }
}
