//! The verdict on a packet.

use std::net::Ipv4Addr;
use std::sync::Arc;

use adit_wire::ipv4::{ICMP, TCP, UDP};
use adit_wire::{icmp, ipv4, ipv6};
use ipnet::Ipv4Net;

use super::service::ToServer;
use super::{Acl, Action, Locals, Part, Prefixes, Rule, ServerReach, Target};

/// Octets at the beginning of TCP and UDP that hold both ports.
const PORTS: usize = 4;
/// The ICMP errors that quote a packet.
const ERRORS: [u8; 3] = [icmp::UNREACHABLE, 11, 12];

/// What one group of users may reach. All parts are compiled and shared.
#[derive(Clone, Debug)]
pub struct Reach {
    /// What is reached on this host.
    pub server: ServerReach,
    /// The addresses of this host.
    pub locals: Arc<Locals>,
    /// The addresses of clients; `None` if clients may reach each other.
    pub clients: Option<Prefixes<u32>>,
    /// Everything else.
    pub acl: Arc<Acl>,
    /// The configuration keys, for messages.
    pub keys: Keys,
}

/// The configuration keys that define a [`Reach`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// `access.server`.
    pub server: String,
    /// `access.client_to_client`.
    pub client_to_client: String,
    /// `access.acl`; `None` if there is no list, so that the routes decide.
    pub acl: Option<String>,
    /// `access.routes`, or `access.tunnel` where that makes every destination a route.
    pub routes: String,
}

/// What decided about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decider {
    /// `access.server`.
    Server,
    /// `access.client_to_client`.
    Clients,
    /// The rule with this number.
    Rule(u32),
    /// No rule: the end of the list.
    End,
    /// The source of a packet to the client, which no allow rule names.
    Source,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the packet passes.
    pub allowed: bool,
    /// What decided.
    pub by: Decider,
}

/// A packet that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its destination.
    pub destination: Ipv4Addr,
    /// Its IP protocol.
    pub protocol: u8,
    /// The destination port of TCP and UDP; of ICMP the type.
    pub port: u16,
}

impl Reach {
    /// Judges a packet from the client; `None` for one whose ports are cut off.
    pub fn judge_v4(&self, packet: ipv4::Packet<'_>) -> Option<Decision> {
        let (protocol, payload) = (packet.protocol(), packet.payload());
        let first = packet.fragment_offset() == 0;
        let part = match (protocol, first) {
            (_, false) => Part::Later,
            (TCP | UDP, true) => Part::Port(port(payload)?),
            _ => Part::NoPorts,
        };
        let destination = packet.dst();
        if self.locals.contains_v4(destination) {
            let port = match part {
                Part::Port(port) => Some(port),
                Part::Later => None,
                Part::NoPorts => Some(u16::from(*payload.first()?)),
            };
            return Some(self.to_server(ToServer { protocol, port, is_ipv6: false }));
        }
        Some(self.elsewhere(destination, protocol, part))
    }

    /// The verdict on such a packet of a client.
    pub fn judge_flow(&self, flow: Flow) -> Decision {
        let Flow { destination, protocol, port } = flow;
        if self.locals.contains_v4(destination) {
            return self.to_server(ToServer { protocol, port: Some(port), is_ipv6: false });
        }
        let part = if matches!(protocol, TCP | UDP) { Part::Port(port) } else { Part::NoPorts };
        self.elsewhere(destination, protocol, part)
    }

    /// Judges an IPv6 packet from the client; `None` for one whose ports are cut off.
    pub fn judge_v6(&self, packet: ipv6::Packet<'_>) -> Option<Decision> {
        let upper = packet.upper_layer();
        let payload = upper.and_then(|(_, at)| packet.as_bytes().get(at..)).unwrap_or_default();
        let protocol = upper.map(|(protocol, _)| protocol);
        let part = match protocol {
            Some(TCP | UDP) => Part::Port(port(payload)?),
            Some(_) => Part::NoPorts,
            None => Part::Later,
        };
        if self.locals.contains_v6(packet.dst()) {
            let port = match part {
                Part::Port(port) => Some(port),
                Part::Later => None,
                Part::NoPorts => payload.first().map(|kind| u16::from(*kind)),
            };
            let protocol = protocol.unwrap_or_default();
            return Some(self.to_server(ToServer { protocol, port, is_ipv6: true }));
        }
        let protocol = protocol.map(|protocol| if protocol == ipv6::ICMPV6 { ICMP } else { protocol });
        Some(self.by_rule(self.acl.find_v6(protocol, part)))
    }

