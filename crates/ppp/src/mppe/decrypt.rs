//! The receiving side of MPPE.
//!
//! The coherency count of a frame gives the number of key changes since the last good frame, modulo 4096. The GRE
//! sequence numbers, which have 32 bits, limit how many frames can have been lost. Both are in clear, so neither
//! is trusted: [`Decryptor::trial`] finds the key of a frame without changing the state, and
//! [`Decryptor::accept`] changes it once the owner is content with what is inside.

mod found;
mod reach;
mod state;
mod stateful;

use std::time::Instant;

use adit_crypto::mppe::{KeySchedule, SessionKey, StartKey, Strength};
use adit_wire::mppe::Header;

use self::reach::Reach;
use self::state::Price;
use self::stateful::Reset;
use super::plausible::{PEEK, content};
use super::work::Work;

pub use self::state::{Opened, State};

/// Decrypts the frames of one link.
#[derive(Debug)]
pub struct Decryptor {
    state: State,
    reach: Reach,
    /// For frames whose GRE number and count agree, as after a loss.
    work: Work,
    /// For all others, so that they take nothing from those.
    odd_work: Work,
    reset: Option<Reset>,
}

/// The state before a frame was decrypted as the next one, to be restored.
#[derive(Clone, Debug)]
pub struct Begun {
    before: SessionKey,
    number: u64,
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
    /// A frame is missing in stateful mode; only one with the A bit can be decrypted.
    Discarded,
}

impl Decryptor {
    /// Starts at count 0 with the keys derived from a start key.
    pub fn new(start: &StartKey, strength: Strength, stateless: bool) -> Decryptor {
        let keys = KeySchedule::new(start, strength);
        let stream = (!stateless).then(|| Box::new(keys.cipher()));
        let state = State { keys, stream, next: 0, last_seq: None };
        let (work, odd_work) = (Work::new(), Work::new());
        Decryptor { state, reach: Reach::default(), work, odd_work, reset: None }
    }

    /// Finds out whether `frame`, the information field of a 00FD frame that arrived in the GRE packet with number
    /// `seq`, decrypts to something plausible. Changes nothing. `may_spend` is called before key changes beyond those
    /// that a frame with a small gap needs.
    ///
    /// # Errors
    /// Why the frame is not to be used.
    pub fn trial(
        &mut self,
        now: Instant,
        seq: u32,
        frame: &[u8],
        may_spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Opened, Refusal> {
        let works = (&mut self.work, &mut self.odd_work);
        self.state.trial(&mut self.reach, seq, frame, &mut budget(now, works, may_spend))
    }

    /// As [`Decryptor::trial`], with a state other than the current one.
    ///
    /// # Errors
    /// Why the frame is not to be used.
    pub fn trial_with(
        &mut self,
        state: &mut State,
        now: Instant,
        seq: u32,
        frame: &[u8],
        may_spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Opened, Refusal> {
        let works = (&mut self.work, &mut self.odd_work);
        state.trial(&mut Reach::default(), seq, frame, &mut budget(now, works, may_spend))
    }

    /// Decrypts the frame of a trial in place, and continues behind it. Returns the protocol number and packet inside.
    pub fn accept<'a>(&mut self, opened: Opened, frame: &'a mut [u8]) -> &'a mut [u8] {
        self.reset = None;
        self.state.accept(opened, frame)
    }

    /// [`Decryptor::trial`], and [`Decryptor::accept`] if it succeeds: for an owner that has no better proof.
    ///
    /// # Errors
    /// The frame is to be dropped; its octets are unchanged.
    pub fn decrypt<'a>(
        &mut self,
        now: Instant,
        seq: u32,
        frame: &'a mut [u8],
        may_spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<&'a mut [u8], Refusal> {
        match self.trial(now, seq, frame, may_spend) {
            Ok(opened) => Ok(self.accept(opened, frame)),
            Err(refusal) => {
                if refusal == Refusal::Discarded {
                    self.request_reset(now);
                }
                Err(refusal)
            }
        }
    }

    /// The current state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Continues with another state of the same keys. Returns the one before.
    pub fn replace(&mut self, state: State) -> State {
        self.reach.clear();
        self.reset = None;
        std::mem::replace(&mut self.state, state)
    }

    /// Whether frames share key streams, so that each must wait for its predecessor.
    pub fn is_stateful(&self) -> bool {
        self.state.stream.is_some()
    }

    /// How many frames `frame` skips by its count, modulo 4096; `None` if it has no header.
    pub fn skipped(&self, frame: &[u8]) -> Option<u16> {
        Header::parse(frame).ok().map(|header| self.state.skipped(header))
    }

    /// Whether `frame` is in stateless mode and has the expected count: then it can be decrypted in two
    /// halves, in parallel with the frames of other calls. Any other frame needs [`Decryptor::trial`],
    /// after all begun frames are finished.
    pub fn is_next(&self, frame: &[u8]) -> bool {
        self.state.stream.is_none()
            && Header::parse(frame)
                .is_ok_and(|header| self.state.is_agreed(header) && header.count == self.state.expected())
    }

    /// Begins to decrypt a frame for which [`Decryptor::is_next`] holds: returns the key whose RC4 stream,
    /// from its beginning, decrypts the frame after its header. More frames may be begun before it is
    /// finished.
    pub fn begin(&mut self) -> (SessionKey, Begun) {
        let state = &mut self.state;
        let begun = Begun { before: state.keys.key(), number: state.next };
        state.keys.advance();
        state.next += 1;
        (state.keys.key(), begun)
    }

    /// The key schedule of the next frames, if each frame has its own key.
    pub fn keys(&mut self) -> Option<&mut KeySchedule> {
        self.state.stream.is_none().then_some(&mut self.state.keys)
    }

    /// Finishes a begun frame: `data` is the frame after its header, decrypted. False if it is noise: then
    /// the state is as before this frame was begun, and this frame and all begun after it must go through
    /// [`Decryptor::trial`], in the original form.
    pub fn finish(&mut self, seq: u32, begun: &Begun, data: &[u8]) -> bool {
        let is_good = content(data.get(..data.len().min(PEEK)).unwrap_or_default(), data.len()).is_some();
        if is_good {
            self.state.last_seq = Some(seq);
        } else {
            self.state.keys.return_to(&begun.before);
            self.state.next = begun.number;
        }
        is_good
    }

    /// Requests a reset: a frame in stateful mode cannot be decrypted because one before it is missing.
    pub fn request_reset(&mut self, now: Instant) {
        if self.is_stateful() {
            Reset::want(&mut self.reset, now);
        }
    }

    /// Whether a reset was requested and has not arrived.
    pub fn awaits_reset(&self) -> bool {
        self.reset.is_some()
    }

    /// Whether a CCP Reset-Request must be sent now (stateful mode only).
    pub fn poll_reset_request(&mut self, now: Instant) -> bool {
        self.reset.as_mut().is_some_and(|reset| reset.poll(now))
    }

    /// When the next Reset-Request is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.reset.as_ref().and_then(Reset::poll_timeout)
    }
}

/// The limits of this link, then that of its owner.
fn budget<'a>(
    now: Instant,
    (work, odd_work): (&'a mut Work, &'a mut Work),
    may_spend: &'a mut dyn FnMut(u32) -> bool,
) -> impl FnMut(Price) -> bool {
    move |price: Price| {
        let work = if price.is_consistent { &mut *work } else { &mut *odd_work };
        price.changes == 0 || work.spend(now, price.changes) && may_spend(price.changes)
    }
}
