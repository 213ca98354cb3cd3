//! The packets that carry a verdict.

use adit_crypto::proof::Proven;
use adit_wire::chap::{self, Failure, MsChapError, Success};
use adit_wire::pap;

use super::{Authenticator, Retry};
use crate::auth::Method;

/// Octets of a message that are sent, so that a Failure fits into any frame.
const MAX_MESSAGE: usize = 200;

/// What a person reads who got in.
const WELCOME: &str = "Access granted";

impl Authenticator {
    /// Success or Ack; `None` if the method needs our own proof and there is none.
    pub(super) fn success_packet(&self, id: u8, proven: &Proven) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        match self.config.method {
            Method::Pap => pap::Message::Ack { message: WELCOME.as_bytes() }.emit(&mut packet, id),
            Method::ChapMd5 | Method::MsChapV1 => {
                chap::Message::Success(WELCOME.as_bytes()).emit(&mut packet, id);
            }
            Method::MsChapV2 => {
                let success = Success { response: Some(proven.mschap?), message: Some(WELCOME.as_bytes()) };
                chap::Message::Success(&success.to_vec()).emit(&mut packet, id);
            }
        }
        Some(packet)
    }

    /// Failure or Nak. MS-CHAP always names a challenge, as its clients expect, even where no other try is allowed.
    pub(super) fn failure_packet(
        &mut self,
        id: u8,
        error: MsChapError,
        retry: Option<&Retry>,
        message: &str,
    ) -> Vec<u8> {
        let mut packet = Vec::new();
        let message = message.as_bytes().get(..MAX_MESSAGE).unwrap_or(message.as_bytes());
        let version = match self.config.method {
            Method::Pap => {
                pap::Message::Nak { message }.emit(&mut packet, id);
                return packet;
            }
            Method::ChapMd5 => {
                chap::Message::Failure(message).emit(&mut packet, id);
                return packet;
            }
            // No Change-Password of version 1 is taken; pppd says so with the same number.
            Method::MsChapV1 => 0,
            Method::MsChapV2 => 3,
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
