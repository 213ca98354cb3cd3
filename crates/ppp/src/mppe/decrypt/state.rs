//! The key state of one direction, and the trial of a frame, which changes none of it.

use std::fmt;

use adit_crypto::mppe::KeySchedule;
use adit_crypto::rc4::Rc4;
use adit_wire::mppe::{COUNT_MODULUS, HEADER, Header};

use super::super::plausible::Content;
use super::Refusal;
use super::found::Found;
use super::reach::Reach;
use super::stateful::{self, Place};

/// How many times the coherency count may have wrapped, if more than 4095 GRE numbers are missing.
pub(super) const MAX_TURNS: u32 = 7;
/// How many more GRE numbers than frames may be missing: control frames have a number and no count.
const CONTROL_FRAMES: u32 = 64;

/// The keys after the last good frame. A copy is independent.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) keys: KeySchedule,
    /// The key stream of stateful mode.
    pub(super) stream: Option<Box<Rc4>>,
    /// The number of the next frame if nothing is lost, from the start of the keys. Its count is that modulo 4096.
    pub(super) next: u64,
    /// GRE sequence number of the last good frame.
    pub(super) last_seq: Option<u32>,
}

/// The additional work for which a frame asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Price {
    pub(super) changes: u32,
    /// The GRE numbers agree with the count: a forged frame with random values rarely does.
    pub(super) is_consistent: bool,
}

/// A frame that decrypts to something plausible. Nothing was changed by finding that out.
pub struct Opened {
    found: Found,
    seq: u32,
    skipped: u64,
}

impl Opened {
    /// What the frame contains.
    pub fn content(&self) -> Content {
        self.found.content
    }

    /// The first decrypted octets: protocol number, then up to 60 octets of the packet.
    pub fn head(&self) -> &[u8] {
        self.found.head.get(..self.found.len).unwrap_or_default()
    }

    /// The number of frames between the last good one and this one.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// Without octets of the packet.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({:?}, {} skipped)", self.found.content, self.skipped)
    }
}

impl State {
    /// The count of the next frame if nothing is lost.
    pub(super) fn expected(&self) -> u16 {
        (self.next % u64::from(COUNT_MODULUS)) as u16
    }

    /// How many counts `header` skips, modulo 4096.
    pub(super) fn skipped(&self, header: Header) -> u16 {
        header.count.wrapping_sub(self.expected()) % COUNT_MODULUS
    }

    /// Whether the bits of a frame are those that were agreed on.
    pub(super) fn is_agreed(&self, header: Header) -> bool {
        let is_plain_mppe = header.encrypted && !header.compressed && !header.at_front;
        is_plain_mppe && (self.stream.is_some() || header.flushed)
    }

    /// Finds the key of a frame. Only keys that are computed ahead are kept; the state is unchanged.
    pub(super) fn trial(
        &mut self,
        reach: &mut Reach,
        seq: u32,
        frame: &[u8],
        spend: &mut dyn FnMut(Price) -> bool,
    ) -> Result<Opened, Refusal> {
        let header = Header::parse(frame).map_err(|_| Refusal::NotAsAgreed)?;
        if !self.is_agreed(header) {
            return Err(Refusal::NotAsAgreed);
        }
        let data = frame.get(HEADER..).unwrap_or_default();
        let skipped = self.skipped(header);
        // The distance in GRE numbers from the last good frame; a smaller number gives no information.
        let gap = self.last_seq.map_or(0, |last| seq.wrapping_sub(last).cast_signed().max(0).unsigned_abs());
        let turn = u32::from(COUNT_MODULUS);
        // Control frames among the missing numbers, if all else was lost.
        let others = gap.checked_sub(u32::from(skipped) + 1);
        let is_consistent = others.is_some_and(|others| others % turn <= CONTROL_FRAMES);
        let turns = others.map_or(0, |others| others / turn);
        let place = Place {
            expected: self.expected(),
            skipped,
            gap,
            turns: if turns > MAX_TURNS { 0 } else { turns },
        };
        let spend = &mut |changes| spend(Price { changes, is_consistent });
        let (found, turns) = match &self.stream {
            Some(stream) => stateful::find(stream, &self.keys, place, header, data, spend)?,
            None => self.find_stateless(reach, place, data, spend)?,
        };
        Ok(Opened { found, seq, skipped: u64::from(skipped) + u64::from(turns * turn) })
    }

    fn find_stateless(
        &mut self,
        reach: &mut Reach,
        place: Place,
        data: &[u8],
        spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<(Found, u32), Refusal> {
        let key = match self.keys.nth(place.skipped) {
            Some(key) => key,
            None => reach.key(&self.keys, self.next, place.skipped, spend)?,
        };
        let mut far = self.keys.clone();
        far.return_to(&key);
        if let Some(found) = Found::at_start(key, data) {
            return Ok((found, 0));
        }
        for turn in 1..=place.turns {
            if !spend(u32::from(COUNT_MODULUS)) {
                return Err(Refusal::Throttled);
            }
            (0..COUNT_MODULUS).for_each(|_| far.advance());
            if let Some(found) = Found::at_start(far.key(), data) {
                return Ok((found, turn));
            }
        }
        Err(Refusal::Noise)
    }

    /// Decrypts the frame of the trial in place, and moves the state behind it. Returns what is inside: a protocol
    /// number, and the packet.
    pub fn accept<'a>(&mut self, opened: Opened, frame: &'a mut [u8]) -> &'a mut [u8] {
        let Opened { found, seq, skipped } = opened;
        let Found { key, mut cipher, head, len, .. } = found;
        let data = frame.get_mut(HEADER..).unwrap_or_default();
        if let (Some(to), Some(head)) = (data.get_mut(..len), head.get(..len)) {
            to.copy_from_slice(head);
        }
        cipher.apply(data.get_mut(len..).unwrap_or_default());
        match &mut self.stream {
            Some(stream) => {
                self.keys.return_to(&key);
                **stream = cipher;
            }
            None => self.keys.advance_to(u32::try_from(skipped).unwrap_or(u32::MAX), &key),
        }
        self.next += skipped + 1;
        self.last_seq = Some(seq);
        data
    }
}
