//! The common header of all control messages (RFC 2637 section 1.4).

use core::fmt;

use super::field::{Fields, Put as _};
use crate::{Error, Protocol, Result};

/// The length of the header.
pub const HEADER_LEN: usize = 12;
/// The Magic Cookie; any other value means that framing is lost.
pub const MAGIC_COOKIE: u32 = 0x1A2B_3C4D;
/// PPTP Message Type of a control message; the only one defined.
pub const CONTROL_MESSAGE: u16 = 1;
/// The octets beyond the size of its type that a message may have; they are ignored.
pub const SURPLUS_MAX: usize = 512;

macro_rules! message_types {
    ($($(#[$doc:meta])* $item:ident = $value:literal $size:literal $name:literal,)+) => {
        /// Control Message Type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MessageType {
            $(#[doc = concat!($name, ", ", stringify!($size), " octets.")] $item,)+
            /// A type other than these fifteen.
            Unknown(u16),
        }

        impl MessageType {
            /// The fifteen types of RFC 2637.
            pub const ALL: [MessageType; 15] = [$(MessageType::$item),+];

            /// The name in the RFC.
            pub const fn name(self) -> &'static str {
                match self {
                    $(MessageType::$item => $name,)+
                    MessageType::Unknown(_) => "unknown control message",
                }
            }

            /// The length of the whole message in octets; that of the header for an unknown type.
            pub const fn size(self) -> usize {
                match self {
                    $(MessageType::$item => $size,)+
                    MessageType::Unknown(_) => HEADER_LEN,
                }
            }
        }

        impl From<u16> for MessageType {
            fn from(value: u16) -> MessageType {
                match value {
                    $($value => MessageType::$item,)+
                    other => MessageType::Unknown(other),
                }
            }
        }

        impl From<MessageType> for u16 {
            fn from(message_type: MessageType) -> u16 {
                match message_type {
                    $(MessageType::$item => $value,)+
                    MessageType::Unknown(other) => other,
                }
            }
        }
    };
}

message_types! {
    StartControlConnectionRequest = 1 156 "Start-Control-Connection-Request",
    StartControlConnectionReply = 2 156 "Start-Control-Connection-Reply",
    StopControlConnectionRequest = 3 16 "Stop-Control-Connection-Request",
    StopControlConnectionReply = 4 16 "Stop-Control-Connection-Reply",
    EchoRequest = 5 16 "Echo-Request",
    EchoReply = 6 20 "Echo-Reply",
    OutgoingCallRequest = 7 168 "Outgoing-Call-Request",
    OutgoingCallReply = 8 32 "Outgoing-Call-Reply",
    IncomingCallRequest = 9 220 "Incoming-Call-Request",
    IncomingCallReply = 10 24 "Incoming-Call-Reply",
    IncomingCallConnected = 11 28 "Incoming-Call-Connected",
    CallClearRequest = 12 16 "Call-Clear-Request",
    CallDisconnectNotify = 13 148 "Call-Disconnect-Notify",
    WanErrorNotify = 14 40 "WAN-Error-Notify",
    SetLinkInfo = 15 24 "Set-Link-Info",
}

impl MessageType {
    /// The least length that is accepted: old stacks send an Echo-Reply without its result.
    pub const fn least_size(self) -> usize {
        match self {
            MessageType::EchoReply => 16,
            other => other.size(),
        }
    }

    /// The greatest length that is accepted: the size and [`SURPLUS_MAX`].
    pub const fn greatest_size(self) -> usize {
        self.size() + SURPLUS_MAX
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageType::Unknown(value) => write!(f, "{} of type {value}", self.name()),
            known => f.write_str(known.name()),
        }
    }
}

/// The contents of a header, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The length of the whole message, including this header; between the least and the greatest size of the
    /// type.
    pub length: u16,
    /// Control Message Type.
    pub message_type: MessageType,
}

impl Header {
    /// Parses the header at the start of `octets`. An error means that framing is lost: the next message
    /// cannot be found.
    pub fn parse(octets: &[u8]) -> Result<Header> {
        let error =
            |field, offset, expected, found| Err(Error::new(Protocol::Pptp, field, offset, expected, found));
        if octets.len() < HEADER_LEN {
            return error("header", 0, "12 octets", octets.len() as u64);
        }
        let mut fields = Fields::new(octets);
        let length = fields.u16();
        let kind = fields.u16();
        let cookie = fields.u32();
        let message_type = MessageType::from(fields.u16());
        if cookie != MAGIC_COOKIE {
            return error("Magic Cookie", 4, "0x1a2b3c4d", cookie.into());
        }
        if kind != CONTROL_MESSAGE {
            return error("PPTP Message Type", 2, "1, control message", kind.into());
        }
        if usize::from(length) < message_type.least_size() {
            return error("Length", 0, "at least the size of the message's type", length.into());
        }
        if usize::from(length) > message_type.greatest_size() {
            return error("Length", 0, "at most 512 octets beyond the message's type", length.into());
        }
        Ok(Header { length, message_type })
    }

    /// Builds a message of this type with this body, truncated or filled with zeros to the size of the type.
    pub(crate) fn in_front_of(message_type: MessageType, body: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        Header::emit(message_type, &mut octets);
        octets.extend_from_slice(body);
        octets.resize(message_type.size(), 0);
        octets
    }

    pub(super) fn emit(message_type: MessageType, out: &mut Vec<u8>) {
        // Every size is below 65536.
        out.u16(message_type.size() as u16);
        out.u16(CONTROL_MESSAGE);
        out.u32(MAGIC_COOKIE);
        out.u16(message_type.into());
        out.reserved::<2>();
    }
}
