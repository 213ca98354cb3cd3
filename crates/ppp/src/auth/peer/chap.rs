//! CHAP at the client, all three algorithms.

use std::time::Instant;

use adit_crypto::change_password;
use adit_crypto::mppe::{Side, start_keys_v1, start_keys_v2};
use adit_crypto::mschap::{authenticator_response, nt_response, nt_response_v2, same};
use adit_diag::Code;
use adit_wire::chap::{
    ChangePassword, Failure, Message, MsChapError, MsChapV1Response, MsChapV2Response, Success,
};
use adit_wire::text::escape;
use adit_wire::{Protocol, cp};

use super::{Exchange, Expect, Peer, State};
use crate::auth::verdict::code_of;
use crate::auth::{Ignored, Method};

/// Octets of a server's text that are shown.
const SHOWN: usize = 256;

impl Peer {
    pub(super) fn handle_chap(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Chap, information).map_err(Ignored::Malformed)?;
        match Message::parse(&packet).map_err(Ignored::Malformed)? {
            Message::Challenge { value, .. } => {
                self.on_challenge(now, packet.id, value);
                Ok(())
            }
            Message::Success(text) => {
                let expect = self.answered(packet.id)?;
                self.on_success(expect, text);
                Ok(())
            }
            Message::Failure(text) => {
                let expect = self.answered(packet.id)?;
                self.on_failure(now, expect, text);
                Ok(())
            }
            Message::Response { .. } | Message::ChangePassword(_) => Err(Ignored::Unexpected),
        }
    }

    /// Takes what was expected, if the identifier is its own.
    fn answered(&mut self, id: u8) -> Result<Expect, Ignored> {
        match core::mem::replace(&mut self.state, State::Ended) {
            State::Sent { expect, .. } if expect.id == id => Ok(expect),
            state => {
                let wrong = matches!(state, State::Sent { .. });
                self.state = state;
                Err(if wrong { Ignored::WrongId } else { Ignored::Unexpected })
            }
        }
    }

    fn on_challenge(&mut self, now: Instant, id: u8, challenge: &[u8]) {
        if let Some(last) = self.last.as_ref().filter(|last| last.id == id && last.challenge == challenge) {
            // Our Response was lost, or it crossed the repetition.
            self.output.send(last.response.clone());
            return;
        }
        if self.own.iter().any(|own| own == challenge) {
            let message = "the server sent our own challenge back, as an impostor does who wants it answered";
            return self.fail(Code::A12, None, message.to_owned());
        }
        let name = self.config.credentials.wire_name();
        let name = name.as_bytes();
        let hash = self.password().nt_hash();
        let (value, proof, keys) = match self.config.method {
            Method::Pap | Method::ChapMd5 => {
                let least = self.config.min_challenge;
                if challenge.len() < least {
                    return self.bad_challenge(challenge, &format!("at least {least}"));
                }
                (adit_crypto::chap::response(id, self.password(), challenge).to_vec(), None, None)
            }
            Method::MsChapV1 => {
                let Ok(challenge) = challenge.try_into() else { return self.bad_challenge(challenge, "8") };
                let nt_response = nt_response(&challenge, &hash);
                let keys = start_keys_v1(&hash, &challenge, Some(self.password()));
                (MsChapV1Response { nt_response, use_nt: true }.to_bytes().to_vec(), None, Some(keys))
            }
            Method::MsChapV2 => {
                let Ok(challenge) = challenge.try_into() else { return self.bad_challenge(challenge, "16") };
                let peer_challenge = self.rng.challenge();
                self.never_answer(&peer_challenge);
                let nt_response = nt_response_v2(&challenge, &peer_challenge, name, &hash);
                let proof = authenticator_response(&challenge, &peer_challenge, name, &hash, &nt_response);
                let keys = start_keys_v2(&hash, &nt_response, Side::Client);
                let value = MsChapV2Response { peer_challenge, nt_response }.to_bytes();
                (value.to_vec(), Some(proof), Some(keys))
            }
        };
        let mut packet = Vec::new();
        Message::Response { value: &value, name }.emit(&mut packet, id);
        self.last = Some(Exchange { id, challenge: challenge.to_vec(), response: packet.clone() });
        self.send(now, packet, Expect { id, proof, keys, changing: false });
    }

    fn bad_challenge(&mut self, challenge: &[u8], wanted: &str) {
        let octets = challenge.len();
        let message = format!("the server's challenge has {octets} octets, {wanted} are wanted");
        self.fail(Code::A12, None, message);
    }

    fn on_success(&mut self, expect: Expect, text: &[u8]) {
        let Expect { proof, keys, changing, .. } = expect;
        let Some(proof) = proof else { return self.admit(keys, false, cut(text)) };
        let success = Success::parse(text);
        match success.response {
            Some(sent) if same(&sent, &proof) => {
                self.changed |= changing;
                self.admit(keys, true, cut(success.message.unwrap_or_default()));
            }
            Some(_) => self.fail(
                Code::A12,
                None,
                "the server let us in, but its proof is wrong: it does not know the password".to_owned(),
            ),
            None => {
                self.fail(Code::A12, None, "the server let us in without any proof of its own".to_owned());
            }
        }
    }

    fn on_failure(&mut self, now: Instant, expect: Expect, text: &[u8]) {
        if !self.config.method.gives_keys() {
            let message = format!("the server says \"{}\"", escape(cut(text)));
            return self.fail(Code::A01, None, message);
        }
        let failure = Failure::parse(text);
        let said = failure.message.map(cut).unwrap_or_default();
        let Some(error) = failure.error else {
            let message = format!("the server says \"{}\"", escape(cut(text)));
            return self.fail(Code::A01, None, message);
        };
        if error == MsChapError::PasswordExpired && !expect.changing && self.change(now, expect.id, &failure)
        {
            return;
        }
        let mut message = format!("the server says E={}, {error}", error.number());
        if !said.is_empty() {
            message.push_str(&format!(": \"{}\"", escape(said)));
        }
        self.fail(code_of(error, said), Some(error.number()), message);
    }

    /// Sends a Change-Password if there is a new password and the server takes one; `false` if not.
    fn change(&mut self, now: Instant, failed: u8, failure: &Failure<'_>) -> bool {
        let takes = self.config.method == Method::MsChapV2 && failure.version == Some(3) && !self.changed;
        let challenge = failure.challenge.as_deref().and_then(|octets| <[u8; 16]>::try_from(octets).ok());
        let credentials = &self.config.credentials;
        let (Some(challenge), Some(new), true) = (challenge, &credentials.new_password, takes) else {
            return false;
        };
        let name = credentials.wire_name();
        let made =
            change_password::make(&mut self.rng, name.as_bytes(), &challenge, &credentials.password, new);
        let Some(change) = made else { return false };
        let hash = new.nt_hash();
        let change_password::Change { peer_challenge, nt_response, .. } = change;
        let proof = authenticator_response(&challenge, &peer_challenge, name.as_bytes(), &hash, &nt_response);
        let keys = start_keys_v2(&hash, &nt_response, Side::Client);
        let message = ChangePassword {
            encrypted_password: *change.encrypted_password,
            encrypted_hash: change.encrypted_hash,
            peer_challenge,
            nt_response,
        };
        let id = failed.wrapping_add(1);
        let mut packet = Vec::new();
        Message::ChangePassword(Box::new(message)).emit(&mut packet, id);
        self.never_answer(&peer_challenge);
        self.send(now, packet, Expect { id, proof: Some(proof), keys: Some(keys), changing: true });
        true
    }
}

fn cut(text: &[u8]) -> &[u8] {
    text.get(..SHOWN).unwrap_or(text)
}
