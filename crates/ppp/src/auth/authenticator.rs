//! The server side of authentication.

mod chap;
mod reply;
mod round;

use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::mppe::StartKeys;
use adit_crypto::proof::Proven;
use adit_diag::{AuthMethod, Code};
use adit_wire::text::escape;

use super::method::{Exchange, row};
use super::timing::later;
use super::{Ignored, MsChapError, Rejection, Timing, Verdict};
use crate::output::Output;

pub(super) use super::AuthRequest;

/// The most Responses in one session that may follow a Failure with R=1 (RFC 2759 section 6 leaves the number
/// open).
const MAX_TRIES: u8 = 3;

/// The configuration of an [`Authenticator`].
#[derive(Clone, Debug)]
pub struct AuthenticatorConfig {
    /// The method that LCP agreed on.
    pub method: AuthMethod,
    /// The name in our Challenges.
    pub local_name: Arc<str>,
    /// Whether to wait for an MS-CHAPv2 Change-Password packet after E=648.
    pub change_password: bool,
    /// Timers and limits.
    pub timing: Timing,
}

/// An event of an [`Authenticator`].
///
/// A packet that belongs to an event is in [`Authenticator::poll_transmit`] before the event is: after
/// [`Failed`](AuthenticatorEvent::Failed), send the queued packets and wait a second before the link ends,
/// because Windows shows the reason only then.
#[derive(Debug)]
pub enum AuthenticatorEvent {
    /// A request to be answered with [`Authenticator::handle_answer`]. There is at most one open request.
    Ask(AuthRequest),
    /// The peer is authenticated.
    Success {
        /// The name as the peer sent it.
        name: Arc<[u8]>,
        /// MPPE start keys of the server side, if the method derives any.
        keys: Option<StartKeys>,
    },
    /// The peer has answered a later challenge correctly. The keys in use stay.
    Renewed,
    /// The account source did not answer, and no reply was sent to the peer. This is final.
    Unavailable {
        /// A description for the user.
        detail: String,
    },
    /// The peer failed to authenticate, or did not answer. This is final.
    Failed {
        /// The code of the catalogue.
        code: Code,
        /// A description for the user.
        detail: String,
    },
}

/// The authenticator (RFC 1994), the server side of authentication.
///
/// What it sends for a [`Verdict::Challenge`] depends on the method: a new Challenge (CHAP, and MS-CHAP
/// without a message), a Failure with `R=1` and the message (MS-CHAP), or a Nak with the message (PAP).
#[derive(Debug)]
pub struct Authenticator {
    pub(super) config: AuthenticatorConfig,
    rng: Rng,
    pub(super) state: State,
    pub(super) output: Output<AuthenticatorEvent>,
    /// The overall time limit: no deadline is later.
    until: Option<Instant>,
    /// The number of failed attempts.
    failures: u8,
    /// The number of rounds that the account source has added.
    rounds: u8,
    /// Whether the last verdict required another round.
    pub(super) continues: bool,
    /// The name of the authenticated peer.
    proven: Option<Arc<[u8]>>,
    /// The identifier used last.
    last_id: u8,
    /// The last exchange with a known result, kept to repeat the reply.
    pub(super) settled: Option<Box<Settled>>,
    /// When to repeat the first Success, and how many repetitions are left, until the peer proceeds to the
    /// next phase.
    again: Option<(Instant, u32)>,
}

/// The state of the exchange. Every state but the last two has a deadline.
#[derive(Debug)]
pub(super) enum State {
    /// Not opened yet.
    Idle,
    /// Waiting for a request (PAP): the first one, or the next one after a Nak with the message `asked`.
    Listening { deadline: Instant, asked: Option<String> },
    /// A Challenge was sent.
    Challenged { id: u8, challenge: Vec<u8>, resend: Instant, left: u32, deadline: Instant },
    /// The request to the account source is open.
    Checking { id: u8, request: Vec<u8>, name: Vec<u8>, changing: bool, deadline: Instant },
    /// A Failure with R=1 and a new challenge was sent.
    Retrying(Box<Retry>, Code, String),
    /// The peer is authenticated.
    Known,
    /// Authentication has failed for good.
    Ended,
}

/// The state after a Failure that allows another attempt.
#[derive(Debug)]
pub(super) struct Retry {
    /// One more than the identifier of the Response that failed (RFC 2759 section 6).
    id: u8,
    challenge: Vec<u8>,
    /// Set if the password has expired: the name of the account, because a Change-Password packet, which may
    /// follow, carries none.
    expired: Option<Vec<u8>>,
    deadline: Instant,
}

/// A request and the packet that answered it. A PAP request is not kept, because it contains a password.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) id: u8,
    request: Vec<u8>,
    pub(super) reply: Vec<u8>,
}

