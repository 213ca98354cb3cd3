//! The interface between a link and its caller: events, questions, answers, commands.

use core::net::Ipv4Addr;
use std::sync::Arc;

use adit_diag::note::{Packet, Who};
use adit_diag::{AuthMethod, Code};

use super::{AddressGrant, Mppe};
use crate::auth::{AuthRequest, Verdict};

/// How a link ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Who ended it.
    pub by: Who,
    /// The code of the catalogue; `None` for an end that was requested locally.
    pub code: Option<Code>,
    /// A printable description for the user.
    pub detail: String,
}

/// A network layer that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address of our end.
    pub local: Ipv4Addr,
    /// The peer's address.
    pub peer: Ipv4Addr,
    /// DNS servers, the first preferred.
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers, the first preferred.
    pub wins: Vec<Ipv4Addr>,
    /// Interface identifiers, ours and the peer's, while IPV6CP is Opened.
    pub ipv6: Option<(u64, u64)>,
}

/// An event of a link.
#[derive(Debug)]
pub enum LinkEvent {
    /// A control packet was sent or received: for the session's record.
    Packet(Packet),
    /// LCP is Opened. These parameters apply to sent frames until the next such event.
    LcpUp {
        /// The longest information field that the peer accepts, in octets.
        peer_mru: u16,
        /// Protocol fields of one octet may be sent.
        pfc: bool,
        /// Address and Control may be omitted.
        acfc: bool,
    },
    /// A question to be answered with [`Link::handle_answer`](super::Link::handle_answer) and this id.
    Ask(u32, Question),
    /// One end has authenticated itself to the other.
    Authenticated {
        /// The client's name, as it was sent.
        name: Arc<[u8]>,
        /// The authentication method.
        method: AuthMethod,
        /// Whether the server has authenticated itself too.
        server_proved: bool,
    },
    /// Some: encrypt both directions from count 0 with these keys. None: stop, and send nothing in clear if
    /// encryption is required.
    Encryption(Option<Mppe>),
    /// Data may flow with these addresses. Repeated when IPV6CP goes up or down. If optional encryption is
    /// being negotiated, this event is delayed until the result is known, for a limited time.
    NetworkUp(Network),
    /// Data may not flow any more.
    NetworkDown,
    /// Large packets are lost in one direction or both, and shorter ones pass. Lengths of information fields,
    /// in octets.
    LargeLost {
        /// The shortest length that was never answered.
        lost: u16,
        /// The longest length that was answered.
        passes: u16,
    },
    /// Control frames in clear were ignored, because the peer proved that it had not sent them. Reported at
    /// most once a minute.
    Forged {
        /// So many since the link was opened.
        frames: u64,
    },
    /// Data packets were sent to the peer, and none was received meanwhile, although the peer answers LCP. Reported at most
    /// once an hour.
    Unanswered {
        /// The packets sent.
        sent: u64,
        /// The time since the first of them.
        seconds: u64,
    },
    /// The caller must report the number of data packets now, with [`Command::CountTraffic`].
    CountTraffic,
    /// The link is over; the last event. Frames that are queued may still be sent.
    Ended(End),
}

/// A question that a server's link asks.
#[derive(Debug)]
pub enum Question {
    /// Whether to accept this peer.
    Authenticate(AuthRequest),
    /// Which address the peer gets.
    Address {
        /// The address that it requests; `None` for any.
        wanted: Option<Ipv4Addr>,
    },
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub enum Answer {
    /// Answers [`Question::Authenticate`].
    Verdict(Verdict),
    /// Answers [`Question::Address`]; `None` if there is no address, which ends the link.
    Address(Option<AddressGrant>),
}

/// A command of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// End the link; the reason is sent to the peer in ASCII.
    Close {
        /// The reason, of which at most 255 octets are sent.
        reason: String,
    },
    /// Server: challenge the peer again. Data is not interrupted.
    Rechallenge,
    /// Notify the peer how long its session will last (RFC 1570 section 2.2).
    TimeRemaining {
        /// Seconds; `u32::MAX` for no limit.
        seconds: u32,
        /// The message for the user of the peer.
        message: String,
    },
    /// The lower layer is down: end without sending anything to the peer.
    LowerDown,
    /// Data was received from the peer, which is therefore alive.
    NoteTraffic,
    /// The number of data packets so far. Packets from the peer count only if they were decrypted as agreed.
    CountTraffic {
        /// Packets from the peer.
        received: u64,
        /// Packets to the peer.
        sent: u64,
    },
    /// The peer has rejected a data packet that was really sent.
    DataRejected,
    /// End a link that is being closed without waiting for the peer's Terminate-Ack.
    HangUp,
}
