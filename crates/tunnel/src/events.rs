//! Input and output of a tunnel machine.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use adit_crypto::mppe::Strength;
use adit_crypto::proof::Proven;
use adit_diag::note::Message;
use adit_diag::{AuthMethod, Code, Note};
use adit_ppp::auth::{AuthRequest, Rejection};
use adit_ppp::ccp::MppePolicy;
use adit_ppp::link::AddressGrant;
use adit_wire::{LocalCallId, PeerCallId};
use ipnet::Ipv4Net;

use crate::path::PathCommand;

pub use adit_diag::note::{Who, Why};

/// A call within its control connection; unique for the life of the tunnel machine, never a Call ID.
pub type CallHandle = u32;

/// Bytes and facts that arrive.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Octets of the TCP connection, in order, cut anywhere.
    Control(&'a [u8]),
    /// The TCP connection was closed or reset by the peer or the network.
    ControlClosed,
    /// A PPP control frame that the data path took out of GRE.
    Frame {
        /// The call it belongs to.
        call: CallHandle,
        /// From the address field (or the protocol field, when that is compressed) on.
        frame: &'a [u8],
    },
    /// How many data packets the call has carried so far, both ways together: feeds the idle time-out.
    Traffic {
        /// The call.
        call: CallHandle,
        /// Packets since the call began.
        packets: u64,
    },
    /// The peer's GRE acknowledged one of ours: proof that protocol 47 reaches it.
    Acknowledged {
        /// The call.
        call: CallHandle,
    },
    /// A router or the peer answered our GRE with an ICMP error of type 3.
    Unreachable {
        /// The call.
        call: CallHandle,
        /// Who said so.
        from: Ipv4Addr,
        /// The ICMP code (RFC 792): 2 is "protocol unreachable".
        code: u8,
    },
    /// GRE of no call came, which may have been meant for this one.
    Unmatched {
        /// The call.
        call: CallHandle,
        /// What was seen.
        unmatched: Unmatched,
    },
}

/// A GRE packet that belongs to no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// From the peer's address, with a Call ID that no call here has.
    CallId(u16),
    /// With the call's own Call ID, from another address than its control connection's.
    Source(Ipv4Addr),
}

/// What the shell wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// End one call: LCP Terminate, then Call-Disconnect-Notify or Call-Clear-Request.
    EndCall {
        /// The call.
        call: CallHandle,
        /// Why.
        why: Why,
    },
    /// End every call and the control connection.
    Stop {
        /// Why.
        why: Why,
    },
}

/// A question the machine cannot answer itself; the shell answers with the same id.
#[derive(Clone, Debug)]
pub enum Question {
    /// May this call be made, and which Call ID names it here?
    Call(CallRequest),
    /// Who is this?
    Authenticate(AuthRequest),
    /// Which addresses?
    Address {
        /// The authenticated name, as sent.
        name: Vec<u8>,
        /// What the client asked for; `None` for "give me one".
        wanted: Option<Ipv4Addr>,
    },
}

/// What the peer asked for in its Outgoing-Call-Request or Incoming-Call-Request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// The peer's Call ID: the key of the GRE packets we send.
    pub peer_call_id: PeerCallId,
    /// The request, for the record.
    pub message: Message,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// Take the call under this local Call ID.
    AcceptCall {
        /// The key of the GRE packets we shall receive.
        call_id: LocalCallId,
    },
    /// Refuse the call with a code (C05 busy, S06 ...) and a text for the record.
    RefuseCall {
        /// The code.
        code: Code,
        /// For the record.
        detail: String,
    },
    /// The name and its proof are good, on these terms.
    Accept {
        /// What the check computed.
        proven: Proven,
        /// What this account may do.
        terms: Terms,
    },
    /// They are not.
    Reject(Rejection),
    /// The account source wants another round.
    Challenge {
        /// What a person has to read before the next round; empty if it needs no person.
        message: String,
    },
    /// The addresses of the call.
    Address(AddressGrant),
    /// There are none; the code says why (I01 pool empty, I02 refused).
    NoAddress {
        /// The code.
        code: Code,
        /// For the record, and for the peer.
        detail: String,
    },
    /// The account source does not answer (A07): the call ends without a verdict on name and password.
    Unavailable {
        /// For the record, and for the peer.
        detail: String,
    },
}

/// What an account may do, decided at authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// End the call after this long without data packets.
    pub idle: Option<Duration>,
    /// End the call after this long.
    pub max: Option<Duration>,
    /// Encryption, where it differs from the server's.
    pub mppe: Option<MppePolicy>,
    /// Networks behind the client, besides its own address.
    pub networks: Vec<Ipv4Net>,
    /// Destinations the client may reach; `None` for any.
    pub reach: Option<Vec<Ipv4Net>>,
    /// Whether DHCPINFORM packets are to be handed to the shell.
    pub answer_dhcp: bool,
}

/// Something to tell. Events must be drained before transmits: the data path of a call has to exist before the
/// message that lets the peer use it leaves.
#[derive(Debug)]
pub enum Event {
    /// Answer with [`Answer`] under this id.
    Ask {
        /// Unique in the machine.
        id: u32,
        /// The call.
        call: CallHandle,
        /// What is asked.
        question: Question,
    },
    /// Make a data path for a call.
    OpenPath {
        /// The call.
        call: CallHandle,
        /// Key of the GRE packets we receive.
        local_call_id: LocalCallId,
        /// Key of the GRE packets we send.
        peer_call_id: PeerCallId,
        /// The peer's receive window in packets, for [`crate::path::PathConfig::window`]; 0: it has none.
        window: u16,
    },
    /// Tell the call's data path.
    Path {
        /// The call.
        call: CallHandle,
        /// What.
        command: PathCommand,
    },
    /// Something for the record: a packet, a layer that came up, a finding.
    Note {
        /// The call; `None` for the control connection itself.
        call: Option<CallHandle>,
        /// What was learnt.
        note: Note,
    },
    /// The control connection is established.
    Established {
        /// Host name the peer gave, escaped.
        host: String,
        /// Vendor name the peer gave, escaped.
        vendor: String,
    },
    /// The call carries traffic.
    Up {
        /// The call.
        call: CallHandle,
        /// What was agreed.
        up: Up,
    },
    /// The call is over; its data path must be removed.
    CallEnded {
        /// The call.
        call: CallHandle,
        /// How.
        end: End,
    },
    /// The control connection is over: flush what `poll_transmit` still gives, then close TCP. Last event.
    Closed {
        /// How.
        end: End,
    },
}

/// What a call agreed on when it came up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Up {
    /// The name that was authenticated (server) or used (client), as sent.
    pub name: Arc<[u8]>,
    /// How.
    pub method: Option<AuthMethod>,
    /// Whether the other side proved that it knows the password too.
    pub server_proved: bool,
    /// Encryption, if any: strength and whether stateless.
    pub encryption: Option<(Strength, bool)>,
    /// Our inner address.
    pub local: Ipv4Addr,
    /// The peer's inner address.
    pub peer: Ipv4Addr,
    /// DNS servers: those given (server) or received (client).
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers, likewise.
    pub wins: Vec<Ipv4Addr>,
    /// The largest inner packet both ways, in octets.
    pub mtu: u16,
}

/// How a call or a control connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Why, in accounting's words.
    pub why: Why,
    /// Who ended it.
    pub by: Who,
    /// The code of what broke; `None` for an orderly end.
    pub code: Option<Code>,
    /// One line of evidence for people.
    pub detail: String,
}
