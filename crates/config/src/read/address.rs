//! Addresses, prefixes, ranges, and names of hosts and interfaces.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};

use adit_diag::Code;
use ipnet::Ipv4Net;

use crate::model::Listen;
use crate::read::{Problem, Read, list, one_or_list, quote, want_text};
use crate::tree::Node;

/// The port of PPTP (RFC 2637 section 2).
pub(crate) const PORT: u16 = 1723;

/// One IPv4 address.
pub(crate) fn address(node: &Node) -> Read<Ipv4Addr> {
    let text = want_text(node, "an address such as \"192.168.10.5\"")?;
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let problem = Problem::new(node, Code::F04, format!("{text:?} is not an IPv4 address"));
    match text.split_once('/').and_then(|(address, _)| address.parse::<Ipv4Addr>().ok()) {
        Some(address) => problem.label("an address has no length").with(quote(&address.to_string())).fail(),
        None => problem.label(why_not(text)).maybe(unpad(text).map(|text| quote(&text))).fail(),
    }
}

/// One IPv4 network, as `10.99.0.0/24`.
pub(crate) fn prefix(node: &Node) -> Read<Ipv4Net> {
    let text = want_text(node, "a network such as \"192.168.10.0/24\"")?;
    let bad =
        |label: &str| Problem::new(node, Code::F04, format!("{text:?} is not an IPv4 network")).label(label);
    let Some((address, length)) = text.split_once('/') else {
        return match text.parse::<Ipv4Addr>() {
            Ok(_) if text.ends_with(".0") => {
                bad("the length is missing").with(quote(&format!("{text}/24"))).fail()
            }
            Ok(_) => bad("the length is missing").with(quote(&format!("{text}/32"))).fail(),
            Err(_) => bad(&why_not(text)).fail(),
        };
    };
    let Ok(parsed) = address.parse::<Ipv4Addr>() else {
        return bad(&why_not(address))
            .maybe(unpad(address).map(|text| quote(&format!("{text}/{length}"))))
            .fail();
    };
    let net = match length.parse::<u8>() {
        Ok(length) => Ipv4Net::new(parsed, length).ok(),
        Err(_) => {
            let mask = length.parse::<Ipv4Addr>().ok();
            let net = mask.and_then(|mask| Ipv4Net::with_netmask(parsed, mask).ok());
            let with = net.map(|net| quote(&net.trunc().to_string()));
            return bad("the length is a number from 0 to 32").maybe(with).fail();
        }
    };
    match net {
        None => bad("the length is a number from 0 to 32").fail(),
        Some(net) if net.trunc() != net => {
            let whole = net.trunc().to_string();
            let label = format!("an address inside {whole}");
            Problem::new(node, Code::F04, format!("{text:?} is not the address of a network"))
                .label(label)
                .with(quote(&whole))
                .fail()
        }
        Some(net) => Ok(net),
    }
}

/// A network that users may connect from; `"any"` is `None`.
pub(crate) fn source_net(node: &Node) -> Read<Option<Ipv4Net>> {
    if node.text() == Some("any") {
        return Ok(None);
    }
    prefix(node).map(Some)
}

/// `"first-last"`, or a list of such.
pub(crate) fn ranges(node: &Node) -> Read<Vec<(Ipv4Addr, Ipv4Addr)>> {
    one_or_list(node, &(1..=16), range)
}

/// One `"first-last"`.
pub(crate) fn range(node: &Node) -> Read<(Ipv4Addr, Ipv4Addr)> {
    let text = want_text(node, "a range such as \"10.99.0.10-10.99.0.250\"")?;
    let bad = |label: &str| Problem::new(node, Code::F04, format!("{text:?} is not a range")).label(label);
    let Some((first, last)) = text.split_once('-') else {
        return bad("first address, hyphen, last address").fail();
    };
    let tail = text.len() - last.trim_start().len()..text.trim_end().len();
    let head = 0..first.trim_end().len();
    let (first, last) = (first.trim(), last.trim());
    let Ok(from) = first.parse::<Ipv4Addr>() else {
        return bad(&why_not(first)).part(node, head).fail();
    };
    let Ok(to) = last.parse::<Ipv4Addr>() else {
        // Other servers accept the form "10.99.0.10-250".
        let [a, b, c, _] = from.octets();
        return match last.parse::<u8>() {
            Ok(d) => {
                bad("the last address is not whole").with(quote(&format!("{from}-{a}.{b}.{c}.{d}"))).fail()
            }
            Err(_) => bad(&why_not(last)).part(node, tail).fail(),
        };
    };
    if from > to {
        return Problem::new(node, Code::F04, format!("{text:?} ends before it begins"))
            .label("last is below first")
            .with(quote(&format!("{to}-{from}")))
            .fail();
    }
    Ok((from, to))
}

/// A host name, or an IPv4 address.
pub(crate) fn name(node: &Node) -> Read<String> {
    let text = want_text(node, "a name such as \"vpn.example.org\"")?;
    let label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let bare = text.strip_suffix('.').unwrap_or(text);
    if text.len() <= 253 && text.chars().all(letters) && bare.split('.').all(label) {
        return Ok(bare.to_owned());
    }
    let problem = Problem::new(node, Code::F04, format!("{text:?} is not a host name"));
    let stripped = text.rsplit("//").next().unwrap_or(text);
    let stripped = stripped.split(['/', ':']).next().unwrap_or(stripped);
    let meant =
        (stripped != text && !stripped.is_empty() && stripped.chars().all(letters)).then(|| quote(stripped));
    problem.label("letters, digits, hyphens and dots; no port, no //").maybe(meant).fail()
}

