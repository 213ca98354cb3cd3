//! Reads a rule.

use core::ops::Range;
use core::str::FromStr;
use std::net::{Ipv4Addr, Ipv6Addr};

use adit_diag::nearest;
use adit_wire::ipv4::{ICMP, TCP, UDP};
use ipnet::Ipv4Net;

use super::rule::GRE;
use super::{Action, Ports, Rule, Target};

/// The longest text of a rule, in octets.
const LONGEST: usize = 1024;

/// Why a text is not a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The part of the text that is wrong, in octets; at its end if something is missing.
    pub at: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What was expected there.
    pub expected: String,
    /// The text that was probably meant instead of the part.
    pub meant: Option<String>,
}

/// A word of the text and its place.
#[derive(Clone, Debug)]
struct Word<'a> {
    text: &'a str,
    at: Range<usize>,
}

const ACTIONS: [&str; 2] = ["allow", "deny"];
const TARGETS: &str = "routes, any, icmp, a network or an address";
const TARGET_WORDS: [&str; 3] = ["routes", "any", "icmp"];
const AFTER_TARGET: &str = "tcp, udp, icmp, gre, a protocol number, or log";
const PROTOCOLS: [&str; 4] = ["tcp", "udp", "icmp", "gre"];
const PORTS: &str = "ports, as 443,8000-8080, or log";

impl Rule {
    /// Reads `allow|deny  routes|any|icmp|PREFIX|ADDRESS  [tcp|udp|icmp|gre|NUMBER]  [PORT,PORT-PORT,...]  [log]`.
    ///
    /// # Errors
    /// The place of the first part that is wrong or missing, and what was expected there.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        if text.len() > LONGEST {
            let message = format!("a rule has at most {LONGEST} octets, here are {}", text.len());
            return fail(0..text.len(), message, "a shorter rule", None);
        }
        let mut words = words(text);
        let mut next = |expected: &str| {
            words.next().ok_or_else(|| {
                let message = "the rule ends too early".to_owned();
                RuleError { at: text.len()..text.len(), message, expected: expected.to_owned(), meant: None }
            })
        };
        let action = action(&next("allow or deny")?)?;
        let word = next(TARGETS)?;
        let (target, mut protocol) = match word.text {
            "icmp" => (Target::Any, Some(ICMP)),
            _ => (target(&word)?, None),
        };
        let mut ports = Ports::default();
        let mut rest = words.peekable();
        if word.text != "icmp"
            && let Some(word) = rest.next_if(|word| word.text != "log")
        {
            protocol = Some(read_protocol(&word)?);
        }
        let has_ports = matches!(protocol, Some(TCP | UDP));
        if has_ports && let Some(word) = rest.next_if(|word| word.text != "log") {
            ports = read_ports(&word)?;
        }
        let log = rest.next_if(|word| word.text == "log").is_some();
        if let Some(extra) = rest.next() {
            let message = format!("{:?} is one word too many", extra.text);
            let expected = match (log, has_ports && ports.is_empty()) {
                (true, _) => "nothing after log",
                (false, true) => PORTS,
                (false, false) => "log, or the end of the rule",
            };
            let meant = (!log).then(|| nearest(extra.text, ["log"])).flatten();
            return fail(extra.at, message, expected, meant.map(str::to_owned));
        }
        Ok(Rule { action, target, protocol, ports, log })
    }
}

fn fail<T>(at: Range<usize>, message: String, expected: &str, meant: Option<String>) -> Result<T, RuleError> {
    Err(RuleError { at, message, expected: expected.to_owned(), meant })
}

/// The words of a text, separated by the white space of ASCII: another space, from a web page, would not be seen.
fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let start = text.as_ptr() as usize;
    text.split_ascii_whitespace().map(move |word| {
        let from = word.as_ptr() as usize - start;
        Word { text: word, at: from..from + word.len() }
    })
}

