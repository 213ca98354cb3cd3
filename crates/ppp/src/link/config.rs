//! What a link is to do.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::sync::Arc;

use adit_diag::{AuthMethod, Side};

use crate::auth::{Credentials, Timing};
use crate::ccp::MppePolicy;
use crate::fsm::Timers;

/// LCP echo: how a dead peer is noticed (RFC 1661 section 5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// An Echo-Request is sent when the link was silent for so long.
    pub every: Duration,
    /// So many without an answer end the link.
    pub lost: u32,
}

/// 30 s, 4 times.
impl Default for Echo {
    fn default() -> Echo {
        Echo { every: Duration::from_secs(30), lost: 4 }
    }
}

/// Everything that a link must know beforehand. [`LinkConfig::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Which end this is.
    pub role: Side,
    /// The longest information field to ask the peer for, in octets.
    pub mru: u16,
    /// Server: what to ask for, the preferred first; empty to admit without authentication. Client: what to answer.
    pub methods: Vec<AuthMethod>,
    /// Client: who it is. Without them no method is answered.
    pub credentials: Option<Credentials>,
    /// Server: let a client with an expired password set a new one (MS-CHAPv2).
    pub change_password: bool,
    /// Client: the shortest CHAP-MD5 challenge to answer, in octets.
    pub min_challenge: usize,
    /// Encryption. Keys come from MS-CHAP alone.
    pub mppe: MppePolicy,
    /// Whether IPV6CP is negotiated; if not, or where the MTU is below what IPv6 needs, it is rejected.
    pub ipv6: bool,
    /// Client: ask for DNS servers.
    pub request_dns: bool,
    /// Client: ask for WINS servers.
    pub request_wins: bool,
    /// Client: insist on this address.
    pub address: Option<Ipv4Addr>,
    /// Client: the server's address where it must be this one or where it names none.
    pub peer_address: Option<Ipv4Addr>,
    /// Server: the name in CHAP challenges.
    pub local_name: Arc<str>,
    /// Ask the peer for one-octet protocol fields.
    pub pfc: bool,
    /// Ask the peer to leave out Address and Control.
    pub acfc: bool,
    /// The Restart timer and its counters, for all protocols.
    pub timers: Timers,
    /// Keep-alive; `None` for none.
    pub echo: Option<Echo>,
    /// Test whether large packets pass, once the network is up: see [`LinkEvent::LargeLost`](super::LinkEvent).
    pub test_sizes: bool,
    /// LCP must be up by then.
    pub lcp_timeout: Duration,
    /// Authentication must be done by then, without the time in which a person types.
    pub auth_timeout: Duration,
    /// A network protocol must be up by then, at the start and after one went down.
    pub network_timeout: Duration,
    /// How long encryption that is required may be down after it was up, and how long a network that is ready waits for
    /// encryption that is not required but being negotiated.
    pub encryption_timeout: Duration,
    /// Restarts of LCP in the network phase that are borne in one minute. Before it Max-Configure in a row are, since a
    /// lost Configure-Ack causes one too.
    pub max_restarts: usize,
}

impl LinkConfig {
    /// MRU 1400, MS-CHAPv2 alone, 128-bit stateless encryption required, IPv4 alone, the timers of the RFC.
    pub fn new(role: Side) -> LinkConfig {
        LinkConfig {
            role,
            mru: 1400,
            methods: vec![AuthMethod::MsChapV2],
            credentials: None,
            change_password: false,
            min_challenge: 8,
            mppe: MppePolicy::default(),
            ipv6: false,
            request_dns: true,
            request_wins: false,
            address: None,
            peer_address: None,
            local_name: Arc::default(),
            pfc: false,
            acfc: false,
            timers: Timers::default(),
            echo: Some(Echo::default()),
            test_sizes: false,
            lcp_timeout: Duration::from_secs(30),
            auth_timeout: Duration::from_secs(30),
            network_timeout: Duration::from_secs(30),
            encryption_timeout: Duration::from_secs(10),
            max_restarts: 3,
        }
    }

    /// The times of authentication.
    pub(super) fn timing(&self) -> Timing {
        Timing {
            resend: self.timers.restart,
            tries: self.timers.max_configure,
            total: self.auth_timeout,
            ..Timing::default()
        }
    }
}
