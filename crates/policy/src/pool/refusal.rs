//! Why a client gets no address.

use core::fmt;
use std::net::Ipv4Addr;

use adit_diag::Code;

/// Why a client gets no address. `Display` is one line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressRefusal {
    /// The pool of the user's group does not exist.
    UnknownPool {
        /// Its name.
        pool: String,
    },
    /// Every address of the pool is in use or reserved.
    Exhausted {
        /// Its name.
        pool: String,
    },
    /// The fixed address lies in no pool.
    OutsidePools {
        /// The address.
        address: Ipv4Addr,
        /// Who asked for it.
        user: String,
    },
    /// The fixed address is the network, broadcast or server address of its pool.
    NotHost {
        /// The address.
        address: Ipv4Addr,
        /// Who asked for it.
        user: String,
    },
    /// A session has the fixed address.
    InUse {
        /// The address.
        address: Ipv4Addr,
        /// Who asked for it.
        user: String,
        /// Whose session has it.
        by: String,
    },
    /// The address is the fixed address of another user.
    Reserved {
        /// The address.
        address: Ipv4Addr,
        /// Who asked for it.
        user: String,
        /// Whose it is.
        of: String,
    },
}

impl AddressRefusal {
    /// I01 where the pool has none, I02 where a fixed address cannot be assigned.
    pub const fn code(&self) -> Code {
        match self {
            AddressRefusal::UnknownPool { .. } | AddressRefusal::Exhausted { .. } => Code::I01,
            AddressRefusal::OutsidePools { .. }
            | AddressRefusal::NotHost { .. }
            | AddressRefusal::InUse { .. }
            | AddressRefusal::Reserved { .. } => Code::I02,
        }
    }
}

impl fmt::Display for AddressRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressRefusal::UnknownPool { pool } => write!(f, "pool {pool:?} does not exist"),
            AddressRefusal::Exhausted { pool } => write!(f, "pool {pool} has no free address"),
            AddressRefusal::OutsidePools { address, user } => {
                write!(f, "the fixed address {address} of {user} lies in no pool")
            }
            AddressRefusal::NotHost { address, user } => write!(
                f,
                "{address} cannot be given to {user}: it is the network, broadcast or server address"
            ),
            AddressRefusal::InUse { address, user, by } => {
                write!(f, "{address} cannot be given to {user}: it is held by a session of {by}")
            }
            AddressRefusal::Reserved { address, user, of } => {
                write!(f, "{address} cannot be given to {user}: it is already the fixed address of {of}")
            }
        }
    }
}
