//! Reload: a new configuration for new calls, which disconnects no session.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Weak};

use adit_api::{Error, Kind, SessionConflict};
use adit_diag::EventFacts;
use adit_diag::event::{LostSession, ReloadFailed};
use adit_policy::PoolConfig;
use adit_store::NewEvent;
use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::{Server, for_calls, lock};
use crate::error::ServerError;
use crate::host;

/// The most sessions in the text of a refusal; the list has all.
const SHOWN: usize = 10;

impl Server {
    /// Applies a new configuration to new calls; running sessions keep theirs.
    ///
    /// # Errors
    /// If a change needs a restart, would disconnect sessions, or the file is invalid. Nothing was changed then.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let _turn = lock(&self.reloading);
        let outcome = self.try_reload();
        let facts = match &outcome {
            Ok(()) => EventFacts::ConfigReload,
            Err(error) => EventFacts::ConfigFail(failed_event(error)),
        };
        self.event_writer.enqueue_event(NewEvent::new(Timestamp::now(), facts));
        outcome
    }

    fn try_reload(&self) -> Result<(), Error> {
        let mut new = (self.reread)().map_err(failed)?;
        let reduced_limits = self.descriptors.adapt(&mut new.limits);
        let old = self.config();
        let restart = |keys: &str| Err(failed(format!("{keys} a restart; nothing was changed")));
        if new.server.listen != old.server.listen || new.server.interface != old.server.interface {
            return restart("server.listen and server.interface need");
        }
        if new.link.mtu > old.link.mtu {
            return restart("a larger link.mtu needs");
        }
        let packets = |link: &adit_config::Link| (link.io, link.cipher, link.workers);
        if packets(&new.link) != packets(&old.link) {
            return restart("link.io, link.cipher and link.workers need");
        }
        if (&new.auth.sources, &new.auth.radius) != (&old.auth.sources, &old.auth.radius) {
            return restart("auth.sources and auth.radius need");
        }
        // Commands read the file: without a restart they would use another database than the server.
        if new.store != old.store {
            return restart("store.url and store.seal_key need");
        }
        let conflicts = self.conflicts(&new.pools);
        if !conflicts.is_empty() {
            return Err(refused(conflicts));
        }
        let unchanged = |error: ServerError| failed(format!("{error}; nothing was changed"));
        let mut addresses = self.wanted_addresses();
        addresses.extend(host::addresses(&new));
        self.host.set_addresses(addresses).map_err(unchanged)?;
        self.dataplane.set_networks(new.pools.values().map(|pool| pool.net).collect());
        self.admission.set_limits(&new.limits);
        self.lockout.set_rules(&new.auth.lockout);
        *lock(&self.reduced_limits) = reduced_limits;
        lock(&self.former).push(Arc::downgrade(&old));
        *self.config.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = for_calls(new);
        drop(old);
        self.reach.set_config(self.config(), &self.registry, &*self.dataplane);
        self.keep_addresses();
        Ok(())
    }

    /// The addresses of the interface: those of the configuration, and those of earlier ones that a connection still has.
    fn wanted_addresses(&self) -> BTreeSet<Ipv4Net> {
        let mut former = lock(&self.former);
        former.retain(|config| config.strong_count() > 0);
        let all = former.iter().filter_map(Weak::upgrade).chain([self.config()]);
        all.flat_map(|config| host::addresses(&config)).collect()
    }

    /// Removes addresses of earlier configurations when the last connection that has one is over.
    pub(super) fn keep_addresses(&self) {
        if let Err(error) = self.host.set_addresses(self.wanted_addresses()) {
            self.log_rate_limited("addresses", &error);
        }
    }

    /// The sessions that other pools would disconnect.
    fn conflicts(&self, pools: &BTreeMap<String, PoolConfig>) -> Vec<SessionConflict> {
        let held = self.addresses.held().into_iter();
        let conflicts = held.filter_map(|(session, user, address)| {
            let reason = conflict(address, pools)?;
            Some(SessionConflict { session, user, address, reason })
        });
        conflicts.collect()
    }
}

