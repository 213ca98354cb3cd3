//! One end of a PPP link (RFC 1661 section 3), which combines LCP, authentication, CCP, IPCP and IPV6CP.
//!
//! Frames, commands, answers and time go in; frames, events and deadlines come out. Data packets do not pass
//! through the link; its events report when and how they may flow ([`LinkEvent::LcpUp`],
//! [`LinkEvent::Encryption`], [`LinkEvent::NetworkUp`]).
//!
//! Once a link is encrypted, control frames in clear that could end or degrade it are verified first (`verify`).
//!
//! If encryption is required, no network protocol opens before MPPE runs: the peer's IPCP request is held and
//! answered when CCP is Opened. A link on which encryption fails ends with the reason.

mod address;
mod authenticate;
mod config;
mod dead;
mod echoes;
mod encryption;
mod ending;
mod establish;
mod events;
mod input;
mod keepalive;
mod kept;
mod network;
mod output;
mod reject;
mod sizes;
mod state;
mod unread;
mod verify;

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

use echoes::Echoes;
use establish::Restarts;
use keepalive::Keepalive;
pub use keepalive::Silence;
use output::Output;
use reject::Limiter;
use sizes::Sizes;
use state::{Authentication, Phase};
use verify::Guard;

/// The most passes over the layers in one call. Each pass delivers the output of the one before it; a handful
/// is enough.
const MAX_PASSES: usize = 32;

/// One end of a PPP link.
#[derive(Debug)]
pub struct Link {
    /// Shared by all links of a server, except for accounts with settings of their own.
    config: Arc<LinkConfig>,
    rng: Rng,
    phase: Phase,
    lcp: Fsm<Lcp>,
    keepalive: Option<Keepalive>,
    echoes: Echoes,
    guard: Guard,
    /// The probe for lost large packets, while it runs.
    sizes: Option<Box<Sizes>>,
    sizes_tested: bool,
    restarts: Restarts,
    limiter: Limiter,
    /// The id of the last question, and the ids of the open ones.
    last_question: u32,
    verdict_wanted: Option<u32>,
    address_wanted: Option<u32>,
    /// The address granted to a name, kept over a renegotiation so that no source is asked twice.
    granted: Option<(Arc<[u8]>, Arc<AddressGrant>)>,
    output: Output,
}

impl Link {
    /// Creates a link that waits for [`open`](Link::open).
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
            echoes: Echoes::default(),
            guard: Guard::default(),
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

    /// Reports that the lower layer is up and starts negotiation. Only the first call has an effect.
    pub fn open(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Dead) {
            self.begin_establish(now);
            self.lcp.open(now);
            self.lcp.lower_up(now);
            self.pump(now);
        }
    }

    /// Sets the MPPE policy of the account. It takes effect at the next start of CCP, so it must be set
    /// before the [`Answer::Verdict`] that accepts the peer.
    pub fn set_mppe(&mut self, policy: MppePolicy) {
        if self.config.mppe != policy {
            Arc::make_mut(&mut self.config).mppe = policy;
        }
    }

    /// Handles a PPP frame that arrived in clear, with or without FF 03. Data packets are ignored. While the
    /// link is encrypted, a frame that could end or degrade it is verified first.
    pub fn handle_input(&mut self, now: Instant, frame: &[u8]) {
        self.receive(now, frame, false);
        self.pump(now);
    }

    /// Handles a PPP frame that arrived inside MPPE, and is therefore the peer's.
    pub fn handle_proven_input(&mut self, now: Instant, frame: &[u8]) {
        self.receive(now, frame, true);
        self.pump(now);
    }

    /// Handles a command of the caller.
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
            Command::CountTraffic { received, sent } => self.count_traffic(now, received, sent),
            Command::DataRejected => self.data_rejected(now),
            Command::HangUp => self.hang_up_closed(),
        }
        self.pump(now);
    }

    /// Handles the answer to the question with this id. It has no effect if the question is not open or of
    /// another kind.
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

    /// Handles expired timers.
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
            Phase::Network(network) => {
                network.handle_timeout(now);
                if !network.kept.is_empty() {
                    self.output.push_event(LinkEvent::CountTraffic);
                }
            }
            Phase::Refused { until, .. } => {
                if now >= *until {
                    self.refusal_was_read(now);
                }
            }
            Phase::Dead | Phase::Terminate(_) | Phase::Ended => {}
        }
        self.keepalive_timeout(now);
        self.guard_timeout(now);
        self.sizes_timeout(now);
        self.network_deadlines(now);
        self.pump(now);
    }

    /// Appends the next frame to `out`; `false` when there is none. Drain [`poll_event`](Link::poll_event)
    /// first: an event may change how the data path must treat later frames.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.output.poll_frame(out)
    }

    /// The next event. [`LinkEvent::Ended`] is the last.
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
        let guard = self.guard.due().map(|due| (due, "verification of control frames in clear"));
        [lcp, echo, sizes, guard, self.phase.poll_timeout()].into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// The Echo-Requests that the peer has not answered, if there are at least two.
    pub fn silence(&self) -> Option<Silence> {
        self.keepalive.as_ref().and_then(Keepalive::silence)
    }

    /// Passes on packets and events of the layers until there are none.
    fn pump(&mut self, now: Instant) {
        for _ in 0..MAX_PASSES {
            if let Phase::Network(network) = &mut self.phase {
                network.recover();
            }
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

    /// Allocates the id of a question.
    fn next_question(&mut self) -> u32 {
        self.last_question = self.last_question.wrapping_add(1);
        self.last_question
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
