//! The interfaces of the server that a connection uses: narrow, so that tests can replace kernel and store.

use adit_wire::LocalCallId;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use adit_auth::Pending;
use adit_config::Config;
use adit_diag::Counters;
use adit_policy::admission::Stage;
use adit_policy::reach::Hits;
use adit_ppp::auth::AuthRequest;
use adit_store::{Change, Release, SessionId};
use adit_tunnel::events::{Answer, Unmatched};
use adit_tunnel::path::{PathCommand, PathConfig};
use ipnet::Ipv4Net;
use jiff::Timestamp;

use crate::addresses::LeaseRequest;
use crate::event_writer::Entry;
use crate::message::Learned;
use crate::reach::{ReachTable, SetReach};
use crate::registry::Registry;

/// A boxed future. These wait for a store or the kernel, which takes longer than an allocation.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Reads the counters of a closed call, and what the rules have decided; both are final only some time after the close.
pub(crate) type FinalCounters = Box<dyn Fn() -> (Counters, Hits) + Send + Sync>;

/// The pool and the address that are assigned to a session.
pub(crate) type Lease = (String, Ipv4Addr);

/// An answer and what it reveals about the session; `None` if there will be none.
pub(crate) type Decision = Option<(Answer, Learned)>;

/// The two clocks, read together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The monotonic clock, for deadlines and durations.
    pub(crate) instant: Instant,
    /// The wall clock, for what is written.
    pub(crate) timestamp: Timestamp,
}

impl Now {
    /// Reads both clocks.
    pub(crate) fn read() -> Now {
        Now { instant: Instant::now(), timestamp: Timestamp::now() }
    }
}

/// Takes rows and events to be written.
pub(crate) trait Recorder: Send + Sync {
    /// Enqueues an entry; never waits.
    fn enqueue(&self, entry: Entry);
}

/// The data paths of calls, and the allocation of Call IDs.
pub(crate) trait PacketPath: SetReach {
    /// Reserves a Call ID for a call with `peer`; `None` when all are in use. [`PacketPath::close`] frees it.
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
    /// Unmatched GRE packets received after `since` that may have been meant for this call.
    fn unmatched(&self, call_id: LocalCallId, peer: Ipv4Addr, since: Instant) -> Option<Unmatched>;
    /// Closes the data path of a call and frees its Call ID.
    fn close(&self, call_id: LocalCallId) -> Option<FinalCounters>;
}

/// A slot among the sessions that are being set up; dropping it frees the slot.
pub(crate) trait Slot: Send {
    /// The set-up has reached a stage.
    fn reached(&self, stage: Stage);
    /// Reports that the login has waited for the account source for long, or that the source has then
    /// answered.
    fn set_waiting(&self, is_waiting: bool);
    /// The login was refused.
    fn login_refused(&self);
    /// The call is up.
    fn call_up(self: Box<Self>);
}

/// A login that waits for a verdict.
pub(crate) struct Login {
    /// The configuration of the session.
    pub(crate) config: Arc<Config>,
    /// The client's public address and port.
    pub(crate) from: SocketAddrV4,
    /// What the client claims and proves.
    pub(crate) request: AuthRequest,
    /// The state left by the round before.
    pub(crate) pending: Option<Box<Pending>>,
}

/// Authenticates clients.
pub(crate) trait Authenticator: Send + Sync {
    /// Returns the verdict on a login.
    fn authenticate(&self, login: Login) -> BoxFuture<'static, Decision>;
}

/// Assigns inner addresses to clients.
pub(crate) trait AddressPool: Send + Sync {
    /// Assigns a session an address.
    fn lend(
        &self,
        config: Arc<Config>,
        session: SessionId,
        request: LeaseRequest,
    ) -> BoxFuture<'static, Decision>;
    /// Releases the address of a session. Calling it again has no effect.
    fn release(&self, session: SessionId);
}

/// Routes to the networks behind clients.
pub(crate) trait Routes: Send + Sync {
    /// Adds a route for a client with this public address; the error is text for the record.
    fn add(&self, net: Ipv4Net, client: Ipv4Addr) -> BoxFuture<'_, Result<(), String>>;
    /// Removes a route, which need not exist any more.
    fn remove(&self, net: Ipv4Net) -> BoxFuture<'_, ()>;
}

/// All interfaces of the server that a connection uses; all connections share them.
pub(crate) struct Handles {
    pub(crate) registry: Arc<Registry>,
    pub(crate) recorder: Box<dyn Recorder>,
    pub(crate) path: Arc<dyn PacketPath>,
    pub(crate) authenticator: Box<dyn Authenticator>,
    pub(crate) addresses: Arc<dyn AddressPool>,
    pub(crate) routes: Arc<dyn Routes>,
    pub(crate) reach: Arc<ReachTable>,
}

impl Handles {
    /// Releases the address of a session and records that.
    pub(crate) fn release(&self, session: SessionId, (pool, address): Lease) {
        self.addresses.release(session);
        let release = Release { session, pool, address };
        self.recorder.enqueue(Entry::Change(Change::Release(release)));
    }
}
