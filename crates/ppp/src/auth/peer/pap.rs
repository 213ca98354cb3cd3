//! PAP at the client (RFC 1334 section 2).

use std::time::Instant;

use adit_diag::Code;
use adit_wire::pap::Message;
use adit_wire::text::escape;
use adit_wire::{Protocol, cp};

use super::{Expect, Peer, State};
use crate::auth::Ignored;

impl Peer {
    pub(super) fn send_pap(&mut self, now: Instant) {
        let id = self.rng.u32() as u8;
        let name = self.config.credentials.wire_name();
        let password = self.config.credentials.password.expose().as_bytes();
        let mut packet = Vec::new();
        Message::Request { name: name.as_bytes(), password }.emit(&mut packet, id);
        self.send(now, packet, Expect { id, proof: None, keys: None, changing: false });
    }

    pub(super) fn handle_pap(&mut self, information: &[u8]) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Pap, information).map_err(Ignored::Malformed)?;
        let message = Message::parse(&packet).map_err(Ignored::Malformed)?;
        let State::Sent { expect, .. } = &self.state else { return Err(Ignored::Unexpected) };
        if packet.id != expect.id {
            return Err(Ignored::WrongId);
        }
        match message {
            Message::Request { .. } => return Err(Ignored::Unexpected),
            Message::Ack { message } => self.admit(None, false, message),
            Message::Nak { message } => {
                self.fail(Code::A01, None, format!("the server says \"{}\"", escape(message)));
            }
        }
        Ok(())
    }
}
