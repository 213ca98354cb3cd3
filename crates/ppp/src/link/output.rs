//! The output queue of a link: frames, and events with a note of each control packet.

use adit_diag::note::{Message, Packet, Treatment};
use adit_wire::{cp, note, ppp};

use super::LinkEvent;
use crate::output;

/// The most frames that wait; further ones are dropped, as a lossy line would do.
const MAX_FRAMES: usize = 64;
/// The number of waiting events above which packets are left out of the record.
const MAX_PACKETS: usize = 256;
/// The most events that wait. If the caller does not collect them, the oldest are lost.
const MAX_EVENTS: usize = 512;

#[derive(Debug)]
pub(super) struct Output {
    waiting: output::Output<LinkEvent, MAX_FRAMES, MAX_EVENTS>,
    /// Whether LCP is Opened and the peer accepts frames without Address and Control.
    pub(super) acfc: bool,
}

impl Output {
    pub(super) const fn new() -> Output {
        Output { waiting: output::Output::new(), acfc: false }
    }

    /// Queues a control packet and its note for the record.
    pub(super) fn send(&mut self, protocol: u16, packet: &[u8]) {
        // LCP's codes 1 to 7 always have Address, Control and the whole protocol (RFC 1661 section 6.5 and 6.6).
        let basic = protocol == ppp::LCP && packet.first().is_none_or(|code| *code <= cp::CODE_REJECT);
        let mut frame = Vec::with_capacity(ppp::HEADER_MAX + packet.len());
        ppp::push_header(&mut frame, protocol, self.acfc && !basic, false);
        frame.extend_from_slice(packet);
        if self.waiting.send(frame) {
            self.note(true, note::ppp(protocol, packet), Treatment::Handled);
        }
    }

    pub(super) fn note(&mut self, sent: bool, message: Message, treatment: Treatment) {
        if self.waiting.events() < MAX_PACKETS {
            self.waiting.push_event(LinkEvent::Packet(Packet { sent, message, treatment }));
        }
    }

    pub(super) fn push_event(&mut self, event: LinkEvent) {
        self.waiting.push_event(event);
    }

    pub(super) fn poll_frame(&mut self, out: &mut Vec<u8>) -> bool {
        self.waiting.poll_transmit(out)
    }

    pub(super) fn poll_event(&mut self) -> Option<LinkEvent> {
        self.waiting.poll_event()
    }
}
