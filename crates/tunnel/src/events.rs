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

use crate::path::{Origin, PathCommand};

pub use adit_diag::note::{Who, Why};

/// A call within its control connection. Unique while the tunnel machine exists; not a Call ID.
pub type CallHandle = u32;

/// An input of a tunnel machine: received bytes or a report.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Octets of the TCP connection, in order and split anywhere.
    Control(&'a [u8]),
    /// The TCP connection was closed or reset by the peer or the network.
    ControlClosed,
    /// A PPP control frame that the data path received in GRE.
    Frame {
        /// The call it belongs to.
        call: CallHandle,
        /// The frame, starting with the address field (or the protocol field if that is compressed).
        frame: &'a [u8],
        /// How it arrived.
        origin: Origin,
    },
    /// The peer has rejected a data packet that was really sent: see [`crate::path::PathEvent::DataRejected`].
    DataRejected {
        /// The call.
        call: CallHandle,
    },
    /// The number of data packets that the call has carried so far: for the idle time-out, and as a sign of
    /// life of an encrypted peer.
    Traffic {
        /// The call.
        call: CallHandle,
        /// IP packets from the peer since the call began, which were decrypted if the call is encrypted.
        received: u64,
        /// IP packets to the peer since the call began.
        sent: u64,
    },
    /// The peer's GRE has acknowledged a packet of ours: proof that protocol 47 reaches the peer.
    Acknowledged {
        /// The call.
        call: CallHandle,
    },
    /// A router or the peer answered our GRE with an ICMP error of type 3.
    Unreachable {
        /// The call.
        call: CallHandle,
        /// The sender of the error.
        from: Ipv4Addr,
        /// The ICMP code (RFC 792): 2 is "protocol unreachable".
        code: u8,
    },
    /// A GRE packet without a call was received, which may have been meant for this one.
    Unmatched {
        /// The call.
        call: CallHandle,
        /// The packet.
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

/// A command of the caller.
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

/// A question that the machine cannot answer itself; the caller answers with the same id.
#[derive(Clone, Debug)]
pub enum Question {
    /// Whether to accept this call, and its local Call ID.
    Call(CallRequest),
    /// Whether to authenticate this peer.
    Authenticate(AuthRequest),
    /// Which addresses to assign.
    Address {
        /// The authenticated name, as sent.
        name: Vec<u8>,
        /// The address that the client requested; `None` for any.
        wanted: Option<Ipv4Addr>,
    },
}

/// The peer's Outgoing-Call-Request or Incoming-Call-Request.
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
    /// Accept the call with this local Call ID.
    AcceptCall {
        /// The key of the GRE packets that we receive.
        call_id: LocalCallId,
    },
    /// Refuse the call with a code (C05 busy, S06 ...) and a text for the record.
    RefuseCall {
        /// The code.
        code: Code,
        /// The description for the record.
        detail: String,
    },
    /// The peer is authenticated, with these terms.
    Accept {
        /// The results of the check.
        proven: Proven,
        /// The terms of the account.
        terms: Terms,
    },
    /// The peer failed to authenticate.
    Reject(Rejection),
    /// The account source requires another round.
    Challenge {
        /// A message to show to the user before the next round; empty if no user is needed.
        message: String,
    },
    /// The addresses of the call.
    Address(AddressGrant),
    /// There is no address; the code gives the reason (I01 pool empty, I02 refused).
    NoAddress {
        /// The code.
        code: Code,
        /// The description for the record and for the peer.
        detail: String,
    },
    /// The account source did not answer (A07): the call ends without a verdict on name and password.
    Unavailable {
        /// The description for the record and for the peer.
        detail: String,
    },
}

/// The terms of an account, set at authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// End the call after this long without data packets.
    pub idle: Option<Duration>,
    /// End the call after this long.
    pub max: Option<Duration>,
    /// The encryption policy, if it differs from the server's.
    pub mppe: Option<MppePolicy>,
    /// Networks behind the client, besides its own address.
    pub networks: Vec<Ipv4Net>,
    /// Destinations the client may reach; `None` for any.
    pub reach: Option<Vec<Ipv4Net>>,
    /// Whether DHCPINFORM packets are passed to the caller.
    pub answer_dhcp: bool,
}

/// An event of a tunnel machine. Drain events before transmits: the data path of a call must exist before the
/// message that lets the peer use it is sent.
#[derive(Debug)]
pub enum Event {
    /// A question to be answered with an [`Answer`] under this id.
    Ask {
        /// Unique in the machine.
        id: u32,
        /// The call.
        call: CallHandle,
        /// The question.
        question: Question,
    },
    /// Create a data path for a call.
    OpenPath {
        /// The call.
        call: CallHandle,
        /// The key of the GRE packets that we receive.
        local_call_id: LocalCallId,
        /// The key of the GRE packets that we send.
        peer_call_id: PeerCallId,
        /// The peer's receive window in packets, for [`crate::path::PathConfig::window`]; 0 if it has none.
        window: u16,
    },
    /// Pass a command to the call's data path.
    Path {
        /// The call.
        call: CallHandle,
        /// The command.
        command: PathCommand,
    },
    /// A note for the record: a packet, a layer that came up, a finding.
    Note {
        /// The call; `None` for the control connection itself.
        call: Option<CallHandle>,
        /// The note.
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
        /// The agreed parameters.
        up: Up,
    },
    /// Report [`Input::Traffic`] for this call now: a decision depends on it.
    CountTraffic {
        /// The call.
        call: CallHandle,
    },
    /// The call has ended; its data path must be removed.
    CallEnded {
        /// The call.
        call: CallHandle,
        /// How it ended.
        end: End,
    },
    /// The control connection has ended: send the rest of `poll_transmit`, then close TCP. This is the last
    /// event.
    Closed {
        /// How it ended.
        end: End,
    },
}

/// The parameters of a call that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Up {
    /// The name that was authenticated (server) or used (client), as sent.
    pub name: Arc<[u8]>,
    /// The authentication method.
    pub method: Option<AuthMethod>,
    /// Whether the server has proved that it knows the password too.
    pub server_proved: bool,
    /// Encryption, if any: strength and whether stateless.
    pub encryption: Option<(Strength, bool)>,
    /// Our inner address.
    pub local: Ipv4Addr,
    /// The peer's inner address.
    pub peer: Ipv4Addr,
    /// DNS servers: those given (server) or received (client).
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers: those given (server) or received (client).
    pub wins: Vec<Ipv4Addr>,
    /// The largest inner packet in both directions, in octets.
    pub mtu: u16,
}

/// How a call or a control connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The reason, as a code of accounting.
    pub why: Why,
    /// Who ended it.
    pub by: Who,
    /// The code of the fault; `None` for an orderly end.
    pub code: Option<Code>,
    /// A one-line description for the user.
    pub detail: String,
}
