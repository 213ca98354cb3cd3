//! Reception while MPPE is up: only a frame that decrypts to something plausible moves the window, what is
//! acknowledged, and the keys.
//!
//! A frame whose number is in the window is decrypted on trial. If it is the next by its coherency count,
//! nothing is missing before it, whatever its number: the numbers between are those of control frames.
//! Otherwise it waits for the missing ones, as it is. A frame outside the window is a jump: a
//! restarted peer, or a long loss. The first one that decrypts is kept, with its keys, until a second one after it
//! decrypts too. The range before the jump, with its keys, is kept for some seconds.

use std::ops::Range;
use std::time::{Duration, Instant};

use adit_ppp::mppe::{Content, Opened, Refusal, State};
use adit_pptp::gre::{Place, Position};
use adit_wire::ppp;

use super::clear::Repeats;
use super::doubt::Doubt;
use super::sent::Sent;
use super::{Encryption, Origin, Path, PathEvent, Sink};

/// How long the range before a jump is kept.
const KEPT: Duration = Duration::from_secs(10);
/// The largest distance of the second frame of a jump from the first, and of a frame from a range that was left.
const NEAR: u32 = 64;
/// A frame behind the range is from a restarted peer only if it skips fewer counts than this: the count of a late one is
/// behind, too.
const FEW: u16 = 64;

/// What is kept beside the current range and keys.
#[derive(Debug, Default)]
pub(super) struct Proof {
    jump: Option<Box<Jump>>,
    left: Option<Box<Left>>,
    pub(super) doubt: Doubt,
    pub(super) repeats: Repeats,
    /// The last data packets to the peer, while one of them may be rejected.
    pub(super) sent: Option<Box<Sent>>,
}

impl Proof {
    /// What is kept from the beginning of new keys; without keys, nothing is sent that could be rejected.
    pub(super) fn new(has_keys: bool) -> Proof {
        Proof { sent: has_keys.then(Box::default), ..Proof::default() }
    }
}

/// The first plausible frame of another range.
#[derive(Debug)]
struct Jump {
    seq: u32,
    /// The keys after it.
    state: State,
    /// Decrypted: protocol number and packet.
    inner: Vec<u8>,
}

/// The range before a jump.
#[derive(Debug)]
struct Left {
    position: Position,
    state: State,
    until: Instant,
}

/// A data packet of the peer.
#[derive(Clone, Copy, Debug)]
struct Arrived {
    now: Instant,
    seq: u32,
    ack: Option<u32>,
    /// Where the information field starts in the PPP frame.
    start: usize,
}

impl Path {
    /// Handles a PPP frame while MPPE is up.
    pub(super) fn handle_unproven(
        &mut self,
        now: Instant,
        (seq, ack): (u32, Option<u32>),
        frame: &mut [u8],
        sink: &mut dyn Sink,
    ) {
        match ppp::frame(frame) {
            Ok((ppp::COMPRESSED, information)) => {
                let start = frame.len() - information.len();
                self.handle_encrypted(Arrived { now, seq, ack, start }, frame, sink);
            }
            Ok((protocol, _)) => self.handle_clear(now, seq, protocol, frame, sink),
            Err(_) => self.counters.malformed += 1,
        }
        self.release(now, sink);
    }

    fn handle_encrypted(&mut self, arrived: Arrived, frame: &mut [u8], sink: &mut dyn Sink) {
        let Arrived { seq, start, .. } = arrived;
        let place = self.receiver.place(seq);
        if let Place::Ahead(gap) = place {
            return self.handle_in_window(arrived, gap, frame, sink);
        }
        if self.resume(arrived, frame, sink) {
            return self.handle_encrypted(arrived, frame, sink);
        }
        let information = frame.get(start..).unwrap_or_default();
        let skipped =
            self.encryption.as_ref().and_then(|encryption| encryption.decryptor.skipped(information));
        let is_old = place != Place::Far && skipped.is_none_or(|skipped| skipped >= FEW);
        if !is_old && self.jump(arrived, frame, sink) {
            return;
        }
        match place {
            Place::Seen => self.receiver.count_duplicate(),
            _ => self.receiver.count_out_of_window(),
        }
    }

    /// Handles a frame whose number is expected soon: `gap` after the last good one.
    fn handle_in_window(&mut self, arrived: Arrived, gap: u32, frame: &mut [u8], sink: &mut dyn Sink) {
        let Arrived { now, seq, start, .. } = arrived;
        let Some(encryption) = &mut self.encryption else { return };
        // While a reset is awaited, frames before this one are given up already.
        let may_wait = gap > 1 && self.config.reorder_packets > 0 && !encryption.decryptor.awaits_reset();
        let information = frame.get(start..).unwrap_or_default();
        match encryption.decryptor.trial(now, seq, information, &mut |changes| sink.may_spend(changes)) {
            Ok(opened) if opened.skipped() > 0 && may_wait => {
                let is_stateful = encryption.decryptor.is_stateful();
                if !self.receiver.hold_back(now, seq, frame, !is_stateful) {
                    self.receiver.count_duplicate();
                }
            }
            Ok(opened) => self.deliver(arrived, opened, frame, sink),
            // It may only be early.
            Err(Refusal::Discarded) if may_wait && self.receiver.hold_back(now, seq, frame, false) => {}
            Err(refusal) => self.refuse(now, seq, refusal, true, sink),
        }
    }

