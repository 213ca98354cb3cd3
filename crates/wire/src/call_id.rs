//! The two Call IDs of a call (RFC 2637 section 2), one type each.
//!
//! Each side assigns one. On the wire, Call ID is the sender's and Peer's Call ID is the receiver's; a GRE packet bears
//! the receiver's (RFC 2637 section 4.1). A field of a message is therefore a bare number: code that knows the direction
//! gives it its type, and from then on the two cannot be mistaken for each other.

use core::fmt;

macro_rules! call_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(transparent)]
        pub struct $name(u16);

        impl $name {
            /// Types the number of a field; the caller knows who assigned it.
            pub const fn new(number: u16) -> $name {
                $name(number)
            }

            /// The number, as a field bears it.
            pub const fn get(self) -> u16 {
                self.0
            }

            /// The number as an index into a table of 65,536 places.
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
    /// The Call ID that this side assigned. The peer's GRE packets bear it, and so does Peer's Call ID in the messages
    /// that the peer sends.
    LocalCallId
}

call_id! {
    /// The Call ID that the peer assigned. GRE packets to the peer bear it, and so does Peer's Call ID in the messages
    /// to the peer.
    PeerCallId
}
