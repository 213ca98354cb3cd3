//! Questions about what may be reached: `192.168.10.20:443`.

use core::fmt;
use core::str::FromStr;
use std::net::Ipv4Addr;

use adit_wire::icmp::ECHO_REQUEST;
use adit_wire::ipv4::{ICMP, TCP, UDP};

use super::parse::number;
use super::{Action, Decider, Decision, Flow, Reach, ServerReach};

/// What is asked about: a port of a host, a ping, or all packets to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The host.
    pub address: Ipv4Addr,
    /// Protocol and port, or type of ICMP; `None` for all packets.
    pub what: Option<(u8, u16)>,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether they pass.
    pub outcome: Outcome,
    /// What decided: one, unless the question is about all packets.
    pub by: Vec<Decider>,
}

/// Whether packets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of them.
    Allowed,
    /// None.
    Denied,
    /// Some.
    Partly,
}

/// A text is no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoQuestion;

impl fmt::Display for NoQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected ADDRESS:PORT[/udp], ADDRESS/icmp or ADDRESS")
    }
}

impl core::error::Error for NoQuestion {}

/// `192.168.10.20:443`, `192.168.10.20:53/udp`, `192.168.10.20/icmp`, or an address for all packets to it.
impl FromStr for Question {
    type Err = NoQuestion;

    fn from_str(text: &str) -> Result<Question, NoQuestion> {
        let (place, protocol) = text.split_once('/').unwrap_or((text, ""));
        let (address, port) =
            place.split_once(':').map_or((place, None), |(address, port)| (address, Some(port)));
        let address = address.parse().map_err(|_| NoQuestion)?;
        let port = port.map(|port| number::<u16>(port).ok_or(NoQuestion)).transpose()?;
        let what = match (port, protocol.to_ascii_lowercase().as_str()) {
            (None, "") => None,
            (None, "icmp") => Some((ICMP, u16::from(ECHO_REQUEST))),
            (Some(port), "" | "tcp") => Some((TCP, port)),
            (Some(port), "udp") => Some((UDP, port)),
            _ => return Err(NoQuestion),
        };
        Ok(Question { address, what })
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Question { address, what } = self;
        match what {
            None => write!(f, "{address}"),
            Some((UDP, port)) => write!(f, "{address}:{port}/udp"),
            Some((TCP, port)) => write!(f, "{address}:{port}"),
            Some(_) => write!(f, "{address}/icmp"),
        }
    }
}

impl Reach {
    /// Answers a question.
    pub fn answer(&self, question: Question) -> Answer {
        let Question { address, what } = question;
        if let Some((protocol, port)) = what {
            let Decision { allowed, by } = self.judge_flow(Flow { destination: address, protocol, port });
            let outcome = if allowed { Outcome::Allowed } else { Outcome::Denied };
            return Answer { outcome, by: vec![by] };
        }
        if self.locals.contains_v4(address) {
            let outcome = match &self.server {
                ServerReach::All => Outcome::Allowed,
                services if *services == ServerReach::nothing() => Outcome::Denied,
                ServerReach::Services { .. } => Outcome::Partly,
            };
            return Answer { outcome, by: vec![Decider::Server] };
        }
        if self.clients.as_ref().is_some_and(|clients| clients.contains_v4(address)) {
            return Answer { outcome: Outcome::Denied, by: vec![Decider::Clients] };
        }
        let (numbers, is_all) = self.acl.deciding(address);
        let allows = |number: &u32| self.acl.rule(*number).is_some_and(|rule| rule.action == Action::Allow);
        let allowing = numbers.iter().filter(|number| allows(number)).count();
        let outcome = match allowing {
            0 => Outcome::Denied,
            all if all == numbers.len() && is_all => Outcome::Allowed,
            _ => Outcome::Partly,
        };
        let rules = numbers.into_iter().map(Decider::Rule);
        Answer { outcome, by: rules.chain((!is_all).then_some(Decider::End)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_and_written() {
        for text in ["192.168.10.20:443", "192.168.10.20:53/udp", "192.168.10.20/icmp", "192.168.10.20"] {
            assert_eq!(text.parse::<Question>().unwrap().to_string(), text);
        }
        assert_eq!("10.0.0.1:80/tcp".parse::<Question>().unwrap().to_string(), "10.0.0.1:80");
        assert_eq!("10.0.0.1:53/UDP".parse::<Question>().unwrap().to_string(), "10.0.0.1:53/udp");
        for text in [
            "",
            "host:80",
            "10.0.0.1:",
            "10.0.0.1:70000",
            "10.0.0.1:+80",
            "10.0.0.1:080",
            "10.0.0.1/udp",
            "10.0.0.1:1/icmp",
            "10.0.0.0/8",
        ] {
            assert_eq!(text.parse::<Question>(), Err(NoQuestion), "{text}");
        }
    }
}
