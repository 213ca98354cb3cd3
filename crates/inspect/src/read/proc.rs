//! Parsers for tables of /proc: sockets, tracked connections, counters, single settings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{ENTRIES_MAX, ReadError, error};

/// The state of a listening socket (include/net/tcp_states.h).
pub const LISTEN: u8 = 10;

/// A socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The local address; the port of a raw socket is the IP protocol.
    pub local: SocketAddr,
    /// The remote address.
    pub remote: SocketAddr,
    /// The state; [`LISTEN`] for a listening socket.
    pub state: u8,
    /// The inode, which identifies its owner.
    pub inode: u64,
    /// Packets dropped because the receive buffer was full; raw sockets only.
    pub drops: u64,
}

/// Parses /proc/net/tcp, tcp6, raw or raw6. Addresses are in the byte order of this machine, as the kernel
/// prints them.
///
/// # Errors
/// If a line is not in the format of such a table.
pub fn sockets(source: &'static str, text: &str) -> Result<Vec<Socket>, ReadError> {
    let mut sockets = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1).take(ENTRIES_MAX) {
        let fields: Vec<&str> = line.split_ascii_whitespace().take(16).collect();
        if fields.is_empty() {
            continue;
        }
        let wrong = |expected: &str| error(source, format!("line {}", index + 1), expected);
        let get = |n: usize| fields.get(n).copied().unwrap_or_default();
        sockets.push(Socket {
            local: address(get(1)).ok_or_else(|| wrong("a local address and port in hexadecimal"))?,
            remote: address(get(2)).ok_or_else(|| wrong("a remote address and port in hexadecimal"))?,
            state: u8::from_str_radix(get(3), 16).map_err(|_| wrong("a state in hexadecimal"))?,
            inode: get(9).parse().map_err(|_| wrong("an inode"))?,
            drops: get(12).parse().unwrap_or(0),
        });
    }
    Ok(sockets)
}

fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Each 32-bit word is printed as a number in the byte order of the host; its octets in memory are the
    // address.
    let word = |n: usize| u32::from_str_radix(address.get(n * 8..n * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let octets: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// A connection in the connection tracking table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// The IP protocol.
    pub protocol: u8,
    /// The seconds until its entry expires.
    pub seconds: u32,
    /// The source of the first packet.
    pub source: Ipv4Addr,
    /// The destination of the first packet.
    pub destination: Ipv4Addr,
    /// The destination of the answers: differs from the source if the address was translated.
    pub answers_to: Option<Ipv4Addr>,
    /// Whether no packet was seen in the other direction.
    pub unreplied: bool,
}

/// Parses lines of /proc/net/nf_conntrack; those of IPv6 are left out.
///
/// # Errors
/// If a line is not in the format of that table.
pub fn conntrack(text: &str) -> Result<Vec<Tracked>, ReadError> {
    const SOURCE: &str = "/proc/net/nf_conntrack";
    let mut all = Vec::new();
    for (index, line) in text.lines().enumerate().take(ENTRIES_MAX) {
        let wrong = |expected: &str| error(SOURCE, format!("line {}", index + 1), expected);
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            None | Some("ipv6") => continue,
            Some("ipv4") => {}
            Some(_) => return Err(wrong("ipv4 or ipv6")),
        }
        // "ipv4 2 gre 47 29 ..."
        let protocol = words.nth(2).and_then(|word| word.parse().ok()).ok_or_else(|| wrong("a protocol"))?;
        let seconds = words.next().and_then(|word| word.parse().ok()).ok_or_else(|| wrong("seconds"))?;
        let rest: Vec<&str> = words.take(32).collect();
        let value = |key: &str, nth: usize| {
            let mut values = rest.iter().filter_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            values.nth(nth)?.parse::<Ipv4Addr>().ok()
        };
        all.push(Tracked {
            protocol,
            seconds,
            source: value("src", 0).ok_or_else(|| wrong("src=ADDRESS"))?,
            destination: value("dst", 0).ok_or_else(|| wrong("dst=ADDRESS"))?,
            answers_to: value("dst", 1),
            unreplied: rest.contains(&"[UNREPLIED]"),
        });
    }
    Ok(all)
}

/// Reads a counter of /proc/net/netstat or /proc/net/snmp: names in one line, numbers in the next. `None` if
/// it is missing.
pub fn counter(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(group)?.strip_prefix(':'));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split_ascii_whitespace().take(1024).position(|word| word == name)?;
    values.split_ascii_whitespace().nth(at)?.parse().ok()
}

/// Parses the single number of a sysctl.
///
/// # Errors
/// If there is none.
pub fn sysctl(key: &'static str, text: &str) -> Result<i64, ReadError> {
    text.trim().parse().map_err(|_| error(key, "the value", "a number"))
}
