//! Addresses for clients: pools by name, fixed addresses, leases.

mod bitmap;
mod config;
mod one;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_diag::{Code, Diagnostic};

pub use config::{MAX_RANGE, PoolConfig, PoolError, default_range, default_server};
use one::Pool;

/// One address, held by one session. It cannot be copied: whoever holds it gives it back once.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    address: Ipv4Addr,
    pool: String,
    serial: u64,
}

impl Lease {
    /// The client's address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The name of the pool it comes from; [`Pools::config`] gives that pool's server address and DNS.
    pub fn pool(&self) -> &str {
        &self.pool
    }
}

/// How full a pool is, in addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Addresses of the range, without the server address.
    pub total: u32,
    /// Held by sessions, fixed addresses outside the range not counted.
    pub used: u32,
    /// Kept for users with a fixed address, inside the range.
    pub fixed: u32,
    /// Can be given now.
    pub free: u32,
}

/// Every pool of a server.
#[derive(Debug)]
pub struct Pools {
    pools: BTreeMap<String, Pool>,
    serial: u64,
}

impl Pools {
    /// Makes the pools. Errors: a pool that cannot work, two pools that overlap, a name given twice.
    pub fn new(configs: impl IntoIterator<Item = PoolConfig>) -> Result<Pools, PoolError> {
        let mut pools: BTreeMap<String, Pool> = BTreeMap::new();
        for config in configs {
            config.check()?;
            for other in pools.values().map(Pool::config) {
                if other.name == config.name {
                    return Err(PoolError::Twice { pool: config.name });
                }
                if other.net.contains(&config.net) || config.net.contains(&other.net) {
                    return Err(PoolError::Overlap { pool: config.name, other: other.name.clone() });
                }
            }
            pools.insert(config.name.clone(), Pool::new(config));
        }
        Ok(Pools { pools, serial: 0 })
    }

    /// The pools' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pools.keys().map(String::as_str)
    }

    /// What a pool was made from.
    pub fn config(&self, pool: &str) -> Option<&PoolConfig> {
        self.pools.get(pool).map(Pool::config)
    }

    /// How full a pool is.
    pub fn usage(&self, pool: &str) -> Option<Usage> {
        self.pools.get(pool).map(Pool::usage)
    }

    /// Keeps `address` for `user`. Nobody else gets it; a session that holds it now keeps it until it ends.
    ///
    /// Errors: I02 when no pool's network contains the address, when it is the network, broadcast or
    /// server address, or when it is kept for somebody else.
    pub fn reserve(&mut self, user: &str, address: Ipv4Addr) -> Result<(), Diagnostic> {
        match self.pools.values_mut().find(|pool| pool.config().net.contains(&address)) {
            Some(pool) => pool.reserve(user, address),
            None => Err(in_no_pool(user, address)),
        }
    }

    /// Gives a kept address back to its pool; `false` when it was not kept.
    pub fn unreserve(&mut self, address: Ipv4Addr) -> bool {
        self.pools.values_mut().any(|pool| pool.unreserve(address))
    }

    /// Loads the memory of an earlier run: `user` last had `address`, `idle` before `now`. Call it in the
    /// order of last use, oldest first. Addresses that no longer belong to a range are ignored.
    pub fn remember(&mut self, now: Instant, user: &str, address: Ipv4Addr, idle: Duration) {
        for pool in self.pools.values_mut() {
            pool.remember(now, user, address, idle);
        }
    }

    /// An address for `user`: the fixed one if given, which is then kept for that user until
    /// [`Pools::unreserve`], else one of the pool's range.
    ///
    /// Errors: I01 when the pool is empty or does not exist, I02 when the fixed address cannot be given.
    pub fn allocate(
        &mut self,
        now: Instant,
        user: &str,
        pool: &str,
        fixed: Option<Ipv4Addr>,
    ) -> Result<Lease, Diagnostic> {
        let found = match fixed {
            Some(address) => self.pools.values_mut().find(|pool| pool.config().net.contains(&address)),
            None => self.pools.get_mut(pool),
        };
        let Some(found) = found else {
            return Err(match fixed {
                Some(address) => in_no_pool(user, address),
                None => Diagnostic::new(Code::I01)
                    .message(format!("pool {pool:?} does not exist"))
                    .with("user", user)
                    .with("pool", pool),
            });
        };
        self.serial += 1;
        let serial = self.serial;
        let address = match fixed {
            Some(address) => found.take_fixed(user, address, serial)?,
            None => found.take_any(now, user, serial)?,
        };
        Ok(Lease { address, pool: found.config().name.clone(), serial })
    }

    /// Takes an address back. `false` when the lease is not of these pools, as after a change of pools.
    pub fn release(&mut self, now: Instant, lease: Lease) -> bool {
        match self.pools.get_mut(&lease.pool) {
            Some(pool) => pool.release(now, lease.address, lease.serial),
            None => false,
        }
    }

    /// Who holds an address now.
    pub fn holder(&self, address: Ipv4Addr) -> Option<&str> {
        self.pools.values().find_map(|pool| pool.holder(address))
    }
}

fn in_no_pool(user: &str, address: Ipv4Addr) -> Diagnostic {
    Diagnostic::new(Code::I02)
        .message(format!("the fixed address {address} of {user} lies in no pool"))
        .with("user", user)
        .with("address", address)
}

#[cfg(test)]
mod tests;
