//! The authentication phase, and later challenges.

use std::sync::Arc;
use std::time::Instant;

use adit_crypto::mppe::StartKeys;
use adit_diag::Code;
use adit_wire::ppp;

use super::state::{Authentication, NetworkPhase, Phase, Reported, later};
use super::{End, Link, LinkEvent, Question, Who};
use crate::auth::{self, AuthenticatorEvent, PeerEvent, Verdict};

/// Added to one period of the Restart timer, in which a peer that did not receive the refusal asks again.
const TO_READ: core::time::Duration = core::time::Duration::from_secs(1);

impl Link {
    fn authentication(&mut self) -> Option<&mut Authentication> {
        match &mut self.phase {
            Phase::Authenticate(authentication) | Phase::Refused { authentication, .. } => {
                Some(authentication)
            }
            Phase::Network(network) => network.authentication.as_deref_mut(),
            _ => None,
        }
    }

    pub(super) fn pump_authentication(&mut self, now: Instant) -> bool {
        let Some(authentication) = self.authentication() else { return false };
        let protocol = auth::protocol(authentication.method());
        let mut packets = Vec::new();
        let mut packet = Vec::new();
        while authentication.poll_transmit(&mut packet) {
            packets.push(core::mem::take(&mut packet));
        }
        let reported: Vec<Reported> = core::iter::from_fn(|| authentication.poll_event()).collect();
        let busy = !packets.is_empty() || !reported.is_empty();
        for packet in packets {
            self.output.send(protocol, &packet);
        }
        for reported in reported {
            match reported {
                Reported::Server(event) => self.handle_authenticator_event(now, event),
                Reported::Client(event) => self.handle_peer_event(now, event),
            }
        }
        busy
    }

    fn handle_authenticator_event(&mut self, now: Instant, event: AuthenticatorEvent) {
        match event {
            AuthenticatorEvent::Ask(request) => {
                let id = self.next_question();
                self.verdict_wanted = Some(id);
                self.output.push_event(LinkEvent::Ask(id, Question::Authenticate(request)));
            }
            AuthenticatorEvent::Success { name, keys } => self.authenticated(now, name, true, keys),
            AuthenticatorEvent::Renewed => {}
            AuthenticatorEvent::Unavailable { detail } => self.end(now, Who::Us, Some(Code::A07), detail),
            // No refusal was sent to a client that has sent nothing.
            AuthenticatorEvent::Failed { code: code @ Code::A14, detail } => {
                self.end(now, Who::Neither, Some(code), detail);
            }
            AuthenticatorEvent::Failed { code, detail } => self.refused(now, code, detail),
        }
    }

    fn handle_peer_event(&mut self, now: Instant, event: PeerEvent) {
        match event {
            PeerEvent::Success { keys, server_proved, .. } => {
                let name = self.config.credentials.as_ref().map(|credentials| credentials.wire_name());
                self.authenticated(now, name.unwrap_or_default().into_bytes().into(), server_proved, keys);
            }
            PeerEvent::Renewed => {}
            PeerEvent::Failed { code, message, .. } => {
                let by = match code {
                    Code::A12 => Who::Us,
                    Code::A14 => Who::Neither,
                    _ => Who::Peer,
                };
                self.end_with_words(now, by, Some(code), message, "authentication failed");
            }
        }
    }

    fn authenticated(&mut self, now: Instant, name: Arc<[u8]>, server_proved: bool, keys: Option<StartKeys>) {
        match core::mem::replace(&mut self.phase, Phase::Dead) {
            Phase::Authenticate(authentication) => {
                let method = authentication.method();
                let server_proved = server_proved && method.is_mutual();
                self.output.push_event(LinkEvent::Authenticated {
                    name: Arc::clone(&name),
                    method,
                    server_proved,
                });
                self.begin_network(now, Some(authentication), name, keys);
            }
            phase => self.phase = phase,
        }
    }

    /// Handles a refused client. LCP is closed after the client has had time to read the reason, or earlier
    /// if the client disconnects.
    fn refused(&mut self, now: Instant, code: Code, detail: String) {
        self.drop_layers();
        let authentication = match core::mem::replace(&mut self.phase, Phase::Dead) {
            Phase::Authenticate(authentication) => Some(authentication),
            Phase::Network(network) => {
                let NetworkPhase { authentication, .. } = *network;
                authentication
            }
            phase => {
                self.phase = phase;
                return;
            }
        };
        let end = End { by: Who::Us, code: Some(code), detail };
        self.phase = match authentication {
            Some(authentication) => {
                let until = later(now, self.config.timers.restart.saturating_add(TO_READ));
                Phase::Refused { until, end, authentication }
            }
            None => Phase::Terminate(end),
        };
    }

    pub(super) fn refusal_was_read(&mut self, now: Instant) {
        if let Phase::Refused { end, .. } = &self.phase {
            let end = end.clone();
            self.phase = Phase::Terminate(end);
            self.lcp.close(now, "authentication failed");
        }
    }

    pub(super) fn on_verdict(&mut self, now: Instant, verdict: Verdict) {
        if let Some(Authentication::Server(authenticator)) = self.authentication() {
            authenticator.handle_answer(now, verdict);
        }
    }

    /// Handles a Protocol-Reject of the authentication protocol.
    pub(super) fn authentication_rejected(&mut self, now: Instant, protocol: u16) -> bool {
        let ours = self.authentication().is_some_and(|used| auth::protocol(used.method()) == protocol);
        if ours {
            let (peer, protocol) = (self.config.role.other(), ppp::ProtocolNumber(protocol));
            let detail = format!("the {peer} agreed to authenticate and then rejected {protocol}");
            self.end(now, Who::Us, Some(Code::A05), detail);
        }
        ours
    }
}
