//! Stateful mode (RFC 3078 sections 7.2, 8.2): one RC4 stream over many frames, which the loss of one frame
//! breaks.

use std::time::{Duration, Instant};

use adit_crypto::mppe::KeySchedule;
use adit_crypto::rc4::Rc4;
use adit_wire::mppe::{COUNT_MODULUS, Header};

use super::super::plausible::{PEEK, Proof, is_packet};
use super::{Refusal, opens};

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

impl Stateful {
    pub(super) fn new(stream: Rc4) -> Stateful {
        Stateful::InStep(Box::new(stream))
    }

    /// Decrypts in place a frame that is `skipped` counts after the expected one.
    pub(super) fn decrypt(
        &mut self,
        now: Instant,
        keys: &mut KeySchedule,
        expected: u16,
        skipped: u16,
        header: Header,
        data: &mut [u8],
    ) -> Result<(), Refusal> {
        if skipped >= COUNT_MODULUS / 2 {
            return Err(Refusal::Noise); // an old count: late, after its gap was given up
        }
        // Flag packets, which have the low octet FF and change the key, from the expected count to this one.
        let flags = ((expected + skipped + 1) >> 8) - (expected >> 8);
        let in_turn = skipped == 0 && matches!(self, Stateful::InStep(_));
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
        // the key once more before that (Linux): try which one gives a packet.
        let mut tried = keys.clone();
        for _ in 0..flags {
            tried.advance();
        }
        if !opens(&tried, data, Proof::Checksum) {
            tried.advance();
            if !opens(&tried, data, Proof::Checksum) {
                self.lose_step(now);
                return Err(Refusal::Noise);
            }
        }
        let mut stream = tried.cipher();
        stream.apply(data);
        *keys = tried;
        *self = Stateful::new(stream);
        Ok(())
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