fn action(word: &Word<'_>) -> Result<Action, RuleError> {
    match word.text {
        "allow" => Ok(Action::Allow),
        "deny" => Ok(Action::Deny),
        // The words of other programs.
        other => {
            let meant = match other.to_ascii_lowercase().as_str() {
                "permit" | "accept" | "pass" => Some("allow"),
                "drop" | "reject" | "block" => Some("deny"),
                _ => nearest(other, ACTIONS),
            };
            let message = format!("a rule begins with allow or deny, not {other:?}");
            fail(word.at.clone(), message, "allow or deny", meant.map(str::to_owned))
        }
    }
}

fn target(word: &Word<'_>) -> Result<Target, RuleError> {
    let text = word.text;
    let wrong = |message: String, expected: &str, meant: Option<String>| {
        fail(word.at.clone(), message, expected, meant)
    };
    match text {
        "routes" => return Ok(Target::Routes),
        "any" => return Ok(Target::Any),
        _ => {}
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Target::Net(address.into()));
    }
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    if address.parse::<Ipv6Addr>().is_ok() {
        return wrong(format!("{text:?} is IPv6, rules name IPv4 networks"), TARGETS, None);
    }
    let Ok(address) = address.parse::<Ipv4Addr>() else {
        let meant = match text.to_ascii_lowercase().as_str() {
            "all" | "*" => Some("any"),
            _ => nearest(text, TARGET_WORDS),
        };
        return wrong(format!("{text:?} is no destination"), TARGETS, meant.map(str::to_owned));
    };
    let net = number::<u8>(length).and_then(|length| Ipv4Net::new(address, length).ok());
    match net {
        None => {
            let mask = length.parse::<Ipv4Addr>().ok();
            let meant = mask.and_then(|mask| Ipv4Net::with_netmask(address, mask).ok());
            let meant = meant.map(|net| net.trunc().to_string());
            wrong(format!("{text:?} has no length from 0 to 32"), "a length from 0 to 32", meant)
        }
        Some(net) if net.trunc() != net => {
            let whole = net.trunc();
            let message = format!("{text:?} is not the address of a network, but an address inside {whole}");
            wrong(message, "the first address of the network", Some(whole.to_string()))
        }
        Some(net) => Ok(Target::Net(net)),
    }
}

/// A number in decimal digits, without a sign or zeros before it, which `FromStr` takes.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    let is_plain =
        text.bytes().all(|octet| octet.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

fn read_protocol(word: &Word<'_>) -> Result<u8, RuleError> {
    let text = word.text;
    match text {
        "icmp" => return Ok(ICMP),
        "tcp" => return Ok(TCP),
        "udp" => return Ok(UDP),
        "gre" => return Ok(GRE),
        _ => {}
    }
    if let Some(number) = number(text) {
        return Ok(number);
    }
    let is_port = text.starts_with(|c: char| c.is_ascii_digit());
    if is_port {
        let message = format!("ports such as {text:?} need a protocol before them");
        return fail(word.at.clone(), message, "tcp or udp before the ports", Some(format!("tcp {text}")));
    }
    let meant = match text.to_ascii_lowercase().as_str() {
        "ping" => Some("icmp"),
        _ => nearest(text, PROTOCOLS.into_iter().chain(["log"])),
    };
    fail(word.at.clone(), format!("{text:?} is no protocol"), AFTER_TARGET, meant.map(str::to_owned))
}

fn read_ports(word: &Word<'_>) -> Result<Ports, RuleError> {
    let mut ranges = Vec::new();
    let mut from = word.at.start;
    for part in word.text.split(',') {
        let at = from..from + part.len();
        from = at.end + 1;
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Some(first), Some(last)) = (number::<u16>(first), number::<u16>(last)) else {
            let meant = nearest(part, ["log"]).filter(|_| part == word.text);
            let message = match part {
                "" => "a port is missing".to_owned(),
                _ => format!("{part:?} is no port and no range of ports"),
            };
            return fail(at, message, "a port from 0 to 65535, or first-last", meant.map(str::to_owned));
        };
        if first > last {
            let message = format!("the range {part} ends before it begins");
            return fail(at, message, "first-last", Some(format!("{last}-{first}")));
        }
        if ranges.len() == Ports::MOST {
            let message = format!("a rule has at most {} ports and ranges", Ports::MOST);
            return fail(at, message, "the end of the list", None);
        }
        ranges.push((first, last));
    }
    Ok(Ports::new(ranges))
}
