//! Control frames in clear while MPPE is up.

use std::time::Instant;

use adit_pptp::gre::Place;
use adit_wire::{cp, gre, ppp};

use super::{Origin, Path, PathEvent, Sink};

/// How many frames are remembered.
const REMEMBERED: usize = 8;

/// The last control frames, to drop exact repetitions. A number alone does not make a frame a repetition: it
/// may be forged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repeats {
    frames: [Option<(u32, u64)>; REMEMBERED],
    next: usize,
}

impl Repeats {
    /// Whether the same frame with the same number was seen shortly before.
    fn is_repeat(&mut self, seq: u32, frame: &[u8]) -> bool {
        // FNV-1a: an attacker who knows the frame can only repeat it.
        let hash = frame.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01b3)
        });
        let seen = Some((seq, hash));
        let is_repeat = self.frames.contains(&seen);
        if !is_repeat && let Some(place) = self.frames.get_mut(self.next % REMEMBERED) {
            *place = seen;
            self.next = (self.next + 1) % REMEMBERED;
        }
        is_repeat
    }
}

impl Path {
    /// Handles a frame in clear while MPPE is up. It proves nothing, so it does not move the window, and waits for no
    /// other. A control frame is acknowledged; a forged one thereby claims no more than its sender could claim itself.
    pub(super) fn handle_clear(
        &mut self,
        now: Instant,
        seq: u32,
        protocol: u16,
        frame: &[u8],
        sink: &mut dyn Sink,
    ) {
        if matches!(protocol, ppp::IP | ppp::IPV6) {
            self.counters.clear_refused += 1;
            return;
        }
        let place = self.receiver.place(seq);
        if place == Place::Seen || self.proof.repeats.is_repeat(seq, frame) {
            return self.receiver.count_duplicate();
        }
        let highest = self.receiver.note_clear(seq);
        self.proof.doubt.note_clear(seq, highest.is_some());
        if let Some(highest) = highest {
            self.acks.received(now, highest);
        }
        self.handle_control(frame, Origin::Clear, sink);
        if self.is_rejected(now, frame) {
            sink.event(PathEvent::DataRejected);
        }
    }

    /// Passes a control frame to the link.
    pub(super) fn handle_control(&mut self, frame: &[u8], origin: Origin, sink: &mut dyn Sink) {
        if let Ok((ppp::CCP, [cp::RESET_REQUEST, ..])) = ppp::frame(frame)
            && let Some(encryption) = &mut self.encryption
        {
            encryption.encryptor.handle_reset_request();
        }
        self.counters.rx_frames += 1;
        sink.frame(frame, origin);
    }

    /// The Acknowledgment Number of a packet without payload.
    pub(super) fn ack_alone(header: &gre::Repr) -> Option<u32> {
        if header.seq.is_none() { header.ack } else { None }
    }
}
