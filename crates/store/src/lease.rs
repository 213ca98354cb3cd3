//! Addresses lent to clients.

use std::net::Ipv4Addr;

use adit_policy::{AddressRefusal, AddressRequest, Chosen};
use jiff::Timestamp;

use crate::{Result, SessionId};

/// An address that a session gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The session that had it.
    pub session: SessionId,
    /// The pool of the address.
    pub pool: String,
    /// The address.
    pub address: Ipv4Addr,
}

/// An address for a session.
#[derive(Clone, Copy, Debug)]
pub struct LeaseClaim<'a> {
    /// The session, which is on record.
    pub session: SessionId,
    /// For whom, and from where.
    pub request: AddressRequest<'a>,
}

/// Addresses lent to clients. They are given back by [`crate::Change::Release`].
pub trait Leases: Send + Sync {
    /// Chooses an address as [`adit_policy::pool::choose`] does and lends it to the session, in one transaction: no two
    /// sessions have one address, of whatever servers. The inner error is a store that works and has no address.
    ///
    /// `released` was given back and may not be on record yet: it is recorded first, as by [`crate::Change::Release`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::NoSuchSession`].
    fn claim_lease<'a>(
        &self,
        claim: &LeaseClaim<'a>,
        released: &[Release],
        now: Timestamp,
    ) -> Result<core::result::Result<Chosen<'a>, AddressRefusal>>;
}