impl Authenticator {
    /// Creates an authenticator that waits for [`open`](Authenticator::open).
    pub fn new(config: AuthenticatorConfig, mut rng: Rng) -> Authenticator {
        let last_id = rng.u32() as u8;
        Authenticator {
            config,
            rng,
            state: State::Idle,
            output: Output::new(),
            until: None,
            failures: 0,
            rounds: 0,
            continues: false,
            proven: None,
            last_id,
            settled: None,
            again: None,
        }
    }

    /// The authentication method.
    pub fn method(&self) -> AuthMethod {
        self.config.method
    }

    /// Starts authentication of the peer after LCP is up.
    pub fn open(&mut self, now: Instant) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        self.until = Some(later(now, self.config.timing.limit));
        match row(self.config.method).exchange {
            Exchange::Pap => {
                let deadline = self.by(now, self.config.timing.total);
                self.state = State::Listening { deadline, asked: None };
            }
            Exchange::Chap(_) => self.send_challenge(now),
        }
    }

    /// Challenges an authenticated peer again. Has no effect with PAP, or while an exchange is open (RFC 1994
    /// section 2).
    pub fn rechallenge(&mut self, now: Instant) {
        let Exchange::Chap(_) = row(self.config.method).exchange else { return };
        if matches!(self.state, State::Known) {
            (self.failures, self.rounds, self.continues) = (0, 0, false);
            self.until = Some(later(now, self.config.timing.limit));
            self.send_challenge(now);
        }
    }

    /// Whether the peer is authenticated and has not failed a later challenge.
    pub fn is_proven(&self) -> bool {
        self.proven.is_some() && !matches!(self.state, State::Ended)
    }

    /// The open challenge, which a client in the same process must never answer.
    pub fn open_challenge(&self) -> Option<&[u8]> {
        match &self.state {
            State::Challenged { challenge, .. } => Some(challenge),
            State::Retrying(retry, ..) => Some(&retry.challenge),
            _ => None,
        }
    }

    /// The likely reason why the peer disconnects now: its last attempt failed and it makes no other, or it
    /// has waited for the account source for more than half of the time limit of an answer.
    pub fn refusal(&self, now: Instant) -> Option<(Code, &str)> {
        match &self.state {
            State::Retrying(_, code, detail) => Some((*code, detail)),
            State::Listening { asked: Some(asked), .. } => Some((Code::A14, asked)),
            State::Checking { deadline, .. } if later(now, self.config.timing.total / 2) >= *deadline => {
                Some((Code::A07, "the account source has not answered"))
            }
            _ => None,
        }
    }

    /// Reports a packet of a network protocol, which shows that the peer has received the Success. If it
    /// repeats its Response nevertheless, it gets the same reply (RFC 1994 section 4.2).
    pub fn peer_went_on(&mut self) {
        self.again = None;
    }

    /// Handles a packet of [the method's protocol](super::protocol): the information field of its frame.
    ///
    /// # Errors
    /// Why the packet was dropped.
    pub fn handle_input(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        match row(self.config.method).exchange {
            Exchange::Pap => self.handle_pap(now, information),
            Exchange::Chap(algorithm) => self.handle_chap(now, algorithm, information),
        }
    }

    /// Handles the answer to the open request. Without an open request, it has no effect.
    pub fn handle_answer(&mut self, now: Instant, verdict: Verdict) {
        let state = core::mem::replace(&mut self.state, State::Ended);
        let State::Checking { id, request, name, changing, .. } = state else {
            self.state = state;
            return;
        };
        self.continues = false;
        match verdict {
            Verdict::Accept(proven) => self.accepted(now, id, request, name, proven),
            Verdict::Reject(rejection) => self.rejected(now, id, request, &name, changing, rejection),
            Verdict::Challenge { message } => self.next_round(now, id, request, &message),
            Verdict::Unavailable { detail } => {
                self.output.push_event(AuthenticatorEvent::Unavailable { detail })
            }
        }
    }

    fn accepted(&mut self, now: Instant, id: u8, request: Vec<u8>, name: Vec<u8>, proven: Proven) {
        let Some(reply) = self.success_packet(id, &proven) else {
            let detail = "the account source accepted the peer and gave no proof of ours for it";
            self.refuse(id, request, Code::A12, detail.to_owned());
            return;
        };
        self.output.send(reply.clone());
        self.settled = Some(Box::new(Settled { id, request, reply }));
        self.known(now, name, proven.keys);
    }

    fn rejected(
        &mut self,
        now: Instant,
        id: u8,
        request: Vec<u8>,
        name: &[u8],
        changing: bool,
        rejection: Rejection,
    ) {
        let Rejection { error, code, retry, message } = rejection;
        self.failures = self.failures.saturating_add(1);
        let expired = error == MsChapError::PasswordExpired && !changing;
        let retry = self.retry(now, id, retry, expired.then_some(name));
        let reply = self.failure_packet(id, error, retry.as_ref(), &message);
        self.output.send(reply.clone());
        self.settled = Some(Box::new(Settled { id, request, reply }));
        let detail = format!("\"{}\": {message}", escape(name));
        match retry {
            Some(retry) => self.state = State::Retrying(Box::new(retry), code, detail),
            None => self.fail(code, detail),
        }
    }

    /// Handles expired timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Listening { deadline, asked } if now >= *deadline => {
                let none = || "the client sent no name and password".to_owned();
                let detail = asked.take().unwrap_or_else(none);
                self.fail(Code::A14, detail);
            }
            State::Challenged { resend, left, deadline, .. } if now >= (*resend).min(*deadline) => {
                if *left == 0 || now >= *deadline {
                    self.fail(Code::A14, "the client did not answer the challenge".to_owned());
                } else {
                    *left -= 1;
                    *resend = later(now, self.config.timing.resend);
                    let packet = self.challenge_packet();
                    self.output.send(packet.unwrap_or_default());
                }
            }
            State::Checking { id, request, deadline, .. } if now >= *deadline => {
                let (id, request) = (*id, core::mem::take(request));
                let detail = "the account source gave no answer in time";
                self.refuse(id, request, Code::A07, detail.to_owned());
            }
            State::Retrying(retry, code, detail) if now >= retry.deadline => {
                let (code, detail) = (*code, format!("{detail}; no other try came"));
                self.fail(code, detail);
            }
            State::Known => self.succeed_again(now),
            _ => {}
        }
    }

    /// Repeats the Success when it is due.
    fn succeed_again(&mut self, now: Instant) {
        let (Some((at, left)), Some(settled)) = (self.again, &self.settled) else { return };
        if now >= at {
            self.output.send(settled.reply.clone());
            self.again = (left > 1).then(|| (later(now, self.config.timing.resend), left - 1));
        }
    }

    /// Appends the next packet, starting with its code, to `out`; `false` when there is none.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.output.poll_transmit(out)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<AuthenticatorEvent> {
        self.output.poll_event()
    }

    /// When to call [`handle_timeout`](Authenticator::handle_timeout), and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::Known => self.again.map(|(at, _)| (at, "Success again")),
            State::Idle | State::Ended => None,
            State::Listening { deadline, .. } => Some((*deadline, "authentication request")),
            State::Challenged { resend, deadline, .. } => Some(((*resend).min(*deadline), "challenge")),
            State::Checking { deadline, .. } => Some((*deadline, "account source")),
            State::Retrying(retry, ..) => Some((retry.deadline, "another try")),
        }
    }

    /// The instant `wait` from now, but no later than the overall time limit.
    pub(super) fn by(&self, now: Instant, wait: Duration) -> Instant {
        let at = later(now, wait);
        self.until.map_or(at, |until| at.min(until))
    }

    /// Sends the request to the account source.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        id: u8,
        request: Vec<u8>,
        changing: bool,
        question: AuthRequest,
    ) {
        if self.proven.as_ref().is_some_and(|proven| **proven != *question.name) {
            let detail = format!("the client is now \"{}\", which is not who it was", escape(&question.name));
            self.refuse(id, request, Code::A01, detail);
            return;
        }
        let deadline = self.by(now, self.config.timing.total);
        self.state = State::Checking { id, request, name: question.name.clone(), changing, deadline };
        self.output.push_event(AuthenticatorEvent::Ask(question));
    }

    fn known(&mut self, now: Instant, name: Vec<u8>, keys: Option<StartKeys>) {
        self.state = State::Known;
        if self.proven.is_some() {
            self.output.push_event(AuthenticatorEvent::Renewed);
        } else {
            let name: Arc<[u8]> = name.into();
            // A client need not repeat its Response, and pppd does not: if the Success is lost, it would wait
            // forever. So the Success is repeated, which does no harm. A PAP client repeats its request
            // itself.
            let timing = self.config.timing;
            let repeats = matches!(row(self.config.method).exchange, Exchange::Chap(_)) && timing.tries > 1;
            self.again = repeats.then(|| (later(now, timing.resend), timing.tries - 1));
            self.proven = Some(Arc::clone(&name));
            self.output.push_event(AuthenticatorEvent::Success { name, keys });
        }
    }

    /// Refuses the peer without an answer of the account source.
    pub(super) fn refuse(&mut self, id: u8, request: Vec<u8>, code: Code, detail: String) {
        let reply = self.failure_packet(id, MsChapError::AuthenticationFailure, None, "Access denied");
        self.output.send(reply.clone());
        self.settled = Some(Box::new(Settled { id, request, reply }));
        self.fail(code, detail);
    }

    fn fail(&mut self, code: Code, detail: String) {
        self.state = State::Ended;
        self.output.push_event(AuthenticatorEvent::Failed { code, detail });
    }
}
