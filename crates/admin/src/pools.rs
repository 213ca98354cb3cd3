//! Pools of client addresses: list, who has which address, release.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use adit_api::pools::{Address, Page, Pool, Released, Request, Response, State};
use adit_api::{Error, Kind, Result};
use adit_config::Config;
use adit_diag::event::EventFacts;
use adit_policy::PoolConfig;
use adit_store::{Lease, NewEvent};

use crate::{Context, printable, refused};

/// Leases that are read at once.
const READ: u32 = 4_096;

/// Carries out one request.
pub(crate) fn call(context: &Context<'_>, request: &Request) -> Result<Response> {
    match request {
        Request::List => list(context).map(Response::List),
        Request::Show { pool, after } => show(context, pool, *after).map(Response::Page),
        Request::Release { dry_run, by, address } => {
            release(context, *address, by, *dry_run).map(Response::Released)
        }
    }
}

/// The fixed addresses of all accounts, with their owners.
type Fixed = BTreeMap<Ipv4Addr, String>;

fn config<'a>(context: &'a Context<'_>) -> Result<&'a Config> {
    context.pools().ok_or_else(|| {
        let path = &context.file.path;
        Error::new(Kind::NotFound, format!("no pool is configured: {path} cannot be used")).fix("adit check")
    })
}

fn fixed(context: &Context<'_>) -> Result<Fixed> {
    let accounts = context.store.accounts().map_err(refused)?;
    Ok(accounts.into_iter().filter_map(|account| Some((account.address?, account.name))).collect())
}

fn list(context: &Context<'_>) -> Result<Vec<Pool>> {
    let (config, fixed) = (config(context)?, fixed(context)?);
    config.pools.values().map(|pool| counted(context, config, pool, &fixed)).collect()
}

/// A pool with its counts.
fn counted(context: &Context<'_>, config: &Config, pool: &PoolConfig, fixed: &Fixed) -> Result<Pool> {
    let (mut used, mut kept, mut taken, mut after) = (0, 0, 0, None);
    loop {
        let leases = context.store.leases(pool, after, READ).map_err(refused)?;
        after = leases.last().map(|lease| lease.address);
        let is_last = leases.len() < READ as usize;
        for lease in leases {
            let address = lease.address;
            let shown = of_lease(context, pool, lease, fixed.get(&address));
            match shown.map(|shown| shown.state) {
                Some(State::Used) => {
                    used += 1;
                    taken += u64::from(pool.assigns(address) && !fixed.contains_key(&address));
                }
                Some(State::Kept) => kept += 1,
                Some(State::Fixed) | None => {}
            }
        }
        if is_last {
            break;
        }
    }
    let own = || fixed.keys().filter(|address| pool.net.contains(*address));
    let size = pool.size();
    let reserved = own().filter(|address| pool.assigns(**address)).count() as u64;
    let groups = config.groups.iter().filter(|(_, access)| access.pool == pool.name);
    let access = (config.access.pool == pool.name).then(|| "access".to_owned());
    Ok(Pool {
        name: pool.name.clone(),
        net: pool.net,
        server: pool.server,
        ranges: pool.ranges.clone(),
        sticky_s: pool.sticky.as_secs(),
        users: access.into_iter().chain(groups.map(|(name, _)| format!("groups.{name}"))).collect(),
        size,
        free: size.saturating_sub(taken + reserved),
        used,
        kept,
        fixed: own().count() as u64,
    })
}

/// The state of an address on record; `None` if any user can get it.
fn of_lease(
    context: &Context<'_>,
    pool: &PoolConfig,
    lease: Lease,
    owner: Option<&String>,
) -> Option<Address> {
    let Lease { address, user, session, since } = lease;
    // Without a server no session is up: those on record ended with it.
    let session = session.filter(|_| context.is_serving);
    let until = since.checked_add(pool.sticky).unwrap_or(jiff::Timestamp::MAX);
    let (state, user, until) = match owner {
        _ if session.is_some() => (State::Used, user, None),
        Some(owner) => (State::Fixed, owner.clone(), None),
        None if pool.assigns(address) && until > context.now => (State::Kept, user, Some(until)),
        None => return None,
    };
    Some(Address { address, state, user, session, fixed_of: owner.cloned(), since: Some(since), until })
}

