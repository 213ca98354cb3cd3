//! The state of a link. Each phase owns the data that exists only in it.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use adit_crypto::mppe::StartKeys;
use adit_diag::AuthMethod;
use adit_wire::ipcp::IpcpOption;
use adit_wire::{Protocol, cp};

use super::dead::{Delayed, Unanswered, Unread};
use super::{AddressGrant, End, Network};
use crate::auth::{Authenticator, AuthenticatorEvent, Ignored, Peer, PeerEvent};
use crate::ccp::Ccp;
use crate::fsm::{Failure, Fsm};
use crate::ipcp::{self, Ipcp};
use crate::ipv6cp::Ipv6cp;

/// The instant `wait` from now, or a day from now if the clock cannot represent it.
pub(super) fn later(now: Instant, wait: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    now.checked_add(wait).unwrap_or(now + DAY)
}

/// The phases of RFC 1661 section 3.2, with additions for tunnels.
#[derive(Debug)]
pub(super) enum Phase {
    /// Not opened yet.
    Dead,
    /// LCP is being negotiated.
    Establish {
        deadline: Instant,
        /// The number of LCP packets from the peer, and when the last one was received.
        heard: u32,
        last_heard: Instant,
    },
    /// One end authenticates itself to the other.
    Authenticate(Box<Authentication>),
    /// The peer was refused, and gets time to read the reason before LCP ends.
    Refused {
        until: Instant,
        end: End,
        /// Kept to repeat the refusal to a peer that did not receive it.
        authentication: Box<Authentication>,
    },
    /// CCP, IPCP and IPV6CP.
    Network(Box<NetworkPhase>),
    /// LCP exchanges Terminate-Request and Terminate-Ack.
    Terminate(End),
    /// The link has ended.
    Ended,
}

impl Phase {
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self {
            Phase::Establish { deadline, .. } => Some((*deadline, "LCP deadline")),
            Phase::Authenticate(authentication) => authentication.poll_timeout(),
            Phase::Refused { until, .. } => Some((*until, "time to read the refusal")),
            Phase::Network(network) => network.poll_timeout(),
            Phase::Dead | Phase::Terminate(_) | Phase::Ended => None,
        }
    }
}

/// The authentication of the peer, or of this end.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "boxed as a whole, and a server has thousands of the larger")]
pub(super) enum Authentication {
    /// We authenticate the peer.
    Server(Authenticator),
    /// The peer authenticates us.
    Client(Box<Peer>),
}

impl Authentication {
    pub(super) fn method(&self) -> AuthMethod {
        match self {
            Authentication::Server(authenticator) => authenticator.method(),
            Authentication::Client(peer) => peer.method(),
        }
    }

    /// The likely reason why a client disconnects now, if it lies on our side.
    pub(super) fn refusal(&self, now: Instant) -> Option<Failure> {
        match self {
            Authentication::Server(authenticator) => {
                let (code, why) = authenticator.refusal(now)?;
                Some(Failure { code, detail: why.to_owned() })
            }
            Authentication::Client(_) => None,
        }
    }

    pub(super) fn handle_input(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        match self {
            Authentication::Server(authenticator) => authenticator.handle_input(now, information),
            Authentication::Client(peer) => peer.handle_input(now, information),
        }
    }

    /// Reports whether the link is encrypted and up: then a packet in clear must not end authentication.
    pub(super) fn set_secured(&mut self, secured: bool) {
        if let Authentication::Client(peer) = self {
            peer.set_secured(secured);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match self {
            Authentication::Server(authenticator) => authenticator.handle_timeout(now),
            Authentication::Client(peer) => peer.handle_timeout(now),
        }
    }

    pub(super) fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        match self {
            Authentication::Server(authenticator) => authenticator.poll_transmit(out),
            Authentication::Client(peer) => peer.poll_transmit(out),
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<Reported> {
        match self {
            Authentication::Server(authenticator) => authenticator.poll_event().map(Reported::Server),
            Authentication::Client(peer) => peer.poll_event().map(Reported::Client),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self {
            Authentication::Server(authenticator) => authenticator.poll_timeout(),
            Authentication::Client(peer) => peer.poll_timeout(),
        }
    }
}

/// An event of either side of authentication.
#[derive(Debug)]
pub(super) enum Reported {
    Server(AuthenticatorEvent),
    Client(PeerEvent),
}

/// The address of the client, as far as the server knows it.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// Not requested yet: the question is asked when the client requests an address, or at this instant,
    /// whichever is first.
    Unasked(Instant),
    /// The question is open.
    Asked,
    /// Granted by the caller.
    Granted(Arc<AddressGrant>),
    /// This end is the client, and requests an address from the peer.
    Client,
}

/// Protocol-Rejects of protocols that we never sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    pub(super) count: u32,
    pub(super) since: Instant,
    /// The packets that were sent to the peer before the first one.
    pub(super) sent: u64,
}

/// CCP, IPCP and IPV6CP as they were in Opened, while they are negotiated again.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) ccp: Option<Box<Fsm<Ccp>>>,
    pub(super) ipcp: Option<Box<Fsm<Ipcp>>>,
    pub(super) ipv6cp: Option<Box<Fsm<Ipv6cp>>>,
    /// The packets from the peer that had been decrypted before, once the caller has reported them.
    pub(super) baseline: Option<u64>,
}

