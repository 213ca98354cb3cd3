//! Input of a control connection besides octets, and its output.

use core::fmt;

use adit_diag::Code;
use adit_diag::note::{Packet, Who};
use adit_wire::pptp::{Bearer, Framing, IncomingCallRequest, OutgoingCallRequest, Version};
use adit_wire::{LocalCallId, PeerCallId};

/// A call within its control connection: unique for the connection's life, never a Call ID.
pub type Handle = u32;

/// What the shell wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlCommand {
    /// Take the call that was requested.
    AcceptCall {
        /// From [`ControlEvent::CallRequested`].
        handle: Handle,
        /// Our Call ID, unique on this host: the key of the GRE packets we shall receive.
        call_id: LocalCallId,
    },
    /// Do not take the call that was requested; the control connection stays.
    RefuseCall {
        /// From [`ControlEvent::CallRequested`].
        handle: Handle,
        /// Why.
        refusal: Refusal,
    },
    /// Call the peer: Outgoing-Call-Request from a client, Incoming-Call-Request from a server.
    PlaceCall {
        /// Our Call ID, unique on this host.
        call_id: LocalCallId,
    },
    /// End one call. Unknown handles are ignored: the peer may have been quicker.
    EndCall {
        /// The call.
        handle: Handle,
        /// What to tell the peer, where the message has room for it.
        end: CallEnd,
    },
    /// End every call and then the control connection.
    Stop {
        /// Whether this program is being stopped.
        shutdown: bool,
    },
    /// Ask the peer for a sign of life now, unless that is going on already; see
    /// [`super::ControlConnection::last_heard`].
    Probe,
    /// Tell the peer by Set-Link-Info what it cannot see: what a client says whose own frames are never answered. The
    /// character maps are the default ones, which change nothing (RFC 2637 section 2.15).
    ReportGre {
        /// The call.
        handle: Handle,
        /// What.
        report: GreReport,
    },
    /// Close without a word: this connection collided with a better one (see [`super::collision`]).
    Yield,
    /// The TCP connection was closed or reset, by the peer or by the network.
    TransportClosed,
}

/// What a client tells its server about their GRE, by the Call ID in Set-Link-Info.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GreReport {
    /// The server's frames arrive: the server's Call ID, as it should be.
    Heard,
    /// What arrives names this call, which is not the client's: the Call ID that the server knows it by.
    Misnamed(u16),
}

/// Why a call is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// C05 tells the peer "no resource", any other code "do not accept".
    pub code: Code,
    /// One line for the record.
    pub detail: String,
}

/// What Call-Disconnect-Notify is to say (RFC 2637 section 2.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The link below is gone.
    LostCarrier,
    /// Something failed.
    GeneralError,
    /// The operator or a limit ended it.
    AdminShutdown,
    /// The peer asked for it.
    Request,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlEvent {
    /// A message was sent or received; for the record.
    Packet(Packet),
    /// The control connection is established.
    Established(PeerInfo),
    /// The peer wants a call: answer with [`ControlCommand::AcceptCall`] or [`ControlCommand::RefuseCall`].
    CallRequested {
        /// The call.
        handle: Handle,
        /// What the peer said.
        request: CallRequest,
    },
    /// The call is connected. Given out before the message that tells the peer so: make the GRE path now.
    CallUp {
        /// The call.
        handle: Handle,
        /// Key of the GRE packets we receive.
        local_call_id: LocalCallId,
        /// Key of the GRE packets we send.
        peer_call_id: PeerCallId,
        /// The peer's receive window in packets; 0 means that it does no flow control.
        window: u16,
    },
    /// The call is over, or was never connected. Once for each handle.
    CallEnded {
        /// The call.
        handle: Handle,
        /// Who ended it.
        by: Who,
        /// What broke; `None` for an orderly end.
        code: Option<Code>,
        /// One line of evidence.
        detail: String,
    },
    /// The control connection is over, and every call with it: send what [`super::ControlConnection::poll_transmit`]
    /// still gives, then close TCP. The last event.
    Closed {
        /// Who ended it.
        by: Who,
        /// What broke; `None` for an orderly end.
        code: Option<Code>,
        /// One line of evidence.
        detail: String,
    },
}

/// What the peer told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Host Name, as sent: escape before showing.
    pub host_name: Vec<u8>,
    /// Vendor Name, as sent: escape before showing.
    pub vendor: Vec<u8>,
    /// Protocol Version.
    pub version: Version,
    /// Firmware Revision.
    pub firmware: u16,
    /// Framing Capabilities.
    pub framing: Framing,
    /// Bearer Capabilities.
    pub bearer: Bearer,
    /// Maximum Channels.
    pub maximum_channels: u16,
}

/// The peer's request for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallRequest {
    /// From a PNS.
    Outgoing(OutgoingCallRequest),
    /// From a PAC.
    Incoming(IncomingCallRequest),
}

impl CallRequest {
    /// The peer's Call ID: the key of the GRE packets we shall send.
    pub fn call_id(&self) -> PeerCallId {
        PeerCallId::new(match self {
            CallRequest::Outgoing(request) => request.call_id,
            CallRequest::Incoming(request) => request.call_id,
        })
    }

    /// The request for the record.
    pub fn to_note(&self) -> adit_diag::note::Message {
        adit_wire::note::pptp(&match self {
            CallRequest::Outgoing(request) => request.clone().into(),
            CallRequest::Incoming(request) => request.clone().into(),
        })
    }
}

impl fmt::Display for CallRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallRequest::Outgoing(request) => request.fmt(f),
            CallRequest::Incoming(request) => request.fmt(f),
        }
    }
}

/// How a control connection or a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) by: Who,
    pub(super) code: Option<Code>,
    pub(super) detail: String,
}

impl End {
    pub(super) fn new(by: Who, code: Option<Code>, detail: impl Into<String>) -> End {
        End { by, code, detail: detail.into() }
    }
}
