//! The network-layer protocol phase: IPCP and IPV6CP, once encryption allows them.

use std::sync::Arc;
use std::time::Instant;

use adit_crypto::mppe::StartKeys;
use adit_diag::Code;
use adit_wire::ppp;

use super::dead::{Delayed, Unanswered, Unread};
use super::state::{Address, Authentication, Kept, NetworkPhase, Phase, later};
use super::{Link, LinkEvent, Side, Who};
use crate::ccp::{Ccp, Mode, no_keys};
use crate::fsm::{ControlProtocol, Event, Failure, Finish, Fsm};
use crate::ipv6cp::Ipv6cp;

/// The smallest MTU of a link that carries IPv6 (RFC 8200 section 5).
const IPV6_MTU: u16 = 1280;
/// The octets of the MRU that MPPE uses: its header, and the protocol number inside.
const MPPE_OVERHEAD: u16 = 4;

impl Link {
    pub(super) fn begin_network(
        &mut self,
        now: Instant,
        authentication: Option<Box<Authentication>>,
        name: Arc<[u8]>,
        keys: Option<StartKeys>,
    ) {
        let policy = &self.config.mppe;
        if let (None, Mode::Require, Some(authentication)) = (&keys, policy.mode, &authentication) {
            let method = authentication.method();
            let Failure { code, mut detail } = no_keys(method);
            if method.gives_keys() {
                detail = format!("encryption is required, and no keys came with the answer for {method}");
            }
            // No phase is active at this point; the link ends from here.
            self.end(now, Who::Us, Some(code), detail);
            return;
        }
        self.restarts.forgive_early();
        let agreed = self.lcp.protocol().agreed();
        let overhead = if policy.mode == Mode::Off { 0 } else { MPPE_OVERHEAD };
        let mtu = agreed.peer_mru.min(agreed.own_mru).saturating_sub(overhead);
        let asks = policy.mode.asks() && keys.is_some();
        let mut ccp = Fsm::new(Ccp::new(self.config.role, policy, keys.as_ref()), self.config.timers);
        ccp.set_peer_mru(agreed.peer_mru);
        if asks {
            ccp.open(now);
            ccp.lower_up(now);
        } else {
            ccp.listen();
        }
        if self.granted.as_ref().is_some_and(|(granted, _)| *granted != name) {
            self.granted = None;
        }
        let address = match (self.config.role, &self.granted) {
            (Side::Client, _) => Address::Client,
            (Side::Server, Some((_, grant))) => Address::Granted(Arc::clone(grant)),
            (Side::Server, None) => Address::Unasked(later(now, self.config.timers.restart)),
        };
        let delayed_ccp = if asks { Delayed::new(self.config.ccp_delay) } else { Delayed::No };
        self.phase = Phase::Network(Box::new(NetworkPhase {
            authentication,
            name,
            keys,
            ccp,
            encrypting: false,
            was_encrypting: false,
            was_up: false,
            encryption_deadline: None,
            address,
            ipcp: None,
            ipv6cp: None,
            held_ipcp: None,
            held_ipv6cp: None,
            ipv6: self.config.ipv6 && mtu >= IPV6_MTU,
            deadline: Some(later(now, self.config.network_timeout)),
            reported: None,
            patience: later(now, self.config.encryption_timeout),
            noise: None,
            sent: 0,
            unread: Unread::default(),
            unanswered: Unanswered::default(),
            delayed_ccp,
            kept: Kept::default(),
        }));
    }

    pub(super) fn pump_network(&mut self, now: Instant) -> bool {
        let opened = self.open_ipcp(now) | self.open_ipv6cp(now);
        let Phase::Network(network) = &mut self.phase else { return opened };
        let mut packets = Vec::new();
        let ipcp = network.ipcp.as_mut().map(|fsm| drain(fsm, ppp::IPCP, &mut packets)).unwrap_or_default();
        let ipv6cp = network
            .ipv6cp
            .as_deref_mut()
            .map(|fsm| drain(fsm, ppp::IPV6CP, &mut packets))
            .unwrap_or_default();
        let busy = opened || !packets.is_empty() || !ipcp.is_empty() || !ipv6cp.is_empty();
        for (protocol, packet) in packets {
            self.output.send(protocol, &packet);
        }
        if ipv6cp.iter().any(|event| matches!(event, Event::Up)) {
            network.kept.ipv6cp = None;
        }
        for event in ipcp {
            self.handle_ipcp_event(now, event);
        }
        self.ipcp_failed(now);
        self.report_network(now);
        busy
    }

    /// Ends the link at once if the failure of IPCP is the end of the link anyway.
    fn ipcp_failed(&mut self, now: Instant) {
        let Phase::Network(network) = &self.phase else { return };
        if let Some(failure) = network.ipcp.as_ref().and_then(Fsm::failure) {
            let Failure { code, detail } = failure.clone();
            self.end(now, Who::Us, Some(code), detail);
        }
    }

