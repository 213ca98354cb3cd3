//! The text form of packets, one line each.

use std::fmt::{self, Display as _};

use adit_wire::{ppp, tcp};

use crate::beginning::Icmp;
use crate::dns::{Answer, Dns};
use crate::gre::Gre;
use crate::link::PppOn;
use crate::packet::{Content, Packet};
use crate::tcp::{Arrival, Segment};

/// `12 10.1.1.10 > 10.1.1.11 TCP 1723 > 3025 ACK PSH 32 octets: Outgoing-Call-Reply ...`, without the time.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        if let Some(network) = &self.network {
            write!(f, " {} > {}", network.source, network.destination)?;
        }
        match &self.content {
            Content::Other => {
                let protocol = self.network.as_ref().map_or(0, |network| network.protocol);
                write!(f, " IP protocol {protocol}")?;
            }
            content => write!(f, " {content}")?,
        }
        if let Some(first) = self.duplicate_of {
            write!(f, " (captured before as frame {first})")?;
        }
        if self.is_cut() {
            write!(f, " (cut: {} of {} octets)", self.captured, self.total)?;
        }
        Ok(())
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Tcp(segment) => segment.fmt(f),
            Content::Gre(gre) => gre.fmt(f),
            Content::OtherGre { version, protocol } => {
                write!(f, "GRE version {version} protocol type {protocol:#06x}, not PPTP")
            }
            Content::Icmp(icmp) => icmp.fmt(f),
            Content::Dns(dns) => dns.fmt(f),
            Content::Udp { source, destination, len } => {
                write!(f, "UDP {source} > {destination} {len} octets")
            }
            Content::Fragment { offset, len, more, .. } => {
                write!(f, "fragment at {offset}, {len} octets")?;
                f.write_str(if *more { ", more follow" } else { ", the last" })
            }
            Content::Ppp { on, frame } => {
                match on {
                    PppOn::Link => f.write_str("PPP link: ")?,
                    PppOn::Pppoe { session } => write!(f, "PPPoE session {session}: ")?,
                }
                protocol(frame, f)
            }
            Content::NotIp(kind) => kind.fmt(f),
            Content::Other => f.write_str("other IP protocol"),
            Content::Broken(error) => write!(f, "unreadable: {error}"),
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TCP {} > {}", self.source_port, self.destination_port)?;
        let names =
            [(tcp::SYN, "SYN"), (tcp::ACK, "ACK"), (tcp::PSH, "PSH"), (tcp::FIN, "FIN"), (tcp::RST, "RST")];
        for (_, name) in names.iter().filter(|(flag, _)| self.flags & flag != 0) {
            write!(f, " {name}")?;
        }
        write!(f, " {} octets", self.len)?;
        match self.arrival {
            Arrival::InOrder => {}
            Arrival::Retransmission => f.write_str(" (sent again)")?,
            Arrival::Ahead => f.write_str(" (ahead of what is missing)")?,
            Arrival::KeepAlive => f.write_str(" (keep-alive)")?,
        }
        for message in &self.messages {
            write!(f, "; {message}")?;
        }
        for message in &self.late {
            write!(f, "; earlier from the other side: {message}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Gre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GRE")?;
        for (name, number) in [("call", self.call_id.map(u32::from)), ("seq", self.seq), ("ack", self.ack)] {
            if let Some(number) = number {
                write!(f, " {name} {number}")?;
            }
        }
        if self.payload_len > 0 {
            write!(f, " {} octets of PPP: ", self.payload_len)?;
            protocol(&self.frame, f)?;
        }
        if let Some(defect) = &self.defect {
            write!(f, " [{defect}]")?;
        }
        Ok(())
    }
}

fn protocol(frame: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match ppp::frame(frame) {
        Ok((protocol, _)) => ppp::ProtocolNumber(protocol).fmt(f),
        Err(error) => error.fmt(f),
    }
}

impl fmt::Display for Icmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.v6 { "ICMPv6" } else { "ICMP" };
        write!(f, "{name} {}/{}", self.kind, self.code)?;
        if let Some(mtu) = self.mtu {
            write!(f, " MTU {mtu}")?;
        }
        match &self.quoted {
            Some(quoted) => write!(f, " about {quoted}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_response { "answer" } else { "query" };
        write!(f, "DNS {kind} {} type {}", self.name, self.kind)?;
        match self.rcode {
            0 => {}
            3 => f.write_str(": no such name")?,
            code => write!(f, ": error {code}")?,
        }
        for answer in &self.answers {
            match answer {
                Answer::Address(address) => write!(f, " {address}")?,
                Answer::Alias(name) => write!(f, " alias {name}")?,
                Answer::Other(kind) => write!(f, " type {kind}")?,
            }
        }
        Ok(())
    }
}
