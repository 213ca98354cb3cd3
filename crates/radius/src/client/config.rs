//! The configuration of a client.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use crate::check::RequireMessageAuthenticator;
use crate::request::Nas;
use crate::secret::SharedSecret;

/// The most servers of a client; further ones are not asked.
pub const MAX_SERVERS: usize = 16;

/// Several servers, asked in order.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The servers: the first that is in service is asked.
    pub servers: Vec<ServerConfig>,
    /// This NAS, for Status-Server.
    pub nas: Arc<Nas>,
    /// When requests are sent again.
    pub retransmission: Retransmission,
    /// When a server is out of service, and when it is in service again.
    pub health: HealthConfig,
    /// Logins that may be open at once.
    pub requests: usize,
    /// Sockets per server. Each has 256 identifiers, which limits the logins that one server can get in 30 s.
    pub sockets: u16,
}

impl ClientConfig {
    /// A client of these servers with the defaults: 4096 open logins, 32 sockets per server.
    pub fn new(servers: Vec<ServerConfig>, nas: Nas) -> ClientConfig {
        ClientConfig {
            servers,
            nas: Arc::new(nas),
            retransmission: Retransmission::default(),
            health: HealthConfig::default(),
            requests: 4096,
            sockets: 32,
        }
    }
}

/// A server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Its address and port.
    pub address: SocketAddr,
    /// The secret shared with it.
    pub secret: SharedSecret,
    /// Whether its replies need a Message-Authenticator.
    pub require: RequireMessageAuthenticator,
}

/// When a request is sent again, in the terms of RFC 5080 section 2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retransmission {
    /// The first interval (IRT). It doubles each time. All intervals vary by 10 %.
    pub first: Duration,
    /// The longest interval (MRT).
    pub longest: Duration,
    /// How often a request is sent again (MRC).
    pub retries: u8,
    /// The time that a server has for its answer, from the first time that the request is sent (MRD).
    pub total: Duration,
}

impl Retransmission {
    /// Retransmissions that are spread over this time, no more than three seconds apart at first.
    pub fn within(total: Duration, retries: u8) -> Retransmission {
        let retries = retries.min(10);
        let parts = (1_u32 << (u32::from(retries) + 1)) - 1;
        let first = (total / parts).clamp(Duration::from_millis(100), Duration::from_secs(3));
        Retransmission { first, longest: Duration::from_secs(16), retries, total }
    }
}

/// Two retransmissions within 5 s: a PPP client gives up after about 30 s, so that several servers can be asked.
impl Default for Retransmission {
    fn default() -> Retransmission {
        Retransmission::within(Duration::from_secs(5), 2)
    }
}

/// When a server is out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// So many requests in sequence without a usable answer make a server suspect.
    pub failures: u8,
    /// Whether servers are probed with Status-Server (RFC 5997).
    pub has_probes: bool,
    /// How long a probe waits for its answer.
    pub probe_wait: Duration,
    /// So many probes of a suspect server without an answer put it out of service.
    pub probes: u8,
    /// The interval of probes while a server is out of service.
    pub probe_interval: Duration,
    /// The interval of probes after one was answered.
    pub confirm_interval: Duration,
    /// So many answers in sequence put the server into service again.
    pub confirmations: u8,
    /// A server that has never answered a probe is tried again after this time.
    pub dead_time: Duration,
}

impl Default for HealthConfig {
    fn default() -> HealthConfig {
        HealthConfig {
            failures: 3,
            has_probes: true,
            probe_wait: Duration::from_secs(2),
            probes: 2,
            probe_interval: Duration::from_secs(30),
            // No more often than RFC 3539 section 3.4.1 allows.
            confirm_interval: Duration::from_secs(6),
            confirmations: 3,
            dead_time: Duration::from_secs(60),
        }
    }
}
