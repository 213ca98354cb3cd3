//! What lies behind the tunnel.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::Seen;

/// R.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// The server's end of the tunnel answers a ping.
    pub peer_answers: Option<bool>,
    /// The server forwards: a packet to something behind it, with a time to live of 1, was answered "time exceeded" by it.
    pub forwards: Option<bool>,
    /// The networks that the server hands out as routes (DHCP option 121 or 249); `None`: not asked, or no answer.
    pub routes: Option<Seen<Vec<Ipv4Net>>>,
    /// DNS servers that were handed out, asked through the tunnel.
    pub dns: Vec<Seen<DnsTest>>,
    /// Names asked inside.
    pub names: Vec<Seen<NameTest>>,
    /// Targets.
    pub targets: Vec<Seen<Target>>,
    /// GRE to the server's own address inside the tunnel.
    pub tunnel_in_tunnel: Option<Seen<()>>,
    /// The server's end of the tunnel is its public address.
    pub peer_is_outer: Option<Seen<Ipv4Addr>>,
    /// Packets that the server's rules kept out: how many, and which line.
    pub denied: Option<Seen<(u64, String)>>,
    /// DNS questions for the inner server that leave outside the tunnel.
    pub dns_outside: Option<Seen<Ipv4Addr>>,
    /// Packets leave the server with the client's inner address and nothing returns.
    pub untranslated: Option<Seen<Ipv4Addr>>,
    /// Round trip through the tunnel.
    pub round_trip: Option<Duration>,
    /// Pings through the tunnel: sent, lost.
    pub pings: Option<(u32, u32)>,
}

impl Inside {
    /// The first target to which a device says that it has no route, and the device.
    pub(crate) fn no_route(&self) -> Option<(&Seen<Target>, IpAddr)> {
        let no_way = self.targets.iter().find_map(|target| match target.what.answer {
            Answer::NoWay { from } => Some((target, from)),
            _ => None,
        });
        no_way.or_else(|| {
            self.unreachable(|code| matches!(code, 0 | 6)).map(|(target, from, _)| (target, from))
        })
    }

    /// The first target that an ICMP error of such a code speaks of: its sender, and the code.
    pub(crate) fn unreachable(&self, which: fn(u8) -> bool) -> Option<(&Seen<Target>, IpAddr, u8)> {
        self.targets.iter().find_map(|target| match target.what.answer {
            Answer::Unreachable { from, code } if which(code) => Some((target, from, code)),
            _ => None,
        })
    }
}

/// A DNS server, asked through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DnsTest {
    /// The server.
    pub server: Ipv4Addr,
    /// Its answer time; `None`: silent.
    pub answered: Option<Duration>,
}

/// A name, asked inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTest {
    /// The name.
    pub name: String,
    /// The server asked.
    pub server: Ipv4Addr,
    /// The answer: addresses; empty: no such name. `None`: silent.
    pub found: Option<Vec<Ipv4Addr>>,
}

/// A destination inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As asked for: `192.168.10.20:443`.
    pub asked: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its TCP port; `None`: pinged.
    pub port: Option<u16>,
    /// What came of it.
    pub answer: Answer,
}

/// What a target says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The port is open, or the ping was answered.
    Open {
        /// After so long.
        after: Duration,
    },
    /// RST.
    Refused,
    /// Nothing, for so long.
    Silent {
        /// So long.
        waited: Duration,
    },
    /// A router says at once, before it could have asked its neighbours, that the host is unreachable: it has no way there.
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