    /// Starts IPV6CP as soon as it may run, and passes it the held packet.
    fn open_ipv6cp(&mut self, now: Instant) -> bool {
        let Phase::Network(network) = &mut self.phase else { return false };
        if !network.ipv6 || !network.is_gate_open() {
            return false;
        }
        if network.ipv6cp.is_none() {
            let fsm = Fsm::new(Ipv6cp::new(None, self.rng.fork()), self.config.timers);
            network.ipv6cp = Some(Box::new(started(fsm, now, self.lcp.protocol().agreed().peer_mru)));
        }
        release(now, network.ipv6cp.as_deref_mut(), &mut network.held_ipv6cp)
    }

    fn handle_ipcp_event(&mut self, now: Instant, event: Event) {
        let deadline = later(now, self.config.network_timeout);
        let peer = self.config.role.other();
        if let Phase::Network(network) = &mut self.phase {
            match event {
                Event::Up => (network.deadline, network.kept.ipcp) = (None, None),
                Event::Down if network.kept.ipcp.is_none() => network.deadline = Some(deadline),
                Event::Down | Event::TerminateRequest(_) | Event::Finished(_) => {}
            }
        }
        match event {
            Event::Up | Event::Down => {}
            Event::Finished(Finish::Failed(failure)) => {
                self.end(now, Who::Us, Some(failure.code), failure.detail);
            }
            Event::Finished(Finish::Rejected) => {
                let detail = format!("the {peer} does not do IPv4 (it rejected IPCP)");
                self.end(now, Who::Us, Some(Code::I05), detail);
            }
            Event::Finished(Finish::NoAnswer) => {
                self.end(now, Who::Neither, Some(Code::I06), format!("the {peer} does not answer IPCP"));
            }
            // It may come up again before the deadline.
            Event::TerminateRequest(_) | Event::Finished(Finish::Terminated(_) | Finish::Closed) => {}
        }
    }

    /// Reports changes since the last report.
    fn report_network(&mut self, now: Instant) {
        let Phase::Network(network) = &mut self.phase else { return };
        let up = network.network().filter(|_| network.is_settled(now));
        if network.reported == up {
            return;
        }
        network.reported.clone_from(&up);
        let is_up = up.is_some();
        network.was_up |= is_up;
        self.output.push_event(up.map_or(LinkEvent::NetworkDown, LinkEvent::NetworkUp));
        if is_up {
            self.begin_sizes(now);
        }
    }

    pub(super) fn network_deadlines(&mut self, now: Instant) {
        self.encryption_deadline(now);
        let Phase::Network(network) = &mut self.phase else { return };
        if network.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        network.deadline = None;
        let peer = self.config.role.other();
        let ccp = network.ccp.protocol();
        let (code, detail) = match (&network.address, &network.ipcp) {
            _ if !network.is_gate_open() => match ccp.why(&Finish::NoAnswer, network.was_encrypting) {
                Some(Failure { code, detail }) => (code, detail),
                None => (Code::I06, "encryption did not come up in time".to_owned()),
            },
            (Address::Asked, _) => (Code::I06, "the question for an address had no answer".to_owned()),
            (_, Some(ipcp)) if ipcp.state().is_negotiating() => (
                Code::I06,
                format!("no agreement with the {peer} on addresses in time, in state {}", ipcp.state()),
            ),
            _ => (Code::I06, format!("the {peer} ended IPCP and did not start it again")),
        };
        self.end(now, Who::Us, Some(code), detail);
    }
}

/// Creates a layer that starts to negotiate.
pub(super) fn started<P: ControlProtocol>(mut fsm: Fsm<P>, now: Instant, peer_mru: u16) -> Fsm<P> {
    fsm.set_peer_mru(peer_mru);
    fsm.open(now);
    fsm.lower_up(now);
    fsm
}

/// Passes a layer the packet that was held for it.
pub(super) fn release<P: ControlProtocol>(
    now: Instant,
    fsm: Option<&mut Fsm<P>>,
    held: &mut Option<Vec<u8>>,
) -> bool {
    match (fsm, held.take()) {
        (Some(fsm), Some(packet)) => {
            // A malformed packet is dropped here as it would have been on arrival.
            let _ = fsm.handle_input(now, &packet);
            true
        }
        (_, packet) => {
            *held = packet;
            false
        }
    }
}

/// Collects the packets of a layer, with its protocol, and its events.
pub(super) fn drain<P: ControlProtocol>(
    fsm: &mut Fsm<P>,
    protocol: u16,
    packets: &mut Vec<(u16, Vec<u8>)>,
) -> Vec<Event> {
    let mut packet = Vec::new();
    while fsm.poll_transmit(&mut packet) {
        packets.push((protocol, core::mem::take(&mut packet)));
    }
    core::iter::from_fn(|| fsm.poll_event()).collect()
}
