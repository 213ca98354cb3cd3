//! The configuration of a link.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::sync::Arc;

use adit_diag::{AuthMethod, Side};

use crate::auth::{Credentials, Timing};
use crate::ccp::MppePolicy;
use crate::fsm::Timers;

/// The LCP echo, which detects a dead peer (RFC 1661 section 5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// An Echo-Request is sent after this long without traffic.
    pub every: Duration,
    /// The number of unanswered requests that end the link.
    pub lost: u32,
}

/// 30 s, 4 times.
impl Default for Echo {
    fn default() -> Echo {
        Echo { every: Duration::from_secs(30), lost: 4 }
    }
}

/// The configuration of a link. [`LinkConfig::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Which end this is.
    pub role: Side,
    /// The longest information field to ask the peer for, in octets.
    pub mru: u16,
    /// Server: the methods to request, in order of preference; empty for no authentication. Client: the
    /// methods to accept.
    pub methods: Vec<AuthMethod>,
    /// Client: the credentials. Without them every method is refused.
    pub credentials: Option<Credentials>,
    /// Server: allow a client with an expired password to set a new one (MS-CHAPv2).
    pub change_password: bool,
    /// Client: the shortest CHAP-MD5 challenge to answer, in octets.
    pub min_challenge: usize,
    /// The encryption policy. Keys are derived by MS-CHAP only.
    pub mppe: MppePolicy,
    /// Whether IPV6CP is negotiated. If not, or if the MTU is below the minimum of IPv6, it is rejected.
    pub ipv6: bool,
    /// Client: request DNS servers.
    pub request_dns: bool,
    /// Client: request WINS servers.
    pub request_wins: bool,
    /// Client: require this address.
    pub address: Option<Ipv4Addr>,
    /// Client: the server's address, if it must be this one or if the server names none.
    pub peer_address: Option<Ipv4Addr>,
    /// Server: the name in CHAP challenges.
    pub local_name: Arc<str>,
    /// Allow the peer to send one-octet protocol fields.
    pub pfc: bool,
    /// Allow the peer to omit Address and Control.
    pub acfc: bool,
    /// The Restart timer and its counters, for all protocols.
    pub timers: Timers,
    /// Keep-alive; `None` for none.
    pub echo: Option<Echo>,
    /// Whether to test that large packets pass once the network is up: see
    /// [`LinkEvent::LargeLost`](super::LinkEvent).
    pub test_sizes: bool,
    /// The time limit for LCP to come up.
    pub lcp_timeout: Duration,
    /// The time limit for authentication, without the time in which a user types.
    pub auth_timeout: Duration,
    /// The time limit for a network protocol to come up, at the start and after one went down.
    pub network_timeout: Duration,
    /// How long required encryption may be down after it was up, and how long a network that is ready waits
    /// for optional encryption that is being negotiated.
    pub encryption_timeout: Duration,
    /// How long the peer's first Configure-Request of CCP waits for its answer. accel-ppp sends the request before it
    /// is ready for the answer: with an immediate one its MPPE stays off, and it rejects every data packet.
    pub ccp_delay: Duration,
    /// The most restarts of LCP in one minute of the network phase. Before it, Max-Configure restarts in a
    /// row are allowed, because a lost Configure-Ack causes one too.
    pub max_restarts: usize,
}

impl LinkConfig {
    /// MRU 1400, MS-CHAPv2 only, 128-bit stateless encryption required, IPv4 only, the timers of the RFC.
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
            ccp_delay: if role == Side::Client { Duration::from_millis(50) } else { Duration::ZERO },
            max_restarts: 3,
        }
    }

    /// The timers of authentication.
    pub(super) fn timing(&self) -> Timing {
        Timing {
            resend: self.timers.restart,
            tries: self.timers.max_configure,
            total: self.auth_timeout,
            ..Timing::default()
        }
    }
}
