//! LCP's codes from 8 on: Protocol-Reject, Echo, Discard, Identification, Time-Remaining.

use adit_wire::cp::{self, Packet};
use adit_wire::lcp::{Marked, ProtocolReject};

use super::Lcp;
use crate::fsm::Extra;

/// The most notices that wait; the link collects them after every packet.
const MAX_NOTICES: usize = 16;

/// A notice from an extra code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An Echo-Reply with this identifier from the peer, not a reflected one of our own.
    EchoReply(u8),
    /// The peer does not support this protocol.
    ProtocolReject(u16),
}

impl Lcp {
    pub(super) fn handle_extra(&mut self, packet: &Packet<'_>, opened: bool) -> Extra {
        match packet.code {
            cp::PROTOCOL_REJECT => {
                if let (true, Ok(reject)) = (opened, ProtocolReject::parse(packet)) {
                    self.notice(Notice::ProtocolReject(reject.protocol));
                }
                Extra::Done
            }
            cp::ECHO_REQUEST => match Marked::parse(packet) {
                Ok(Marked { magic, rest }) => {
                    self.watch_for_a_loop(magic, opened);
                    Extra::Reply { code: cp::ECHO_REPLY, data: Marked { magic: self.magic(), rest }.to_vec() }
                }
                Err(_) => Extra::Done,
            },
            cp::ECHO_REPLY => {
                if let (true, Ok(Marked { magic, .. })) = (opened, Marked::parse(packet))
                    && !self.watch_for_a_loop(magic, opened)
                {
                    self.context.clear_loop_signs();
                    self.notice(Notice::EchoReply(packet.id));
                }
                Extra::Done
            }
            cp::DISCARD_REQUEST | cp::IDENTIFICATION => {
                if let Ok(Marked { magic, .. }) = Marked::parse(packet) {
                    self.watch_for_a_loop(magic, opened);
                }
                Extra::Done
            }
            cp::TIME_REMAINING => Extra::Done,
            _ => Extra::Unknown,
        }
    }

    /// Whether the packet carries our own Magic-Number, which is received only on a looped-back link.
    fn watch_for_a_loop(&mut self, magic: u32, opened: bool) -> bool {
        let ours = opened && self.options.magic.own == Some(magic);
        if ours {
            self.context.count_loop_sign();
        }
        ours
    }

    fn notice(&mut self, notice: Notice) {
        if self.notices.len() < MAX_NOTICES {
            self.notices.push_back(notice);
        }
    }
}