fn show(context: &Context<'_>, name: &str, after: Option<Ipv4Addr>) -> Result<Page> {
    let config = config(context)?;
    let pool = config.pools.get(name).ok_or_else(|| {
        let near = adit_diag::nearest(name, config.pools.keys().map(String::as_str));
        let meant = near.map(|near| format!(": did you mean \"{near}\"?")).unwrap_or_default();
        Error::new(Kind::NotFound, format!("there is no pool \"{}\"{meant}", printable(name)))
            .fix("adit pool list")
    })?;
    let fixed = fixed(context)?;
    let want = context.page.wanted(None).min(READ);
    let leases = context.store.leases(pool, after, want).map_err(refused)?;
    // Fixed addresses without a lease belong to this page up to its last lease.
    let last = leases.last().map(|lease| lease.address).filter(|_| leases.len() == want as usize);
    let mut found: BTreeMap<Ipv4Addr, Address> = fixed
        .iter()
        .filter(|(address, _)| {
            let address = **address;
            pool.net.contains(&address)
                && after.is_none_or(|after| address > after)
                && last.is_none_or(|last| address <= last)
        })
        .map(|(address, owner)| (*address, unused(*address, owner)))
        .collect();
    for lease in leases {
        let address = lease.address;
        found.extend(of_lease(context, pool, lease, fixed.get(&address)).map(|shown| (address, shown)));
    }
    let mut addresses: Vec<Address> = found.into_values().collect();
    let fitting = context.page.fitting(addresses.iter().take(context.page.items));
    let is_cut = fitting < addresses.len();
    addresses.truncate(fitting);
    let next = if is_cut { addresses.last().map(|shown| shown.address) } else { last };
    Ok(Page { addresses, next })
}

/// A fixed address that no session had.
fn unused(address: Ipv4Addr, owner: &str) -> Address {
    Address {
        address,
        state: State::Fixed,
        user: owner.to_owned(),
        session: None,
        fixed_of: Some(owner.to_owned()),
        since: None,
        until: None,
    }
}

fn release(context: &Context<'_>, address: Ipv4Addr, by: &str, dry_run: bool) -> Result<Released> {
    let config = config(context)?;
    let pool = config.pools.values().find(|pool| pool.net.contains(&address)).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("{address} is in no pool")).fix("adit pool list")
    })?;
    let fixed = fixed(context)?;
    let before = u32::from(address).checked_sub(1).map(Ipv4Addr::from);
    let lease = context.store.leases(pool, before, 1).map_err(refused)?.pop();
    let lease = lease.filter(|lease| lease.address == address);
    let shown = lease.and_then(|lease| of_lease(context, pool, lease, fixed.get(&address)));
    let shown = shown.or_else(|| fixed.get(&address).map(|owner| unused(address, owner)));
    let refuse = |message: String, fix: String| Err(Error::new(Kind::Conflict, message).fix(fix));
    let before = match shown {
        None => {
            let message = format!("{address} is kept for no one");
            return Err(Error::new(Kind::NotFound, message).fix(format!("adit pool show {}", pool.name)));
        }
        Some(Address { state: State::Used, user, session, .. }) => {
            let session = session.map_or_else(|| user.clone(), |session| session.to_string());
            return refuse(format!("a session of {user} has {address}"), format!("adit kick {session}"));
        }
        Some(Address { state: State::Fixed, user, .. }) => {
            let message = format!("{address} is the fixed address of {user}");
            return refuse(message, format!("adit user set {user} --no-address"));
        }
        Some(before) => before,
    };
    let mut warning = None;
    if !dry_run {
        if !context.store.forget_lease(address).map_err(refused)? {
            let message = format!("{address} was assigned to a session at this moment");
            return refuse(message, format!("adit pool show {}", pool.name));
        }
        let (by, name) = (by.to_owned(), pool.name.clone());
        let facts = EventFacts::AddressReleased { address, pool: name, by };
        let mut event = NewEvent::new(context.now, facts);
        event.user = Some(before.user.clone());
        let failed = context.recorder.record(event).err();
        warning = failed.map(|why| format!("the change is done, but not in the log: {}", printable(&why)));
    }
    Ok(Released { pool: pool.name.clone(), before, warning })
}
