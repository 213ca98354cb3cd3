//! The packets of one PPP control protocol in a call, read from the steps of the capture.

use std::time::Duration;

use adit_capture::conversation::Event;
use adit_wire::{cp, ppp};

use super::{View, side};
use crate::{Seen, Side};

/// One packet.
pub(super) struct Message<'a> {
    pub(super) by: Side,
    pub(super) frame: u64,
    pub(super) time: Duration,
    pub(super) packet: cp::Packet<'a>,
}

/// The packets of one protocol, in order.
pub(super) struct Messages<'a> {
    pub(super) protocol: u16,
    pub(super) list: Vec<Message<'a>>,
}

impl<'a> Message<'a> {
    /// The data of an option, as Configure-packets carry them.
    pub(super) fn option(&self, protocol: u16, kind: u8) -> Option<&'a [u8]> {
        let options = self.packet.options(ppp::protocol(protocol));
        options.flatten().find(|option| option.kind == kind).map(|option| option.data)
    }

    pub(super) fn place(&self) -> (u64, Duration) {
        (self.frame, self.time)
    }

    pub(super) fn is(&self, by: Side, code: u8) -> bool {
        self.by == by && self.packet.code == code
    }
}

impl<'a> Messages<'a> {
    pub(super) fn of(view: &View<'a>, protocol: u16) -> Messages<'a> {
        let message = |step: &'a adit_capture::conversation::Step| {
            let Event::Ppp { protocol: its, information, .. } = &step.what else { return None };
            if *its != protocol {
                return None;
            }
            let packet = cp::Packet::parse(ppp::protocol(protocol), information).ok()?;
            Some(Message { by: side(step.by), frame: step.frame, time: step.time, packet })
        };
        Messages {
            protocol,
            list: view.steps().filter(|step| step.call.is_some()).filter_map(message).collect(),
        }
    }

    /// The packets of one side with one code.
    pub(super) fn sent(&self, by: Side, code: u8) -> impl DoubleEndedIterator<Item = &Message<'a>> {
        self.list.iter().filter(move |message| message.is(by, code))
    }

    /// The first request of a side.
    pub(super) fn first_request(&self, by: Side) -> Option<&Message<'a>> {
        self.sent(by, cp::CONFIGURE_REQUEST).next()
    }

    /// The last Ack that the other side sent to a request of `by`.
    pub(super) fn acked(&self, by: Side) -> Option<&Message<'a>> {
        self.sent(by.other(), cp::CONFIGURE_ACK).next_back()
    }

    /// The point at which both sides have acknowledged each other: the later of the two Acks.
    pub(super) fn opened(&self) -> Option<&Message<'a>> {
        let (one, other) = (self.acked(Side::Client)?, self.acked(Side::Server)?);
        Some(if one.frame >= other.frame { one } else { other })
    }

    /// The point at which both sides had acknowledged each other for the first time.
    pub(super) fn first_opened(&self) -> Option<&Message<'a>> {
        let first = |by: Side| self.sent(by, cp::CONFIGURE_ACK).next();
        let (one, other) = (first(Side::Client)?, first(Side::Server)?);
        Some(if one.frame >= other.frame { one } else { other })
    }

    /// Naks and Rejects of the option `kind` in requests of `by`, since its last Ack.
    pub(super) fn refusals(&self, by: Side, kind: u8) -> impl DoubleEndedIterator<Item = &Message<'a>> {
        let since = self.acked(by).map_or(0, |ack| ack.frame);
        let protocol = self.protocol;
        self.list.iter().filter(move |message| {
            message.by == by.other()
                && message.frame > since
                && matches!(message.packet.code, cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT)
                && message.option(protocol, kind).is_some()
        })
    }
}

/// The first LCP Protocol-Reject of `protocol`, and its sender.
pub(super) fn protocol_reject(lcp: &Messages<'_>, protocol: u16) -> Option<(Side, (u64, Duration))> {
    lcp.list.iter().find_map(|message| {
        (message.packet.code == cp::PROTOCOL_REJECT && rejected(message) == Some(protocol))
            .then(|| (message.by, message.place()))
    })
}

/// The protocol that a Protocol-Reject rejects.
pub(super) fn rejected(message: &Message<'_>) -> Option<u16> {
    adit_wire::lcp::ProtocolReject::parse(&message.packet).ok().map(|reject| reject.protocol)
}

/// Attaches the position in the capture.
pub(super) fn seen<T>(view: &View<'_>, what: T, message: &Message<'_>) -> Seen<T> {
    view.seen(what, message.place())
}
