//! PAP (RFC 1334 section 2), both ends.

use std::time::Instant;

use adit_crypto::proof::Proof;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code};
use adit_wire::pap::Message;
use adit_wire::text::escape;
use adit_wire::{Protocol, cp};

use crate::auth::Ignored;
use crate::auth::authenticator::{AuthRequest, Authenticator, State as Server};
use crate::auth::peer::{Expect, Peer, State as Client};

impl Authenticator {
    pub(in crate::auth) fn handle_pap(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Pap, information).map_err(Ignored::Malformed)?;
        let Message::Request { name, password } = Message::parse(&packet).map_err(Ignored::Malformed)? else {
            return Err(Ignored::Unexpected);
        };
        match &self.state {
            Server::Idle => Err(Ignored::Unexpected),
            Server::Checking { .. } => Err(Ignored::BeingChecked),
            // The Ack or Nak was lost, whatever identifier the repeated request has.
            Server::Known | Server::Ended => self.repeat_pap(packet.id),
            // The Nak that starts another round was lost too: the client still repeats the previous request.
            Server::Listening { .. } if self.settled.as_ref().is_some_and(|nak| nak.id == packet.id) => {
                self.repeat_pap(packet.id)
            }
            Server::Listening { .. } | Server::Challenged { .. } | Server::Retrying(..) => {
                if password.is_empty() {
                    let detail = format!("\"{}\" sent an empty password", escape(name));
                    self.refuse(packet.id, Vec::new(), Code::A01, detail);
                    return Ok(());
                }
                let proof = Proof::Pap { password: Password::from_wire(password) };
                let question = AuthRequest {
                    name: name.to_vec(),
                    method: AuthMethod::Pap,
                    proof,
                    continues: self.continues,
                };
                self.ask(now, packet.id, Vec::new(), false, question);
                Ok(())
            }
        }
    }

    /// Repeats the result, with the identifier of the current request.
    fn repeat_pap(&mut self, id: u8) -> Result<(), Ignored> {
        let settled = self.settled.as_ref().ok_or(Ignored::Unexpected)?;
        let mut reply = settled.reply.clone();
        if let Some(octet) = reply.get_mut(1) {
            *octet = id;
        }
        self.output.send(reply);
        Ok(())
    }
}

impl Peer {
    pub(in crate::auth) fn send_pap(&mut self, now: Instant, id: u8) {
        let name = self.config.credentials.wire_name();
        let password = self.password().expose().as_bytes();
        let mut packet = Vec::new();
        Message::Request { name: name.as_bytes(), password }.emit(&mut packet, id);
        self.send(now, packet, Expect { id, proof: None, keys: None, changing: false });
    }

    pub(in crate::auth) fn handle_pap(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Pap, information).map_err(Ignored::Malformed)?;
        let message = Message::parse(&packet).map_err(Ignored::Malformed)?;
        let Client::Sent { expect, .. } = &self.state else { return Err(Ignored::Unexpected) };
        if packet.id != expect.id {
            return Err(Ignored::WrongId);
        }
        match message {
            Message::Request { .. } => return Err(Ignored::Unexpected),
            Message::Ack { message } => self.admit(None, false, message),
            // RFC 1334 does not forbid another request, and a server that requires another round has no other
            // means.
            Message::Nak { .. } if self.has_next_password() => {
                self.next_password();
                self.send_pap(now, packet.id.wrapping_add(1));
            }
            Message::Nak { message } => {
                self.fail(Code::A01, None, format!("the server says \"{}\"", escape(message)));
            }
        }
        Ok(())
    }
}
