//! What a connection uses of the server: narrow interfaces, so that a test can stand in for kernel and store.

use adit_wire::LocalCallId;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use adit_auth::Pending;
use adit_config::Config;
use adit_diag::Counters;
use adit_ppp::auth::AuthRequest;
use adit_store::{Change, Release, SessionId};
use adit_tunnel::events::{Answer, Unmatched};
use adit_tunnel::path::{PathCommand, PathConfig};
use ipnet::Ipv4Net;
use jiff::Timestamp;

use crate::addresses::LeaseRequest;
use crate::event_writer::Entry;
use crate::message::Learned;
use crate::registry::Registry;

/// A future on the heap: these wait for a store or the kernel, which takes longer than an allocation.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Reads the counters of a closed call: final some time after it was closed.
pub(crate) type FinalCounters = Box<dyn Fn() -> Counters + Send + Sync>;

/// The pool and the address that a session was lent.
pub(crate) type Lease = (String, Ipv4Addr);

/// An answer and what it says of the session; `None` when there will be none.
pub(crate) type Decision = Option<(Answer, Learned)>;

/// The two clocks, read together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// For deadlines and durations.
    pub(crate) instant: Instant,
    /// For what is written.
    pub(crate) timestamp: Timestamp,
}

impl Now {
    /// Reads both clocks.
    pub(crate) fn read() -> Now {
        Now { instant: Instant::now(), timestamp: Timestamp::now() }
    }
}

/// Where rows and events go.
pub(crate) trait Recorder: Send + Sync {
    /// Enqueues an entry; never waits.
    fn enqueue(&self, entry: Entry);
}

/// The data paths of calls, and the Call IDs that name them.
pub(crate) trait PacketPath: Send + Sync {
    /// Reserves a Call ID for a call with `peer`; `None` when all are taken. [`PacketPath::close`] frees it.
    fn reserve_call_id(&self, peer: Ipv4Addr) -> Option<LocalCallId>;
    /// Opens the data path of a call between our address `local` and `peer`.
    fn open(&self, call_id: LocalCallId, local: Ipv4Addr, peer: Ipv4Addr, config: PathConfig);
    /// Changes the data path of a call.
    fn command(&self, call_id: LocalCallId, command: PathCommand);
    /// Sends a PPP control frame to the client.
    fn send_frame(&self, call_id: LocalCallId, frame: Vec<u8>);
    /// Sends an IP packet to the client.
    fn send_ip(&self, call_id: LocalCallId, packet: Vec<u8>);
    /// The counters of an open call.
    fn counters(&self, call_id: LocalCallId) -> Option<Counters>;
    /// GRE seen since `since` that belongs to no call and may have been meant for this one.
    fn unmatched(&self, call_id: LocalCallId, peer: Ipv4Addr, since: Instant) -> Option<Unmatched>;
    /// Closes the data path of a call and frees its Call ID.
    fn close(&self, call_id: LocalCallId) -> Option<FinalCounters>;
}

/// A slot among the sessions that are being set up; dropping it frees the slot.
pub(crate) trait Slot: Send {
    /// The client has requested a call.
    fn call_requested(&self);
    /// The account source has thought for long about the login, or has answered after that.
    fn set_waiting(&self, is_waiting: bool);
    /// The call is up: it does not count against its address.
    fn call_up(self: Box<Self>);
}

/// A login that waits for a verdict.
pub(crate) struct Login {
    /// The configuration of the session.
    pub(crate) config: Arc<Config>,
    /// Where the client calls from.
    pub(crate) from: SocketAddrV4,
    /// What the client claims and proves.
    pub(crate) request: AuthRequest,
    /// What the round before left.
    pub(crate) pending: Option<Box<Pending>>,
}

/// Authenticates clients.
pub(crate) trait Authenticator: Send + Sync {
    /// The verdict on a login.
    fn authenticate(&self, login: Login) -> BoxFuture<'static, Decision>;
}

/// Lends inner addresses to clients.
pub(crate) trait AddressPool: Send + Sync {
    /// Lends a session an address.
    fn lend(
        &self,
        config: Arc<Config>,
        session: SessionId,
        request: LeaseRequest,
    ) -> BoxFuture<'static, Decision>;
    /// Takes the address of a session back; does nothing the second time.
    fn release(&self, session: SessionId);
}

/// Routes to the networks behind clients.
pub(crate) trait Routes: Send + Sync {
    /// Adds a route; the error is for the record.
    fn add(&self, net: Ipv4Net) -> BoxFuture<'_, Result<(), String>>;
    /// Removes a route that may be gone already.
    fn remove(&self, net: Ipv4Net) -> BoxFuture<'_, ()>;
}

/// Everything that a connection uses of the server; all connections share one.
pub(crate) struct Handles {
    pub(crate) registry: Arc<Registry>,
    pub(crate) recorder: Box<dyn Recorder>,
    pub(crate) path: Arc<dyn PacketPath>,
    pub(crate) authenticator: Box<dyn Authenticator>,
    pub(crate) addresses: Arc<dyn AddressPool>,
    pub(crate) routes: Arc<dyn Routes>,
}

impl Handles {
    /// Takes the address of a session back and records that.
    pub(crate) fn release(&self, session: SessionId, (pool, address): Lease) {
        self.addresses.release(session);
        let release = Release { session, pool, address };
        self.recorder.enqueue(Entry::Change(Change::Release(release)));
    }
}
