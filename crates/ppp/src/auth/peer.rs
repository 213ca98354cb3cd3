//! The client side of authentication.

mod chap;

use core::fmt;
use std::collections::VecDeque;
use std::time::Instant;

use adit_crypto::Rng;
use adit_crypto::mppe::StartKeys;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code};

use super::method::{Exchange, row};
use super::timing::later;
use super::{Ignored, Timing};
use crate::output::Output;

/// The number of our own challenges that are remembered, so that none is ever answered.
const REMEMBERED: usize = 8;

/// The most challenges that are answered in one authentication. A server may repeat a lost Challenge with a
/// new value each time.
const MAX_CHALLENGES: u8 = 32;

/// The credentials of the client.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name without a domain.
    pub name: String,
    /// The domain; empty for none.
    pub domain: String,
    /// The password.
    pub password: Password,
    /// Replaces the password if the server reports that it has expired (MS-CHAPv2 only).
    pub new_password: Option<Password>,
    /// The passwords for further rounds, in order, such as the code of a second factor. Without one, a
    /// Failure or Nak that allows a further round is final; a further Challenge is answered with the
    /// password.
    pub next_passwords: Vec<Password>,
}

impl Credentials {
    /// Creates credentials from a name and a password.
    pub fn new(name: impl Into<String>, password: Password) -> Credentials {
        Credentials {
            name: name.into(),
            domain: String::new(),
            password,
            new_password: None,
            next_passwords: Vec::new(),
        }
    }

    /// The name as it is sent: `DOMAIN\name`, or the name alone.
    pub fn wire_name(&self) -> String {
        if self.domain.is_empty() { self.name.clone() } else { format!("{}\\{}", self.domain, self.name) }
    }
}

/// The configuration of a [`Peer`].
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// The method that LCP agreed on.
    pub method: AuthMethod,
    /// The credentials of the client.
    pub credentials: Credentials,
    /// The shortest CHAP-MD5 challenge to answer, in octets; answers to very short challenges can be
    /// precomputed.
    pub min_challenge: usize,
    /// Timers and limits.
    pub timing: Timing,
}

/// An event of a [`Peer`].
#[derive(Debug)]
pub enum PeerEvent {
    /// The server has accepted the client.
    Success {
        /// MPPE start keys of the client side, if the method derives any.
        keys: Option<StartKeys>,
        /// Whether the server has proved that it knows the password too (MS-CHAPv2).
        server_proved: bool,
        /// Whether the password is now [`Credentials::new_password`].
        password_changed: bool,
        /// The message of the server, unescaped.
        message: Vec<u8>,
    },
    /// The server has accepted the answer to a later challenge. The keys in use stay.
    Renewed,
    /// The server has rejected the client, or failed to prove its own identity. This is final.
    Failed {
        /// The code of the catalogue.
        code: Code,
        /// The number after `E=` in the server's Failure.
        mschap_error: Option<u32>,
        /// A printable description for the user.
        message: String,
    },
}

/// The peer (RFC 1994), the client side of authentication.
pub struct Peer {
    pub(super) config: PeerConfig,
    pub(super) rng: Rng,
    pub(super) state: State,
    output: Output<PeerEvent>,
    /// Challenges that this side has sent.
    own: VecDeque<Vec<u8>>,
    /// Whether the server has accepted the client.
    admitted: bool,
    /// See [`Peer::set_secured`].
    pub(super) secured: bool,
    /// Whether the password is now [`Credentials::new_password`].
    changed: bool,
    /// The last Challenge and Response, for a server that repeats its Challenge.
    last: Option<Answered>,
    /// The number of challenges answered since the start, or since the last rechallenge.
    challenges: u8,
    /// The index in [`Credentials::next_passwords`] of the current password, from 1; 0 for the password
    /// itself.
    round: usize,
    /// The overall time limit.
    until: Option<Instant>,
}

/// The state of the exchange.
#[derive(Debug)]
pub(super) enum State {
    /// Not opened yet.
    Idle,
    /// Waiting for a Challenge.
    Waiting { deadline: Instant },
    /// A packet was sent and waits for its answer.
    Sent { packet: Vec<u8>, resend: Instant, left: u32, deadline: Instant, expect: Expect },
    /// The server has accepted the client.
    Admitted,
    /// The server has rejected the client.
    Ended,
}

/// What a valid answer must contain.
#[derive(Debug)]
pub(super) struct Expect {
    /// The identifier.
    pub(super) id: u8,
    /// The server's proof, if the method has one.
    pub(super) proof: Option<[u8; 20]>,
    pub(super) keys: Option<StartKeys>,
    /// Whether the packet changes the password.
    pub(super) changing: bool,
}

/// A Challenge and the Response to it.
#[derive(Debug)]
struct Answered {
    id: u8,
    challenge: Vec<u8>,
    response: Vec<u8>,
}

impl Peer {
    /// Creates a client side that waits for [`open`](Peer::open).
    pub fn new(config: PeerConfig, rng: Rng) -> Peer {
        Peer {
            config,
            rng,
            state: State::Idle,
            output: Output::new(),
            own: VecDeque::new(),
            admitted: false,
            secured: false,
            changed: false,
            last: None,
            challenges: 0,
            round: 0,
            until: None,
        }
    }

