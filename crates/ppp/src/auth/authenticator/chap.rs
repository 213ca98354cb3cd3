//! CHAP on the server side, for all three algorithms.

use std::time::Instant;

use adit_crypto::change_password::Change;
use adit_crypto::proof::Proof;
use adit_wire::chap::{self, Message, MsChapError};
use adit_wire::{Protocol, cp};

use super::{AuthRequest, Authenticator, MAX_TRIES, Retry, State};
use crate::auth::method::{Algorithm, Exchange, Response, row};
use crate::auth::timing::later;
use crate::auth::{Ignored, MAX_NAME};

impl Authenticator {
    /// Sends a Challenge with a new value under a new identifier.
    pub(super) fn send_challenge(&mut self, now: Instant) {
        self.challenge(now);
        let packet = self.challenge_packet();
        self.output.send(packet.unwrap_or_default());
    }

    /// Starts to wait for the answer to a Challenge with a new value under a new identifier.
    pub(super) fn challenge(&mut self, now: Instant) {
        let timing = self.config.timing;
        self.last_id = self.last_id.wrapping_add(1);
        self.state = State::Challenged {
            id: self.last_id,
            challenge: self.fresh_challenge(),
            resend: later(now, timing.resend),
            left: timing.tries.saturating_sub(1),
            deadline: self.by(now, timing.total),
        };
    }

    /// The open Challenge as a packet.
    pub(super) fn challenge_packet(&self) -> Option<Vec<u8>> {
        let State::Challenged { id, challenge, .. } = &self.state else { return None };
        let message = Message::Challenge { value: challenge, name: self.config.local_name.as_bytes() };
        let mut packet = Vec::new();
        message.emit(&mut packet, *id);
        Some(packet)
    }

    pub(super) fn handle_chap(
        &mut self,
        now: Instant,
        algorithm: &dyn Algorithm,
        information: &[u8],
    ) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Chap, information).map_err(Ignored::Malformed)?;
        match packet.code {
            chap::RESPONSE | chap::CHANGE_PASSWORD_3 => {}
            chap::CHANGE_PASSWORD_1 | chap::CHANGE_PASSWORD_2 => {
                return self.refuse_change(algorithm, packet.id);
            }
            // No client sends such a packet: it is malformed, or one of ours that was reflected.
            _ => {
                return Err(Message::parse(&packet).err().map_or(Ignored::Unexpected, Ignored::Malformed));
            }
        }
        let request = &information[..cp::HEADER_LEN + packet.data.len()];
        if let Some(settled) = self.settled.as_ref().filter(|settled| settled.request == request) {
            // The reply was lost. Another request to the account source would count as another attempt.
            self.output.send(settled.reply.clone());
            return Ok(());
        }
        let (id, challenge) = match &self.state {
            State::Challenged { id, challenge, .. } => (*id, challenge.clone()),
            State::Retrying(retry, ..) => (retry.id, retry.challenge.clone()),
            State::Checking { request: open, .. } if *open == request => return Err(Ignored::BeingChecked),
            State::Checking { .. } => return Err(Ignored::WrongId),
            State::Ended if packet.code == chap::CHANGE_PASSWORD_3 => {
                return self.refuse_change(algorithm, packet.id);
            }
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
                let response = Response { id, challenge: &challenge, value, name };
                let proof = algorithm.proof(response).map_err(Ignored::Malformed)?;
                let question = self.question(name.to_vec(), proof);
                self.ask(now, id, request.to_vec(), false, question);
                Ok(())
            }
            Message::ChangePassword(change) => {
                let expired = match &self.state {
                    State::Retrying(retry, ..) => retry.expired.clone(),
                    _ => None,
                };
                let Some(name) = expired else { return self.refuse_change(algorithm, packet.id) };
                // A Change-Password packet needs a challenge of exactly this size.
                let Ok(authenticator_challenge) = challenge.try_into() else {
                    return Err(Ignored::Unexpected);
                };
                let proof = Proof::ChangePassword(Change {
                    name: name.clone(),
                    authenticator_challenge,
                    encrypted_password: Box::new(change.encrypted_password),
                    encrypted_hash: change.encrypted_hash,
                    peer_challenge: change.peer_challenge,
                    nt_response: change.nt_response,
                });
                let question = self.question(name, proof);
                self.ask(now, id, request.to_vec(), true, question);
                Ok(())
            }
            _ => Err(Ignored::Unexpected),
        }
    }

    fn question(&self, name: Vec<u8>, proof: Proof) -> AuthRequest {
        AuthRequest { name, method: self.config.method, proof, continues: self.continues }
    }

    /// Handles a Change-Password that is not supported, right after a Response: E=709 (RFC 2759 section 6).
    fn refuse_change(&mut self, algorithm: &dyn Algorithm, id: u8) -> Result<(), Ignored> {
        let follows = self.settled.as_ref().is_some_and(|settled| id == settled.id.wrapping_add(1));
        if algorithm.failure_version().is_none() || !follows {
            return Err(Ignored::Unexpected);
        }
        let reply = self.failure_packet(id, MsChapError::ChangingPassword, None, "Password not changed");
        self.output.send(reply);
        Ok(())
    }

    /// Sets the state after a Failure: another attempt if it is `allowed`, or, with the name of an account
    /// whose password has `expired`, a Change-Password.
    pub(super) fn retry(
        &mut self,
        now: Instant,
        id: u8,
        allowed: bool,
        expired: Option<&[u8]>,
    ) -> Option<Retry> {
        let Exchange::Chap(algorithm) = row(self.config.method).exchange else { return None };
        let changes = self.config.change_password && algorithm.changes_password();
        let expired = expired.filter(|_| changes).map(<[u8]>::to_vec);
        let may = algorithm.failure_version().is_some() && self.failures < MAX_TRIES;
        (may && (allowed || expired.is_some())).then(|| self.another_try(now, id, expired))
    }

    /// Waits for another attempt after a Failure with `R=1` to this identifier.
    pub(super) fn another_try(&mut self, now: Instant, id: u8, expired: Option<Vec<u8>>) -> Retry {
        self.last_id = id.wrapping_add(1);
        let deadline = self.by(now, self.config.timing.retry);
        Retry { id: self.last_id, challenge: self.fresh_challenge(), expired, deadline }
    }

    /// An unpredictable challenge of the method's length.
    pub(super) fn fresh_challenge(&mut self) -> Vec<u8> {
        let size = match row(self.config.method).exchange {
            Exchange::Pap => 0,
            Exchange::Chap(algorithm) => algorithm.challenge_len(),
        };
        let mut challenge = vec![0; size];
        self.rng.fill(&mut challenge);
        challenge
    }
}
