//! The receiving side of MPPE.
//!
//! The coherency count of a frame gives the number of key changes since the last frame, modulo 4096. The GRE
//! sequence numbers, which have 32 bits, limit how many frames can have been lost: a skip of at most as many
//! counts as GRE numbers are missing is explained by loss. Any other skip is a late, damaged or forged frame,
//! or the sender dropped frames after it had counted them; such a packet must also have a valid header
//! checksum.

mod stateful;

use std::time::{Duration, Instant};

use adit_crypto::mppe::{KeySchedule, SessionKey, StartKey, Strength};
use adit_wire::mppe::{COUNT_MODULUS, HEADER, Header};

use self::stateful::{Place, Stateful};
use super::plausible::{PEEK, Proof, is_packet};
use super::work::Work;

/// How many times the coherency count may have wrapped, if more than 4095 GRE numbers are missing.
const MAX_TURNS: u32 = 7;
/// What a frame without the agreed bits adds to the error count; a good frame halves the count.
const ERROR: u32 = 100;
/// The error count at which decryption is broken (the limit of Linux).
const ERROR_LIMIT: u32 = 1600;
/// The number of consecutive noise frames at which decryption is broken, if they also lasted [`NOISE_TIME`]:
/// the keys differ.
const NOISE_LIMIT: u32 = 20;
const NOISE_TIME: Duration = Duration::from_secs(10);

/// Decrypts the frames of one link, in the order of their GRE sequence numbers.
#[derive(Debug)]
pub struct Decryptor {
    keys: KeySchedule,
    /// The count of the next frame if nothing is lost.
    pub(super) expected: u16,
    /// GRE sequence number of the last good frame.
    last_seq: Option<u32>,
    /// The state of stateful mode.
    stateful: Option<Stateful>,
    work: Work,
    errors: u32,
    noise: Option<Noise>,
}

/// Consecutive noise frames since the last good one.
#[derive(Clone, Copy, Debug)]
struct Noise {
    frames: u32,
    since: Instant,
    last: Instant,
}

/// The state before a frame was decrypted as the next one, to be restored.
#[derive(Clone, Debug)]
pub struct Begun {
    before: SessionKey,
    count: u16,
}

/// Why a frame was dropped. The key state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Shorter than its header, D clear, A clear in stateless mode, or compression that was not agreed on.
    NotAsAgreed,
    /// The result is not a packet: the frame is damaged, late or forged, or the keys differ.
    Noise,
    /// The frame needs more key changes than the budget allows now.
    Throttled,
    /// A frame was lost in stateful mode; frames are discarded until one with the A bit.
    Discarded,
}

impl Decryptor {
    /// Starts at count 0 with the keys derived from a start key.
    pub fn new(start: &StartKey, strength: Strength, stateless: bool) -> Decryptor {
        let keys = KeySchedule::new(start, strength);
        let stateful = (!stateless).then(|| Stateful::new(keys.cipher()));
        let work = Work::new();
        Decryptor { keys, expected: 0, last_seq: None, stateful, work, errors: 0, noise: None }
    }

