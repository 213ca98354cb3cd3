//! Which addresses and networks an account may have.

use std::net::Ipv4Addr;

use adit_store::Account;
use ipnet::Ipv4Net;

use crate::failure::{Exit, Failure};
use crate::settings::Settings;

/// Sees that a fixed address lies in the pool of its group and is nobody else's by nature.
pub(super) fn check_address(
    address: Ipv4Addr,
    group: Option<&str>,
    settings: &Settings,
) -> Result<(), Failure> {
    let Some(config) = settings.config() else {
        return Ok(());
    };
    let access = config.access_for(group);
    let Some(pool) = config.pools.get(&access.pool) else {
        return Ok(());
    };
    let refuse = |why: String| {
        let free = format!("one of {} but {}", pool.net, pool.server);
        Err(Failure::usage(format!("{address} cannot be a client's address: {why}")).fix(free))
    };
    if !pool.net.contains(&address) {
        return refuse(format!("it is not in pool {} {}", pool.name, pool.net));
    }
    if address == pool.server {
        return refuse(format!("it is the server's end of pool {}", pool.name));
    }
    if address == pool.net.network() || address == pool.net.broadcast() {
        return refuse(format!("it is the first or last of {}", pool.net));
    }
    Ok(())
}

/// Sees that networks behind a client overlap neither each other, nor another client's, nor a pool.
pub(super) fn check_networks(
    name: &str,
    networks: &[Ipv4Net],
    accounts: &[Account],
    settings: &Settings,
) -> Result<(), Failure> {
    let overlap = |a: &Ipv4Net, b: &Ipv4Net| a.contains(b) || b.contains(a);
    for (place, net) in networks.iter().enumerate() {
        if *net != net.trunc() {
            return Err(
                Failure::usage(format!("{net} has bits behind its prefix")).fix(net.trunc().to_string())
            );
        }
        let conflict = |with: String| Failure::new(Exit::Conflict, format!("{net} overlaps {with}"));
        if let Some(other) = networks.iter().skip(place + 1).find(|other| overlap(net, other)) {
            return Err(Failure::usage(format!("{net} and {other} overlap")).fix("name each network once"));
        }
        let key = adit_policy::name::key;
        for other in accounts.iter().filter(|account| key(&account.name) != key(name)) {
            if let Some(theirs) = other.networks.iter().find(|theirs| overlap(net, theirs)) {
                return Err(conflict(format!("{theirs} of {}", other.name))
                    .fix(format!("adit user set {} --no-networks", other.name)));
            }
        }
        for pool in settings.config().into_iter().flat_map(|config| config.pools.values()) {
            if overlap(net, &pool.net) {
                return Err(conflict(format!("pool {} {}", pool.name, pool.net))
                    .fix("a client's network cannot be where client addresses are"));
            }
        }
    }
    Ok(())
}
