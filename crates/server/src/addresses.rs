//! Which addresses does a client get: its fixed one, or one of its pool; each once, and given back once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::Config;
use adit_diag::note::Refused;
use adit_diag::{Code, Diagnostic, Layer};
use adit_policy::{Lease, Pools};
use adit_ppp::link::AddressGrant;
use adit_store::{LeaseState, SessionId, Store};
use adit_tunnel::events::Answer;
use jiff::Timestamp;

use crate::error::{Result, ServerError, store_error};
use crate::message::Learned;

/// A user whose older session is being ended for a newer one waits so long for its address.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(2);

/// The address that a session needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaseRequest {
    /// The account.
    pub(crate) user: String,
    /// The pool of the configuration.
    pub(crate) pool: String,
    /// The account's own address; `None` for any.
    pub(crate) address: Option<Ipv4Addr>,
}

/// The pools of the running configuration and who holds what.
pub(crate) struct Addresses {
    store: Store,
    inner: Mutex<Inner>,
    /// An address was given back.
    released: Condvar,
}

struct Inner {
    pools: Pools,
    held: BTreeMap<SessionId, (String, Lease)>,
    /// Whose an address was last. The row that says it was released is written by the event writer, which may be behind.
    last: BTreeMap<Ipv4Addr, SessionId>,
}

