//! The result of a successful authentication: what an account source returns about an account that may log
//! in.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_crypto::proof::Proven;
use ipnet::Ipv4Net;

/// An account that has been authenticated. Admission, address assignment and the session use only this, and
/// nothing else of the source.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// The account's name as the source spells it.
    pub account: String,
    /// The result of the check of the proof: our own proof and the MPPE keys, if the method has them. A new
    /// password that it contains has been stored already.
    pub proven: Proven,
    /// The group of the configuration whose rules apply; `None` for the rules of every user.
    pub group: Option<String>,
    /// The address that the account gets.
    pub address: AddressRequest,
    /// Networks behind the client, which the server routes to it.
    pub networks: Vec<Ipv4Net>,
    /// Time limits of the account.
    pub limits: SessionLimits,
    /// The Class attributes of a RADIUS server (RFC 2865 section 5.25), in order, for its accounting.
    pub class: Vec<Vec<u8>>,
}

/// The address that an account gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRequest {
    /// The pool of the configuration; `None` for the pool of the group.
    pub pool: Option<String>,
    /// The address itself, within the pool; `None` for any.
    pub address: Option<Ipv4Addr>,
}

/// Time limits of an account, where they replace those of its group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionLimits {
    /// The session ends after this long without data packets.
    pub idle: Option<Duration>,
    /// The session ends after this long.
    pub session: Option<Duration>,
}