    /// The authentication method.
    pub fn method(&self) -> AuthMethod {
        self.config.method
    }

    /// Starts authentication after LCP is up: PAP sends its request, CHAP waits for the server's Challenge.
    pub fn open(&mut self, now: Instant) {
        if matches!(self.state, State::Idle) {
            self.until = Some(later(now, self.config.timing.limit));
            match row(self.config.method).exchange {
                Exchange::Pap => {
                    let id = self.rng.u32() as u8;
                    self.send_pap(now, id);
                }
                Exchange::Chap(_) => {
                    self.state = State::Waiting { deadline: later(now, self.config.timing.total) };
                }
            }
        }
    }

    /// Sets whether the link is encrypted with this client's keys and up. Then the server has proved its
    /// identity, and a packet in clear, which any host can forge, does not end authentication: an invalid
    /// Challenge or proof is ignored, and a Challenge without a result has no consequence. A Failure is
    /// passed to this end only after it was verified.
    pub fn set_secured(&mut self, secured: bool) {
        self.secured = secured;
    }

    /// Registers a challenge that this side has sent itself and must never answer (RFC 1994 section 2.3).
    pub fn never_answer(&mut self, challenge: &[u8]) {
        if self.own.len() >= REMEMBERED {
            self.own.pop_front();
        }
        self.own.push_back(challenge.to_vec());
    }

    /// Handles a packet of [the method's protocol](super::protocol): the information field of its frame.
    ///
    /// # Errors
    /// Why the packet was dropped.
    pub fn handle_input(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        if matches!(self.state, State::Idle | State::Ended) {
            return Err(Ignored::Unexpected);
        }
        match row(self.config.method).exchange {
            Exchange::Pap => self.handle_pap(now, information),
            Exchange::Chap(algorithm) => self.handle_chap(now, algorithm, information),
        }
    }

    /// Handles expired timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Waiting { deadline } if now >= *deadline => {
                let method = self.config.method;
                self.fail(Code::A14, None, format!("the server wants {method} and sent no challenge"));
            }
            State::Sent { packet, resend, left, deadline, .. } if now >= (*resend).min(*deadline) => {
                if self.secured && self.admitted && (*left == 0 || now >= *deadline) {
                    self.stay_admitted();
                } else if *left == 0 || now >= *deadline {
                    self.fail(Code::A14, None, "the server did not answer".to_owned());
                } else {
                    *left -= 1;
                    *resend = later(now, self.config.timing.resend);
                    self.output.send(packet.clone());
                }
            }
            _ => {}
        }
    }

    /// Appends the next packet, starting with its code, to `out`; `false` when there is none.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.output.poll_transmit(out)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        self.output.poll_event()
    }

    /// When to call [`handle_timeout`](Peer::handle_timeout), and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::Idle | State::Admitted | State::Ended => None,
            State::Waiting { deadline } => Some((*deadline, "challenge")),
            State::Sent { resend, deadline, .. } => {
                Some(((*resend).min(*deadline), "answer to our response"))
            }
        }
    }

    /// Sends a packet and waits for its answer.
    pub(super) fn send(&mut self, now: Instant, packet: Vec<u8>, expect: Expect) {
        let timing = self.config.timing;
        let deadline = later(now, timing.total);
        self.output.send(packet.clone());
        self.state = State::Sent {
            packet,
            resend: later(now, timing.resend),
            left: timing.tries.saturating_sub(1),
            deadline: self.until.map_or(deadline, |until| deadline.min(until)),
            expect,
        };
    }

    pub(super) fn admit(&mut self, keys: Option<StartKeys>, server_proved: bool, message: &[u8]) {
        self.state = State::Admitted;
        (self.challenges, self.round, self.until) = (0, 0, None);
        if core::mem::replace(&mut self.admitted, true) {
            self.output.push_event(PeerEvent::Renewed);
        } else {
            let (message, password_changed) = (message.to_vec(), self.changed);
            self.output.push_event(PeerEvent::Success { keys, server_proved, password_changed, message });
        }
    }

    /// Ignores an exchange that has no valid result.
    pub(super) fn stay_admitted(&mut self) {
        self.state = State::Admitted;
        (self.challenges, self.round, self.until) = (0, 0, None);
    }

    pub(super) fn fail(&mut self, code: Code, mschap_error: Option<u32>, message: String) {
        self.state = State::Ended;
        self.output.push_event(PeerEvent::Failed { code, mschap_error, message });
    }

    /// Whether there is a password for a further round.
    pub(super) fn has_next_password(&self) -> bool {
        self.round < self.config.credentials.next_passwords.len()
    }

    /// Starts a further round.
    pub(super) fn next_password(&mut self) {
        self.round = self.round.saturating_add(1);
    }

    /// The password of this round: the current password or one of the next passwords.
    pub(super) fn password(&self) -> &Password {
        let Credentials { password, new_password, next_passwords, .. } = &self.config.credentials;
        if let Some(next) = self.round.checked_sub(1).and_then(|round| next_passwords.get(round)) {
            return next;
        }
        new_password.as_ref().filter(|_| self.changed).unwrap_or(password)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({}, admitted: {})", self.config.method, self.admitted)
    }
}
