//! The fifteen messages of the PPTP control connection (RFC 2637 section 2) and their framing on TCP.
//!
//! In a VPN the client is the RFC's PNS and the server its PAC: the client sends the Outgoing-Call-Request.
//! Reserved fields are ignored when read and zero when written. All values of fields are accepted here; only
//! the framing determines whether a message can be read.

mod codes;
mod disconnect;
mod echo;
mod field;
mod framer;
mod header;
mod incoming;
mod link;
mod outgoing;
mod start;
mod stop;
#[cfg(test)]
mod tests;

use core::fmt;

pub use codes::{
    Bearer, DisconnectResult, ErrorCode, Framing, IncomingResult, OutgoingResult, PlainResult, StartResult,
    StopReason,
};
pub use disconnect::{CallClearRequest, CallDisconnectNotify};
pub use echo::{EchoReply, EchoRequest};
pub use field::Text;
pub use framer::{BUFFER_MAX, Frame, Framer};
pub use header::{CONTROL_MESSAGE, HEADER_LEN, Header, MAGIC_COOKIE, MessageType, SURPLUS_MAX};
pub use incoming::{IncomingCallConnected, IncomingCallReply, IncomingCallRequest};
pub use link::{SetLinkInfo, WanErrorNotify};
pub use outgoing::{OutgoingCallReply, OutgoingCallRequest};
pub use start::{StartControlConnectionReply, StartControlConnectionRequest, Version};
pub use stop::{StopControlConnectionReply, StopControlConnectionRequest};

use crate::{Error, Protocol, Result};
use field::Fields;

/// The TCP port of the control connection.
pub const PORT: u16 = 1723;
/// The length of the longest message, Incoming-Call-Request, in octets.
pub const MESSAGE_MAX: usize = 220;

macro_rules! messages {
    ($($item:ident)+) => {
        /// A control message.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Message {
            $(#[doc = concat!("See [`struct@", stringify!($item), "`].")] $item($item),)+
        }

        impl Message {
            /// Its type.
            pub const fn message_type(&self) -> MessageType {
                match self {
                    $(Message::$item(_) => MessageType::$item,)+
                }
            }

            /// Parses the message at the start of `octets`, which must be complete; a surplus is ignored.
            ///
            /// # Errors
            /// If the header is invalid, the type is unknown, or octets are missing.
            pub fn parse(octets: &[u8]) -> Result<Message> {
                let header = Header::parse(octets)?;
                let Some(message) = octets.get(..header.length.into()) else {
                    let have = octets.len() as u64;
                    return Err(Error::new(Protocol::Pptp, "message", 0, "as many octets as Length says", have));
                };
                let mut fields = Fields::new(message.get(HEADER_LEN..).unwrap_or_default());
                match header.message_type {
                    $(MessageType::$item => Ok(Message::$item($item::read(&mut fields))),)+
                    MessageType::Unknown(other) => {
                        Err(Error::new(Protocol::Pptp, "Control Message Type", 8, "1 to 15", other.into()))
                    }
                }
            }

            /// The message in exactly [`MessageType::size`] octets.
            pub fn to_octets(&self) -> Vec<u8> {
                let mut out = Vec::new();
                self.emit(&mut out);
                out
            }

            /// Appends the message in exactly [`MessageType::size`] octets.
            pub fn emit(&self, out: &mut Vec<u8>) {
                Header::emit(self.message_type(), out);
                match self {
                    $(Message::$item(message) => message.write(out),)+
                }
            }
        }

        $(impl From<$item> for Message {
            fn from(message: $item) -> Message {
                Message::$item(message)
            }
        })+

        impl fmt::Display for Message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Message::$item(message) => write!(f, "{} {message}", MessageType::$item),)+
                }
            }
        }
    };
}

messages! {
    StartControlConnectionRequest
    StartControlConnectionReply
    StopControlConnectionRequest
    StopControlConnectionReply
    EchoRequest
    EchoReply
    OutgoingCallRequest
    OutgoingCallReply
    IncomingCallRequest
    IncomingCallReply
    IncomingCallConnected
    CallClearRequest
    CallDisconnectNotify
    WanErrorNotify
    SetLinkInfo
}