/// Why a client cannot keep its address with these pools.
fn conflict(address: Ipv4Addr, pools: &BTreeMap<String, PoolConfig>) -> Option<String> {
    let Some(pool) = pools.values().find(|pool| pool.net.contains(&address)) else {
        return Some("outside every pool".to_owned());
    };
    if address == pool.server {
        return Some(format!("the server's own address in pool {}", pool.name));
    }
    (!pool.is_host(address)).then(|| format!("not a host address of pool {} {}", pool.name, pool.net))
}

fn failed(message: String) -> Error {
    Error::new(Kind::Failed, message)
}

fn refused(conflicts: Vec<SessionConflict>) -> Error {
    let count = conflicts.len();
    let sessions = if count == 1 { "session" } else { "sessions" };
    let mut message = format!("{count} {sessions} would be disconnected; nothing was changed");
    for conflict in conflicts.iter().take(SHOWN) {
        message.push_str(&format!("\n         {conflict}"));
    }
    if count > SHOWN {
        message.push_str(&format!("\n         and {} more", count - SHOWN));
    }
    Error::new(Kind::Conflict, message)
        .fix("keep their pool until they have disconnected, or end them: adit kick")
        .sessions(conflicts)
}

fn failed_event(error: &Error) -> ReloadFailed {
    let lost = |conflict: &SessionConflict| LostSession {
        session: conflict.session.0,
        user: conflict.user.clone(),
        address: conflict.address,
    };
    ReloadFailed {
        detail: error.message.lines().next().unwrap_or_default().to_owned(),
        sessions: error.sessions.iter().take(ReloadFailed::MOST).map(lost).collect(),
        omitted: error.sessions.len().saturating_sub(ReloadFailed::MOST) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools(all: &[&str]) -> BTreeMap<String, PoolConfig> {
        let pool = |net: &&str| (net.to_string(), PoolConfig::new(*net, net.parse().unwrap()));
        all.iter().map(pool).collect()
    }

    #[test]
    fn a_client_keeps_an_address_that_some_pool_has() {
        let address = Ipv4Addr::new(10, 99, 0, 14);
        let reason = |all: &[&str]| conflict(address, &pools(all));
        assert_eq!(reason(&["10.99.0.0/24"]), None);
        assert_eq!(reason(&["10.98.0.0/24", "10.0.0.0/8"]), None);
        assert_eq!(reason(&["10.99.0.0/29", "10.98.0.0/24"]).as_deref(), Some("outside every pool"));
        let own = reason(&["10.99.0.13/30"]);
        assert_eq!(own, None, "14 is a host of .12/30");
        let mut same = pools(&["10.99.0.0/24"]);
        same.values_mut().for_each(|pool| pool.server = address);
        assert!(conflict(address, &same).unwrap().contains("server's own address"));
        assert!(conflict(Ipv4Addr::new(10, 99, 0, 255), &pools(&["10.99.0.0/24"])).is_some());
    }

    #[test]
    fn a_refusal_lists_the_sessions() {
        let conflicts = (1..=25).map(|n| SessionConflict {
            session: adit_store::SessionId(n),
            user: format!("user{n}"),
            address: Ipv4Addr::new(10, 99, 0, n as u8),
            reason: "outside every pool".to_owned(),
        });
        let error = refused(conflicts.collect());
        assert_eq!((error.kind, error.sessions.len()), (Kind::Conflict, 25));
        assert!(error.message.starts_with("25 sessions would be disconnected; nothing was changed\n"));
        assert!(error.message.contains("s3  user3  10.99.0.3  outside every pool"), "{error}");
        assert!(error.message.ends_with("and 15 more"), "{error}");
        let event = failed_event(&error);
        assert_eq!((event.sessions.len(), event.omitted), (ReloadFailed::MOST, 5));
        assert_eq!(event.detail, "25 sessions would be disconnected; nothing was changed");
    }
}
