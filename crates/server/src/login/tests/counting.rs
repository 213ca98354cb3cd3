//! A store that counts how often accounts are read.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adit_policy::{AddressRefusal, Chosen, PoolConfig};
use adit_store::*;
use jiff::Timestamp;

/// The number of account reads so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads(Arc<AtomicUsize>);

impl Reads {
    /// A store in memory that counts account reads.
    pub(super) fn store() -> (Store, Reads) {
        let key = SealKey::from_bytes([7; 32]);
        let (location, access) = (Location::Memory, Access::Full(KeySource::Key(key.clone())));
        let inner = open(&StoreConfig::new(location, access)).unwrap();
        let reads = Reads::default();
        (Store::new(Arc::new(Counting { inner, reads: reads.clone() }), Some(key)), reads)
    }

    pub(super) fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }

    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Counting {
    inner: Store,
    reads: Reads,
}

impl Lockouts for Counting {
    fn lockout(&self) -> Result<Vec<LockoutChange>> {
        self.inner.lockout()
    }
}

impl Accounts for Counting {
    fn accounts(&self) -> Result<Vec<Account>> {
        self.reads.count();
        self.inner.accounts()
    }

    fn account(&self, name: &str) -> Result<Option<Account>> {
        self.reads.count();
        self.inner.account(name)
    }

    fn sealed_credentials(&self, name: &str) -> Result<Option<(Account, Option<SealedSecret>)>> {
        self.reads.count();
        self.inner.sealed_credentials(name)
    }

    fn insert_account(
        &self,
        new: &NewAccount,
        secret: Option<&SealedSecret>,
        now: Timestamp,
    ) -> Result<Account> {
        self.inner.insert_account(new, secret, now)
    }

    fn change_account(&self, name: &str, change: &AccountChange) -> Result<Account> {
        self.inner.change_account(name, change)
    }

    fn set_sealed_secret(
        &self,
        name: &str,
        secret: &SealedSecret,
        must_change: bool,
        now: Timestamp,
    ) -> Result<()> {
        self.inner.set_sealed_secret(name, secret, must_change, now)
    }

    fn write_accounts(&self, writes: &[AccountWrite]) -> Result<()> {
        self.inner.write_accounts(writes)
    }

    fn sealed_factor(&self, name: &str) -> Result<Option<SealedFactor>> {
        self.inner.sealed_factor(name)
    }

    fn set_sealed_factor(&self, name: &str, factor: Option<&SealedFactor>) -> Result<()> {
        self.inner.set_sealed_factor(name, factor)
    }

    fn replace_sealed_factor(&self, name: &str, before: &SealedFactor, after: &SealedFactor) -> Result<bool> {
        self.inner.replace_sealed_factor(name, before, after)
    }

    fn remove_account(&self, name: &str) -> Result<()> {
        self.inner.remove_account(name)
    }
}

impl Servers for Counting {
    fn register_server(&self, identity: &ServerIdentity) -> Result<ServerId> {
        self.inner.register_server(identity)
    }

    fn recover(&self, server: ServerId, now: Timestamp) -> Result<Recovered> {
        self.inner.recover(server, now)
    }
}

impl Leases for Counting {
    fn claim_lease<'a>(
        &self,
        claim: &LeaseClaim<'a>,
        released: &[Release],
        now: Timestamp,
    ) -> Result<core::result::Result<Chosen<'a>, AddressRefusal>> {
        self.inner.claim_lease(claim, released, now)
    }

    fn leases(&self, pool: &PoolConfig, after: Option<Ipv4Addr>, most: u32) -> Result<Vec<Lease>> {
        self.inner.leases(pool, after, most)
    }

    fn forget_lease(&self, address: Ipv4Addr) -> Result<bool> {
        self.inner.forget_lease(address)
    }
}

impl Sessions for Counting {
    fn start_sessions(&self, server: ServerId, new: &[NewSession]) -> Result<Vec<SessionId>> {
        self.inner.start_sessions(server, new)
    }

    fn session(&self, id: SessionId) -> Result<Option<Session>> {
        self.inner.session(id)
    }

    fn record(&self, id: SessionId) -> Result<Vec<Step>> {
        self.inner.record(id)
    }

    fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>> {
        self.inner.sessions(filter)
    }
}

impl Events for Counting {
    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        self.inner.events(filter)
    }
}

impl Changes for Counting {
    fn apply(&self, changes: &[Change], now: Timestamp) -> Result<Vec<i64>> {
        self.inner.apply(changes, now)
    }
}

impl Maintenance for Counting {
    fn place(&self) -> Place {
        self.inner.place()
    }

    fn key_check(&self) -> Result<Option<Vec<u8>>> {
        self.inner.key_check()
    }

    fn set_key_check(&self, fresh: &[u8]) -> Result<Vec<u8>> {
        self.inner.set_key_check(fresh)
    }

    fn check_place(&self) -> Result<()> {
        self.inner.check_place()
    }

    fn put_back(&self) -> Result<bool> {
        self.inner.put_back()
    }

    fn check_clock(&self, now: Timestamp, ran: Duration) -> Result<ClockCheck> {
        self.inner.check_clock(now, ran)
    }

    fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned> {
        self.inner.prune(retention, now)
    }
}
