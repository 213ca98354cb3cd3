//! Input of a control connection besides octets, and its output.

use core::fmt;

use adit_diag::Code;
use adit_diag::note::{Packet, Who};
use adit_wire::pptp::{Bearer, Framing, IncomingCallRequest, OutgoingCallRequest, Version};
use adit_wire::{LocalCallId, PeerCallId};

/// A call within its control connection. Unique while the connection exists; not a Call ID.
pub type Handle = u32;

/// A command of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlCommand {
    /// Accept the requested call.
    AcceptCall {
        /// The handle from [`ControlEvent::CallRequested`].
        handle: Handle,
        /// Our Call ID, unique on this host: the key of the GRE packets that we receive.
        call_id: LocalCallId,
    },
    /// Refuse the requested call; the control connection stays open.
    RefuseCall {
        /// The handle from [`ControlEvent::CallRequested`].
        handle: Handle,
        /// The reason.
        refusal: Refusal,
    },
    /// Place a call: sends Outgoing-Call-Request as a client, Incoming-Call-Request as a server.
    PlaceCall {
        /// Our Call ID, unique on this host.
        call_id: LocalCallId,
    },
    /// End one call. Unknown handles are ignored, because the peer may have ended the call first.
    EndCall {
        /// The call.
        handle: Handle,
        /// The reason to send to the peer, if the message has a field for it.
        end: CallEnd,
    },
    /// End every call and then the control connection.
    Stop {
        /// Whether this program is shutting down.
        shutdown: bool,
    },
    /// Send an Echo-Request now, unless one is open already; see [`super::ControlConnection::last_heard`].
    Probe,
    /// Send a Set-Link-Info that reports what the peer cannot detect: a client's frames are never answered.
    /// The character maps are the defaults, which change nothing (RFC 2637 section 2.15).
    ReportGre {
        /// The call.
        handle: Handle,
        /// The report.
        report: GreReport,
    },
    /// Close without sending anything: this connection has collided with one that is kept (see
    /// [`super::collision`]).
    Yield,
    /// The TCP connection was closed or reset, by the peer or by the network.
    TransportClosed,
}

/// A client's report to its server about received GRE packets, as the Call ID in Set-Link-Info.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GreReport {
    /// The server's frames arrive: the server's Call ID, the expected value.
    Heard,
    /// The packets that arrive contain this Call ID, which is not the client's: the Call ID by which the
    /// server knows the call.
    Misnamed(u16),
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code: C05 is sent to the peer as "no resource", any other code as "do not accept".
    pub code: Code,
    /// One line for the record.
    pub detail: String,
}

/// The reason in a Call-Disconnect-Notify (RFC 2637 section 2.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The lower layer is down.
    LostCarrier,
    /// Something failed.
    GeneralError,
    /// An administrator or a limit ended it.
    AdminShutdown,
    /// The peer requested it.
    Request,
}

/// An event of a control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlEvent {
    /// A message was sent or received; for the record.
    Packet(Packet),
    /// The control connection is established.
    Established(PeerInfo),
    /// The peer requests a call: answer with [`ControlCommand::AcceptCall`] or
    /// [`ControlCommand::RefuseCall`].
    CallRequested {
        /// The call.
        handle: Handle,
        /// The request of the peer.
        request: CallRequest,
    },
    /// The call is connected. Returned before the message that reports this to the peer: create the GRE path
    /// now.
    CallUp {
        /// The call.
        handle: Handle,
        /// The key of the GRE packets that we receive.
        local_call_id: LocalCallId,
        /// The key of the GRE packets that we send.
        peer_call_id: PeerCallId,
        /// The peer's receive window in packets; 0 means that it does no flow control.
        window: u16,
    },
    /// The call has ended, or was never connected. Exactly one for each handle.
    CallEnded {
        /// The call.
        handle: Handle,
        /// Who ended it.
        by: Who,
        /// The code of the fault; `None` for an orderly end.
        code: Option<Code>,
        /// One line of evidence.
        detail: String,
    },
    /// The control connection has ended with all its calls: send the rest of
    /// [`super::ControlConnection::poll_transmit`], then close TCP. This is the last event.
    Closed {
        /// Who ended it.
        by: Who,
        /// The code of the fault; `None` for an orderly end.
        code: Option<Code>,
        /// One line of evidence.
        detail: String,
    },
}

/// The peer's description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Host Name as sent: escape it before display.
    pub host_name: Vec<u8>,
    /// Vendor Name as sent: escape it before display.
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
    /// The peer's Call ID: the key of the GRE packets that we send.
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
