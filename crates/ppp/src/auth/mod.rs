//! Authentication: PAP (RFC 1334), CHAP-MD5 (RFC 1994), MS-CHAPv1 (RFC 2433) and MS-CHAPv2 (RFC 2759), both
//! sides.
//!
//! The [`Authenticator`] is the server side: it challenges the peer, sends an [`AuthRequest`] to the account
//! source, and passes the [`Verdict`] on. The [`Peer`] is the client side and also checks the server's proof.
//! Both exchange the information fields of frames of the method's [`protocol`]. Each method has its own file
//! and a row in the table.

mod authenticator;
mod method;
mod peer;
mod timing;
mod verdict;

use core::fmt;

pub use adit_wire::chap::MsChapError;
pub use authenticator::{Authenticator, AuthenticatorConfig, AuthenticatorEvent};
pub use method::{from_lcp, lcp, protocol};
pub use peer::{Credentials, Peer, PeerConfig, PeerEvent};
pub use timing::Timing;
pub use verdict::{AuthRequest, Rejection, Verdict};

/// The longest name in octets (RFC 2759 section 4).
pub const MAX_NAME: usize = 256;

/// The most rounds that an account source may add to one authentication.
pub const MAX_ROUNDS: u8 = 8;

/// Why a packet was dropped without an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// The packet is malformed.
    Malformed(adit_wire::Error),
    /// The identifier does not match the open exchange.
    WrongId,
    /// No exchange is open to which it could belong.
    Unexpected,
    /// The same packet was received before and is still being checked.
    BeingChecked,
    /// The name is longer than [`MAX_NAME`].
    LongName,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ignored::Malformed(error) => write!(f, "malformed: {error}"),
            Ignored::WrongId => f.write_str("its identifier is not the one that is open"),
            Ignored::Unexpected => f.write_str("nothing is open that it could answer"),
            Ignored::BeingChecked => f.write_str("repeated while it is being checked"),
            Ignored::LongName => f.write_str("the name has more than 256 octets"),
        }
    }
}

#[cfg(test)]
mod tests;