/// A valid name of a Linux interface.
pub(crate) fn interface_name(node: &Node) -> Read<String> {
    let text = want_text(node, "an interface such as \"eth0\"")?;
    if is_interface(text) {
        return Ok(text.to_owned());
    }
    Problem::new(node, Code::F04, format!("{text:?} is not the name of an interface"))
        .label("1 to 15 characters without spaces, slashes and colons")
        .fail()
}

fn is_interface(text: &str) -> bool {
    let fits = !text.is_empty() && text.len() <= 15 && text != "." && text != "..";
    fits && text.chars().all(|c| c.is_ascii_graphic() && c != '/' && c != ':')
}

/// Listening addresses: one value or a list.
pub(crate) fn listens(node: &Node) -> Read<Vec<Listen>> {
    one_or_list(node, &(1..=64), listen)
}

/// RADIUS servers, as `10.0.0.7` or `10.0.0.7:1812` (RFC 2865 section 3).
pub(crate) fn radius_servers(node: &Node, least: usize) -> Read<Vec<SocketAddrV4>> {
    list(node, &(least..=16), radius_server)
}

fn radius_server(node: &Node) -> Read<SocketAddrV4> {
    const RADIUS: u16 = 1812;
    let text = want_text(node, "an address such as \"10.0.0.7\" or \"10.0.0.7:1812\"")?;
    let bad = |label: &str| {
        Problem::new(node, Code::F04, format!("{text:?} is not the address of a RADIUS server")).label(label)
    };
    let (host, port) = match text.split_once(':') {
        None => (text, RADIUS),
        Some((host, port)) => match port.parse::<u16>() {
            Ok(port) if port > 0 => (host, port),
            _ => return bad("the port is a number from 1 to 65535").fail(),
        },
    };
    let Ok(address) = host.parse::<Ipv4Addr>() else {
        return bad(&why_not(host)).maybe(unpad(host).map(|host| quote(&format!("{host}:{port}")))).fail();
    };
    if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
        return bad("no server has this address").fail();
    }
    Ok(SocketAddrV4::new(address, port))
}

/// An address, an interface, or `"any"`, each with or without a port.
pub(crate) fn listen(node: &Node) -> Read<Listen> {
    let text = want_text(node, "an address or an interface")?;
    let bad = |label: &str| {
        Problem::new(node, Code::F04, format!("{text:?} is not a listening address")).label(label)
    };
    if text.parse::<Ipv6Addr>().is_ok() || text.starts_with('[') {
        return bad("PPTP clients call IPv4 addresses").fail();
    }
    if text.contains('/') {
        let address = text.split('/').next().filter(|address| address.parse::<Ipv4Addr>().is_ok());
        return bad("an address has no length").maybe(address.map(quote)).fail();
    }
    let (host, port) = match text.split_once(':') {
        None => (text, PORT),
        Some((host, port)) => match port.parse::<u16>() {
            Ok(port) if port > 0 => (host, port),
            _ => return bad("the port is a number from 1 to 65535").maybe(Some(quote(host))).fail(),
        },
    };
    if host == "any" || host == "*" {
        return Ok(Listen::Address { address: Ipv4Addr::UNSPECIFIED, port });
    }
    if let Ok(address) = host.parse() {
        return Ok(Listen::Address { address, port });
    }
    let numeric = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    if numeric {
        return bad(&why_not(host)).maybe(unpad(host).map(|text| quote(&text))).fail();
    }
    if is_interface(host) {
        return Ok(Listen::Interface { name: host.to_owned(), port });
    }
    bad("an address of this host or one of its interfaces; names are not looked up").fail()
}

/// Describes what is wrong with a text that should be an address.
fn why_not(text: &str) -> String {
    if text.parse::<Ipv6Addr>().is_ok() {
        return "this is IPv6; IPv4 is needed here".to_owned();
    }
    let octets: Vec<&str> = text.split('.').collect();
    let digits = |octet: &str| !octet.is_empty() && octet.chars().all(|c| c.is_ascii_digit());
    if !text.is_empty() && octets.iter().all(|octet| digits(octet)) {
        if octets.len() != 4 {
            return format!("four numbers are needed, here are {}", octets.len());
        }
        if let Some(big) = octets.iter().find(|octet| octet.parse::<u8>().is_err()) {
            return format!("{big} is more than 255");
        }
        if octets.iter().any(|octet| octet.len() > 1 && octet.starts_with('0')) {
            return "leading zeros can mean octal; leave them out".to_owned();
        }
    }
    if text.chars().any(|c| c.is_ascii_alphabetic()) {
        return "a name is not looked up here; write the address".to_owned();
    }
    "four numbers with dots are needed".to_owned()
}

/// An address without leading zeros: `192.168.010.005` becomes `192.168.10.5`.
fn unpad(text: &str) -> Option<String> {
    let octets: Option<Vec<String>> = text
        .split('.')
        .map(|octet| {
            let short = octet.trim_start_matches('0');
            let short = if short.is_empty() && !octet.is_empty() { "0" } else { short };
            short.parse::<u8>().ok().map(|octet| octet.to_string())
        })
        .collect();
    octets.filter(|octets| octets.len() == 4).map(|octets| octets.join(".")).filter(|plain| plain != text)
}
