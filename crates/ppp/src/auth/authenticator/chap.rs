//! CHAP at the server, all three algorithms.

use std::time::Instant;

use adit_crypto::change_password::Change;
use adit_crypto::proof::Proof;
use adit_wire::chap::{self, Message, MsChapError, MsChapV1Response, MsChapV2Response};
use adit_wire::{Error, Protocol, cp};

use super::{AuthRequest, Authenticator, MAX_TRIES, Retry, State};
use crate::auth::timing::later;
use crate::auth::{CHALLENGE, CHALLENGE_V1, Ignored, MAX_NAME, Method};

impl Authenticator {
    /// Sends a Challenge with a new value under a new identifier.
    pub(super) fn challenge(&mut self, now: Instant) {
        let timing = self.config.timing;
        self.last_id = self.last_id.wrapping_add(1);
        self.state = State::Challenged {
            id: self.last_id,
            challenge: self.fresh_challenge(),
            resend: later(now, timing.resend),
            left: timing.tries.saturating_sub(1),
            deadline: later(now, timing.total),
        };
        self.send_challenge();
    }

    /// Sends the Challenge that is out.
    pub(super) fn send_challenge(&mut self) {
        if let State::Challenged { id, challenge, .. } = &self.state {
            let message = Message::Challenge { value: challenge, name: self.config.local_name.as_bytes() };
            let mut packet = Vec::new();
            message.emit(&mut packet, *id);
            self.output.send(packet);
        }
    }

    pub(super) fn handle_chap(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Chap, information).map_err(Ignored::Malformed)?;
        match packet.code {
            chap::RESPONSE | chap::CHANGE_PASSWORD_3 => {}
            chap::CHANGE_PASSWORD_1 | chap::CHANGE_PASSWORD_2 => return self.refuse_change(packet.id),
            // What a client does not send is either malformed or our own come back.
            _ => {
                return Err(Message::parse(&packet).err().map_or(Ignored::Unexpected, Ignored::Malformed));
            }
        }
        let request = &information[..cp::HEADER_LEN + packet.data.len()];
        if let Some(settled) = self.settled.as_ref().filter(|settled| settled.request == request) {
            // The result was lost. Asking again would count as another try.
            self.output.send(settled.reply.clone());
            return Ok(());
        }
        let (id, challenge) = match &self.state {
            State::Challenged { id, challenge, .. } => (*id, challenge.clone()),
            State::Retrying(retry, ..) => (retry.id, retry.challenge.clone()),
            State::Checking { request: open, .. } if *open == request => return Err(Ignored::BeingChecked),
            State::Checking { .. } => return Err(Ignored::WrongId),
            State::Ended if packet.code == chap::CHANGE_PASSWORD_3 => return self.refuse_change(packet.id),
            State::Idle | State::Listening { .. } | State::Known | State::Ended => {
                return Err(Ignored::Unexpected);
            }
        };
        if packet.id != id {
            return Err(Ignored::WrongId);
        }
        match Message::parse(&packet).map_err(Ignored::Malformed)? {
            Message::Response { value, name } => {
                if name.len() > MAX_NAME {
                    return Err(Ignored::LongName);
                }
                let proof = self.proof(id, &challenge, value, name).map_err(Ignored::Malformed)?;
                let question = AuthRequest { name: name.to_vec(), method: self.config.method, proof };
                self.ask(now, id, request.to_vec(), false, question);
                Ok(())
            }
            Message::ChangePassword(change) => {
                let expired = match &self.state {
                    State::Retrying(retry, ..) => retry.expired.clone(),
                    _ => None,
                };
                let Some(name) = expired else { return self.refuse_change(packet.id) };
                let authenticator_challenge = sized(&challenge).map_err(Ignored::Malformed)?;
                let proof = Proof::ChangePassword(Change {
                    name: name.clone(),
                    authenticator_challenge,
                    encrypted_password: Box::new(change.encrypted_password),
                    encrypted_hash: change.encrypted_hash,
                    peer_challenge: change.peer_challenge,
                    nt_response: change.nt_response,
                });
                let question = AuthRequest { name, method: self.config.method, proof };
                self.ask(now, id, request.to_vec(), true, question);
                Ok(())
            }
            _ => Err(Ignored::Unexpected),
        }
    }

    /// What the Response claims, by the method.
    fn proof(&self, id: u8, challenge: &[u8], value: &[u8], name: &[u8]) -> Result<Proof, Error> {
        Ok(match self.config.method {
            Method::Pap | Method::ChapMd5 => {
                Proof::ChapMd5 { id, challenge: challenge.to_vec(), response: sized(value)? }
            }
            Method::MsChapV1 => {
                let MsChapV1Response { nt_response, .. } = MsChapV1Response::parse(value)?;
                Proof::MsChapV1 { challenge: sized(challenge)?, nt_response }
            }
            Method::MsChapV2 => {
                let MsChapV2Response { peer_challenge, nt_response } = MsChapV2Response::parse(value)?;
                let authenticator_challenge = sized(challenge)?;
                Proof::MsChapV2 { authenticator_challenge, peer_challenge, nt_response, name: name.to_vec() }
            }
        })
    }

    /// A Change-Password that we do not take, right after a Response: E=709 (RFC 2759 section 6).
    fn refuse_change(&mut self, id: u8) -> Result<(), Ignored> {
        let follows = self.settled.as_ref().is_some_and(|settled| id == settled.id.wrapping_add(1));
        if self.config.method == Method::ChapMd5 || !follows {
            return Err(Ignored::Unexpected);
        }
        let reply = self.failure_packet(id, MsChapError::ChangingPassword, None, "Password not changed");
        self.output.send(reply);
        Ok(())
    }

    /// What to wait for after a Failure: another try if it is `allowed`, or, with the name of an account whose password
    /// has `expired`, a Change-Password.
    pub(super) fn retry(
        &mut self,
        now: Instant,
        id: u8,
        allowed: bool,
        expired: Option<&Vec<u8>>,
    ) -> Option<Retry> {
        let method = self.config.method;
        let changes = self.config.change_password && method == Method::MsChapV2;
        let expired = expired.filter(|_| changes).cloned();
        if !method.gives_keys() || self.failures >= MAX_TRIES || !(allowed || expired.is_some()) {
            return None;
        }
        self.last_id = id.wrapping_add(1);
        let deadline = later(now, self.config.timing.retry);
        Some(Retry { id: self.last_id, challenge: self.fresh_challenge(), expired, deadline })
    }

    /// A challenge that nobody can foresee, as long as the method has it.
    pub(super) fn fresh_challenge(&mut self) -> Vec<u8> {
        let size = if self.config.method == Method::MsChapV1 { CHALLENGE_V1 } else { CHALLENGE };
        let mut challenge = vec![0; size];
        self.rng.fill(&mut challenge);
        challenge
    }
}

fn sized<const N: usize>(value: &[u8]) -> Result<[u8; N], Error> {
    let found = value.len() as u64;
    value.try_into().map_err(|_| Error::new(Protocol::Chap, "Value-Size", cp::HEADER_LEN, "16", found))
}
