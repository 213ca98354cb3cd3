//! One end of a PPP link (RFC 1661 section 3): LCP, authentication, CCP, IPCP and IPV6CP put together.
//!
//! Frames, commands, answers and time go in; frames, events and deadlines come out. Data packets do not pass here: the
//! link says when and how they may flow ([`LinkEvent::LcpUp`], [`LinkEvent::Encryption`], [`LinkEvent::NetworkUp`]).
//!
//! Where encryption is required it is a gate. No network protocol opens before MPPE runs: the peer's IPCP request is
//! held and answered when CCP is Opened. And a link that cannot have encryption ends with the reason.

mod address;
mod authenticate;
mod config;
mod encryption;
mod ending;
mod establish;
mod events;
mod input;
mod keepalive;
mod network;
mod output;
mod reject;
mod sizes;
mod state;

use std::sync::Arc;
use std::time::Instant;

use adit_crypto::Rng;

use crate::ccp::MppePolicy;
use crate::fsm::Fsm;
use crate::lcp::{Auth, Lcp, LcpConfig};

pub use crate::ipcp::AddressGrant;
pub use crate::mppe::Mppe;
pub use adit_diag::Side;
pub use adit_diag::note::Who;
pub use config::{Echo, LinkConfig};
pub use events::{Answer, Command, End, LinkEvent, Network, Question};

use establish::Restarts;
use keepalive::Keepalive;
use output::Output;
use reject::Limiter;
use sizes::Sizes;
use state::{Authentication, Phase};

/// Passes over all layers that one call can cause. Each passes on what the one before it said; a handful is enough.
const MAX_PASSES: usize = 32;

/// One end of a PPP link.
#[derive(Debug)]
pub struct Link {
    /// Shared by all links of a server, but for accounts with rules of their own.
    config: Arc<LinkConfig>,
    rng: Rng,
    phase: Phase,
    lcp: Fsm<Lcp>,
    keepalive: Option<Keepalive>,
    /// The search for packets that are too large, once it has begun and until it is over.
    sizes: Option<Box<Sizes>>,
    sizes_tested: bool,
    restarts: Restarts,
    limiter: Limiter,
    /// The id of the last question, and those of the ones that are open.
    last_question: u32,
    verdict_wanted: Option<u32>,
    address_wanted: Option<u32>,
    /// What a name was given, kept over a renegotiation so that no source is asked twice.
    granted: Option<(Arc<[u8]>, Arc<AddressGrant>)>,
    output: Output,
}

impl Link {
    /// A link that waits for [`open`](Link::open).
    pub fn new(config: impl Into<Arc<LinkConfig>>, mut rng: Rng) -> Link {
        let config = config.into();
        let methods = config.methods.iter().map(|method| crate::auth::lcp(*method)).collect();
        let auth = match config.role {
            Side::Server => Auth::Ask(methods),
            Side::Client if config.credentials.is_some() => Auth::Answer(methods),
            Side::Client => Auth::Answer(Vec::new()),
        };
        let lcp = LcpConfig { mru: config.mru, auth, pfc: config.pfc, acfc: config.acfc };
        Link {
            lcp: Fsm::new(Lcp::new(lcp, rng.fork()), config.timers),
            config,
            rng,
            phase: Phase::Dead,
            keepalive: None,
            sizes: None,
            sizes_tested: false,
            restarts: Restarts::default(),
            limiter: Limiter::default(),
            last_question: 0,
            verdict_wanted: None,
            address_wanted: None,
            granted: None,
            output: Output::new(),
        }
    }

