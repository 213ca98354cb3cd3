//! Assignment of inner addresses to clients. The store chooses the address; this file waits for addresses
//! that are about to be released, and keeps the releases that are not in the store yet.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::Config;
use adit_diag::note::Refused;
use adit_diag::{Code, Diagnostic, Layer};
use adit_policy::{AddressRefusal, AddressRequest, Chosen};
use adit_ppp::link::AddressGrant;
use adit_store::{LeaseClaim, Release, SessionId, Store};
use adit_tunnel::events::Answer;
use jiff::Timestamp;

use crate::message::Learned;

/// How long a session waits for the address of an older session of the same user that is being ended.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(2);

/// A request for the address of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaseRequest {
    /// The account.
    pub(crate) user: String,
    /// The pool of the configuration.
    pub(crate) pool: String,
    /// The account's own address; `None` for any.
    pub(crate) address: Option<Ipv4Addr>,
}

/// The addresses that sessions of this server hold.
pub(crate) struct Addresses {
    store: Store,
    inner: Mutex<Inner>,
    /// Notified when an address is released.
    released: Condvar,
}

#[derive(Default)]
struct Inner {
    held: BTreeMap<SessionId, Held>,
    /// The addresses released last. The event writer records releases and may lag behind, so the next claim
    /// records those that it depends on.
    released: BTreeMap<Ipv4Addr, (SessionId, Held)>,
}

/// An address that a session holds.
struct Held {
    user: String,
    pool: String,
    address: Ipv4Addr,
}

impl Inner {
    /// Removes and returns the pending releases of one user, or of all users; the caller must record them.
    fn take_released(&mut self, user: Option<&str>) -> Vec<(SessionId, Held)> {
        let matters = |held: &Held| user.is_none_or(|user| held.user == user);
        self.released.extract_if(.., |_, (_, held)| matters(held)).map(|(_, released)| released).collect()
    }

    fn return_released(&mut self, released: Vec<(SessionId, Held)>) {
        for (session, held) in released {
            self.released.entry(held.address).or_insert((session, held));
        }
    }
}

impl Addresses {
    pub(crate) fn new(store: Store) -> Addresses {
        Addresses { store, inner: Mutex::default(), released: Condvar::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The number of addresses of a pool that sessions of this server hold.
    pub(crate) fn used(&self, pool: &str) -> u64 {
        self.inner().held.values().filter(|held| held.pool == pool).count() as u64
    }

    /// The sessions that hold an address, with their user.
    pub(crate) fn held(&self) -> Vec<(SessionId, String, Ipv4Addr)> {
        let inner = self.inner();
        inner.held.iter().map(|(session, held)| (*session, held.user.clone(), held.address)).collect()
    }

    /// Assigns an address according to the grant of the account source; blocks on the store.
    pub(crate) fn lend(
        &self,
        config: &Config,
        session: SessionId,
        request: &LeaseRequest,
    ) -> (Answer, Learned) {
        match self.try_lend(config, session, request) {
            Ok(Chosen { pool, address }) => {
                let grant = AddressGrant {
                    peer: address,
                    local: pool.server,
                    dns: pool.dns.clone(),
                    wins: pool.wins.clone(),
                };
                let lease = Some((pool.name.clone(), address));
                (Answer::Address(grant), Learned { lease, ..Learned::default() })
            }
            Err(why) => refused(why),
        }
    }

    fn try_lend<'a>(
        &self,
        config: &'a Config,
        session: SessionId,
        request: &'a LeaseRequest,
    ) -> Result<Chosen<'a>, Diagnostic> {
        let silent = |error: adit_store::Error| {
            Diagnostic::new(error.code().unwrap_or(Code::S09)).message(error.to_string())
        };
        let LeaseRequest { user, pool, address: fixed } = request;
        let request = AddressRequest { pools: &config.pools, pool, user, fixed: *fixed };
        let claimed = self.claim(session, request);
        let refuse = |refusal: AddressRefusal| Diagnostic::new(refusal.code()).message(refusal.to_string());
        claimed.map_err(silent)?.map_err(refuse)
    }

    /// Claims an address. If none is free, waits for the release of an address that an older session of the
    /// same user holds.
    fn claim<'a>(
        &self,
        session: SessionId,
        request: AddressRequest<'a>,
    ) -> adit_store::Result<Result<Chosen<'a>, AddressRefusal>> {
        let until = Instant::now() + HANDED_OVER_WITHIN;
        // Record the releases of the same user first, so that the user gets the same address again; record
        // the others only if that is not enough.
        let mut released = self.inner().take_released(Some(request.user));
        loop {
            match self.claim_after(session, request, released)? {
                Ok(chosen) => return Ok(Ok(chosen)),
                Err(refusal) => match self.wait_for_release(request.user, until) {
                    Some(more) => released = more,
                    None => return Ok(Err(refusal)),
                },
            }
        }
    }

    /// Claims an address after recording pending releases.
    fn claim_after<'a>(
        &self,
        session: SessionId,
        request: AddressRequest<'a>,
        released: Vec<(SessionId, Held)>,
    ) -> adit_store::Result<Result<Chosen<'a>, AddressRefusal>> {
        let releases: Vec<Release> = released
            .iter()
            .map(|(session, held)| Release {
                session: *session,
                pool: held.pool.clone(),
                address: held.address,
            })
            .collect();
        let claim = LeaseClaim { session, request };
        let claimed = self.store.claim_lease(&claim, &releases, Timestamp::now());
        match &claimed {
            Ok(Ok(Chosen { pool, address })) => {
                let (user, pool) = (request.user.to_owned(), pool.name.clone());
                let mut inner = self.inner();
                inner.released.remove(address);
                inner.held.insert(session, Held { user, pool, address: *address });
            }
            Ok(Err(_)) => {}
            Err(_) => self.inner().return_released(released),
        }
        claimed
    }

    /// Returns what was released since the claim. Waits while another session of the same user holds an
    /// address; `None` when there is nothing to wait for, or at `until`.
    fn wait_for_release(&self, user: &str, until: Instant) -> Option<Vec<(SessionId, Held)>> {
        let mut inner = self.inner();
        loop {
            let released = inner.take_released(None);
            if !released.is_empty() {
                return Some(released);
            }
            let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            if !inner.held.values().any(|held| held.user == user) {
                return None;
            }
            let woken = self.released.wait_timeout(inner, left);
            inner = woken.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
    }

    /// Releases a session's address. Calling it again has no effect.
    pub(crate) fn release(&self, session: SessionId) {
        let mut inner = self.inner();
        if let Some(held) = inner.held.remove(&session) {
            inner.released.insert(held.address, (session, held));
            self.released.notify_all();
        }
    }
}

fn refused(why: Diagnostic) -> (Answer, Learned) {
    let cause = why.message.as_str().into();
    let learned = Learned { refused: Some(Refused { code: why.code, cause }), ..Learned::default() };
    // The client must not learn what is wrong on this host.
    let detail = if why.code.layer() == Layer::Host { why.code.title().to_owned() } else { why.message };
    (Answer::NoAddress { code: why.code, detail }, learned)
}

#[cfg(test)]
mod tests;
