//! Session keys computed before their packets arrive, interleaved with the cipher work of other packets.
//!
//! Each session key is derived from the one before it by an RC4 key schedule (RFC 3078 section 7.3) in which every step
//! depends on the one before: alone it takes a third of the time of a whole packet. Interleaved with the packets of a
//! batch it costs much less. The chain depends on no packet, so the keys of the next batch are computed with this one.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{KeySchedule, SessionKey};
use crate::rc4::{self, Job};

/// The most keys kept ahead: a batch of packets.
const AHEAD: usize = 64;

/// The next session keys, in order.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Ahead {
    keys: [[u8; 16]; AHEAD],
    first: usize,
    count: usize,
}

impl Ahead {
    fn new() -> Box<Ahead> {
        Box::new(Ahead { keys: [[0; 16]; AHEAD], first: 0, count: 0 })
    }

    pub(super) fn take(&mut self) -> Option<[u8; 16]> {
        self.count = self.count.checked_sub(1)?;
        let key = self.keys.get(self.first).copied();
        self.first = (self.first + 1) % AHEAD;
        key
    }

    fn get(&self, place: usize) -> Option<[u8; 16]> {
        let is_kept = place < self.count;
        self.keys.get((self.first + place) % AHEAD).filter(|_| is_kept).copied()
    }

    fn skip(&mut self, keys: usize) {
        let keys = keys.min(self.count);
        self.first = (self.first + keys) % AHEAD;
        self.count -= keys;
    }

    fn last(&self) -> Option<&[u8; 16]> {
        self.keys.get((self.first + self.count.checked_sub(1)?) % AHEAD)
    }

    fn put(&mut self, key: [u8; 16]) {
        if let Some(slot) = self.keys.get_mut((self.first + self.count) % AHEAD) {
            *slot = key;
            self.count += 1;
        }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
    }
}

/// A source of key schedules whose next keys will be needed soon.
pub trait Wanting {
    /// One that has space for a key, [`KeySchedule::has_space`]; `None`: no more keys are needed.
    fn wanting(&mut self) -> Option<&mut KeySchedule>;
}

/// Encrypts or decrypts every packet from the beginning of the stream of its own key, and computes as many keys ahead
/// as fit beside that work.
pub fn apply_each(jobs: &mut [Job<'_>], wanting: &mut dyn Wanting) {
    rc4::apply_each_beside(jobs, &mut |encrypt| make_one(wanting, encrypt));
}

/// [`apply_each`] in the portable form of RC4, whatever the processor: for tests and measurements.
#[doc(hidden)]
pub fn apply_each_portable(jobs: &mut [Job<'_>], wanting: &mut dyn Wanting) {
    rc4::portable::apply_each_beside(jobs, &mut |encrypt| make_one(wanting, encrypt));
}

fn make_one(wanting: &mut dyn Wanting, encrypt: &mut dyn FnMut(&mut [u8; 16])) -> bool {
    let schedule = wanting.wanting();
    schedule.map(|schedule| schedule.make_ahead(encrypt)).is_some()
}

impl KeySchedule {
    /// How many keys were computed ahead.
    pub fn ahead(&self) -> usize {
        self.ahead.as_ref().map_or(0, |ahead| ahead.count)
    }

    /// Whether one more key can be kept ahead.
    pub fn has_space(&self) -> bool {
        self.ahead() < AHEAD
    }

    /// The number of keys that [`KeySchedule::nth`] reaches.
    pub const REACH: u16 = AHEAD as u16;

    /// The key after `skipped` + 1 changes, which are not made; `None` from [`KeySchedule::REACH`] on. Keys beyond
    /// the next one are computed ahead and kept, so that no key is computed twice.
    pub fn nth(&mut self, skipped: u16) -> Option<SessionKey> {
        let skipped = usize::from(skipped);
        if skipped >= AHEAD {
            return None;
        }
        if skipped == 0 && self.ahead() == 0 {
            // The usual case needs no memory for it.
            let mut next = self.clone();
            next.advance();
            return Some(next.key());
        }
        let len = self.strength.key_len();
        while self.ahead() <= skipped {
            self.make_ahead(&mut |key| rc4::of_itself(key, len));
        }
        let octets = self.ahead.as_ref().and_then(|ahead| ahead.get(skipped))?;
        Some(SessionKey { octets, strength: self.strength })
    }

    /// Makes `skipped` + 1 changes, the last of which leads to `key`.
    pub fn advance_to(&mut self, skipped: u32, key: &SessionKey) {
        match &mut self.ahead {
            Some(ahead) if (skipped as usize) < ahead.count => ahead.skip(skipped as usize + 1),
            Some(ahead) => ahead.clear(),
            None => {}
        }
        self.session = key.octets;
    }

    /// Computes one key ahead; `encrypt` encrypts a key with itself, one of 8 octets as twice the same.
    pub(super) fn make_ahead(&mut self, encrypt: &mut dyn FnMut(&mut [u8; 16])) {
        let len = self.strength.key_len();
        let ahead = self.ahead.get_or_insert_with(Ahead::new);
        let last = ahead.last().unwrap_or(&self.session);
        let mut key = super::key_from_sha(&self.start, last, len);
        key.copy_within(..16 - len, len);
        encrypt(&mut key);
        key[len..].fill(0);
        self.strength.weaken(&mut key);
        ahead.put(key);
        key.zeroize();
    }
}

#[cfg(test)]
mod tests;
