use core::convert::Infallible;
use std::net::Ipv4Addr;

use adit_policy::pool::{LeaseTable, choose};
use adit_policy::{AddressRefusal, Chosen, PoolConfig, name};
use adit_store::{
    ErrorKind, LeaseClaim, Leases, Recovered, Release, Result, ServerId, ServerIdentity, Servers, SessionEnd,
};
use jiff::{SignedDuration, Timestamp};

use crate::Fake;
use crate::state::{Lease, State};

struct Table<'a> {
    state: &'a State,
    now: Timestamp,
}

impl Table<'_> {
    fn is_free(&self, address: Ipv4Addr) -> bool {
        let is_held =
            |((_, held), lease): (&(String, Ipv4Addr), &Lease)| *held == address && lease.session.is_some();
        let is_fixed = self.state.accounts.values().any(|(account, _)| account.address == Some(address));
        !is_fixed && !self.state.leases.iter().any(is_held)
    }

    /// Free addresses with a row, by age.
    fn freed(&self, pool: &PoolConfig) -> Vec<(Timestamp, Ipv4Addr, &str)> {
        let mut freed: Vec<_> = self
            .state
            .leases
            .iter()
            .filter(|((name, address), _)| {
                *name == pool.name && pool.assigns(*address) && self.is_free(*address)
            })
            .map(|((_, address), lease)| (lease.since, *address, lease.user.as_str()))
            .collect();
        freed.sort_unstable();
        freed
    }
}

impl LeaseTable for Table<'_> {
    type Error = Infallible;

    fn holder(&mut self, address: Ipv4Addr) -> core::result::Result<Option<String>, Infallible> {
        let mut held = self.state.leases.iter().filter(|((_, held), _)| *held == address);
        Ok(held.find(|(_, lease)| lease.session.is_some()).map(|(_, lease)| lease.user.clone()))
    }

    fn owner(&mut self, address: Ipv4Addr) -> core::result::Result<Option<String>, Infallible> {
        let mut accounts = self.state.accounts.values().map(|(account, _)| account);
        Ok(accounts.find(|account| account.address == Some(address)).map(|account| account.name.clone()))
    }

    fn last_of(
        &mut self,
        pool: &PoolConfig,
        user: &str,
    ) -> core::result::Result<Option<Ipv4Addr>, Infallible> {
        let oldest = self.now - SignedDuration::try_from(pool.sticky).unwrap();
        let mut freed = self.freed(pool).into_iter().rev();
        let mine = freed.find(|(since, _, last)| *since > oldest && name::key(last) == name::key(user));
        Ok(mine.map(|(_, address, _)| address))
    }

    fn unused(&mut self, pool: &PoolConfig) -> core::result::Result<Option<Ipv4Addr>, Infallible> {
        let known = |address: &Ipv4Addr| self.state.leases.contains_key(&(pool.name.clone(), *address));
        let mut hosts = pool.net.hosts();
        Ok(hosts.find(|address| pool.assigns(*address) && !known(address) && self.is_free(*address)))
    }

    fn longest_free(&mut self, pool: &PoolConfig) -> core::result::Result<Option<Ipv4Addr>, Infallible> {
        Ok(self.freed(pool).first().map(|(_, address, _)| *address))
    }
}

pub(crate) fn release(state: &mut State, release: &Release, now: Timestamp) {
    let Release { session, pool, address } = release;
    if let Some(lease) = state.leases.get_mut(&(pool.clone(), *address))
        && lease.session == Some(*session)
    {
        (lease.session, lease.since) = (None, now);
    }
}

impl Leases for Fake {
    fn claim_lease<'a>(
        &self,
        claim: &LeaseClaim<'a>,
        released: &[Release],
        now: Timestamp,
    ) -> Result<core::result::Result<Chosen<'a>, AddressRefusal>> {
        self.write(|state| {
            for given_back in released {
                release(state, given_back, now);
            }
            let Ok(chosen) = choose(&claim.request, &mut Table { state, now });
            if let Ok(Chosen { pool, address }) = &chosen {
                let session = claim.session;
                let server = state.sessions.get(&session).ok_or(ErrorKind::NoSuchSession(session))?.server;
                let user = claim.request.user.to_owned();
                let lease = Lease { user, session: Some(session), server, since: now };
                state.leases.insert((pool.name.clone(), *address), lease);
            }
            Ok(chosen)
        })
    }

    fn leases(
        &self,
        pool: &PoolConfig,
        after: Option<Ipv4Addr>,
        most: u32,
    ) -> Result<Vec<adit_store::Lease>> {
        {
            let state = self.lock();
            let mut found = std::collections::BTreeMap::new();
            for ((name, address), lease) in &state.leases {
                let is_of_pool = *name == pool.name || lease.session.is_some();
                if pool.net.contains(address) && after.is_none_or(|after| *address > after) && is_of_pool {
                    let here = adit_store::Lease {
                        address: *address,
                        user: lease.user.clone(),
                        session: lease.session,
                        since: lease.since,
                    };
                    let before = found.entry(*address).or_insert_with(|| here.clone());
                    if before.session.is_none() {
                        *before = here;
                    }
                }
            }
            Ok(found.into_values().take(most as usize).collect())
        }
    }

    fn forget_lease(&self, address: Ipv4Addr) -> Result<bool> {
        self.write(|state| {
            let before = state.leases.len();
            state.leases.retain(|(_, held), lease| *held != address || lease.session.is_some());
            Ok(state.leases.len() < before)
        })
    }
}

impl Servers for Fake {
    fn register_server(&self, identity: &ServerIdentity) -> Result<ServerId> {
        self.write(|state| {
            let known = state.servers.iter().position(|key| key == identity.key());
            let place = known.unwrap_or_else(|| {
                state.servers.push(identity.key().to_owned());
                state.servers.len() - 1
            });
            Ok(ServerId(place as u64 + 1))
        })
    }

    fn recover(&self, server: ServerId, now: Timestamp) -> Result<Recovered> {
        self.write(|state| {
            let mut recovered = Recovered::default();
            let running = state.sessions.values_mut().filter(|session| session.end.is_none());
            for session in running.filter(|session| session.server == server) {
                session.end = Some(SessionEnd {
                    at: session.seen.max(session.started),
                    why: "crash".into(),
                    by: "note".into(),
                    code: None,
                    detail: "server stopped unexpectedly".into(),
                    refusal: None,
                });
                recovered.sessions.push(session.id);
            }
            let held = state.leases.values_mut().filter(|lease| lease.session.is_some());
            for lease in held.filter(|lease| lease.server == server) {
                (lease.session, lease.since) = (None, now);
                recovered.leases += 1;
            }
            Ok(recovered)
        })
    }
}
