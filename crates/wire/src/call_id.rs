//! The two Call IDs of a call (RFC 2637 section 2), one type each.
//!
//! Each side assigns one. In a message, Call ID is the sender's and Peer's Call ID is the receiver's; a GRE
//! packet contains the receiver's (RFC 2637 section 4.1). A field of a message is therefore a plain number:
//! the caller, who knows the direction, converts it to one of the types, so that the two cannot be confused.

use core::fmt;

macro_rules! call_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(transparent)]
        pub struct $name(u16);

        impl $name {
            /// Converts the number in a field; the caller knows which side assigned it.
            pub const fn new(number: u16) -> $name {
                $name(number)
            }

            /// The number for a field.
            pub const fn get(self) -> u16 {
                self.0
            }

            /// The number as an index into a table of 65,536 entries.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

call_id! {
    /// The Call ID that this side assigned. It is in the peer's GRE packets, and in Peer's Call ID of the
    /// peer's messages.
    LocalCallId
}

call_id! {
    /// The Call ID that the peer assigned. It is in GRE packets to the peer, and in Peer's Call ID of
    /// messages to the peer.
    PeerCallId
}
