//! The client's end.

mod chap;
mod pap;

use core::fmt;
use std::collections::VecDeque;
use std::time::Instant;

use adit_crypto::Rng;
use adit_crypto::mppe::StartKeys;
use adit_crypto::secret::Password;
use adit_diag::Code;

use super::timing::later;
use super::{Ignored, Method, Timing};
use crate::output::Output;

/// Own challenges that are remembered, so as never to answer one.
const REMEMBERED: usize = 8;

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
}

impl Credentials {
    /// A name and its password.
    pub fn new(name: impl Into<String>, password: Password) -> Credentials {
        Credentials { name: name.into(), domain: String::new(), password, new_password: None }
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
    pub method: Method,
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
    rng: Rng,
    state: State,
    output: Output<PeerEvent>,
    /// Challenges of our own.
    own: VecDeque<Vec<u8>>,
    /// The server let us in.
    admitted: bool,
    /// Whether [`Credentials::new_password`] is the password by now.
    changed: bool,
    /// Challenge and Response of last time, for a server that asks again.
    last: Option<Exchange>,
}

/// Where the exchange stands.
#[derive(Debug)]
enum State {
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
struct Expect {
    /// The identifier of the answer.
    id: u8,
    /// The server's proof, where the method has one.
    proof: Option<[u8; 20]>,
    keys: Option<StartKeys>,
    /// The packet changes the password.
    changing: bool,
}

/// A Challenge and what answered it.
#[derive(Debug)]
struct Exchange {
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
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.config.method
    }

    /// LCP is up: PAP begins, CHAP waits for the server's Challenge.
    pub fn open(&mut self, now: Instant) {
        if matches!(self.state, State::Idle) {
            match self.config.method {
                Method::Pap => self.send_pap(now),
                _ => self.state = State::Waiting { deadline: later(now, self.config.timing.total) },
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

    /// A packet of [`Method::protocol`] came: the information field of its frame.
    ///
    /// # Errors
    /// Why the packet was dropped.
    pub fn handle_input(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        if matches!(self.state, State::Idle | State::Ended) {
            return Err(Ignored::Unexpected);
        }
        match self.config.method {
            Method::Pap => self.handle_pap(information),
            _ => self.handle_chap(now, information),
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
    fn send(&mut self, now: Instant, packet: Vec<u8>, expect: Expect) {
        let timing = self.config.timing;
        self.output.send(packet.clone());
        self.state = State::Sent {
            packet,
            resend: later(now, timing.resend),
            left: timing.tries.saturating_sub(1),
            deadline: later(now, timing.total),
            expect,
        };
    }

    fn admit(&mut self, keys: Option<StartKeys>, server_proved: bool, message: &[u8]) {
        self.state = State::Admitted;
        if core::mem::replace(&mut self.admitted, true) {
            self.output.tell(PeerEvent::Renewed);
        } else {
            let (message, password_changed) = (message.to_vec(), self.changed);
            self.output.tell(PeerEvent::Success { keys, server_proved, password_changed, message });
        }
    }

    fn fail(&mut self, code: Code, mschap_error: Option<u32>, message: String) {
        self.state = State::Ended;
        self.output.tell(PeerEvent::Failed { code, mschap_error, message });
    }

    /// The password as the server knows it by now.
    fn password(&self) -> &Password {
        let Credentials { password, new_password, .. } = &self.config.credentials;
        new_password.as_ref().filter(|_| self.changed).unwrap_or(password)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({}, admitted: {})", self.config.method, self.admitted)
    }
}
