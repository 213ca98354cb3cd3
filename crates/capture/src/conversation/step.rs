//! The steps of a conversation: typed, each with its frame, in a list that keeps its beginning and its end.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use adit_wire::pptp::{Frame, Message};
use adit_wire::text::escape;
use adit_wire::{Protocol, cp, describe, ppp};

use crate::beginning::Icmp;
use crate::note::What;

/// The most steps kept from the beginning: a whole set-up with retransmissions.
pub const FIRST: usize = 160;
/// The most steps kept from the end, which show the cause.
pub const LAST: usize = 96;
/// The most octets kept of a PPP control frame: enough for echoes that probe the packet size.
pub const FRAME_KEPT: usize = 1600;

/// The source of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The client, the PNS of the RFC.
    Client,
    /// The server, the PAC of the RFC.
    Server,
    /// Another host: a router, or one side with another address.
    Other(IpAddr),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Client => f.write_str("client"),
            By::Server => f.write_str("server"),
            By::Other(address) => address.fmt(f),
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The frame that shows it.
    pub frame: u64,
    /// The time since 1970; for [`Event::Lacking`], that of the step before.
    pub time: Duration,
    /// The side that caused it.
    pub by: By,
    /// The call it belongs to, in [`super::Conversation::calls`]; `None` for the control connection itself.
    pub call: Option<usize>,
    /// The event.
    pub what: Event,
}

/// The event of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// SYN.
    Syn {
        /// Whether it is a retransmission.
        again: bool,
    },
    /// SYN and ACK.
    SynAck {
        /// Whether it is a retransmission.
        again: bool,
    },
    /// The client's ACK: the connection is open.
    Open,
    /// RST.
    Reset {
        /// The time to live; a difference from the sender's other packets shows a middlebox.
        ttl: u8,
    },
    /// FIN.
    Fin,
    /// A retransmission of data that was not acknowledged.
    Again {
        /// The number of octets.
        octets: usize,
    },
    /// A control message.
    Message(Frame),
    /// The first data is not a control message.
    Foreign(Vec<u8>),
    /// An ICMP error about a packet of this conversation.
    Icmp(Icmp),
    /// A frame of a PPP control protocol.
    Ppp {
        /// The protocol.
        protocol: u16,
        /// The information field, at most [`FRAME_KEPT`] octets.
        information: Vec<u8>,
        /// Sequence Number.
        seq: Option<u32>,
    },
    /// The first GRE packet of this side.
    FirstGre,
    /// GRE that belongs to the call by its Call ID arrived from another address; reported for the first
    /// packet only.
    GreFrom(IpAddr),
    /// Something is missing or cannot be decoded: [`What::Gap`], [`What::StreamLost`] or [`What::Fragments`].
    Lacking(What),
    /// GRE between these two addresses with an unknown Call ID; reported once for each.
    UnknownCall(u16),
}

impl Step {
    /// The protocol.
    pub fn protocol(&self) -> Protocol {
        match &self.what {
            Event::Syn { .. } | Event::SynAck { .. } | Event::Open | Event::Reset { .. } | Event::Fin => {
                Protocol::Tcp
            }
            Event::Again { .. } => Protocol::Tcp,
            Event::Message(_) | Event::Foreign(_) => Protocol::Pptp,
            Event::Icmp(_) => Protocol::Icmp,
            Event::Ppp { protocol, .. } => ppp::protocol(*protocol),
            Event::Lacking(What::Fragments { .. }) => Protocol::Ipv4,
            Event::Lacking(_) => Protocol::Pptp,
            Event::FirstGre | Event::GreFrom(_) | Event::UnknownCall(_) => Protocol::Gre,
        }
    }

    /// Whether it ends the link, the call or the connection.
    pub fn is_end(&self) -> bool {
        match &self.what {
            Event::Fin | Event::Reset { .. } => true,
            Event::Ppp { protocol: ppp::LCP, information, .. } => {
                information.first() == Some(&cp::TERMINATE_REQUEST)
            }
            Event::Message(Frame::Message(message)) => matches!(
                message,
                Message::CallClearRequest(_)
                    | Message::CallDisconnectNotify(_)
                    | Message::StopControlConnectionRequest(_)
            ),
            _ => false,
        }
    }
}

/// Formats one line of text: bounded, without secrets.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Event::Syn { again: false } => f.write_str("SYN"),
            Event::Syn { again: true } => f.write_str("SYN again"),
            Event::SynAck { again: false } => f.write_str("SYN and ACK"),
            Event::SynAck { again: true } => f.write_str("SYN and ACK again"),
            Event::Open => f.write_str("open"),
            Event::Reset { ttl } => write!(f, "RST, time to live {ttl}"),
            Event::Fin => f.write_str("FIN"),
            Event::Again { octets } => write!(f, "{octets} octets again"),
            Event::Message(message) => message.fmt(f),
            Event::Foreign(octets) => write!(f, "not PPTP: \"{}\"", escape(octets)),
            Event::Icmp(icmp) => icmp.fmt(f),
            Event::Ppp { protocol, information, .. } => {
                f.write_str(&describe::information(*protocol, information))
            }
            Event::FirstGre => f.write_str("first GRE packet"),
            Event::Lacking(what) => what.fmt(f),
            Event::GreFrom(address) => write!(f, "GRE of this call from {address}"),
            Event::UnknownCall(id) => write!(f, "GRE with Call ID {id}, which no call has"),
        }
    }
}

/// A bounded list of steps; the middle of a long one is left out and counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    first: Vec<Step>,
    last: VecDeque<Step>,
    omitted: u64,
}

impl Steps {
    pub(super) fn push(&mut self, step: Step) {
        if self.first.len() < FIRST {
            self.first.push(step);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
            self.omitted += 1;
        }
        self.last.push_back(step);
    }

    /// The steps in order; [`Steps::omitted`] are missing after the first [`FIRST`].
    pub fn iter(&self) -> impl Iterator<Item = &Step> {
        self.first.iter().chain(&self.last)
    }

    /// The number of steps that were left out.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// The number of steps held.
    pub fn len(&self) -> usize {
        self.first.len() + self.last.len()
    }

    /// Whether there are no steps.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}
