//! What is wrong with a call and does not end it.

use core::fmt;
use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::Code;

/// Something that is wrong with a call that is up or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// G07: GRE packets of the client never arrived.
    Loss {
        /// So many, by the gaps in their sequence numbers.
        lost: u64,
        /// Of so many that the client sent.
        sent: u64,
    },
    /// R02: packets to hosts that the account may not reach.
    Denied {
        /// So many were dropped.
        packets: u64,
        /// The key of the configuration that says what it may reach.
        key: String,
        /// Where the last was to go.
        last: Destination,
    },
    /// M01: large packets vanish, to the client or back: sizes of inner packets, in octets.
    SizeProbe {
        /// The shortest that was never answered.
        lost: u16,
        /// The longest that was.
        passes: u16,
    },
    /// R10: packets were sent into the tunnel, and none came back, although the peer answers LCP.
    Unanswered {
        /// The packets sent.
        sent: u64,
        /// The time since the first of them.
        seconds: u64,
    },
}

impl Finding {
    /// The code.
    pub const fn code(&self) -> Code {
        match self {
            Finding::Loss { .. } => Code::G07,
            Finding::Denied { .. } => Code::R02,
            Finding::SizeProbe { .. } => Code::M01,
            Finding::Unanswered { .. } => Code::R10,
        }
    }
}

/// What shows it, one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Loss { lost, sent } => {
                let percent = lost.saturating_mul(100) / sent.max(&1);
                write!(f, "{lost} of {sent} GRE packets from the client never arrived ({percent} %): ")?;
                f.write_str("client to server")
            }
            Finding::Denied { packets, key, last } => {
                write!(f, "{packets} packets dropped that {key} does not allow, the last to {last}")
            }
            Finding::SizeProbe { lost, passes } => {
                write!(f, "packets of {lost} octets vanish, {passes} pass: to the client or back")
            }
            Finding::Unanswered { sent, seconds } => {
                write!(f, "{sent} packets were sent into the tunnel in {seconds} s and none was received, ")?;
                f.write_str("although the peer answers LCP")
            }
        }
    }
}

/// Where a packet was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Destination {
    /// The host.
    pub address: Ipv4Addr,
    /// IP protocol.
    pub protocol: u8,
    /// Port of TCP and UDP; 0 where there is none.
    pub port: u16,
}

impl fmt::Display for Destination {
    /// `192.168.20.5 tcp/3389`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination { address, port, .. } = self;
        match self.protocol {
            1 => write!(f, "{address} icmp"),
            6 => write!(f, "{address} tcp/{port}"),
            17 => write!(f, "{address} udp/{port}"),
            protocol => write!(f, "{address} protocol {protocol}"),
        }
    }
}
