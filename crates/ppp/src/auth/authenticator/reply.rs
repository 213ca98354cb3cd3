//! The packets that carry a verdict to the peer.

use adit_crypto::proof::Proven;
use adit_wire::chap::{self, Failure, MsChapError};
use adit_wire::pap;

use super::{Authenticator, Retry};
use crate::auth::method::{Exchange, WELCOME, row};

/// The most octets of a message that are sent, so that a Failure fits into any frame.
const MAX_MESSAGE: usize = 200;

impl Authenticator {
    /// Builds a Success or Ack; `None` if the method needs our own proof and there is none.
    pub(super) fn success_packet(&self, id: u8, proven: &Proven) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        match row(self.config.method).exchange {
            Exchange::Pap => pap::Message::Ack { message: WELCOME.as_bytes() }.emit(&mut packet, id),
            Exchange::Chap(algorithm) => {
                chap::Message::Success(&algorithm.success(proven)?).emit(&mut packet, id);
            }
        }
        Some(packet)
    }

    /// Builds a Failure or Nak. MS-CHAP always includes a challenge, as its clients expect, even if no other
    /// attempt is allowed.
    pub(super) fn failure_packet(
        &mut self,
        id: u8,
        error: MsChapError,
        retry: Option<&Retry>,
        message: &str,
    ) -> Vec<u8> {
        let mut packet = Vec::new();
        let message = message.as_bytes().get(..MAX_MESSAGE).unwrap_or(message.as_bytes());
        let version = match row(self.config.method).exchange {
            Exchange::Pap => {
                pap::Message::Nak { message }.emit(&mut packet, id);
                return packet;
            }
            Exchange::Chap(algorithm) => algorithm.failure_version(),
        };
        let Some(version) = version else {
            chap::Message::Failure(message).emit(&mut packet, id);
            return packet;
        };
        let challenge = match retry {
            Some(retry) => retry.challenge.clone(),
            None => self.fresh_challenge(),
        };
        let failure = Failure {
            error: Some(error),
            retry: retry.is_some(),
            challenge: Some(challenge),
            version: Some(version),
            message: Some(message),
        };
        chap::Message::Failure(&failure.to_vec()).emit(&mut packet, id);
        packet
    }
}
