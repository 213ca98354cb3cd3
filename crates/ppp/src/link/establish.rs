//! The LCP part of a link: up, down, finished.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use adit_diag::Code;
use adit_wire::ppp;

use super::ending::unless_requested;
use super::keepalive::{Due, Keepalive};
use super::state::{Authentication, Phase, later};
use super::{End, Link, LinkEvent, Side, Who};
use crate::auth::{self, Authenticator, AuthenticatorConfig, Peer, PeerConfig};
use crate::ccp::Mode;
use crate::fsm::{Event, Finish};
use crate::lcp::{Agreed, Notice};

/// The period over which restarts are counted.
const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// The restarts of LCP, which are exits from Opened.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    /// Recent restarts in the network phase.
    recent: VecDeque<Instant>,
    /// Restarts before the network phase. A lost Configure-Ack causes one too, so more of these are allowed.
    early: usize,
}

impl Restarts {
    /// Counts a restart in the network phase; returns the number within the window.
    fn count_late(&mut self, now: Instant, limit: usize) -> usize {
        self.recent.push_back(now);
        while self.recent.len() > limit.saturating_add(1)
            || self.recent.front().is_some_and(|first| now.duration_since(*first) >= RESTART_WINDOW)
        {
            self.recent.pop_front();
        }
        self.recent.len()
    }

    /// Counts a restart before the network phase; returns the number in a row.
    fn count_early(&mut self) -> usize {
        self.early += 1;
        self.early
    }

    /// Resets the count of early restarts when the network phase begins.
    pub(super) fn forgive_early(&mut self) {
        self.early = 0;
    }
}

impl Link {
    pub(super) fn begin_establish(&mut self, now: Instant) {
        let deadline = later(now, self.config.lcp_timeout);
        self.phase = Phase::Establish { deadline, heard: 0, last_heard: now };
    }

    pub(super) fn pump_lcp(&mut self, now: Instant) -> bool {
        let mut busy = false;
        let mut packet = Vec::new();
        while self.lcp.poll_transmit(&mut packet) {
            self.output.send(ppp::LCP, &packet);
            packet.clear();
            busy = true;
        }
        while let Some(event) = self.lcp.poll_event() {
            busy = true;
            match event {
                Event::Up => self.lcp_up(now),
                Event::Down => self.lcp_down(now),
                Event::TerminateRequest(data) => self.peer_terminates(now, &data),
                Event::Finished(finish) => self.lcp_finished(now, finish),
            }
        }
        while let Some(notice) = self.lcp.protocol_mut().poll_notice() {
            busy = true;
            match notice {
                Notice::EchoReply(id) => self.echo_answered(now, id),
                Notice::ProtocolReject(protocol) => self.protocol_rejected(now, protocol),
            }
        }
        busy
    }

