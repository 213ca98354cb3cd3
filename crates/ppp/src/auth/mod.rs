//! Who is there: PAP (RFC 1334), CHAP-MD5 (RFC 1994), MS-CHAPv1 (RFC 2433) and MS-CHAPv2 (RFC 2759), both ends.
//!
//! The [`Authenticator`] is the server's end: it asks the peer, puts a [question](AuthRequest) to the source of the
//! accounts, and passes the [`Verdict`] on. The [`Peer`] is the client's end and also checks the server's own proof.
//! Both take and give the information fields of frames of the method's [`protocol`]. What differs between methods
//! is in one file and one row of the table for each.

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

/// The longest name (RFC 2759 section 4), in octets.
pub const MAX_NAME: usize = 256;

/// Rounds that an account source may add to one authentication.
pub const MAX_ROUNDS: u8 = 8;

/// Why a packet was dropped without an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// It cannot be read.
    Malformed(adit_wire::Error),
    /// Its identifier is not that of what is open.
    WrongId,
    /// Nothing is open to which it could belong.
    Unexpected,
    /// The same packet came before and is still being checked.
    BeingChecked,
    /// Its name is longer than [`MAX_NAME`].
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
