//! The part of DNS (RFC 1035) that the name layer needs: queries and answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use adit_wire::text::escape;

use crate::octets::Octets as _;

/// The port of DNS.
pub(crate) const PORT: u16 = 53;
/// The most answers of one message that are parsed.
pub const ANSWERS_MAX: usize = 32;

/// The longest name in octets, with dots (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 255;
/// The most compression pointers that are followed in a name; more make a loop.
const JUMPS_MAX: usize = 16;
const HEADER: usize = 12;

/// A DNS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The ID, which matches answers to queries.
    pub id: u16,
    /// Whether it is an answer.
    pub is_response: bool,
    /// RCODE: 0 for success, 2 for a server that failed, 3 for NXDOMAIN, 5 for refused.
    pub rcode: u8,
    /// TC: whether the answer was truncated.
    pub is_truncated: bool,
    /// The name in the query, escaped, without the final dot.
    pub name: String,
    /// The query type: 1 for A, 28 for AAAA.
    pub kind: u16,
    /// The answers, at most [`ANSWERS_MAX`], as far as they were captured.
    pub answers: Vec<Answer>,
}

/// One resource record of the answer section.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME, escaped.
    Alias(String),
    /// Another type.
    Other(u16),
}

impl Dns {
    /// Parses a message; `None` if it is invalid or has no readable question.
    pub fn read(octets: &[u8]) -> Option<Dns> {
        let (id, flags) = (octets.be16(0)?, octets.be16(2)?);
        let (questions, answers) = (octets.be16(4)?, octets.be16(6)?);
        if questions != 1 || flags & 0x7800 != 0 {
            return None;
        }
        let (name, at) = name(octets, HEADER)?;
        let kind = octets.be16(at)?;
        let mut dns = Dns {
            id,
            is_response: flags & 0x8000 != 0,
            rcode: (flags & 0x0f) as u8,
            is_truncated: flags & 0x0200 != 0,
            name,
            kind,
            answers: Vec::new(),
        };
        let mut at = at + 4;
        for _ in 0..usize::from(answers).min(ANSWERS_MAX) {
            let Some((answer, next)) = answer(octets, at) else { break };
            dns.answers.push(answer);
            at = next;
        }
        Some(dns)
    }

    /// The addresses among the answers.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.answers.iter().filter_map(|answer| match answer {
            Answer::Address(address) => Some(*address),
            _ => None,
        })
    }
}

fn answer(octets: &[u8], at: usize) -> Option<(Answer, usize)> {
    let (_, at) = name(octets, at)?;
    let (kind, len) = (octets.be16(at)?, usize::from(octets.be16(at + 8)?));
    let (from, to) = (at + 10, at + 10 + len);
    let data = octets.get(from..to)?;
    let answer = match (kind, data.len()) {
        (1, 4) => Answer::Address(Ipv4Addr::from(*data.first_chunk()?).into()),
        (28, 16) => Answer::Address(Ipv6Addr::from(*data.first_chunk::<16>()?).into()),
        (5, _) => Answer::Alias(name(octets, from)?.0),
        _ => Answer::Other(kind),
    };
    Some((answer, to))
}

/// Parses a name: the escaped name, and the offset after it.
fn name(octets: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut end, mut jumps) = (start, None, 0);
    let mut raw = Vec::new();
    loop {
        let len = octets.octet(at)?;
        match len >> 6 {
            0 if len == 0 => break,
            0 => {
                let label = octets.get(at + 1..at + 1 + usize::from(len))?;
                if !raw.is_empty() {
                    raw.push(b'.');
                }
                raw.extend_from_slice(label);
                at += 1 + usize::from(len);
                if raw.len() > NAME_MAX {
                    return None;
                }
            }
            3 => {
                end = end.or(Some(at + 2));
                at = usize::from(octets.be16(at)? & 0x3fff);
                jumps += 1;
                if jumps > JUMPS_MAX {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some((escape(&raw).to_string(), end.unwrap_or(at + 1)))
}
