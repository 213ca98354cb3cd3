//! Validation of an account's group, address and networks.

use std::net::Ipv4Addr;

use adit_api::accounts::{Account, NewAccount};
use adit_api::{Error, Kind, Result};
use adit_config::Config;
use adit_policy::name::key;
use adit_policy::without_hosts;
use adit_store::ErrorKind;
use ipnet::Ipv4Net;

use crate::{ConfigFile, Context, FileState, refused};

/// Checks that a group is configured; the error suggests the name that was probably meant.
pub(super) fn check_group(group: &str, config: &Config, file: &ConfigFile) -> Result<()> {
    let path = &file.path;
    let refuse = |why: &str, fix: String| {
        Err(Error::new(Kind::NotFound, format!("there is no group \"{group}\"{why}")).fix(fix))
    };
    match file.state {
        FileState::Usable => {}
        FileState::Missing => {
            return refuse(
                &format!(": there is no {path} yet"),
                "adit init, or leave --group away".to_owned(),
            );
        }
        FileState::Invalid => return refuse(&format!(": {path} has errors"), "adit check".to_owned()),
    }
    if config.groups.contains_key(group) {
        return Ok(());
    }
    let names: Vec<&str> = config.groups.keys().map(String::as_str).collect();
    let near = adit_diag::nearest(group, names.iter().copied());
    let meant = near.map(|name| format!(": did you mean \"{name}\"?")).unwrap_or_default();
    refuse(
        &meant,
        match names.is_empty() {
            true => format!("add [groups.{group}] to {path}"),
            false => format!("one of {}; or add [groups.{group}] to {path}", names.join(", ")),
        },
    )
}

/// Checks that the store would accept a new account.
pub(super) fn check_new(new: &NewAccount, accounts: &[Account]) -> Result<()> {
    if let Some(there) = accounts.iter().find(|account| key(&account.name) == key(&new.name)) {
        return Err(refused(ErrorKind::AccountExists(there.name.clone()).into()));
    }
    let owner = accounts.iter().find(|account| account.address.is_some() && account.address == new.address);
    if let (Some(owner), Some(address)) = (owner, new.address) {
        return Err(refused(ErrorKind::AddressTaken { address, by: owner.name.clone() }.into()));
    }
    Ok(())
}

/// Checks that a fixed address lies in the pool of its group and can be assigned to a client.
pub(super) fn check_address(context: &Context<'_>, address: Ipv4Addr, group: Option<&str>) -> Result<()> {
    let Some(config) = context.pools() else {
        return Ok(());
    };
    let Some(pool) = config.pools.get(&config.access_for(group).pool) else {
        return Ok(());
    };
    let refuse = |why: String| {
        let free = format!("one of {} but {}", pool.net, pool.server);
        Err(Error::new(Kind::Invalid, format!("{address} cannot be a client's address: {why}")).fix(free))
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

/// Checks that networks behind a client overlap neither each other, nor another client's, nor a pool.
pub(super) fn check_networks(
    context: &Context<'_>,
    name: &str,
    networks: &[Ipv4Net],
    accounts: &[Account],
) -> Result<()> {
    let overlap = |a: &Ipv4Net, b: &Ipv4Net| a.contains(b) || b.contains(a);
    let refuse = |kind, message: String, fix: String| Err(Error::new(kind, message).fix(fix));
    for (place, net) in networks.iter().enumerate() {
        if *net != net.trunc() {
            return refuse(
                Kind::Invalid,
                format!("{net} has bits behind its prefix"),
                net.trunc().to_string(),
            );
        }
        if let Some((other, what)) = without_hosts(*net) {
            let message = format!("{net} has addresses of {other} ({what}), which no host has");
            return refuse(
                Kind::Invalid,
                message,
                "the network behind the client, as 192.168.7.0/24".to_owned(),
            );
        }
        if let Some(other) = networks.iter().skip(place + 1).find(|other| overlap(net, other)) {
            let message = format!("{net} and {other} overlap");
            return refuse(Kind::Invalid, message, "name each network once".to_owned());
        }
        for other in accounts.iter().filter(|account| key(&account.name) != key(name)) {
            if let Some(theirs) = other.networks.iter().find(|theirs| overlap(net, theirs)) {
                let message = format!("{net} overlaps {theirs} of {}", other.name);
                return refuse(
                    Kind::Conflict,
                    message,
                    format!("adit user set {} --no-networks", other.name),
                );
            }
        }
        for pool in context.pools().into_iter().flat_map(|config| config.pools.values()) {
            if overlap(net, &pool.net) {
                let message = format!("{net} overlaps pool {} {}", pool.name, pool.net);
                let fix = "a client's network cannot be where client addresses are";
                return refuse(Kind::Conflict, message, fix.to_owned());
            }
        }
    }
    Ok(())
}
