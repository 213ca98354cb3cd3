//! A decoded packet of a control protocol: PPTP on TCP, and those of PPP in GRE.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Octets, Text};
use crate::Protocol;

/// A packet that was sent or received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Packet {
    /// Sent by us; else received.
    pub sent: bool,
    /// What it says.
    pub message: Message,
    /// What became of one that was received.
    pub treatment: Treatment,
}

/// What a packet says: bounded, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// The protocol.
    pub protocol: Protocol,
    /// Which of the protocol's messages.
    pub kind: MessageKind,
    /// What matches a reply to its request, where the protocol has that.
    pub id: Option<u8>,
    /// Octets that follow the header; of something malformed or foreign, all of them.
    pub length: u16,
    /// The first of them, as they were on the wire, with zeros in the place of passwords, challenges and proofs. Those
    /// that are left out are zeros or say nothing.
    pub octets: Octets,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)+) => {
        /// Which message it is. Those of LCP, CCP, IPCP and IPV6CP have the same names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum MessageKind {
            $($(#[$doc])* $kind,)+
            /// A code or message type that is not known.
            Unknown(u16),
            /// A packet of a protocol that is not read further, by its PPP protocol number.
            Foreign(u16),
            /// A packet that cannot be read.
            Malformed,
            /// A PPP frame whose protocol cannot be read.
            MalformedFrame,
        }

        impl MessageKind {
            /// The name in the RFCs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(MessageKind::$kind => $name,)+
                    MessageKind::Unknown(_) => "unknown",
                    MessageKind::Foreign(_) => "foreign",
                    MessageKind::Malformed | MessageKind::MalformedFrame => "malformed",
                }
            }
        }
    };
}

kinds! {
    /// Start-Control-Connection-Request (RFC 2637 section 2.1).
    StartControlConnectionRequest = "Start-Control-Connection-Request",
    /// Start-Control-Connection-Reply (RFC 2637 section 2.2).
    StartControlConnectionReply = "Start-Control-Connection-Reply",
    /// Stop-Control-Connection-Request (RFC 2637 section 2.3).
    StopControlConnectionRequest = "Stop-Control-Connection-Request",
    /// Stop-Control-Connection-Reply (RFC 2637 section 2.4).
    StopControlConnectionReply = "Stop-Control-Connection-Reply",
    /// Echo-Request of PPTP (RFC 2637 section 2.5) and of LCP (RFC 1661 section 5.8).
    EchoRequest = "Echo-Request",
    /// Echo-Reply of PPTP (RFC 2637 section 2.6) and of LCP (RFC 1661 section 5.8).
    EchoReply = "Echo-Reply",
    /// Outgoing-Call-Request (RFC 2637 section 2.7).
    OutgoingCallRequest = "Outgoing-Call-Request",
    /// Outgoing-Call-Reply (RFC 2637 section 2.8).
    OutgoingCallReply = "Outgoing-Call-Reply",
    /// Incoming-Call-Request (RFC 2637 section 2.9).
    IncomingCallRequest = "Incoming-Call-Request",
    /// Incoming-Call-Reply (RFC 2637 section 2.10).
    IncomingCallReply = "Incoming-Call-Reply",
    /// Incoming-Call-Connected (RFC 2637 section 2.11).
    IncomingCallConnected = "Incoming-Call-Connected",
    /// Call-Clear-Request (RFC 2637 section 2.12).
    CallClearRequest = "Call-Clear-Request",
    /// Call-Disconnect-Notify (RFC 2637 section 2.13).
    CallDisconnectNotify = "Call-Disconnect-Notify",
    /// WAN-Error-Notify (RFC 2637 section 2.14).
    WanErrorNotify = "WAN-Error-Notify",
    /// Set-Link-Info (RFC 2637 section 2.15).
    SetLinkInfo = "Set-Link-Info",
    /// Configure-Request (RFC 1661 section 5.1).
    ConfigureRequest = "Configure-Request",
    /// Configure-Ack (RFC 1661 section 5.2).
    ConfigureAck = "Configure-Ack",
    /// Configure-Nak (RFC 1661 section 5.3).
    ConfigureNak = "Configure-Nak",
    /// Configure-Reject (RFC 1661 section 5.4).
    ConfigureReject = "Configure-Reject",
    /// Terminate-Request (RFC 1661 section 5.5).
    TerminateRequest = "Terminate-Request",
    /// Terminate-Ack (RFC 1661 section 5.5).
    TerminateAck = "Terminate-Ack",
    /// Code-Reject (RFC 1661 section 5.6).
    CodeReject = "Code-Reject",
    /// Protocol-Reject of LCP (RFC 1661 section 5.7).
    ProtocolReject = "Protocol-Reject",
    /// Discard-Request of LCP (RFC 1661 section 5.9).
    DiscardRequest = "Discard-Request",
    /// Identification of LCP (RFC 1570 section 2.1).
    Identification = "Identification",
    /// Time-Remaining of LCP (RFC 1570 section 2.2).
    TimeRemaining = "Time-Remaining",
    /// Reset-Request of CCP (RFC 1962 section 3).
    ResetRequest = "Reset-Request",
    /// Reset-Ack of CCP (RFC 1962 section 3).
    ResetAck = "Reset-Ack",
    /// Authenticate-Request of PAP (RFC 1334 section 2.2.1).
    AuthenticateRequest = "Authenticate-Request",
    /// Authenticate-Ack of PAP (RFC 1334 section 2.2.2).
    AuthenticateAck = "Authenticate-Ack",
    /// Authenticate-Nak of PAP (RFC 1334 section 2.2.2).
    AuthenticateNak = "Authenticate-Nak",
    /// Challenge of CHAP (RFC 1994 section 4.1).
    Challenge = "Challenge",
    /// Response of CHAP (RFC 1994 section 4.1).
    Response = "Response",
    /// Success of CHAP (RFC 1994 section 4.2).
    Success = "Success",
    /// Failure of CHAP (RFC 1994 section 4.2).
    Failure = "Failure",
    /// Change-Password of MS-CHAPv2 (RFC 2759 section 7).
    ChangePassword = "Change-Password",
}

impl MessageKind {
    /// A question whether the other side lives, or its answer: the only traffic of a session that does nothing.
    pub const fn is_echo(self) -> bool {
        matches!(self, MessageKind::EchoRequest | MessageKind::EchoReply)
    }
}

/// What became of a received packet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// It was handled.
    #[default]
    Handled,
    /// It waits until encryption is up.
    HeldUntilEncryption,
    /// It waits until there is an address.
    HeldUntilAddress,
    /// It came before encryption was up, and need not be kept.
    TooEarlyForEncryption,
    /// It came before there was an address, and need not be kept.
    TooEarlyForAddress,
    /// It was ignored.
    Ignored {
        /// Why.
        why: Text,
    },
}

impl fmt::Display for Treatment {
    /// Nothing for a packet that was handled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Treatment::Handled => Ok(()),
            Treatment::HeldUntilEncryption => f.write_str(" (held until encryption is up)"),
            Treatment::HeldUntilAddress => f.write_str(" (held until there is an address)"),
            Treatment::TooEarlyForEncryption => f.write_str(" (ignored until encryption is up)"),
            Treatment::TooEarlyForAddress => f.write_str(" (ignored until there is an address)"),
            Treatment::Ignored { why } => write!(f, " (ignored: {why})"),
        }
    }
}

/// The name and the identifier alone: `adit_wire::note` says what is inside.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "{} id {id}", self.kind.name()),
            None => f.write_str(self.kind.name()),
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.message, self.treatment)
    }
}
