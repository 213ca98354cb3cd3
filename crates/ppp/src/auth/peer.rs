//! The client's end.

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

/// Own challenges that are remembered, so as never to answer one.
const REMEMBERED: usize = 8;

/// Challenges that are answered in one authentication. A server may repeat a lost one with another value, every time.
const MAX_CHALLENGES: u8 = 32;

/// Who the client is.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name without a domain.
    pub name: String,
    /// The domain; empty for none.
    pub domain: String,
    /// The password.
    pub password: Password,
    /// Replaces the password if the server says that it has expired (MS-CHAPv2 only).
    pub new_password: Option<Password>,
    /// What to prove in further rounds, in order: the code of a second factor, for one. A Failure or Nak that allows a
    /// further round is final without; a further Challenge is answered with the password.
    pub next_passwords: Vec<Password>,
}

impl Credentials {
    /// A name and its password.
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

/// What the client's end is to do.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// The method that LCP agreed on.
    pub method: AuthMethod,
    /// Who the client is.
    pub credentials: Credentials,
    /// The shortest CHAP-MD5 challenge to answer, in octets; answers to very short ones can be collected beforehand.
    pub min_challenge: usize,
    /// Times and counts.
    pub timing: Timing,
}

/// What the client's end tells.
#[derive(Debug)]
pub enum PeerEvent {
    /// The server let us in.
    Success {
        /// MPPE start keys of the client's side, where the method gives any.
        keys: Option<StartKeys>,
        /// It has proved that it knows the password too (MS-CHAPv2).
        server_proved: bool,
        /// The password is now [`Credentials::new_password`].
        password_changed: bool,
        /// What it said, unescaped.
        message: Vec<u8>,
    },
    /// The server let us in once more. The keys in use stay.
    Renewed,
    /// It did not, or it is not who it should be. This is final.
    Failed {
        /// The catalogue's code.
        code: Code,
        /// `E=` of the server's Failure.
        mschap_error: Option<u32>,
        /// What happened, for people, printable.
        message: String,
    },
}

/// The client's end.
pub struct Peer {
    pub(super) config: PeerConfig,
    pub(super) rng: Rng,
    pub(super) state: State,
    output: Output<PeerEvent>,
    /// Challenges of our own.
    own: VecDeque<Vec<u8>>,
    /// The server let us in.
    admitted: bool,
    /// Whether [`Credentials::new_password`] is the password by now.
    changed: bool,
    /// Challenge and Response of last time, for a server that asks again.
    last: Option<Answered>,
    /// Challenges answered since it was opened, or since the server asked again.
    challenges: u8,
    /// Which of [`Credentials::next_passwords`] is the one to prove, from 1; 0 for the password.
    round: usize,
    /// Everything must be over by then.
    until: Option<Instant>,
}

/// Where the exchange stands.
#[derive(Debug)]
pub(super) enum State {
    /// Not opened yet.
    Idle,
    /// A Challenge is awaited.
    Waiting { deadline: Instant },
    /// A packet of ours waits for its answer.
    Sent { packet: Vec<u8>, resend: Instant, left: u32, deadline: Instant, expect: Expect },
    /// The server let us in.
    Admitted,
    /// It did not.
    Ended,
}

/// What makes an answer a good one.
#[derive(Debug)]
pub(super) struct Expect {
    /// The identifier of the answer.
    pub(super) id: u8,
    /// The server's proof, where the method has one.
    pub(super) proof: Option<[u8; 20]>,
    pub(super) keys: Option<StartKeys>,
    /// The packet changes the password.
    pub(super) changing: bool,
}

/// A Challenge and what answered it.
#[derive(Debug)]
struct Answered {
    id: u8,
    challenge: Vec<u8>,
    response: Vec<u8>,
}

impl Peer {
    /// An end that waits for [`open`](Peer::open).
    pub fn new(config: PeerConfig, rng: Rng) -> Peer {
        Peer {
            config,
            rng,
            state: State::Idle,
            output: Output::new(),
            own: VecDeque::new(),
            admitted: false,
            changed: false,
            last: None,
            challenges: 0,
            round: 0,
            until: None,
        }
    }

    /// The method.
    pub fn method(&self) -> AuthMethod {
        self.config.method
    }

    /// LCP is up: PAP begins, CHAP waits for the server's Challenge.
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

    /// Never to answer this challenge, which this end has sent itself (RFC 1994 section 2.3).
    pub fn never_answer(&mut self, challenge: &[u8]) {
        if self.own.len() >= REMEMBERED {
            self.own.pop_front();
        }
        self.own.push_back(challenge.to_vec());
    }

    /// A packet of [the method's protocol](super::protocol) came: the information field of its frame.
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

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Waiting { deadline } if now >= *deadline => {
                let method = self.config.method;
                self.fail(Code::A14, None, format!("the server wants {method} and sent no challenge"));
            }
            State::Sent { packet, resend, left, deadline, .. } if now >= (*resend).min(*deadline) => {
                if *left == 0 || now >= *deadline {
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

    /// Appends the next packet, from its code on, to `out`; `false` when there is none.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.output.poll_transmit(out)
    }

    /// The next thing to tell.
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

    pub(super) fn fail(&mut self, code: Code, mschap_error: Option<u32>, message: String) {
        self.state = State::Ended;
        self.output.push_event(PeerEvent::Failed { code, mschap_error, message });
    }

    /// Whether there is something to prove in a further round.
    pub(super) fn has_next_password(&self) -> bool {
        self.round < self.config.credentials.next_passwords.len()
    }

    /// A further round begins.
    pub(super) fn next_password(&mut self) {
        self.round = self.round.saturating_add(1);
    }

    /// What to prove in this round: the password as the server knows it by now, or its successor.
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