/// The network-layer protocol phase.
#[derive(Debug)]
pub(super) struct NetworkPhase {
    /// `None` if no authentication was required.
    pub(super) authentication: Option<Box<Authentication>>,
    /// The name of the client.
    pub(super) name: Arc<[u8]>,
    pub(super) keys: Option<StartKeys>,
    pub(super) ccp: Fsm<Ccp>,
    /// Whether MPPE runs.
    pub(super) encrypting: bool,
    /// Whether CCP was Opened with encryption in this phase.
    pub(super) was_encrypting: bool,
    /// Whether NetworkUp was reported in this phase.
    pub(super) was_up: bool,
    /// The deadline for required encryption to come back.
    pub(super) encryption_deadline: Option<Instant>,
    pub(super) address: Address,
    /// Created when the address is known and encryption runs, if it is required.
    pub(super) ipcp: Option<Fsm<Ipcp>>,
    /// Boxed, because it is rarely used.
    pub(super) ipv6cp: Option<Box<Fsm<Ipv6cp>>>,
    /// The last early Configure-Requests of the peer, to be answered once their protocols run.
    pub(super) held_ipcp: Option<Vec<u8>>,
    pub(super) held_ipv6cp: Option<Vec<u8>>,
    /// Whether IPV6CP is to be negotiated.
    pub(super) ipv6: bool,
    /// The deadline for a network protocol to come up; `None` while one is up.
    pub(super) deadline: Option<Instant>,
    /// The last reported NetworkUp, if it still applies.
    pub(super) reported: Option<Network>,
    /// The instant until which NetworkUp waits for a CCP that still negotiates.
    pub(super) patience: Instant,
    /// The Protocol-Rejects of protocols that we never sent, since the last frame that decrypted.
    pub(super) noise: Option<Noise>,
    /// The data packets sent, as far as the caller has reported them.
    pub(super) sent: u64,
    /// The data packets that the peer has rejected.
    pub(super) unread: Unread,
    pub(super) unanswered: Unanswered,
    pub(super) delayed_ccp: Delayed,
    pub(super) kept: Kept,
}

impl NetworkPhase {
    /// Whether network protocols may run now.
    pub(super) fn is_gate_open(&self) -> bool {
        self.encrypting || !self.ccp.protocol().is_required()
    }

    /// Whether data may flow in the current state: while optional encryption is being negotiated, the first
    /// packets must not be sent in clear.
    pub(super) fn is_settled(&self, now: Instant) -> bool {
        self.reported.is_some() || !self.ccp.state().is_negotiating() || now >= self.patience
    }

    /// Reports a packet of a network protocol, which shows that the client has received the result of
    /// authentication.
    pub(super) fn peer_went_on(&mut self) {
        if let Some(Authentication::Server(authenticator)) = self.authentication.as_deref_mut() {
            authenticator.peer_went_on();
        }
    }

    /// The agreed parameters of the network layer, if it is up.
    pub(super) fn network(&self) -> Option<Network> {
        let ipcp = self.ipcp.as_ref().filter(|ipcp| ipcp.is_opened()).or(self.kept.ipcp.as_deref())?;
        let ipv6cp =
            self.ipv6cp.as_deref().filter(|ipv6cp| ipv6cp.is_opened()).or(self.kept.ipv6cp.as_deref());
        let ipcp::Agreed { local, peer, dns, wins } = ipcp.protocol().agreed();
        Some(Network { local, peer, dns, wins, ipv6: ipv6cp.map(|ipv6cp| ipv6cp.protocol().identifiers()) })
    }

    /// The address in a held request, unless it is 0.0.0.0.
    pub(super) fn wanted_address(&self) -> Option<Ipv4Addr> {
        let packet = cp::Packet::parse(Protocol::Ipcp, self.held_ipcp.as_deref()?).ok()?;
        packet.options(Protocol::Ipcp).flatten().find_map(|option| match IpcpOption::parse(&option) {
            Ok(IpcpOption::Address(wanted)) if !wanted.0.is_unspecified() => Some(wanted.0),
            _ => None,
        })
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(authentication) = &mut self.authentication {
            authentication.handle_timeout(now);
        }
        self.release_ccp(now);
        self.ccp.handle_timeout(now);
        if let Some(ipcp) = &mut self.ipcp {
            ipcp.handle_timeout(now);
        }
        if let Some(ipv6cp) = &mut self.ipv6cp {
            ipv6cp.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let label = |timeout: Option<(Instant, &'static str)>, label| timeout.map(|(due, _)| (due, label));
        let ask = match self.address {
            Address::Unasked(at) if self.is_gate_open() => Some((at, "address question")),
            _ => None,
        };
        let waits = self.reported.is_none() && self.network().is_some();
        [
            waits.then_some((self.patience, "patience with CCP")),
            self.authentication.as_ref().and_then(|authentication| authentication.poll_timeout()),
            label(self.ccp.poll_timeout(), "CCP restart timer"),
            label(self.ipcp.as_ref().and_then(Fsm::poll_timeout), "IPCP restart timer"),
            label(self.ipv6cp.as_ref().and_then(|fsm| fsm.poll_timeout()), "IPV6CP restart timer"),
            self.delayed_ccp.due().map(|due| (due, "answer to CCP")),
            self.encryption_deadline.map(|due| (due, "encryption deadline")),
            self.deadline.map(|due| (due, "network deadline")),
            ask,
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(due, _)| *due)
    }
}
