//! The plan of a run: how many calls, how fast, and with which traffic.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The parameters of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The address of the server.
    pub server: SocketAddrV4,
    /// The account; `%n` stands for its number, from 0.
    pub user: String,
    /// How many accounts share the calls, at least 1.
    pub users: u32,
    /// The password of all accounts.
    pub password: String,
    /// Calls to make.
    pub sessions: u32,
    /// Calls that are being set up or up at once; 1: one after the other. With `together`, those being set up.
    pub at_once: u32,
    /// Echo requests through each tunnel, each sent when the one before was answered.
    pub pings: u32,
    /// Octets of data in each.
    pub size: u16,
    /// How long to stay up after the last echo request; with `together`, after the last call came up.
    pub hold: Duration,
    /// With `together`: stay until this is true, and ping through every tunnel ten times a second meanwhile.
    pub until: Option<Arc<AtomicBool>>,
    /// Whether all calls stay until the last is up.
    pub together: bool,
    /// Whether calls send no keep-alive of their own and only answer the server's.
    pub patient: bool,
    /// Source addresses of this host, in turn; none: as the routing table selects.
    pub sources: Vec<Ipv4Addr>,
    /// With `together`: what to send when all are up.
    pub traffic: Option<Traffic>,
    /// How long a server may take: for the TCP connection, and for the set-up from there.
    pub patience: Duration,
    /// The server's process on this machine, whose time and memory are to be measured.
    pub server_pid: Option<u32>,
}

/// With thousands of clients at once, a server takes its time for each.
const PATIENCE: Duration = Duration::from_secs(120);

impl Plan {
    /// One call that is closed as soon as it is up.
    pub fn new(server: SocketAddrV4, password: &str) -> Plan {
        Plan {
            server,
            user: "load%n".to_owned(),
            users: 1,
            password: password.to_owned(),
            sessions: 1,
            at_once: 1,
            pings: 0,
            size: 64,
            hold: Duration::ZERO,
            until: None,
            together: false,
            patient: false,
            sources: Vec::new(),
            traffic: None,
            patience: PATIENCE,
            server_pid: None,
        }
    }

    /// The account of call `number`.
    pub(crate) fn user_of(&self, number: u32) -> String {
        self.user.replace("%n", &(number % self.users.max(1)).to_string())
    }

    /// The Call ID of call `number`.
    pub(crate) fn call_id_of(&self, number: u32) -> u16 {
        u16::try_from(number % 65_535 + 1).unwrap_or(1)
    }

    /// The source address of call `number`; unspecified: as the routing table selects.
    pub(crate) fn source_of(&self, number: u32) -> Ipv4Addr {
        let turn = number as usize % self.sources.len().max(1);
        self.sources.get(turn).copied().unwrap_or(Ipv4Addr::UNSPECIFIED)
    }
}

/// What is sent through the tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// ICMP echo requests.
    #[default]
    Ping,
    /// LCP Echo-Requests.
    LcpEcho,
    /// LCP Configure-Requests: each restarts the negotiation.
    LcpConfigure,
    /// DHCPINFORM messages.
    DhcpInform,
}

/// Requests of all sessions in turn.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// What is sent.
    pub load: Load,
    /// How long.
    pub time: Duration,
    /// Packets a second, of all sessions together; 0 for as many as are answered.
    pub rate: u32,
    /// With no rate: packets on their way at once, of all sessions together.
    pub window: u32,
}
