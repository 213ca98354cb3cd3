//! Addresses lent to clients.

use std::net::Ipv4Addr;

use adit_policy::{AddressRefusal, AddressRequest, Chosen, PoolConfig};
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

/// An address on record: one that a session has, or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// The user who has it, or had it last.
    pub user: String,
    /// The session that has it; `None` if none does.
    pub session: Option<SessionId>,
    /// Since when.
    pub since: Timestamp,
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

    /// At most `most` addresses on record of a pool's network behind `after`, by address: those of the pool, and those that
    /// a session has from a pool of another name, as after a change of the configuration.
    ///
    /// # Errors
    /// Those of the back end.
    fn leases(&self, pool: &PoolConfig, after: Option<Ipv4Addr>, most: u32) -> Result<Vec<Lease>>;

    /// Forgets who had an address, unless a session has it; whether there was such a user.
    ///
    /// # Errors
    /// Those of the back end.
    fn forget_lease(&self, address: Ipv4Addr) -> Result<bool>;
}