    fn lcp_up(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Establish { .. }) {
            return;
        }
        let agreed = self.lcp.protocol().agreed();
        let Agreed { peer_mru, pfc, acfc, .. } = agreed;
        self.lcp.set_peer_mru(peer_mru);
        self.output.acfc = acfc;
        self.keepalive = self.config.echo.map(|echo| Keepalive::new(now, echo));
        self.output.push_event(LinkEvent::LcpUp { peer_mru, pfc, acfc });
        self.begin_authentication(now, agreed);
    }

    fn begin_authentication(&mut self, now: Instant, agreed: Agreed) {
        let method = match self.config.role {
            Side::Server => agreed.peer_proves,
            Side::Client => agreed.we_prove,
        };
        let Some(method) = method.and_then(auth::from_lcp) else {
            self.without_authentication(now);
            return;
        };
        let rng = self.rng.fork();
        let timing = self.config.timing();
        let authentication = match (self.config.role, &self.config.credentials) {
            (Side::Server, _) => {
                let config = AuthenticatorConfig {
                    method,
                    local_name: Arc::clone(&self.config.local_name),
                    change_password: self.config.change_password,
                    timing,
                };
                let mut authenticator = Authenticator::new(config, rng);
                authenticator.open(now);
                Authentication::Server(authenticator)
            }
            (Side::Client, Some(credentials)) => {
                let min_challenge = self.config.min_challenge;
                let config = PeerConfig { method, credentials: credentials.clone(), min_challenge, timing };
                let mut peer = Peer::new(config, rng);
                peer.open(now);
                Authentication::Client(Box::new(peer))
            }
            (Side::Client, None) => {
                self.without_authentication(now);
                return;
            }
        };
        self.phase = Phase::Authenticate(Box::new(authentication));
    }

    fn without_authentication(&mut self, now: Instant) {
        if self.config.mppe.mode == Mode::Require {
            let detail =
                "encryption is required, but no authentication is configured, which would give its keys";
            self.end(now, Who::Us, Some(Code::E06), detail.to_owned());
        } else {
            self.begin_network(now, None, Arc::default(), None);
        }
    }

    /// Handles LCP leaving Opened: all layers above it are dropped.
    fn lcp_down(&mut self, now: Instant) {
        self.keepalive = None;
        self.echoes.clear();
        self.sizes = None;
        self.output.acfc = false;
        self.lcp.set_peer_mru(ppp::DEFAULT_MRU);
        if matches!(self.phase, Phase::Refused { .. } | Phase::Terminate(_) | Phase::Ended) {
            return;
        }
        self.drop_layers();
        let late = matches!(self.phase, Phase::Network(_));
        if !self.lcp.state().is_negotiating() {
            let finish = self.lcp.cause().cloned().unwrap_or(Finish::Closed);
            self.phase = Phase::Terminate(self.explain(now, finish));
            return;
        }
        let peer = self.config.role.other();
        let detail = if late {
            let times = self.restarts.count_late(now, self.config.max_restarts);
            let many = times > self.config.max_restarts;
            many.then(|| format!("the {peer} restarted LCP {times} times within a minute"))
        } else {
            let times = self.restarts.count_early();
            let many = times > self.config.timers.max_configure as usize;
            many.then(|| format!("the {peer} restarted LCP {times} times before authentication was done"))
        };
        match detail {
            Some(detail) => self.end(now, Who::Us, Some(Code::L01), detail),
            None => self.begin_establish(now),
        }
    }

    fn lcp_finished(&mut self, now: Instant, finish: Finish) {
        let End { by, code, detail } = self.explain(now, finish);
        self.ended(by, code, detail);
    }

    /// The end for a finished LCP if no other reason is known.
    fn explain(&self, now: Instant, finish: Finish) -> End {
        let peer = self.config.role.other();
        let (by, code, detail) = match finish {
            Finish::Closed => (Who::Us, None, "closed here".to_owned()),
            Finish::Terminated(data) => (Who::Peer, unless_requested(&data), self.goodbye(&data)),
            Finish::NoAnswer => {
                let (code, detail) = self.no_lcp(now);
                (Who::Neither, Some(code), detail)
            }
            Finish::Rejected => {
                (Who::Peer, Some(Code::L01), format!("the {peer} rejected a code that LCP cannot do without"))
            }
            Finish::Failed(failure) => (Who::Us, Some(failure.code), failure.detail),
        };
        End { by, code, detail }
    }

    pub(super) fn establish_timed_out(&mut self, now: Instant) {
        let (code, detail) = self.no_lcp(now);
        let by = if code == Code::L05 { Who::Neither } else { Who::Us };
        self.end(now, by, Some(code), detail);
        if by == Who::Neither {
            self.hang_up();
        }
    }

    /// Why LCP did not come up in time: a peer that sends packets does not agree, a silent one is not
    /// reachable.
    fn no_lcp(&self, now: Instant) -> (Code, String) {
        let peer = self.config.role.other();
        match &self.phase {
            Phase::Establish { heard, last_heard, .. } if *heard > 0 => {
                let silence = now.duration_since(*last_heard);
                // A peer that still negotiates sends something within each period of its restart timer.
                if silence > self.config.timers.restart.saturating_mul(2) {
                    let detail = format!(
                        "the {peer} sent {heard} LCP packets, then nothing for {} s",
                        silence.as_secs()
                    );
                    (Code::L05, detail)
                } else {
                    let state = self.lcp.state();
                    (Code::L01, format!("no agreement with the {peer} in time, in state {state}"))
                }
            }
            _ => (Code::L05, format!("the {peer} sent no LCP packet")),
        }
    }

    pub(super) fn keepalive_timeout(&mut self, now: Instant) {
        let Some(keepalive) = &mut self.keepalive else { return };
        match keepalive.handle_timeout(now) {
            Due::Nothing => {}
            Due::Echo => self.send_echo(now),
            Due::Dead(silence) => {
                let (peer, lost) = (self.config.role.other(), keepalive.unanswered());
                let detail = format!(
                    "the {peer} left {lost} Echo-Requests without an answer for {} s",
                    silence.as_secs()
                );
                self.end(now, Who::Neither, Some(Code::L04), detail);
                self.hang_up();
            }
        }
    }
}
