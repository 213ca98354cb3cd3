//! PAP at the server (RFC 1334 section 2).

use std::time::Instant;

use adit_crypto::proof::Proof;
use adit_crypto::secret::Password;
use adit_diag::Code;
use adit_wire::pap::Message;
use adit_wire::text::escape;
use adit_wire::{Protocol, cp};

use super::{AuthRequest, Authenticator, State};
use crate::auth::{Ignored, Method};

impl Authenticator {
    pub(super) fn handle_pap(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Pap, information).map_err(Ignored::Malformed)?;
        let Message::Request { name, password } = Message::parse(&packet).map_err(Ignored::Malformed)? else {
            return Err(Ignored::Unexpected);
        };
        match &self.state {
            State::Idle => Err(Ignored::Unexpected),
            State::Checking { .. } => Err(Ignored::BeingChecked),
            // The Ack or Nak was lost, whatever the identifier of the next request is.
            State::Known | State::Ended => self.repeat_pap(packet.id),
            State::Listening { .. } | State::Challenged { .. } | State::Retrying(..) => {
                if password.is_empty() {
                    let detail = format!("\"{}\" sent an empty password", escape(name));
                    self.refuse(packet.id, Vec::new(), Code::A01, detail);
                    return Ok(());
                }
                let proof = Proof::Pap { password: Password::from_wire(password) };
                let question = AuthRequest { name: name.to_vec(), method: Method::Pap, proof };
                self.ask(now, packet.id, Vec::new(), false, question);
                Ok(())
            }
        }
    }

    /// Sends the result again, under the identifier of the request at hand.
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
