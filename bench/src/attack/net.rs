//! The network of one row: a switch, and hosts on it. Every row has its own, so that rows can run side by side.

use std::net::Ipv4Addr;

use adit_testbed::{Host, bridge, wire};

/// The server's address on the network.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The address of the client whose session is attacked.
pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
/// The server's address inside every tunnel.
pub(crate) const INNER_SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The network inside every tunnel.
pub(crate) const INNER_NET: &str = "10.77.0.0/16";
/// The address of a user who logs in while the server is flooded.
pub(crate) const USER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 20);
/// The address of the host from whose network the floods are sent.
const CROWD: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 40);

/// The role of a host on the network. The name is also that of its port on the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs `adit serve`.
    Server,
    /// Runs `adit connect`; its session is attacked.
    Client,
    /// Runs `adit connect`; its session carries load.
    Other,
    /// Sends packets with the address of another host as their source.
    Forger(Ipv4Addr),
    /// Makes connections from many addresses, 198.18.0.0/16.
    Crowd,
    /// Logs in while the server is flooded: from its own address, or those of 198.51.100.0/24.
    User,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Role::Server => "server",
            Role::Client => "client",
            Role::Other => "other",
            Role::Forger(_) => "forger",
            Role::Crowd => "crowd",
            Role::User => "user",
        }
    }

    const fn address(self) -> Ipv4Addr {
        match self {
            Role::Server => SERVER,
            Role::Client => CLIENT,
            Role::Other => Ipv4Addr::new(203, 0, 113, 3),
            Role::Forger(_) => Ipv4Addr::new(203, 0, 113, 30),
            Role::Crowd => CROWD,
            Role::User => USER,
        }
    }

    /// Further source addresses, without assigning each to an interface.
    fn sources(self) -> Option<String> {
        match self {
            Role::Server | Role::Client | Role::Other => None,
            Role::Forger(other) => Some(format!("{other}/32")),
            Role::Crowd => Some("198.18.0.0/16".to_owned()),
            Role::User => Some("198.51.100.0/24".to_owned()),
        }
    }
}

/// The switch.
pub(crate) struct Net {
    pub(crate) switch: Host,
}

impl Net {
    pub(crate) fn new() -> Net {
        let switch = Host::new("switch");
        bridge(&switch, "br0", &[]);
        Net { switch }
    }

    /// Creates a host on the switch.
    pub(crate) fn host(&self, role: Role) -> Host {
        let (host, port) = (Host::new(role.name()), role.name());
        wire((&self.switch, port, ""), (&host, "eth0", &format!("{}/24", role.address())));
        self.switch.ip(&format!("link set dev {port} master br0"));
        host.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
        // A forged source must not reach the ARP tables of others: only the address of the interface is announced.
        host.sysctl("net.ipv4.conf.all.arp_ignore", "1");
        host.sysctl("net.ipv4.conf.all.arp_announce", "2");
        for scope in ["all", "default", "eth0"] {
            host.sysctl(&format!("net.ipv4.conf.{scope}.rp_filter"), "0");
        }
        if let Some(sources) = role.sources() {
            host.ip(&format!("route add local {sources} dev lo"));
        }
        match role {
            Role::Server => {
                host.ip(&format!("route add 198.18.0.0/16 via {CROWD}"));
                host.ip(&format!("route add 198.51.100.0/24 via {USER}"));
            }
            Role::Crowd => {
                // Thousands of connections a minute from one address need as many ports.
                host.sysctl("net.ipv4.ip_local_port_range", "'1025 65535'");
                host.sysctl("net.ipv4.tcp_tw_reuse", "1");
            }
            _ => {}
        }
        host
    }
}