impl Addresses {
    /// The pools of a configuration, with what the store remembers of earlier runs, so that a user's address waits.
    ///
    /// # Errors
    /// When the pools cannot work, or the store does not answer.
    pub(crate) fn new(config: &Config, store: Store) -> Result<Addresses> {
        let mut pools = make(config)?;
        let mut leases = store.leases(None, None).map_err(|error| store_error(&error))?;
        leases.sort_by_key(|lease| lease.since);
        let (now, clock) = (Instant::now(), Timestamp::now());
        for lease in leases {
            let idle = match lease.state {
                LeaseState::Used => Duration::ZERO,
                LeaseState::Free | LeaseState::Quarantine => {
                    Duration::try_from(clock.duration_since(lease.since)).unwrap_or_default()
                }
            };
            pools.remember(now, &lease.user, lease.address, idle);
        }
        keep_fixed(&mut pools, &store);
        Ok(Addresses {
            store,
            inner: Mutex::new(Inner { pools, held: BTreeMap::new(), last: BTreeMap::new() }),
            released: Condvar::new(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes the pools of another configuration; addresses that are held stay with their sessions.
    ///
    /// # Errors
    /// When the pools cannot work; the old ones stay.
    pub(crate) fn follow(&self, config: &Config) -> Result<()> {
        let mut pools = make(config)?;
        keep_fixed(&mut pools, &self.store);
        let now = Instant::now();
        let mut inner = self.inner();
        let mut held = BTreeMap::new();
        for (session, (user, lease)) in std::mem::take(&mut inner.held) {
            let same = pools.allocate(now, &user, lease.pool(), Some(lease.address()));
            if let Ok(same) = same {
                pools.unreserve(same.address());
                held.insert(session, (user, same));
            }
        }
        (inner.pools, inner.held) = (pools, held);
        Ok(())
    }

    /// Addresses in use of a pool.
    pub(crate) fn used(&self, pool: &str) -> u64 {
        let inner = self.inner();
        inner.held.values().filter(|(_, lease)| lease.pool() == pool).count() as u64
    }

    /// Lends an address by what the account source granted; blocks on the store.
    pub(crate) fn lend(
        &self,
        config: &Config,
        session: SessionId,
        request: &LeaseRequest,
    ) -> (Answer, Learned) {
        match self.try_lend(session, request) {
            Ok((name, address)) => {
                let Some(pool) = config.pools.get(&name) else {
                    let missing =
                        Diagnostic::new(Code::I01).message("the pool is gone: the configuration changed");
                    return refused(missing);
                };
                let grant = AddressGrant {
                    peer: address,
                    local: pool.server,
                    dns: pool.dns.clone(),
                    wins: pool.wins.clone(),
                };
                (Answer::Address(grant), Learned { lease: Some((name, address)), ..Learned::default() })
            }
            Err(why) => refused(why),
        }
    }

    fn try_lend(
        &self,
        session: SessionId,
        request: &LeaseRequest,
    ) -> core::result::Result<(String, Ipv4Addr), Diagnostic> {
        let LeaseRequest { user, pool, address: fixed } = request;
        let silent = |error: adit_store::Error| {
            Diagnostic::new(error.code().unwrap_or(Code::S09)).message(error.to_string())
        };
        let (pool, address) = self.allocate(session, user, pool, *fixed)?;
        match self.take(&pool, address, user, session) {
            Ok(true) => Ok((pool, address)),
            Ok(false) => {
                self.release(session);
                Err(Diagnostic::new(Code::I02)
                    .message(format!("{address} belongs to another session in the store")))
            }
            Err(error) => {
                self.release(session);
                Err(silent(error))
            }
        }
    }

    /// An address from the pool. Without one, what the user's own older session holds is waited for.
    fn allocate(
        &self,
        session: SessionId,
        user: &str,
        pool: &str,
        fixed: Option<Ipv4Addr>,
    ) -> core::result::Result<(String, Ipv4Addr), Diagnostic> {
        let until = Instant::now() + HANDED_OVER_WITHIN;
        let mut inner = self.inner();
        loop {
            let now = Instant::now();
            match inner.pools.allocate(now, user, pool, fixed) {
                Ok(lease) => {
                    let lent = (lease.pool().to_owned(), lease.address());
                    inner.held.insert(session, (user.to_owned(), lease));
                    return Ok(lent);
                }
                Err(_) if now < until && inner.held.values().any(|(holder, _)| holder == user) => {
                    let woken = self.released.wait_timeout(inner, until - now);
                    inner = woken.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
                }
                Err(why) => return Err(why),
            }
        }
    }

    /// Writes down who has the address; false when the store says that somebody else has it, who is not of this server.
    fn take(
        &self,
        pool: &str,
        address: Ipv4Addr,
        user: &str,
        session: SessionId,
    ) -> adit_store::Result<bool> {
        let now = Timestamp::now();
        if self.store.take_lease(pool, address, user, session, now)? {
            return Ok(true);
        }
        let Some(last) = self.inner().last.get(&address).copied() else { return Ok(false) };
        self.store.release_lease(pool, address, last, None, now)?;
        self.store.take_lease(pool, address, user, session, now)
    }

    /// Takes a session's address back; does nothing the second time.
    pub(crate) fn release(&self, session: SessionId) {
        let mut inner = self.inner();
        if let Some((_, lease)) = inner.held.remove(&session) {
            inner.last.insert(lease.address(), session);
            inner.pools.release(Instant::now(), lease);
            self.released.notify_all();
        }
    }
}

fn refused(why: Diagnostic) -> (Answer, Learned) {
    let cause = why.message.as_str().into();
    let learned = Learned { refused: Some(Refused { code: why.code, cause }), ..Learned::default() };
    // What is wrong on this host is not for the client to know.
    let detail = if why.code.layer() == Layer::Host { why.code.title().to_owned() } else { why.message };
    (Answer::NoAddress { code: why.code, detail }, learned)
}

fn make(config: &Config) -> Result<Pools> {
    Pools::new(config.pools.values().cloned())
        .map_err(|error| ServerError::new(Code::F10, error.to_string(), "adit check shows where in the file"))
}

/// Nobody else gets an address that is some account's own.
fn keep_fixed(pools: &mut Pools, store: &Store) {
    for account in store.accounts().unwrap_or_default() {
        if let Some(address) = account.address {
            // An address outside of every pool is refused when its owner calls, with the reason.
            let _ = pools.reserve(&account.name, address);
        }
    }
}

#[cfg(test)]
mod tests {
    use adit_config::{Checked, Source};
    use adit_store::{NewSession, StoreConfig};

    use super::*;

    fn begin(store: &Store) -> SessionId {
        let from = "203.0.113.7:50000".parse().unwrap();
        store.start_sessions(&[NewSession { started: Timestamp::now(), from }]).unwrap()[0]
    }

    fn request(user: &str) -> LeaseRequest {
        LeaseRequest { user: user.to_owned(), pool: "default".to_owned(), address: None }
    }

    #[test]
    fn the_last_address_is_handed_over_to_its_users_newer_session() {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig::sqlite(dir.path().join("adit.db"), dir.path().join("key"));
        let store = adit_store::open(&config).unwrap();
        let config = "[pool]\nnet = \"10.99.0.0/24\"\nrange = \"10.99.0.10-10.99.0.10\"\n";
        let config = Checked::built_in_with(Source::new("adit.toml", config)).into_config().unwrap();
        let addresses = Addresses::new(&config, store.clone()).unwrap();
        let (older, newer, other) = (begin(&store), begin(&store), begin(&store));
        let lent = addresses.try_lend(older, &request("alice")).unwrap();
        assert_eq!(addresses.try_lend(other, &request("bob")).unwrap_err().code, Code::I01);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| addresses.try_lend(newer, &request("alice")));
            std::thread::sleep(Duration::from_millis(50));
            addresses.release(older);
            assert_eq!(waiting.join().unwrap().unwrap(), lent);
        });
    }

    #[test]
    fn a_released_address_can_be_lent_before_the_event_writer_has_written_the_release() {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig::sqlite(dir.path().join("adit.db"), dir.path().join("key"));
        let store = adit_store::open(&config).unwrap();
        let config = Checked::built_in().into_config().unwrap();
        let addresses = Addresses::new(&config, store.clone()).unwrap();
        let (first, second) = (begin(&store), begin(&store));
        let (pool, address) = addresses.try_lend(first, &request("alice")).unwrap();
        addresses.release(first);
        // The user comes back at once and gets the same address again.
        assert_eq!(addresses.try_lend(second, &request("alice")).unwrap(), (pool.clone(), address));
        // The event writer comes late, and takes nothing away.
        assert!(!store.release_lease(&pool, address, first, None, Timestamp::now()).unwrap());
        assert_eq!(store.leases(None, None).unwrap()[0].session, Some(second));
        assert_eq!(addresses.used(&pool), 1);

        // What another server on the same store has lent stays with it.
        addresses.release(second);
        store.release_lease(&pool, address, second, None, Timestamp::now()).unwrap();
        let (foreign, third) = (begin(&store), begin(&store));
        assert!(store.take_lease(&pool, address, "alice", foreign, Timestamp::now()).unwrap());
        assert_eq!(addresses.try_lend(third, &request("alice")).unwrap_err().code, Code::I02);
        assert_eq!(store.leases(None, None).unwrap()[0].session, Some(foreign));
        assert_eq!(addresses.used(&pool), 0);
    }
}
