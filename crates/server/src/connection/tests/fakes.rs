//! Fakes for kernel, store and accounts: they record the calls made to them, in order.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use adit_config::Config;
use adit_crypto::proof::{self, Secret};
use adit_crypto::secret::Password;
use adit_diag::{Code, Counters, LoginRefusal};
use adit_policy::admission::Stage;
use adit_policy::reach::{Hits, Reach};
use adit_ppp::auth::{AuthRequest, MsChapError, Rejection};
use adit_ppp::link::AddressGrant;
use adit_store::{Change, Release, SessionId};
use adit_tunnel::events::{Answer, Terms, Unmatched};
use adit_tunnel::path::{PathCommand, PathConfig};
use adit_wire::LocalCallId;
use ipnet::Ipv4Net;

use super::super::handles::{
    AddressPool, Authenticator, BoxFuture, Decision, FinalCounters, Handles, Login, PacketPath, Recorder,
    Routes, Slot,
};
use crate::addresses::LeaseRequest;
use crate::event_writer::Entry;
use crate::message::Learned;
use crate::reach::{ReachTable, SetReach};
use crate::registry::Registry;

pub(super) const PASSWORD: &str = "correct horse";
pub(super) const INNER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 14);
pub(super) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
pub(super) const CALL_ID: LocalCallId = LocalCallId::new(4711);

/// The network behind the account.
pub(super) fn branch() -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 77, 0), 24)
}

