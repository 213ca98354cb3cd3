//! Adapters that implement the interfaces of [`super::handles`] with the parts of the server.

use adit_wire::LocalCallId;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use adit_auth::Caller;
use adit_config::Config;
use adit_dataplane::Dataplane;
use adit_diag::Counters;
use adit_policy::admission::Stage;
use adit_store::SessionId;
use adit_tunnel::events::Unmatched;
use adit_tunnel::path::{PathCommand, PathConfig};
use ipnet::Ipv4Net;

use super::handles::{
    AddressPool, Authenticator, BoxFuture, Decision, FinalCounters, Login, PacketPath, Recorder, Routes, Slot,
};
use crate::addresses::{Addresses, LeaseRequest};
use crate::admission::SetupSlot;
use crate::event_writer::{Entry, EventWriter};
use crate::host::Host;
use crate::login::SourceAuthenticator;

impl Recorder for EventWriter {
    fn enqueue(&self, entry: Entry) {
        EventWriter::enqueue(self, entry);
    }
}

impl PacketPath for Dataplane {
    fn reserve_call_id(&self, peer: Ipv4Addr) -> Option<LocalCallId> {
        Dataplane::reserve_call_id(self, peer)
    }

    fn open(&self, call_id: LocalCallId, local: Ipv4Addr, peer: Ipv4Addr, config: PathConfig) {
        Dataplane::open(self, call_id, local, peer, config);
    }

    fn command(&self, call_id: LocalCallId, command: PathCommand) {
        Dataplane::command(self, call_id, command);
    }

    fn send_frame(&self, call_id: LocalCallId, frame: Vec<u8>) {
        Dataplane::send_frame(self, call_id, frame);
    }

    fn send_ip(&self, call_id: LocalCallId, packet: Vec<u8>) {
        Dataplane::send_ip(self, call_id, packet);
    }

    fn counters(&self, call_id: LocalCallId) -> Option<Counters> {
        Dataplane::counters(self, call_id)
    }

    fn unmatched(&self, call_id: LocalCallId, peer: Ipv4Addr, since: Instant) -> Option<Unmatched> {
        self.unmatched(call_id, peer, since)
    }

    fn close(&self, call_id: LocalCallId) -> Option<FinalCounters> {
        let last = Dataplane::close(self, call_id)?;
        Some(Box::new(move || (last.read(), last.hits())))
    }
}

impl Slot for SetupSlot {
    fn reached(&self, stage: Stage) {
        SetupSlot::reached(self, stage);
    }

    fn set_waiting(&self, is_waiting: bool) {
        SetupSlot::set_waiting(self, is_waiting);
    }

    fn login_refused(&self) {
        SetupSlot::login_refused(self);
    }

    fn call_up(self: Box<Self>) {
        SetupSlot::call_up(*self);
    }
}

impl Authenticator for SourceAuthenticator {
    fn authenticate(&self, login: Login) -> BoxFuture<'static, Decision> {
        let this = self.clone();
        Box::pin(async move {
            let Login { config, from, request, pending } = login;
            let caller = Caller { from: *from.ip(), config };
            Some(this.log_in(&request, &caller, pending).await)
        })
    }
}

/// The address pools. They block on the store, so each call runs on the blocking pool of the runtime.
pub(crate) struct BlockingAddresses(pub(crate) Arc<Addresses>);

impl AddressPool for BlockingAddresses {
    fn lend(
        &self,
        config: Arc<Config>,
        session: SessionId,
        request: LeaseRequest,
    ) -> BoxFuture<'static, Decision> {
        let addresses = Arc::clone(&self.0);
        let lend = move || addresses.lend(&config, session, &request);
        Box::pin(async move { tokio::task::spawn_blocking(lend).await.ok() })
    }

    fn release(&self, session: SessionId) {
        self.0.release(session);
    }
}

impl Routes for Host {
    fn add(&self, net: Ipv4Net, client: Ipv4Addr) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.add_route(net, client))
    }

    fn remove(&self, net: Ipv4Net) -> BoxFuture<'_, ()> {
        Box::pin(self.remove_route(net))
    }
}
