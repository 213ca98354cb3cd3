//! Dispatch of frames from the peer.

use core::fmt;
use core::time::Duration;
use std::time::Instant;

use adit_diag::note::Treatment;
use adit_wire::{Protocol, cp, note, ppp};

use super::state::Phase;
use super::verify::Checked;
use super::{Link, Side};
use crate::auth;
use crate::fsm::{ControlProtocol, Fsm};

/// How soon our Configure-Request is repeated after that of the peer. A client that receives our packets
/// answers our request when it sends its own. A server's first request leaves with the Outgoing-Call-Reply,
/// when many clients are not ready for GRE yet: its loss should not cost a whole restart period.
const FOLLOWS_WITHIN: Duration = Duration::from_millis(300);

impl Link {
    /// Handles a frame; `proven` if it arrived inside MPPE.
    pub(super) fn receive(&mut self, now: Instant, frame: &[u8], proven: bool) {
        if matches!(self.phase, Phase::Dead | Phase::Ended) {
            return;
        }
        let (protocol, information) = match ppp::frame(frame) {
            Ok(parts) => parts,
            Err(_) => {
                self.output.note(false, note::malformed_frame(frame), Treatment::Handled);
                return;
            }
        };
        if proven {
            self.obey(now, protocol, information);
        } else if self.check(now, protocol, information) == Checked::Obey {
            self.dispatch(now, protocol, information);
        }
    }

    /// Passes a packet to its protocol.
    pub(super) fn dispatch(&mut self, now: Instant, protocol: u16, information: &[u8]) {
        if let Phase::Network(network) = &mut self.phase
            && matches!(protocol, ppp::CCP | ppp::IPCP | ppp::IPV6CP)
        {
            network.peer_went_on();
        }
        let treatment = match protocol {
            // Data belongs to the data path; before the network phase it is dropped silently.
            ppp::IP | ppp::IPV6 | ppp::COMPRESSED => return,
            ppp::LCP => self.receive_lcp(now, information),
            ppp::PAP | ppp::CHAP => self.receive_authentication(now, protocol, information),
            ppp::CCP => self.receive_ccp(now, information),
            ppp::IPCP => self.receive_ipcp(now, information),
            ppp::IPV6CP => self.receive_ipv6cp(now, information),
            _ => self.receive_unknown(now, protocol, information),
        };
        self.output.note(false, note::ppp(protocol, information), treatment);
    }

    fn receive_lcp(&mut self, now: Instant, information: &[u8]) -> Treatment {
        let mut is_first = false;
        if let Phase::Establish { heard, last_heard, .. } = &mut self.phase {
            is_first = *heard == 0;
            *heard = heard.saturating_add(1);
            *last_heard = now;
        }
        let treatment = treated(self.lcp.handle_input(now, information));
        let asks = information.first() == Some(&cp::CONFIGURE_REQUEST);
        if is_first && asks && self.config.role == Side::Server {
            self.lcp.hurry(now, FOLLOWS_WITHIN);
        }
        treatment
    }

    fn receive_authentication(&mut self, now: Instant, protocol: u16, information: &[u8]) -> Treatment {
        let secured = self.is_secured();
        let authentication = match &mut self.phase {
            Phase::Authenticate(authentication) => Some(&mut **authentication),
            Phase::Refused { authentication, .. } => Some(&mut **authentication),
            Phase::Network(network) => network.authentication.as_deref_mut(),
            _ => return self.too_early(),
        };
        match authentication {
            Some(authentication) if auth::protocol(authentication.method()) == protocol => {
                authentication.set_secured(secured);
                treated(authentication.handle_input(now, information))
            }
            _ => self.receive_unknown(now, protocol, information),
        }
    }

    fn receive_ccp(&mut self, now: Instant, information: &[u8]) -> Treatment {
        if self.delay_ccp(now, information) {
            return Treatment::Handled;
        }
        match &mut self.phase {
            Phase::Network(network) => treated(network.ccp.handle_input(now, information)),
            _ => self.too_early(),
        }
    }

    fn receive_ipcp(&mut self, now: Instant, information: &[u8]) -> Treatment {
        let Phase::Network(network) = &mut self.phase else { return self.too_early() };
        let gate = network.is_gate_open();
        receive_network(now, information, network.ipcp.as_mut(), &mut network.held_ipcp, gate)
    }

    fn receive_ipv6cp(&mut self, now: Instant, information: &[u8]) -> Treatment {
        let Phase::Network(network) = &mut self.phase else { return self.too_early() };
        if !network.ipv6 {
            return self.receive_unknown(now, ppp::IPV6CP, information);
        }
        let gate = network.is_gate_open();
        receive_network(now, information, network.ipv6cp.as_deref_mut(), &mut network.held_ipv6cp, gate)
    }

    fn receive_unknown(&mut self, now: Instant, protocol: u16, information: &[u8]) -> Treatment {
        if !matches!(self.phase, Phase::Network(_)) {
            return self.too_early();
        }
        // While the link is encrypted, a peer sends no data in clear. A Protocol-Reject for a forged frame would make
        // the peer believe that this end decrypts to noise.
        let begins = cp::Packet::parse(Protocol::Ppp, information)
            .is_ok_and(|packet| packet.code == cp::CONFIGURE_REQUEST);
        if self.is_secured() && !begins {
            return ignored("no rejection is due for this in clear");
        }
        if self.reject_protocol(now, protocol, information) {
            Treatment::Handled
        } else {
            ignored("too many to reject each")
        }
    }

    /// Drops a packet of a later phase silently (RFC 1661 sections 3.4 and 3.5).
    fn too_early(&self) -> Treatment {
        match (&self.phase, self.config.role) {
            (Phase::Establish { .. }, _) => ignored("LCP is not open"),
            (Phase::Authenticate(_), Side::Server) => ignored("the client has not authenticated itself"),
            (Phase::Authenticate(_), Side::Client) => ignored("we have not authenticated ourselves"),
            _ => ignored("the link is ending"),
        }
    }
}

/// Handles a packet of a network protocol, which may have to wait for encryption or for an address. Only a
/// Configure-Request is worth keeping: it is answered as soon as that is possible, never with a
/// Terminate-Ack.
fn receive_network<P: ControlProtocol>(
    now: Instant,
    information: &[u8],
    fsm: Option<&mut Fsm<P>>,
    held: &mut Option<Vec<u8>>,
    is_gate_open: bool,
) -> Treatment {
    match fsm {
        Some(fsm) if is_gate_open => treated(fsm.handle_input(now, information)),
        _ => {
            let is_held = information.first() == Some(&cp::CONFIGURE_REQUEST);
            if is_held {
                *held = Some(information.to_vec());
            }
            match (is_held, is_gate_open) {
                (true, true) => Treatment::HeldUntilAddress,
                (true, false) => Treatment::HeldUntilEncryption,
                (false, true) => Treatment::TooEarlyForAddress,
                (false, false) => Treatment::TooEarlyForEncryption,
            }
        }
    }
}

fn ignored(why: impl fmt::Display) -> Treatment {
    Treatment::Ignored { why: why.to_string().into() }
}

fn treated<E: fmt::Display>(result: Result<(), E>) -> Treatment {
    result.map_or_else(ignored, |()| Treatment::Handled)
}