    /// Whether a packet may go to the client.
    pub fn admits_v4(&self, packet: ipv4::Packet<'_>) -> Decision {
        let source = packet.src();
        if self.locals.contains_v4(source) {
            return Decision { allowed: true, by: Decider::Server };
        }
        if self.is_client(source) {
            return Decision { allowed: false, by: Decider::Clients };
        }
        let is_icmp = packet.protocol() == ICMP;
        let allowed = self.acl.admits(source, is_icmp) || (is_icmp && self.is_error_for_allowed(packet));
        Decision { allowed, by: Decider::Source }
    }

    /// Whether an IPv6 packet may go to the client.
    pub fn admits_v6(&self, packet: ipv6::Packet<'_>) -> Decision {
        if self.locals.contains_v6(packet.src()) {
            return Decision { allowed: true, by: Decider::Server };
        }
        let is_icmp = packet.upper_layer().is_some_and(|(protocol, _)| protocol == ipv6::ICMPV6);
        Decision { allowed: self.acl.admits_v6(is_icmp), by: Decider::Source }
    }

    /// A router on the way may report an error for a packet to an allowed network. It belongs to that network: without it
    /// large packets would vanish.
    fn is_error_for_allowed(&self, packet: ipv4::Packet<'_>) -> bool {
        let payload = packet.payload();
        let is_error =
            packet.fragment_offset() == 0 && payload.first().is_some_and(|kind| ERRORS.contains(kind));
        let quoted = payload.get(icmp::HEADER + 16..icmp::HEADER + 20);
        let destination = quoted.and_then(|octets| <[u8; 4]>::try_from(octets).ok()).map(Ipv4Addr::from);
        is_error
            && destination.is_some_and(|to| {
                !self.locals.contains_v4(to) && !self.is_client(to) && self.acl.admits(to, true)
            })
    }

    fn is_client(&self, address: Ipv4Addr) -> bool {
        self.clients.as_ref().is_some_and(|clients| clients.contains_v4(address))
    }

    fn to_server(&self, packet: ToServer) -> Decision {
        Decision { allowed: self.server.allows(packet), by: Decider::Server }
    }

    fn elsewhere(&self, destination: Ipv4Addr, protocol: u8, part: Part) -> Decision {
        if self.is_client(destination) {
            return Decision { allowed: false, by: Decider::Clients };
        }
        self.by_rule(self.acl.find(destination, protocol, part))
    }

    fn by_rule(&self, number: Option<u32>) -> Decision {
        match number {
            Some(number) => {
                let action = self.acl.rule(number).map(|rule| rule.action);
                Decision { allowed: action == Some(Action::Allow), by: Decider::Rule(number) }
            }
            None => Decision { allowed: false, by: Decider::End },
        }
    }

    /// The rule of a decider, if it is one.
    pub fn rule(&self, by: Decider) -> Option<&Rule> {
        match by {
            Decider::Rule(number) => self.acl.rule(number),
            _ => None,
        }
    }

    /// The configuration key of a decider, with the number of the entry: `access.acl[2]`.
    pub fn key(&self, by: Decider) -> String {
        let Keys { server, client_to_client, acl, routes } = &self.keys;
        match (by, acl) {
            (Decider::Server, _) => server.clone(),
            (Decider::Clients, _) => client_to_client.clone(),
            (Decider::Rule(number), Some(acl)) => format!("{acl}[{number}]"),
            (Decider::End | Decider::Source, Some(acl)) => acl.clone(),
            (Decider::Rule(_) | Decider::End | Decider::Source, None) => routes.clone(),
        }
    }

    /// The value of a decider, as it is or could be written in the file.
    pub fn value(&self, by: Decider) -> String {
        match by {
            Decider::Server => self.server.to_string(),
            Decider::Clients => self.clients.is_none().to_string(),
            Decider::Rule(number) => self.acl.rule(number).map(ToString::to_string).unwrap_or_default(),
            Decider::End => "no rule matches".to_owned(),
            Decider::Source => "packets to the client, from a network that no rule allows".to_owned(),
        }
    }

    /// The networks that allow rules name, each once; `None` if one of them is every network.
    pub fn networks(&self) -> Option<Vec<Ipv4Net>> {
        let allow = |rule: &&Rule| rule.action == Action::Allow && rule.protocol != Some(ICMP);
        let mut all = Vec::new();
        for rule in self.acl.rules().iter().filter(allow) {
            let networks = self.acl.networks(rule);
            if rule.target != Target::Any && networks.iter().all(|net| net.prefix_len() > 0) {
                all.extend(networks);
            } else {
                return None;
            }
        }
        Some(Ipv4Net::aggregate(&all))
    }
}

/// The destination port; `None` if it is cut off.
fn port(payload: &[u8]) -> Option<u16> {
    let [_, _, high, low] = payload.first_chunk::<PORTS>()?;
    Some(u16::from_be_bytes([*high, *low]))
}
