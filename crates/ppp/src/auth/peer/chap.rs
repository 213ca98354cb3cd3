//! CHAP on the client side, for all three algorithms.

use std::time::Instant;

use adit_crypto::mschap::same;
use adit_diag::Code;
use adit_wire::chap::{Failure, Message, MsChapError, Success};
use adit_wire::text::escape;
use adit_wire::{Protocol, cp};

use super::{Answered, Expect, MAX_CHALLENGES, Peer, State};
use crate::auth::Ignored;
use crate::auth::method::{Algorithm, Client, Proofs, Responded};
use crate::auth::verdict::code_of;

/// The most octets of a server's message that are shown.
const SHOWN: usize = 256;

impl Peer {
    pub(super) fn handle_chap(
        &mut self,
        now: Instant,
        algorithm: &dyn Algorithm,
        information: &[u8],
    ) -> Result<(), Ignored> {
        let packet = cp::Packet::parse(Protocol::Chap, information).map_err(Ignored::Malformed)?;
        match Message::parse(&packet).map_err(Ignored::Malformed)? {
            Message::Challenge { value, .. } => {
                self.on_challenge(now, algorithm, packet.id, value);
                Ok(())
            }
            Message::Success(text) => {
                let expect = self.answered(packet.id)?;
                self.on_success(expect, text);
                Ok(())
            }
            Message::Failure(text) => {
                let expect = self.answered(packet.id)?;
                self.on_failure(now, algorithm, expect, text);
                Ok(())
            }
            Message::Response { .. } | Message::ChangePassword(_) => Err(Ignored::Unexpected),
        }
    }

    /// Takes the expectation if the identifier matches.
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

    fn on_challenge(&mut self, now: Instant, algorithm: &dyn Algorithm, id: u8, challenge: &[u8]) {
        if let Some(last) = self.last.as_ref().filter(|last| last.id == id && last.challenge == challenge) {
            // Our Response was lost, or it crossed the repeated Challenge.
            self.output.send(last.response.clone());
            return;
        }
        if self.own.iter().any(|own| own == challenge) {
            if self.secured {
                return;
            }
            let message = "the server sent our own challenge back, as an impostor does who wants it answered";
            return self.fail(Code::A12, None, message.to_owned());
        }
        if self.challenges >= MAX_CHALLENGES {
            if self.secured {
                // Further ones are answered when the time limit of the last answer has passed.
                return;
            }
            let message = format!("the server sent {MAX_CHALLENGES} challenges and did not decide");
            return self.fail(Code::A14, None, message);
        }
        // In place of Success or Failure: the server requires another round (RFC 1994 section 4.1).
        if matches!(self.state, State::Sent { .. }) {
            self.next_password();
        }
        self.respond(now, algorithm, id, challenge);
    }

    fn respond(&mut self, now: Instant, algorithm: &dyn Algorithm, id: u8, challenge: &[u8]) {
        self.challenges = self.challenges.saturating_add(1);
        let name = self.config.credentials.wire_name();
        let name = name.as_bytes();
        let password = self.password().clone();
        let min_challenge = self.config.min_challenge;
        let client = Client { name, password: &password, min_challenge, rng: &mut self.rng };
        let Responded { value, expect } = match algorithm.respond(client, id, challenge) {
            Ok(responded) => responded,
            Err(wanted) => return self.bad_challenge(challenge, &wanted),
        };
        let mut packet = Vec::new();
        Message::Response { value: &value, name }.emit(&mut packet, id);
        self.last = Some(Answered { id, challenge: challenge.to_vec(), response: packet.clone() });
        self.prove(now, id, packet, expect, false);
    }

    /// Sends a packet with a proof.
    fn prove(&mut self, now: Instant, id: u8, packet: Vec<u8>, expect: Proofs, changing: bool) {
        let Proofs { server: proof, keys, peer_challenge } = expect;
        if let Some(ours) = peer_challenge {
            self.never_answer(&ours);
        }
        self.send(now, packet, Expect { id, proof, keys, changing });
    }

    fn bad_challenge(&mut self, challenge: &[u8], wanted: &str) {
        if self.secured {
            return self.stay_admitted();
        }
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
            _ if self.secured => self.stay_admitted(),
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

    fn on_failure(&mut self, now: Instant, algorithm: &dyn Algorithm, expect: Expect, text: &[u8]) {
        if algorithm.failure_version().is_none() {
            let detail = format!("the server says \"{}\"", escape(cut(text)));
            return self.fail(Code::A01, None, detail);
        }
        let failure = Failure::parse(text);
        let message = failure.message.map(cut).unwrap_or_default();
        let Some(error) = failure.error else {
            let detail = format!("the server says \"{}\"", escape(cut(text)));
            return self.fail(Code::A01, None, detail);
        };
        let may_change = error == MsChapError::PasswordExpired && !expect.changing;
        if may_change && self.change(now, algorithm, expect.id, &failure)
            || self.try_again(now, algorithm, expect.id, &failure)
        {
            return;
        }
        let mut detail = format!("the server says E={}, {error}", error.number());
        if !message.is_empty() {
            detail.push_str(&format!(": \"{}\"", escape(message)));
        }
        self.fail(code_of(error, message), Some(error.number()), detail);
    }

    /// Sends another Response if the server allows one and there is another password; `false` if not.
    fn try_again(
        &mut self,
        now: Instant,
        algorithm: &dyn Algorithm,
        failed: u8,
        failure: &Failure<'_>,
    ) -> bool {
        if !failure.retry || !self.has_next_password() || self.challenges >= MAX_CHALLENGES {
            return false;
        }
        let before = self.last.as_ref().map(|last| last.challenge.as_slice()).unwrap_or_default();
        let challenge = failure.challenge.clone().or_else(|| algorithm.implied_challenge(before));
        let Some(challenge) = challenge else { return false };
        self.next_password();
        // No Challenge packet follows: the next Response uses the next identifier (RFC 2759 section 6).
        self.respond(now, algorithm, failed.wrapping_add(1), &challenge);
        true
    }

    /// Sends a Change-Password if there is a new password and the server supports it; `false` if not.
    fn change(&mut self, now: Instant, algorithm: &dyn Algorithm, failed: u8, failure: &Failure<'_>) -> bool {
        let takes = failure.version == Some(3) && !self.changed;
        let credentials = &self.config.credentials;
        let (Some(challenge), Some(new), true) = (&failure.challenge, &credentials.new_password, takes)
        else {
            return false;
        };
        let name = credentials.wire_name();
        let min_challenge = self.config.min_challenge;
        let (name, password) = (name.as_bytes(), &credentials.password);
        let client = Client { name, password, min_challenge, rng: &mut self.rng };
        let Some(changing) = algorithm.change(client, challenge, new) else { return false };
        let id = failed.wrapping_add(1);
        let mut packet = Vec::new();
        Message::ChangePassword(changing.message).emit(&mut packet, id);
        self.prove(now, id, packet, changing.expect, true);
        true
    }
}

fn cut(text: &[u8]) -> &[u8] {
    text.get(..SHOWN).unwrap_or(text)
}