    /// The layer below is up: begins to negotiate. Only the first call has an effect.
    pub fn open(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Dead) {
            self.begin_establish(now);
            self.lcp.open(now);
            self.lcp.lower_up(now);
            self.pump(now);
        }
    }

    /// What this link may encrypt with, by an account's own rules. It holds from the next start of CCP on, so it must be
    /// set before the [`Answer::Verdict`] that lets the peer in.
    pub fn set_mppe(&mut self, policy: MppePolicy) {
        if self.config.mppe != policy {
            Arc::make_mut(&mut self.config).mppe = policy;
        }
    }

    /// A PPP frame came from the peer, with or without FF 03. Data packets are ignored.
    pub fn handle_input(&mut self, now: Instant, frame: &[u8]) {
        self.receive(now, frame);
        self.pump(now);
    }

    /// A command of the shell.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Close { reason } => {
                let detail = format!("closed here: {reason}");
                self.end_with_words(now, Who::Us, None, detail, &reason);
            }
            Command::Rechallenge => self.rechallenge(now),
            Command::TimeRemaining { seconds, message } => self.send_time_remaining(seconds, &message),
            Command::LowerDown => self.lower_down(now),
            Command::NoteTraffic => self.note_traffic(now),
        }
        self.pump(now);
    }

    /// The answer to the question with this id. One that is not open any more, or of another kind, has no effect.
    pub fn handle_answer(&mut self, now: Instant, id: u32, answer: Answer) {
        match answer {
            Answer::Verdict(verdict) if self.verdict_wanted == Some(id) => {
                self.verdict_wanted = None;
                self.on_verdict(now, verdict);
            }
            Answer::Address(grant) if self.address_wanted == Some(id) => {
                self.address_wanted = None;
                self.on_address(now, grant);
            }
            Answer::Verdict(_) | Answer::Address(_) => {}
        }
        self.pump(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        self.lcp.handle_timeout(now);
        match &mut self.phase {
            Phase::Establish { deadline, .. } => {
                if now >= *deadline {
                    self.establish_timed_out(now);
                }
            }
            Phase::Authenticate(authentication) => authentication.handle_timeout(now),
            Phase::Network(network) => network.handle_timeout(now),
            Phase::Refused { until, .. } => {
                if now >= *until {
                    self.refusal_was_read(now);
                }
            }
            Phase::Dead | Phase::Terminate(_) | Phase::Ended => {}
        }
        self.keepalive_timeout(now);
        self.sizes_timeout(now);
        self.network_deadlines(now);
        self.pump(now);
    }

    /// Appends the next frame to `out`; `false` when there is none. Drain [`poll_event`](Link::poll_event) first: an
    /// event may change how the data path must treat what follows.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.output.poll_frame(out)
    }

    /// The next thing to tell. [`LinkEvent::Ended`] is the last.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        self.output.poll_event()
    }

    /// When to call [`handle_timeout`](Link::handle_timeout), and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if matches!(self.phase, Phase::Ended) {
            return None;
        }
        let lcp = self.lcp.poll_timeout().map(|(due, _)| (due, "LCP restart timer"));
        let echo = self.keepalive.as_ref().map(|keepalive| (keepalive.due(), "LCP echo"));
        let sizes = self.sizes.as_ref().map(|sizes| (sizes.due(), "LCP echo of a large packet"));
        [lcp, echo, sizes, self.phase.poll_timeout()].into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// When the first Echo-Request was sent of those that the peer has left unanswered; `None` with fewer than two.
    pub fn unanswered_since(&self) -> Option<Instant> {
        self.keepalive.as_ref().and_then(Keepalive::unanswered_since)
    }

    /// Passes on what the layers have to send and to say, until all are quiet.
    fn pump(&mut self, now: Instant) {
        for _ in 0..MAX_PASSES {
            let busy = self.pump_lcp(now)
                | self.pump_authentication(now)
                | self.pump_encryption(now)
                | self.pump_network(now);
            if !busy {
                break;
            }
        }
        self.settle_end();
    }

    fn note_traffic(&mut self, now: Instant) {
        if let Some(keepalive) = &mut self.keepalive {
            keepalive.heard(now);
        }
        if let Phase::Network(network) = &mut self.phase {
            network.ccp.note_traffic();
        }
    }

    fn rechallenge(&mut self, now: Instant) {
        if let Phase::Network(network) = &mut self.phase
            && let Some(Authentication::Server(authenticator)) = network.authentication.as_deref_mut()
        {
            authenticator.rechallenge(now);
        }
    }

    /// A new question's id.
    fn next_question(&mut self) -> u32 {
        self.last_question = self.last_question.wrapping_add(1);
        self.last_question
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
