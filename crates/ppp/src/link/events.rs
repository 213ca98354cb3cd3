//! What goes between a link and the one that drives it.

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
    /// The catalogue's code; `None` for an end that was requested here.
    pub code: Option<Code>,
    /// What happened, for people, printable.
    pub detail: String,
}

/// A network layer that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Our end's address.
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

/// What a link tells.
#[derive(Debug)]
pub enum LinkEvent {
    /// A control packet was sent or received: for the session's record.
    Packet(Packet),
    /// LCP is Opened. Until the next of these, frames may be sent as said here.
    LcpUp {
        /// The longest information field that the peer takes, in octets.
        peer_mru: u16,
        /// Protocol fields of one octet may be sent.
        pfc: bool,
        /// Address and Control may be left out.
        acfc: bool,
    },
    /// Answer with [`Link::handle_answer`](super::Link::handle_answer) and this id.
    Ask(u32, Question),
    /// One end has proved itself to the other.
    Authenticated {
        /// The client's name, as sent.
        name: Arc<[u8]>,
        /// How.
        method: AuthMethod,
        /// The server has proved itself too.
        server_proved: bool,
    },
    /// Some: encrypt, both directions from count 0 with these keys. None: stop, and send nothing in clear if encryption
    /// is required.
    Encryption(Option<Mppe>),
    /// Data may flow with these addresses. Told again when IPV6CP goes up or down. Where encryption is not required but
    /// is being negotiated, this waits for the outcome, though not for ever.
    NetworkUp(Network),
    /// Data may not flow any more.
    NetworkDown,
    /// Large packets vanish, one way or the other, and shorter ones pass: lengths of information fields, in octets.
    LargeLost {
        /// The shortest that was never answered.
        lost: u16,
        /// The longest that was.
        passes: u16,
    },
    /// The link is over; the last event. Frames that are queued may still be sent.
    Ended(End),
}

/// What a server's link asks.
#[derive(Debug)]
pub enum Question {
    /// May this peer come in?
    Authenticate(AuthRequest),
    /// What address does the peer get?
    Address {
        /// What it asks for; `None` for any.
        wanted: Option<Ipv4Addr>,
    },
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub enum Answer {
    /// To [`Question::Authenticate`].
    Verdict(Verdict),
    /// To [`Question::Address`]; `None` when there is none, which ends the link.
    Address(Option<AddressGrant>),
}

/// A command of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// End the link; the reason is sent to the peer, in ASCII.
    Close {
        /// At most 255 octets of it are sent.
        reason: String,
    },
    /// Server: ask the peer to prove itself once more. Data is not disturbed.
    Rechallenge,
    /// Tell the peer how long its session will last (RFC 1570 section 2.2).
    TimeRemaining {
        /// Seconds; `u32::MAX` for no limit.
        seconds: u32,
        /// For the person at the other end.
        message: String,
    },
    /// The layer below is gone: end without a word to the peer.
    LowerDown,
    /// Data has come from the peer, which is therefore alive.
    NoteTraffic,
}
