//! Everything that the state machines, the server and the probe learn of a connection, typed.
//!
//! A [`Note`] is the only carrier from where a fact is learnt to where it is used: record, store, log, `--json` and the
//! doctor. It becomes words by [`Display`](fmt::Display), at the edge, and words are never read back. Every message of a
//! note is in one place, here; the words of a decoded [`Packet`] come from `adit_wire`, which can read it.
//!
//! A variant that is added needs its words, its [`Protocol`], and a look at what the doctor makes of it
//! (`adit_doctor::from::record`). The names are stored: they are not changed.

mod end;
mod finding;
mod layer_up;
mod message;
mod octets;
mod text;

use core::fmt;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::Protocol;

pub use end::{Cause, End, Refused, Who, Why};
pub use finding::{Destination, Finding};
pub use layer_up::LayerUp;
pub use message::{Message, MessageKind, Packet, Treatment};
pub use octets::Octets;
pub use text::Text;

/// One thing that was learnt of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// A packet of a control protocol was sent or received.
    Packet(Packet),
    /// A layer came up.
    LayerUp(LayerUp),
    /// The server took the call.
    CallAccepted {
        /// Our Call ID for it.
        call_id: u16,
        /// The request for it.
        request: Message,
    },
    /// The client was refused: its login, or an address for it.
    Refused(Refused),
    /// Something is wrong with a call that is up or was, and does not end it.
    Finding(Finding),
    /// An operator, a newer call of the same account or the end of the program ended it.
    EndOrdered {
        /// Why, in accounting's words.
        why: Why,
        /// For people.
        reason: Text,
    },
    /// There is no route to a network behind the client.
    RouteFailed {
        /// The network.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        network: Ipv4Net,
        /// What the system said.
        error: Text,
    },
    /// A DHCPINFORM inside the tunnel was answered.
    DhcpAnswered,
    /// A DHCP packet inside the tunnel could not be answered.
    DhcpFailed {
        /// What is wrong with it.
        error: Text,
    },
    /// Control frames in clear were ignored on an encrypted link: the peer proved that it had not sent them.
    ForgedFrames {
        /// So many since the beginning of the call.
        frames: u64,
    },
}

impl Note {
    /// Whose doing it is.
    pub const fn who(&self) -> Who {
        match self {
            Note::Packet(Packet { sent: true, .. }) => Who::Us,
            Note::Packet(Packet { sent: false, .. }) => Who::Peer,
            _ => Who::Neither,
        }
    }

    /// The protocol that it is about.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Note::Packet(packet) => packet.message.protocol,
            Note::CallAccepted { .. } | Note::Finding(_) | Note::EndOrdered { .. } => Protocol::Pptp,
            Note::LayerUp(_) | Note::Refused(_) | Note::ForgedFrames { .. } => Protocol::Ppp,
            Note::RouteFailed { .. } => Protocol::Ipv4,
            Note::DhcpAnswered | Note::DhcpFailed { .. } => Protocol::Dhcp,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Packet(packet) => packet.fmt(f),
            Note::LayerUp(up) => write!(f, "{} ok: {up}", up.layer()),
            Note::CallAccepted { call_id, request } => write!(f, "call accepted as {call_id}: {request}"),
            Note::Refused(refused) => refused.fmt(f),
            Note::Finding(finding) => write!(f, "finding {}: {finding}", finding.code()),
            Note::EndOrdered { why, reason } => write!(f, "{}: {reason}", why.word()),
            Note::RouteFailed { network, error } => {
                write!(f, "no route to {network} behind this client: {error}")
            }
            Note::DhcpAnswered => f.write_str("DHCPINFORM answered with DNS, domain and routes"),
            Note::DhcpFailed { error } => write!(f, "DHCP packet not answered: {error}"),
            Note::ForgedFrames { frames } => write!(f, "forged control frames ignored: {frames}"),
        }
    }
}

#[cfg(test)]
mod tests;
