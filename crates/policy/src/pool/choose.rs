//! Which address a client gets: its fixed one, else its last one, else an unused one, else the one that is free longest.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::{AddressRefusal, PoolConfig};
use crate::name;

/// An address for whom, and from where.
#[derive(Clone, Copy, Debug)]
pub struct AddressRequest<'a> {
    /// All pools, by name; their networks do not overlap.
    pub pools: &'a BTreeMap<String, PoolConfig>,
    /// The name of the pool of the user's group.
    pub pool: &'a str,
    /// The user.
    pub user: &'a str,
    /// The user's fixed address, which may lie in any pool.
    pub fixed: Option<Ipv4Addr>,
}

/// The address that a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The pool that has it.
    pub pool: &'a PoolConfig,
    /// The address.
    pub address: Ipv4Addr,
}

/// What is known of the addresses of all pools, as of one moment. An address is free when no session has it and it is no
/// account's fixed address.
pub trait LeaseTable {
    /// Why it cannot answer.
    type Error;

    /// The user whose session has the address.
    fn holder(&mut self, address: Ipv4Addr) -> Result<Option<String>, Self::Error>;
    /// The user whose fixed address it is.
    fn owner(&mut self, address: Ipv4Addr) -> Result<Option<String>, Self::Error>;
    /// The free address that the pool assigns and that the user had last, not longer ago than [`PoolConfig::sticky`].
    fn last_of(&mut self, pool: &PoolConfig, user: &str) -> Result<Option<Ipv4Addr>, Self::Error>;
    /// The lowest free address that the pool assigns and that no client ever had.
    fn unused(&mut self, pool: &PoolConfig) -> Result<Option<Ipv4Addr>, Self::Error>;
    /// Of the free addresses that the pool assigns, the one that was given back first: late packets for its last client
    /// have had the longest time to end.
    fn longest_free(&mut self, pool: &PoolConfig) -> Result<Option<Ipv4Addr>, Self::Error>;
}

/// Chooses an address. No one has it yet: the table has to record it in the same transaction.
///
/// # Errors
/// Outer: the table does not answer. Inner: why there is no address.
pub fn choose<'a, T: LeaseTable>(
    request: &AddressRequest<'a>,
    table: &mut T,
) -> Result<Result<Chosen<'a>, AddressRefusal>, T::Error> {
    match request.fixed {
        Some(address) => fixed(request, address, table),
        None => dynamic(request, table),
    }
}

fn fixed<'a, T: LeaseTable>(
    request: &AddressRequest<'a>,
    address: Ipv4Addr,
    table: &mut T,
) -> Result<Result<Chosen<'a>, AddressRefusal>, T::Error> {
    let user = request.user.to_owned();
    let Some(pool) = request.pools.values().find(|pool| pool.net.contains(&address)) else {
        return Ok(Err(AddressRefusal::OutsidePools { address, user }));
    };
    if let Some(by) = table.holder(address)? {
        return Ok(Err(AddressRefusal::InUse { address, user, by }));
    }
    if !pool.is_host(address) {
        return Ok(Err(AddressRefusal::NotHost { address, user }));
    }
    match table.owner(address)? {
        Some(of) if name::key(&of) != name::key(&user) => {
            Ok(Err(AddressRefusal::Reserved { address, user, of }))
        }
        _ => Ok(Ok(Chosen { pool, address })),
    }
}

fn dynamic<'a, T: LeaseTable>(
    request: &AddressRequest<'a>,
    table: &mut T,
) -> Result<Result<Chosen<'a>, AddressRefusal>, T::Error> {
    let Some(pool) = request.pools.get(request.pool) else {
        return Ok(Err(AddressRefusal::UnknownPool { pool: request.pool.to_owned() }));
    };
    let address = match table.last_of(pool, request.user)? {
        Some(last) => Some(last),
        None => match table.unused(pool)? {
            Some(unused) => Some(unused),
            None => table.longest_free(pool)?,
        },
    };
    Ok(match address {
        Some(address) => Ok(Chosen { pool, address }),
        None => Err(AddressRefusal::Exhausted { pool: pool.name.clone() }),
    })
}