    /// Decrypts `frame`, the information field of a 00FD frame that came in the GRE packet with number `seq`,
    /// in place, and returns the protocol number and packet inside. `may_spend` is called before key changes
    /// beyond the frame's own.
    ///
    /// # Errors
    /// The frame is to be dropped; its octets may have been changed.
    pub fn decrypt<'a>(
        &mut self,
        now: Instant,
        seq: u32,
        frame: &'a mut [u8],
        may_spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<&'a mut [u8], Refusal> {
        let result = self.judge(now, seq, frame, may_spend);
        match result {
            Ok(()) => self.note_good(seq),
            Err(Refusal::NotAsAgreed) => self.errors = (self.errors + ERROR).min(ERROR_LIMIT),
            Err(Refusal::Noise) => {
                let noise = self.noise.get_or_insert(Noise { frames: 0, since: now, last: now });
                noise.frames = noise.frames.saturating_add(1);
                noise.last = now;
            }
            Err(Refusal::Throttled | Refusal::Discarded) => {}
        }
        result.map(|()| frame.get_mut(HEADER..).unwrap_or_default())
    }

    /// Whether frames share key streams, so that each must wait for its predecessor.
    pub fn is_stateful(&self) -> bool {
        self.stateful.is_some()
    }

    /// Whether `frame` is in stateless mode and has the expected count: then it can be decrypted in two
    /// halves, in parallel with the frames of other calls. Any other frame needs [`Decryptor::decrypt`],
    /// after all begun frames are finished.
    pub fn is_next(&self, seq: u32, frame: &[u8]) -> bool {
        let gap = self.last_seq.map_or(0, |last| seq.wrapping_sub(last).cast_signed());
        self.stateful.is_none()
            && gap <= i32::from(COUNT_MODULUS)
            && Header::parse(frame).is_ok_and(|header| {
                let agreed = header.encrypted && header.flushed && !header.compressed && !header.at_front;
                agreed && header.count == self.expected
            })
    }

    /// Begins to decrypt a frame for which [`Decryptor::is_next`] holds: returns the key whose RC4 stream,
    /// from its beginning, decrypts the frame after its header. More frames may be begun before it is
    /// finished.
    pub fn begin(&mut self) -> (SessionKey, Begun) {
        let begun = Begun { before: self.keys.key(), count: self.expected };
        self.keys.advance();
        self.expected = (begun.count + 1) % COUNT_MODULUS;
        (self.keys.key(), begun)
    }

    /// The key schedule of the next frames, if each frame has its own key.
    pub fn keys(&mut self) -> Option<&mut KeySchedule> {
        self.stateful.is_none().then_some(&mut self.keys)
    }

    /// Finishes a begun frame: `data` is the frame after its header, decrypted. False if it is noise: then
    /// the state is as before this frame was begun, and this frame and all begun after it must go through
    /// [`Decryptor::decrypt`], in the original form.
    pub fn finish(&mut self, seq: u32, begun: &Begun, data: &[u8]) -> bool {
        let good = is_packet(data.get(..data.len().min(PEEK)).unwrap_or_default(), data.len(), Proof::Fields);
        if good {
            self.note_good(seq);
        } else {
            self.keys.return_to(&begun.before);
            self.expected = begun.count;
        }
        good
    }

    fn note_good(&mut self, seq: u32) {
        self.errors /= 2;
        self.noise = None;
        self.last_seq = Some(seq);
    }

    /// Whether decryption cannot recover: the peer does not keep to what was agreed, or its keys differ.
    pub fn is_broken(&self) -> bool {
        self.errors >= ERROR_LIMIT
            || self.noise.is_some_and(|noise| {
                noise.frames >= NOISE_LIMIT && noise.last.saturating_duration_since(noise.since) >= NOISE_TIME
            })
    }

    /// Whether a CCP Reset-Request must be sent now (stateful mode only).
    pub fn poll_reset_request(&mut self, now: Instant) -> bool {
        self.stateful.as_mut().is_some_and(|stateful| stateful.poll_reset_request(now))
    }

    /// When the next Reset-Request is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.stateful.as_ref().and_then(Stateful::poll_timeout)
    }

    fn judge(
        &mut self,
        now: Instant,
        seq: u32,
        frame: &mut [u8],
        may_spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<(), Refusal> {
        let header = Header::parse(frame).map_err(|_| Refusal::NotAsAgreed)?;
        let data = frame.get_mut(HEADER..).unwrap_or_default();
        let agreed = header.encrypted && !header.compressed && !header.at_front;
        if !agreed || (self.stateful.is_none() && !header.flushed) {
            return Err(Refusal::NotAsAgreed);
        }
        let skipped = header.count.wrapping_sub(self.expected) % COUNT_MODULUS;
        // The distance in GRE numbers from the last good frame; a smaller number gives no information.
        let gap = self.last_seq.map_or(0, |last| seq.wrapping_sub(last).cast_signed().max(0).unsigned_abs());
        if let Some(stateful) = &mut self.stateful {
            let work = &mut self.work;
            let mut spend = |changes| work.spend(now, changes) && may_spend(changes);
            let place = Place { expected: self.expected, skipped, gap };
            stateful.decrypt(now, &mut self.keys, place, header, data, &mut spend)?;
        } else {
            self.stateless(now, gap, skipped, data, may_spend)?;
        }
        self.expected = (header.count + 1) % COUNT_MODULUS;
        Ok(())
    }

    fn stateless(
        &mut self,
        now: Instant,
        gap: u32,
        skipped: u16,
        data: &mut [u8],
        may_spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<(), Refusal> {
        let before = self.keys.key();
        let result = self.open(now, gap, skipped, data, may_spend);
        if result.is_err() {
            self.keys.return_to(&before);
        }
        result
    }

    /// Finds the key of a frame that skips this many counts, and decrypts it; the current key changes in any
    /// case.
    fn open(
        &mut self,
        now: Instant,
        gap: u32,
        skipped: u16,
        data: &mut [u8],
        may_spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<(), Refusal> {
        let turn = u32::from(COUNT_MODULUS);
        if skipped == 0 && gap <= turn {
            self.keys.advance();
            self.keys.cipher().apply(data);
            let peek = data.get(..data.len().min(PEEK)).unwrap_or_default();
            return if is_packet(peek, data.len(), Proof::Fields) { Ok(()) } else { Err(Refusal::Noise) };
        }
        let skipped = u32::from(skipped);
        for extra_turns in 0..=(gap / turn).min(MAX_TURNS) {
            let (changes, free) = if extra_turns == 0 { (skipped + 1, 1) } else { (turn, 0) };
            let extra = changes - free;
            if extra > 0 && !(self.work.spend(now, extra) && may_spend(extra)) {
                return Err(Refusal::Throttled);
            }
            for _ in 0..changes {
                self.keys.advance();
            }
            let is_loss = extra_turns == 0 && skipped < gap;
            let proof = if is_loss { Proof::Fields } else { Proof::Checksum };
            if opens(&self.keys, data, proof) {
                self.keys.cipher().apply(data);
                return Ok(());
            }
        }
        Err(Refusal::Noise)
    }
}

/// Whether `data` begins with a packet under the current key. `data` is not changed.
fn opens(keys: &KeySchedule, data: &[u8], proof: Proof) -> bool {
    let mut peek = [0; PEEK];
    let len = data.len().min(PEEK);
    peek[..len].copy_from_slice(&data[..len]);
    keys.cipher().apply(&mut peek[..len]);
    is_packet(&peek[..len], data.len(), proof)
}
