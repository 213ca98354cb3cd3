//! What an account source knows of an account that may log in.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_crypto::proof::Proven;
use ipnet::Ipv4Net;

/// An account that proved itself. Admission, address assignment and the session see this and nothing else of the source.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// The account's name as the source spells it.
    pub account: String,
    /// What the check of the proof computed: our own proof and the keys for MPPE, where the method has them. A new
    /// password that is in it has been stored.
    pub proven: Proven,
    /// The group of the configuration whose rules apply; `None` for the rules of every user.
    pub group: Option<String>,
    /// Which address it gets.
    pub address: AddressRequest,
    /// Networks behind the client, to be routed to it.
    pub networks: Vec<Ipv4Net>,
    /// Time limits of the account.
    pub limits: SessionLimits,
    /// The Class attributes of a RADIUS server (RFC 2865 section 5.25), in order, for its accounting.
    pub class: Vec<Vec<u8>>,
}

/// Which address an account gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRequest {
    /// The pool of the configuration; `None` for the group's.
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
