//! Where a frame from the peer goes.

use core::fmt;
use core::time::Duration;
use std::time::Instant;

use adit_wire::{Protocol, cp, describe, ppp};

use super::state::Phase;
use super::{Link, Role};
use crate::auth;
use crate::fsm::{ControlProtocol, Fsm};

/// A client that can hear us answers our Configure-Request when it sends its own. A server's first request leaves with
/// the reply to the call, when many a client is not ready for GRE yet: it need not cost a whole restart period.
const FOLLOWS_WITHIN: Duration = Duration::from_millis(300);

/// What became of a packet, where that is worth a word in the record.
enum Fate {
    Taken,
    Ignored(String),
}

impl<E: fmt::Display> From<Result<(), E>> for Fate {
    fn from(result: Result<(), E>) -> Fate {
        match result {
            Ok(()) => Fate::Taken,
            Err(ignored) => Fate::Ignored(format!("ignored: {ignored}")),
        }
    }
}

impl Fate {
    fn ignored(why: &str) -> Fate {
        Fate::Ignored(format!("ignored: {why}"))
    }
}

impl Link {
    pub(super) fn receive(&mut self, now: Instant, frame: &[u8]) {
        if matches!(self.phase, Phase::Dead | Phase::Ended) {
            return;
        }
        let (protocol, information) = match ppp::frame(frame) {
            Ok(parts) => parts,
            Err(error) => {
                self.output.step(false, Protocol::Ppp, format!("malformed: {error}"));
                return;
            }
        };
        if let Phase::Network(network) = &mut self.phase
            && matches!(protocol, ppp::CCP | ppp::IPCP | ppp::IPV6CP)
        {
            network.peer_went_on();
        }
        let fate = match protocol {
            // Data is the data path's; before its time it is dropped silently.
            ppp::IP | ppp::IPV6 | ppp::COMPRESSED => return,
            ppp::LCP => self.receive_lcp(now, information),
            ppp::PAP | ppp::CHAP => self.receive_authentication(now, protocol, information),
            ppp::CCP => self.receive_ccp(now, information),
            ppp::IPCP => self.receive_ipcp(now, information),
            ppp::IPV6CP => self.receive_ipv6cp(now, information),
            _ => self.receive_unknown(now, protocol, information),
        };
        let text = describe::information(protocol, information);
        let text = match fate {
            Fate::Taken => text,
            Fate::Ignored(why) => format!("{text} ({why})"),
        };
        self.output.step(false, ppp::protocol(protocol), text);
    }

    fn receive_lcp(&mut self, now: Instant, information: &[u8]) -> Fate {
        let mut is_first = false;
        if let Phase::Establish { heard, last_heard, .. } = &mut self.phase {
            is_first = *heard == 0;
            *heard = heard.saturating_add(1);
            *last_heard = now;
        }
        let fate = self.lcp.handle_input(now, information).into();
        let asks = information.first() == Some(&cp::CONFIGURE_REQUEST);
        if is_first && asks && self.config.role == Role::Server {
            self.lcp.hurry(now, FOLLOWS_WITHIN);
        }
        fate
    }

    fn receive_authentication(&mut self, now: Instant, protocol: u16, information: &[u8]) -> Fate {
        let authentication = match &mut self.phase {
            Phase::Authenticate(authentication) => Some(&mut **authentication),
            Phase::Refused { authentication, .. } => Some(&mut **authentication),
            Phase::Network(network) => network.authentication.as_deref_mut(),
            _ => return self.too_early(),
        };
        match authentication {
            Some(authentication) if auth::protocol(authentication.method()) == protocol => {
                authentication.handle_input(now, information).into()
            }
            _ => self.receive_unknown(now, protocol, information),
        }
    }

    fn receive_ccp(&mut self, now: Instant, information: &[u8]) -> Fate {
        match &mut self.phase {
            Phase::Network(network) => network.ccp.handle_input(now, information).into(),
            _ => self.too_early(),
        }
    }

    fn receive_ipcp(&mut self, now: Instant, information: &[u8]) -> Fate {
        let Phase::Network(network) = &mut self.phase else { return self.too_early() };
        let gate = network.is_gate_open();
        receive_network(now, information, network.ipcp.as_mut(), &mut network.held_ipcp, gate)
    }

    fn receive_ipv6cp(&mut self, now: Instant, information: &[u8]) -> Fate {
        let Phase::Network(network) = &mut self.phase else { return self.too_early() };
        if !network.ipv6 {
            return self.receive_unknown(now, ppp::IPV6CP, information);
        }
        let gate = network.is_gate_open();
        receive_network(now, information, network.ipv6cp.as_deref_mut(), &mut network.held_ipv6cp, gate)
    }

    fn receive_unknown(&mut self, now: Instant, protocol: u16, information: &[u8]) -> Fate {
        if !matches!(self.phase, Phase::Network(_)) {
            return self.too_early();
        }
        if self.reject_protocol(now, protocol, information) {
            Fate::Taken
        } else {
            Fate::ignored("too many to reject each")
        }
    }

    /// RFC 1661 section 3.4 and 3.5: silently, which for the peer it is.
    fn too_early(&self) -> Fate {
        match (&self.phase, self.config.role) {
            (Phase::Establish { .. }, _) => Fate::ignored("LCP is not open"),
            (Phase::Authenticate(_), Role::Server) => {
                Fate::ignored("the client has not authenticated itself")
            }
            (Phase::Authenticate(_), Role::Client) => Fate::ignored("we have not authenticated ourselves"),
            _ => Fate::ignored("the link is ending"),
        }
    }
}

/// A packet of a network protocol, which may have to wait for encryption or for an address. Of those that wait only a
/// Configure-Request is worth keeping: it is answered as soon as that is possible, never with a Terminate-Ack.
fn receive_network<P: ControlProtocol>(
    now: Instant,
    information: &[u8],
    fsm: Option<&mut Fsm<P>>,
    held: &mut Option<Vec<u8>>,
    is_gate_open: bool,
) -> Fate {
    match fsm {
        Some(fsm) if is_gate_open => fsm.handle_input(now, information).into(),
        _ => {
            let until = if is_gate_open { "until there is an address" } else { "until encryption is up" };
            if information.first() == Some(&cp::CONFIGURE_REQUEST) {
                *held = Some(information.to_vec());
                Fate::Ignored(format!("held {until}"))
            } else {
                Fate::Ignored(format!("ignored {until}"))
            }
        }
    }
}