    /// Counts a frame that did not decrypt. `is_near`: its number is expected soon.
    fn refuse(&mut self, now: Instant, seq: u32, refusal: Refusal, is_near: bool, sink: &mut dyn Sink) {
        match refusal {
            Refusal::Throttled => self.counters.throttled += 1,
            Refusal::Discarded => {
                self.counters.decrypt_failures += u64::from(is_near);
                if let Some(encryption) = &mut self.encryption {
                    encryption.decryptor.request_reset(now);
                }
            }
            Refusal::NotAsAgreed | Refusal::Noise => {
                self.counters.decrypt_failures += u64::from(is_near);
                if self.proof.doubt.note_bad(now, seq, is_near) && !self.broken {
                    self.broken = true;
                    sink.event(PathEvent::EncryptionBroken);
                }
            }
        }
    }

    /// Accepts a frame of the range, and passes on what is inside.
    fn deliver(&mut self, arrived: Arrived, opened: Opened, frame: &mut [u8], sink: &mut dyn Sink) {
        let information = frame.get_mut(arrived.start..).unwrap_or_default();
        let Some((protocol, at)) = self.accept(arrived, opened, information, sink) else { return };
        self.deliver_inner(protocol, information.get_mut(at..).unwrap_or_default(), sink);
    }

    /// Accepts a frame of the range: the window moves to it. Decrypts it, and returns the protocol inside, and the
    /// offset of its packet in the information field; `None` if it is handled.
    fn accept(
        &mut self,
        arrived: Arrived,
        opened: Opened,
        information: &mut [u8],
        sink: &mut dyn Sink,
    ) -> Option<(u16, usize)> {
        let Arrived { now, seq, ack, .. } = arrived;
        let len = information.len();
        let is_control = opened.content() == Content::Control;
        let inner = self.encryption.as_mut()?.decryptor.accept(opened, information);
        self.receiver.prove(seq);
        if is_control {
            self.handle_control(inner, Origin::Mppe, sink);
        }
        let inner = ppp::frame(inner).map(|(protocol, packet)| (protocol, len - packet.len()));
        self.note_proven(now, seq, ack, sink);
        inner.ok().filter(|_| !is_control)
    }

    /// Records that a packet with this number and acknowledgment is genuine.
    pub(super) fn note_proven(&mut self, now: Instant, seq: u32, ack: Option<u32>, sink: &mut dyn Sink) {
        self.handle_ack(now, ack, sink);
        self.acks.received(now, seq);
        self.proof.jump = None;
        self.proof.doubt.note_good();
        if self.proof.sent.as_ref().is_some_and(|sent| sent.is_over(now)) {
            self.proof.sent = None;
        }
    }

    /// Decrypts the information field of a frame that is the next by number and count. Returns the protocol
    /// inside and the range of its packet in `packet`; the outer `None` if it must take the ordinary path.
    pub(super) fn open_next(
        &mut self,
        now: Instant,
        (seq, ack): (u32, Option<u32>),
        packet: &mut [u8],
        information: Range<usize>,
        sink: &mut dyn Sink,
    ) -> Option<Option<(u16, Range<usize>)>> {
        let frame = packet.get_mut(information.clone())?;
        let Encryption { decryptor, .. } = self.encryption.as_mut()?;
        if decryptor.skipped(frame) != Some(0) || !self.receiver.is_next(seq) {
            return None;
        }
        let opened = decryptor.trial(now, seq, frame, &mut |changes| sink.may_spend(changes)).ok()?;
        let inner = self.accept(Arrived { now, seq, ack, start: 0 }, opened, frame, sink);
        Some(inner.map(|(protocol, at)| (protocol, information.start + at..information.end)))
    }

    /// Processes frames that waited and are now the next, or have waited long enough.
    pub(super) fn release(&mut self, now: Instant, sink: &mut dyn Sink) {
        while let (Some((seq, frame)), Some(encryption)) = (self.receiver.first_held(), &self.encryption) {
            let (protocol, start) = match ppp::frame(frame) {
                Ok((protocol, information)) => (protocol, frame.len() - information.len()),
                Err(_) => (0, 0),
            };
            let is_next = encryption.decryptor.skipped(frame.get(start..).unwrap_or_default()) == Some(0);
            if protocol == ppp::COMPRESSED && !is_next && !self.receiver.gives_up(now) {
                return;
            }
            self.release_first(now, seq, protocol, start, sink);
        }
    }