/// The calls made to all fakes, in order, and the settings of the fakes.
#[derive(Default)]
pub(super) struct Fake {
    log: Mutex<Vec<String>>,
    pub(super) entries: Mutex<Vec<Entry>>,
    /// Frames on their way to the client.
    pub(super) frames: Mutex<VecDeque<Vec<u8>>>,
    pub(super) unmatched: Mutex<Option<Unmatched>>,
    pub(super) has_no_call_id: AtomicBool,
    pub(super) has_no_route: AtomicBool,
    /// Packets that the client has sent in all.
    pub(super) packets: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl Fake {
    fn write(&self, line: impl Into<String>) {
        lock(&self.log).push(line.into());
    }

    /// The calls so far.
    pub(super) fn log(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    /// The position of a line in the log, where it must occur once.
    pub(super) fn position(&self, line: &str) -> usize {
        let log = self.log();
        let mut at = log.iter().enumerate().filter(|(_, logged)| *logged == line).map(|(at, _)| at);
        match (at.next(), at.next()) {
            (Some(at), None) => at,
            (found, _) => {
                panic!("{line} is there {} in {log:#?}", if found.is_some() { "twice" } else { "not" })
            }
        }
    }

    /// The fields of the last event of a kind.
    pub(super) fn fields(&self, kind: &str) -> Vec<(String, String)> {
        let entries = lock(&self.entries);
        let mut events = entries.iter().filter_map(|entry| match entry {
            Entry::Event(event) if event.facts.kind().word() == kind => Some(event.facts.fields(event.code)),
            _ => None,
        });
        events.next_back().unwrap()
    }

    pub(super) fn handles(self: &Arc<Fake>) -> Arc<Handles> {
        Arc::new(Handles {
            registry: Arc::new(Registry::default()),
            recorder: Box::new(FakeRecorder(Arc::clone(self))),
            path: Arc::clone(self) as _,
            authenticator: Box::new(FakeAuthenticator),
            addresses: Arc::clone(self) as _,
            routes: Arc::clone(self) as _,
            reach: Arc::new(ReachTable::new(super::world::config(""), adit_policy::reach::Locals::default())),
        })
    }

    pub(super) fn slot(self: &Arc<Fake>) -> Box<dyn Slot> {
        Box::new(FakeSlot(Arc::clone(self)))
    }
}

struct FakeRecorder(Arc<Fake>);

impl Recorder for FakeRecorder {
    fn enqueue(&self, entry: Entry) {
        match &entry {
            Entry::Event(event) => self.0.write(format!("event {}", event.facts.kind())),
            Entry::Change(Change::End(..)) => self.0.write("row ended"),
            Entry::Change(Change::Release(Release { pool, address, .. })) => {
                self.0.write(format!("row released {pool} {address}"));
            }
            Entry::Step(_) | Entry::Change(_) | Entry::Prune(_) | Entry::Retry | Entry::Flush(_) => {}
        }
        lock(&self.0.entries).push(entry);
    }
}

struct FakeSlot(Arc<Fake>);

impl Slot for FakeSlot {
    fn reached(&self, stage: Stage) {
        self.0.write(format!("slot {stage:?}"));
    }

    fn set_waiting(&self, is_waiting: bool) {
        self.0.write(format!("slot {}", if is_waiting { "waits" } else { "waits no more" }));
    }

    fn login_refused(&self) {
        self.0.write("slot login refused");
    }

    fn call_up(self: Box<Self>) {
        self.0.write("slot call up");
    }
}

impl Drop for FakeSlot {
    fn drop(&mut self) {
        self.0.write("slot free");
    }
}

impl SetReach for Fake {
    fn set_reach(&self, call_id: LocalCallId, _reach: Arc<Reach>) {
        assert_eq!(call_id, CALL_ID);
    }
}

impl PacketPath for Fake {
    fn reserve_call_id(&self, _peer: Ipv4Addr) -> Option<LocalCallId> {
        (!self.has_no_call_id.load(Ordering::Relaxed)).then_some(CALL_ID)
    }

    fn open(&self, call_id: LocalCallId, _local: Ipv4Addr, peer: Ipv4Addr, _config: PathConfig) {
        self.write(format!("path open {call_id} {peer}"));
    }

    fn command(&self, call_id: LocalCallId, _command: PathCommand) {
        assert_eq!(call_id, CALL_ID);
    }

    fn send_frame(&self, call_id: LocalCallId, frame: Vec<u8>) {
        assert_eq!(call_id, CALL_ID);
        lock(&self.frames).push_back(frame);
    }

    fn send_ip(&self, call_id: LocalCallId, _packet: Vec<u8>) {
        self.write(format!("path send ip {call_id}"));
    }

    fn counters(&self, _call_id: LocalCallId) -> Option<Counters> {
        Some(Counters { rx_packets: self.packets.load(Ordering::Relaxed), ..Counters::default() })
    }

    fn unmatched(&self, _call_id: LocalCallId, _peer: Ipv4Addr, _since: Instant) -> Option<Unmatched> {
        *lock(&self.unmatched)
    }

    fn close(&self, call_id: LocalCallId) -> Option<FinalCounters> {
        self.write(format!("path close {call_id}"));
        let late = self.packets.load(Ordering::Relaxed) + 1;
        Some(Box::new(move || (Counters { rx_packets: late, ..Counters::default() }, Hits::default())))
    }
}

/// The verdict of the fake account `alice`.
pub(super) fn authenticate(request: &AuthRequest) -> (Answer, Learned) {
    match proof::check(&request.proof, &Secret::Clear(Password::new(PASSWORD))) {
        Ok(proven) => {
            let learned =
                Learned { user: Some("alice".to_owned()), networks: vec![branch()], ..Learned::default() };
            (Answer::Accept { proven, terms: Terms { answer_dhcp: true, ..Terms::default() } }, learned)
        }
        Err(_) => {
            let reject = Rejection {
                error: MsChapError::AuthenticationFailure,
                code: Code::A01,
                retry: false,
                message: "authentication failed".to_owned(),
            };
            let refused = Some(LoginRefusal::WrongPassword.into());
            let learned = Learned { user: Some("alice".to_owned()), refused, ..Learned::default() };
            (Answer::Reject(reject), learned)
        }
    }
}

/// The address of the fake pool.
pub(super) fn lend() -> (Answer, Learned) {
    let grant = AddressGrant { peer: INNER, local: GATEWAY, dns: Vec::new(), wins: Vec::new() };
    let learned = Learned { lease: Some(("pool".to_owned(), INNER)), ..Learned::default() };
    (Answer::Address(grant), learned)
}

struct FakeAuthenticator;

impl Authenticator for FakeAuthenticator {
    fn authenticate(&self, login: Login) -> BoxFuture<'static, Decision> {
        Box::pin(async move { Some(authenticate(&login.request)) })
    }
}

impl AddressPool for Fake {
    fn lend(
        &self,
        _config: Arc<Config>,
        _session: SessionId,
        request: LeaseRequest,
    ) -> BoxFuture<'static, Decision> {
        self.write(format!("lend to {}", request.user));
        Box::pin(async { Some(lend()) })
    }

    fn release(&self, session: SessionId) {
        self.write(format!("release {session}"));
    }
}

impl Routes for Fake {
    fn add(&self, net: Ipv4Net, _client: Ipv4Addr) -> BoxFuture<'_, Result<(), String>> {
        self.write(format!("route add {net}"));
        let refused = self.has_no_route.load(Ordering::Relaxed);
        Box::pin(async move { if refused { Err("no such device".to_owned()) } else { Ok(()) } })
    }

    fn remove(&self, net: Ipv4Net) -> BoxFuture<'_, ()> {
        self.write(format!("route remove {net}"));
        Box::pin(async {})
    }
}
