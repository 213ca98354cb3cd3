//! `access.server`: what a client may reach on this host itself.

use core::fmt;

use adit_wire::ipv4::{ICMP, TCP, UDP};

use super::parse::number;
use super::{Ports, RuleError};

/// The port of DNS.
const DNS: u16 = 53;
/// The ICMP messages that `ping` allows: echo and its reply, and errors, without which replies of this host to a client
/// could not be sized.
const PING: [u8; 5] = [0, 3, 8, 11, 12];
/// The same of ICMPv6.
const PING_V6: [u8; 6] = [1, 2, 3, 4, 128, 129];
/// The most parts of the text.
const PARTS: usize = 64;

const EXPECTED: &str = "none, all, or ping, dns, tcp/PORT and udp/PORT joined by +";

/// The services of this host that a client may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerReach {
    /// Everything.
    All,
    /// These only; `none` is the empty set.
    Services {
        /// ICMP echo and errors.
        ping: bool,
        /// DNS, on UDP and TCP.
        dns: bool,
        /// Other ports of TCP.
        tcp: Ports,
        /// Other ports of UDP.
        udp: Ports,
    },
}

/// A packet to this host, as far as [`ServerReach`] looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ToServer {
    pub(super) protocol: u8,
    /// The destination port of TCP and UDP, or the type of ICMP; `None` in a later fragment.
    pub(super) port: Option<u16>,
    pub(super) is_ipv6: bool,
}

impl ServerReach {
    /// Reads `none`, `all`, or parts joined by `+`: `ping`, `dns`, `tcp/443`, `udp/5000-5010`.
    ///
    /// # Errors
    /// The place of the first part that is wrong, and what was expected there.
    pub fn parse(text: &str) -> Result<ServerReach, RuleError> {
        match text.trim() {
            "all" => return Ok(ServerReach::All),
            "none" => return Ok(ServerReach::nothing()),
            _ => {}
        }
        let (mut ping, mut dns) = (false, false);
        let (mut tcp, mut udp) = (Ports::default(), Ports::default());
        let mut from = 0;
        for (index, whole) in text.split('+').enumerate() {
            let part = whole.trim();
            let start = from + (whole.len() - whole.trim_start().len());
            let at = start..start + part.len();
            from += whole.len() + 1;
            let wrong = |message: String, expected: &str, meant: Option<&str>| RuleError {
                at: at.clone(),
                message,
                expected: expected.to_owned(),
                meant: meant.map(str::to_owned),
            };
            if index == PARTS {
                return Err(wrong(format!("at most {PARTS} services are possible"), "the end", None));
            }
            match part {
                "ping" => ping = true,
                "dns" => dns = true,
                "all" | "none" => {
                    return Err(wrong(format!("{part:?} stands alone"), &format!("{part} alone"), None));
                }
                _ => {
                    let known = match part.split_once('/') {
                        Some(("tcp", ports)) => Some((&mut tcp, ports)),
                        Some(("udp", ports)) => Some((&mut udp, ports)),
                        _ => None,
                    };
                    let Some((set, ports)) = known else {
                        let meant = match part.to_ascii_lowercase().as_str() {
                            "icmp" => Some("ping"),
                            _ => adit_diag::nearest(part, ["ping", "dns", "none", "all"]),
                        };
                        return Err(wrong(format!("{part:?} is no service"), EXPECTED, meant));
                    };
                    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
                    match (number::<u16>(first), number::<u16>(last)) {
                        (Some(first), Some(last)) if first <= last => set.insert(first, last),
                        _ => {
                            let message = format!("{part:?} has no port or range of ports");
                            return Err(wrong(message, "a port from 0 to 65535, or first-last", None));
                        }
                    }
                }
            }
        }
        Ok(ServerReach::Services { ping, dns, tcp, udp })
    }

    /// No service.
    pub fn nothing() -> ServerReach {
        ServerReach::Services { ping: false, dns: false, tcp: Ports::default(), udp: Ports::default() }
    }

    /// Whether a packet to this host passes. Of later fragments only those of ICMP do, unless everything is allowed: no
    /// other service here needs them, and they would fill the host's memory for reassembly.
    pub(super) fn allows(&self, packet: ToServer) -> bool {
        let ServerReach::Services { ping, dns, tcp, udp } = self else { return true };
        let ToServer { protocol, port, is_ipv6 } = packet;
        match (protocol, port) {
            (ICMP, None) if !is_ipv6 => *ping,
            (_, None) => false,
            (ICMP, Some(kind)) if !is_ipv6 => *ping && PING.map(u16::from).contains(&kind),
            (adit_wire::ipv6::ICMPV6, Some(kind)) if is_ipv6 => {
                *ping && PING_V6.map(u16::from).contains(&kind)
            }
            (TCP, Some(port)) => tcp.contains(port) || (*dns && port == DNS),
            (UDP, Some(port)) => udp.contains(port) || (*dns && port == DNS),
            _ => false,
        }
    }
}

impl fmt::Display for ServerReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServerReach::Services { ping, dns, tcp, udp } = self else { return f.write_str("all") };
        let mut parts: Vec<String> = Vec::new();
        parts.extend(ping.then(|| "ping".to_owned()));
        parts.extend(dns.then(|| "dns".to_owned()));
        for (name, ports) in [("tcp", tcp), ("udp", udp)] {
            for (first, last) in ports.ranges() {
                let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
                parts.push(format!("{name}/{range}"));
            }
        }
        f.write_str(if parts.is_empty() { "none" } else { "" })?;
        f.write_str(&parts.join("+"))
    }
}
