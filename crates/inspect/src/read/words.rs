//! The names of numbers, as the tools print them.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::filter::Value;

const PROTOCOLS: &[(&str, u8)] = &[
    ("all", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ipencap", 4),
    ("ipip", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("eigrp", 88),
    ("ospf", 89),
    ("ospfigp", 89),
    ("pim", 103),
    ("comp", 108),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

/// Ports that nft can print by name.
const PORTS: &[(&str, u16)] = &[
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap2", 143),
    ("snmp", 161),
    ("https", 443),
    ("imaps", 993),
    ("pptp", 1723),
];

/// The number of a protocol.
pub(crate) fn protocol(name: &str) -> Option<u8> {
    let known =
        PROTOCOLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, number)| *number);
    known.or_else(|| name.parse().ok())
}

/// A port, or a range `80:90` or `80-90`.
pub(crate) fn port(text: &str) -> Value {
    let one = |text: &str| {
        let known = PORTS.iter().find(|(name, _)| *name == text).map(|(_, port)| *port);
        known.or_else(|| text.parse::<u16>().ok()).map(u32::from)
    };
    match text.split_once([':', '-']) {
        Some((from, to)) => {
            let from = if from.is_empty() { Some(0) } else { one(from) };
            let to = if to.is_empty() { Some(65_535) } else { one(to) };
            from.zip(to).map_or(Value::Unknown, |(from, to)| Value::Number(from, to))
        }
        None => one(text).map_or(Value::Unknown, Value::one),
    }
}

/// Parses an address or a network; an IPv6 one never matches our packets.
pub(crate) fn network(text: &str) -> Value {
    if let Ok(net) = text.parse::<Ipv4Net>() {
        return Value::Number(u32::from(net.network()), u32::from(net.broadcast()));
    }
    match text.split('/').next().unwrap_or_default().parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if !text.contains('/') => Value::one(u32::from(address)),
        // An empty range.
        Ok(IpAddr::V6(_)) => Value::Number(1, 0),
        _ => Value::Unknown,
    }
}

/// The addresses of a range.
pub(crate) fn between(from: &str, to: &str) -> Value {
    match (from.parse::<Ipv4Addr>(), to.parse::<Ipv4Addr>()) {
        (Ok(from), Ok(to)) => Value::Number(u32::from(from), u32::from(to)),
        _ if from.contains(':') && to.contains(':') => Value::Number(1, 0),
        _ => Value::Unknown,
    }
}

/// The bits of TCP flags by name; `None` if one is unknown.
pub(crate) fn flags<'a>(names: impl Iterator<Item = &'a str>) -> Option<u8> {
    use crate::filter::{ACK, FIN, PSH, RST, SYN, URG};
    names.take(16).try_fold(0, |all, name| {
        Some(
            all | match name.to_ascii_lowercase().as_str() {
                "fin" => FIN,
                "syn" => SYN,
                "rst" => RST,
                "psh" => PSH,
                "ack" => ACK,
                "urg" => URG,
                "ecn" => 64,
                "cwr" => 128,
                "all" => u8::MAX,
                "none" | "" => 0,
                _ => return None,
            },
        )
    })
}