    /// Processes the first frame that waits, whether or not others are missing.
    fn release_first(&mut self, now: Instant, seq: u32, protocol: u16, start: usize, sink: &mut dyn Sink) {
        let Some((_, mut frame)) = self.receiver.take_held() else { return };
        if protocol != ppp::COMPRESSED {
            // It has waited since before MPPE was up.
            return self.handle_clear(now, seq, protocol, &frame, sink);
        }
        let Some(encryption) = &mut self.encryption else { return };
        let information = frame.get(start..).unwrap_or_default();
        match encryption.decryptor.trial(now, seq, information, &mut |changes| sink.may_spend(changes)) {
            Ok(opened) => self.deliver(Arrived { now, seq, ack: None, start }, opened, &mut frame, sink),
            Err(refusal) => self.refuse(now, seq, refusal, true, sink),
        }
    }

    /// Handles a frame outside the window as a part of a jump. False if it is not.
    fn jump(&mut self, arrived: Arrived, frame: &mut [u8], sink: &mut dyn Sink) -> bool {
        let Arrived { now, seq, start, .. } = arrived;
        let Some(encryption) = &mut self.encryption else { return false };
        let information = frame.get(start..).unwrap_or_default();
        let may_spend = &mut |changes| sink.may_spend(changes);
        if let Some(jump) = &mut self.proof.jump
            && (1..=NEAR).contains(&seq.wrapping_sub(jump.seq))
            && let Ok(second) =
                encryption.decryptor.trial_with(&mut jump.state, now, seq, information, may_spend)
            && self.gate.as_ref().is_some_and(|gate| gate.vouches(second.content(), second.head()))
        {
            self.confirm_jump(now, sink);
            self.handle_encrypted(arrived, frame, sink);
            return true;
        }
        match encryption.decryptor.trial(now, seq, information, may_spend) {
            Ok(first)
                if self.gate.as_ref().is_some_and(|gate| gate.vouches(first.content(), first.head())) =>
            {
                let mut state = encryption.decryptor.state().clone();
                let inner = state.accept(first, &mut information.to_vec()).to_vec();
                self.proof.jump = Some(Box::new(Jump { seq, state, inner }));
                true
            }
            Ok(_) => false,
            Err(refusal) => {
                self.refuse(now, seq, refusal, false, sink);
                refusal == Refusal::Throttled
            }
        }
    }

    /// Moves the window and the keys to the first frame of a confirmed jump, and passes on what is inside.
    fn confirm_jump(&mut self, now: Instant, sink: &mut dyn Sink) {
        let Some(jump) = self.proof.jump.take() else { return };
        let Jump { seq, state, mut inner } = *jump;
        // All that waits is before the jump.
        while let Some((seq, frame)) = self.receiver.first_held() {
            let (protocol, start) = match ppp::frame(frame) {
                Ok((protocol, information)) => (protocol, frame.len() - information.len()),
                Err(_) => (0, 0),
            };
            self.release_first(now, seq, protocol, start, sink);
        }
        let Some(encryption) = &mut self.encryption else { return };
        let position = self.receiver.go_to(seq);
        let state = encryption.decryptor.replace(state);
        self.proof.left = Some(Box::new(Left { position, state, until: now + KEPT }));
        self.note_proven(now, seq, None, sink);
        if let Ok((protocol, packet)) = ppp::frame(&inner) {
            let at = inner.len() - packet.len();
            self.deliver_inner(protocol, inner.get_mut(at..).unwrap_or_default(), sink);
        }
    }

    /// Resumes the range that was left last if the frame decrypts as one of its next. The current one is kept in its place.
    fn resume(&mut self, arrived: Arrived, frame: &[u8], sink: &mut dyn Sink) -> bool {
        let Arrived { now, seq, start, .. } = arrived;
        if self.proof.left.as_ref().is_some_and(|left| left.until <= now) {
            self.proof.left = None;
        }
        let (Some(left), Some(encryption)) = (&mut self.proof.left, &mut self.encryption) else {
            return false;
        };
        let information = frame.get(start..).unwrap_or_default();
        let is_next = (1..=NEAR).contains(&left.position.distance(seq))
            && encryption
                .decryptor
                .trial_with(&mut left.state, now, seq, information, &mut |changes| sink.may_spend(changes))
                .is_ok_and(|opened| {
                    self.gate.as_ref().is_some_and(|gate| gate.vouches(opened.content(), opened.head()))
                });
        if !is_next {
            return false;
        }
        if let Some(left) = self.proof.left.take() {
            let Left { position, state, .. } = *left;
            while self.receiver.take_held().is_some() {
                self.receiver.count_out_of_window();
            }
            let position = self.receiver.resume(position);
            let state = encryption.decryptor.replace(state);
            self.proof.left = Some(Box::new(Left { position, state, until: now + KEPT }));
        }
        true
    }
}
