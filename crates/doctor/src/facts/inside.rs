//! The facts of what lies behind the tunnel.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::Seen;

/// Facts of layer R.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Whether the server's tunnel address answers a ping.
    pub peer_answers: Option<bool>,
    /// Whether the server forwards packets: one to a destination behind it with a time to live of 1 was
    /// answered with "time exceeded".
    pub forwards: Option<bool>,
    /// The networks that the server advertises as routes (DHCP option 121 or 249); `None`: not asked, or no
    /// answer.
    pub routes: Option<Seen<Vec<Ipv4Net>>>,
    /// The assigned DNS servers, tested through the tunnel.
    pub dns: Vec<Seen<DnsTest>>,
    /// Names resolved through the tunnel.
    pub names: Vec<Seen<NameTest>>,
    /// Destinations tested through the tunnel.
    pub targets: Vec<Seen<Target>>,
    /// Set if GRE to the server's own address is routed into the tunnel.
    pub tunnel_in_tunnel: Option<Seen<()>>,
    /// Set if the server's tunnel address is its public address.
    pub peer_is_outer: Option<Seen<Ipv4Addr>>,
    /// The packets that were sent to the client while none came back, and in how many seconds.
    pub unanswered: Option<Seen<(u64, u64)>>,
    /// The number of packets denied by the server's access list, and the setting.
    pub denied: Option<Seen<(u64, String)>>,
    /// The inner DNS server, if queries for it leave outside the tunnel.
    pub dns_outside: Option<Seen<Ipv4Addr>>,
    /// Set if packets leave the server with the client's inner address and no answer returns.
    pub untranslated: Option<Seen<Ipv4Addr>>,
    /// The round-trip time through the tunnel.
    pub round_trip: Option<Duration>,
    /// Pings through the tunnel: sent and lost.
    pub pings: Option<(u32, u32)>,
}

impl Inside {
    /// The first target for which a device reports that it has no route, and the device.
    pub(crate) fn no_route(&self) -> Option<(&Seen<Target>, IpAddr)> {
        let no_way = self.targets.iter().find_map(|target| match target.what.answer {
            Answer::NoWay { from } => Some((target, from)),
            _ => None,
        });
        no_way.or_else(|| {
            self.unreachable(|code| matches!(code, 0 | 6)).map(|(target, from, _)| (target, from))
        })
    }

    /// The first target with an ICMP error of a matching code: the target, its sender, and the code.
    pub(crate) fn unreachable(&self, which: fn(u8) -> bool) -> Option<(&Seen<Target>, IpAddr, u8)> {
        self.targets.iter().find_map(|target| match target.what.answer {
            Answer::Unreachable { from, code } if which(code) => Some((target, from, code)),
            _ => None,
        })
    }
}

/// A test of a DNS server through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DnsTest {
    /// The server.
    pub server: Ipv4Addr,
    /// The response time; `None` without an answer.
    pub answered: Option<Duration>,
}

/// A name resolved through the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTest {
    /// The name.
    pub name: String,
    /// The DNS server that was asked.
    pub server: Ipv4Addr,
    /// The addresses in the answer; empty: no such name. `None`: no answer.
    pub found: Option<Vec<Ipv4Addr>>,
}

/// A destination tested through the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The target as given by the user: `192.168.10.20:443`.
    pub asked: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The TCP port; `None` for a ping.
    pub port: Option<u16>,
    /// The result.
    pub answer: Answer,
}

/// The answer of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The port is open, or the ping was answered.
    Open {
        /// The response time.
        after: Duration,
    },
    /// RST.
    Refused,
    /// No answer.
    Silent {
        /// How long was waited.
        waited: Duration,
    },
    /// A router reported "host unreachable" at once, before an ARP request could have timed out: it has no
    /// route.
    NoWay {
        /// The router.
        from: IpAddr,
    },
    /// ICMP destination unreachable.
    Unreachable {
        /// Its sender.
        from: IpAddr,
        /// Its code.
        code: u8,
    },
}
