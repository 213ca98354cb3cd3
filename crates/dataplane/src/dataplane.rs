//! The handle to the dataplane.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use adit_crypto::Rng;
use adit_diag::Counters;
use adit_policy::reach::Hits;
use adit_sys::gre::{CallFilter, GreOptions, GreSocket};
use adit_sys::poll::Waker;
use adit_sys::tun::Tun;
use adit_tunnel::events::Unmatched;
use adit_tunnel::path::{HEADROOM, PathCommand, PathConfig};
use adit_wire::LocalCallId;
use ipnet::{IpNet, Ipv4Net};

use crate::call_ids::CallIds;
use crate::cipher::{self, CipherChoice};
use crate::config::DataplaneConfig;
use crate::counters::{Drops, LastCounters, SharedCounters, SharedDrops};
use crate::event::{self, Beats, Events};
use crate::in_use::IoInUse;
use crate::io::{self, GreIn, GreOut, SocketIn, SocketOut};
use crate::order::{self, Open, Order, Orders};
use crate::worker::{self, Around, Parts, Sources, Worker};

/// The workers of one process. Every method may be called from any thread and does not wait for packets.
#[derive(Debug)]
pub struct Dataplane {
    workers: Vec<Orders>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    calls: Mutex<Known>,
    drops: Arc<SharedDrops>,
    cipher: CipherChoice,
    io: IoInUse,
    beats: Beats,
}

/// The state of calls on the caller's side.
#[derive(Debug)]
struct Known {
    ids: CallIds,
    counters: BTreeMap<LocalCallId, Arc<SharedCounters>>,
}

impl Dataplane {
    /// Opens the GRE sockets and starts the workers. `tun` has been or will be configured; for several
    /// workers it should have several queues, otherwise one worker reads for all.
    ///
    /// # Errors
    /// If a socket cannot be opened or a thread cannot be started, with the code and the fix.
    pub fn start(config: DataplaneConfig, tun: Tun) -> adit_sys::Result<(Dataplane, Events)> {
        let count = config.worker_count();
        let mask = (count - 1) as u16;
        let (events, receiver) = event::queue();
        let drops = Arc::new(SharedDrops::default());
        let queues = queues(tun, count);

        let wakers = (0..count).map(|_| Waker::new()).collect::<adit_sys::Result<Vec<_>>>()?;
        let (workers, orders): (Vec<_>, Vec<_>) = wakers.iter().cloned().map(order::queue).unzip();
        let rng = Rng::from_seed(adit_sys::host::random_seed()?);
        let known = Known { ids: CallIds::new(config.quarantine, rng), counters: BTreeMap::new() };
        // From here on an error drops this value, which stops the workers that run already.
        let mut dataplane = Dataplane {
            workers: workers.clone(),
            threads: Mutex::new(Vec::new()),
            calls: Mutex::new(known),
            drops: Arc::clone(&drops),
            cipher: cipher::choose(config.cipher),
            io: IoInUse::socket(&queues, count),
            beats: receiver.beats(),
        };
        let sockets = (0..count as u16)
            .map(|number| {
                let filter = if count == 1 { CallFilter::all() } else { CallFilter::share(mask, number) };
                let options = GreOptions {
                    local: config.local,
                    interface: config.interface.clone(),
                    filter: Some(filter),
                    dont_fragment: config.dont_fragment,
                    ..GreOptions::default()
                };
                GreSocket::open(&options).map(Arc::new)
            })
            .collect::<adit_sys::Result<Vec<_>>>()?;
        let shares = dataplane.io.open_xdp(&config, &sockets);
        let mut shares = shares.into_iter();
        for (number, ((orders, waker), socket)) in orders.into_iter().zip(wakers).zip(sockets).enumerate() {
            // A worker without a queue of its own writes to the first one, which the first worker reads.
            let own = queues.get(number).cloned();
            let Some(tun) = own.clone().or_else(|| queues.first().cloned()) else { continue };
            let outside = Around {
                tun,
                events: events.clone(),
                drops: Arc::clone(&drops),
                orders,
                workers: workers.clone(),
                number,
                reads_tun: own.is_some(),
                dont_fragment: config.dont_fragment,
            };
            let thread = match shares.next() {
                Some(xdp) => {
                    let (input, gre) = io::xdp(xdp, &socket);
                    let sources = Sources::new(waker, socket.as_ref(), Some(&input), own.as_deref())?;
                    start(Parts { input, gre, around: outside }, sources, own)
                }
                None => {
                    let input = SocketIn::new(Arc::clone(&socket));
                    let sources = Sources::new(waker, socket.as_ref(), None::<&Tun>, own.as_deref())?;
                    start(Parts { input, gre: SocketOut::new(socket), around: outside }, sources, own)
                }
            }?;
            dataplane.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        dataplane.set_networks(config.networks);
        Ok((dataplane, receiver))
    }

    /// Reserves a Call ID for a new call with `peer`; `None` if all are in use. [`Dataplane::close`] releases
    /// it. The first packets of the call may arrive before [`Dataplane::open`]; a few are held for it.
    pub fn reserve_call_id(&self, peer: Ipv4Addr) -> Option<LocalCallId> {
        let call_id = self.known().ids.reserve(Instant::now())?;
        if let Some(calls) = self.io.calls() {
            calls.insert(call_id.get(), peer);
        }
        self.give(call_id, Order::Expect(call_id, peer));
        Some(call_id)
    }

    /// Opens a call: from now on GRE packets from `peer` with this Call ID are accepted. `local` is our
    /// address on the control connection, and so the source of the call's GRE packets; with 0.0.0.0 the
    /// routing table selects it.
    pub fn open(&self, call_id: LocalCallId, local: Ipv4Addr, peer: Ipv4Addr, config: PathConfig) {
        let counters = Arc::new(SharedCounters::default());
        self.known().counters.insert(call_id, Arc::clone(&counters));
        let config = PathConfig { local_call_id: call_id, ..config };
        self.give(call_id, Order::Open(Box::new(Open { local, peer, config, counters })));
    }

    /// Passes a command to the path of a call. A network command also sets the destinations that lead to the
    /// call.
    pub fn command(&self, call_id: LocalCallId, command: PathCommand) {
        let routes = match &command {
            PathCommand::Network(Some(network)) => {
                let v4 = network.peer_networks.iter().copied().map(IpNet::V4);
                let v6 = network.ipv6.iter().flat_map(|v6| v6.peer_networks.iter().copied().map(IpNet::V6));
                Some(v4.chain(v6).collect())
            }
            PathCommand::Network(None) => Some(Vec::new()),
            _ => None,
        };
        self.give(call_id, Order::Path(call_id, command));
        if let Some(routes) = routes {
            self.give_all(|| Order::Routes(call_id, routes.clone()));
        }
    }

    /// Sends a PPP control frame.
    pub fn send_frame(&self, call_id: LocalCallId, frame: Vec<u8>) {
        self.give_or_drop(call_id, Order::Frame(call_id, frame));
    }

    /// Sends an IP packet into the tunnel, as if it came from the host.
    pub fn send_ip(&self, call_id: LocalCallId, packet: Vec<u8>) {
        let mut buffer = vec![0; HEADROOM];
        buffer.extend_from_slice(&packet);
        self.give_or_drop(call_id, Order::Packet(call_id, buffer));
    }

    /// Closes a call and releases its Call ID. The returned counters are final some time later.
    pub fn close(&self, call_id: LocalCallId) -> Option<LastCounters> {
        self.give_all(|| Order::Close(call_id));
        if let Some(calls) = self.io.calls() {
            calls.remove(call_id.get());
        }
        let mut known = self.known();
        known.ids.release(Instant::now(), call_id);
        known.counters.remove(&call_id).map(LastCounters)
    }

    /// The counters of an open call, as of the last turn of its worker.
    pub fn counters(&self, call_id: LocalCallId) -> Option<Counters> {
        self.known().counters.get(&call_id).map(|shared| shared.read())
    }

    /// What the rules have decided about the packets of an open call, as of the last turn of its worker.
    pub fn hits(&self, call_id: LocalCallId) -> Option<Hits> {
        self.known().counters.get(&call_id).map(|shared| shared.hits())
    }

    /// Changes the networks from which calls get their addresses.
    pub fn set_networks(&self, networks: Vec<Ipv4Net>) {
        self.give_all(|| Order::Pools(networks.clone()));
    }

    /// Uses another TUN interface from now on: the former one was removed. Calls and their keys are kept.
    pub fn replace_tun(&self, tun: Tun) {
        let queues = queues(tun, self.workers.len());
        for (number, worker) in self.workers.iter().enumerate() {
            let own = queues.get(number);
            if let Some(tun) = own.or(queues.first()) {
                worker.give(Order::Tun { tun: Arc::clone(tun), reads: own.is_some() });
            }
        }
    }

    /// The counters of packets dropped outside of any call.
    pub fn drops(&self) -> Drops {
        self.drops.read()
    }

    /// The unmatched GRE packets since `since` that may have been meant for this call.
    pub fn unmatched(&self, call_id: LocalCallId, peer: Ipv4Addr, since: Instant) -> Option<Unmatched> {
        let seen = self.drops.unmatched.since(since);
        // A late packet of an earlier call has the Call ID of that call, which is in quarantine.
        let unknown = |id: u16| !self.known().ids.is_taken(LocalCallId::new(id));
        let renamed = seen.iter().find(|seen| seen.source == peer && unknown(seen.call_id));
        let elsewhere = seen.iter().find(|seen| seen.source != peer && seen.call_id == call_id.get());
        renamed
            .map(|seen| Unmatched::CallId(seen.call_id))
            .or(elsewhere.map(|seen| Unmatched::Source(seen.source)))
    }

    /// The form of RC4 in use.
    pub fn cipher(&self) -> CipherChoice {
        self.cipher
    }

    /// The method by which packets are moved now, for display.
    pub fn io(&self) -> String {
        self.io.text()
    }

    /// Why the socket is used although AF_XDP was requested, or would be used where it is safe; empty if there is nothing
    /// to say.
    pub fn no_xdp(&self) -> String {
        self.io.no_xdp()
    }

    /// The number of GRE packets so far that AF_XDP left to the socket.
    pub fn left_by_xdp(&self) -> u64 {
        self.drops.left_by_xdp.load(Ordering::Relaxed)
    }

    /// Asks every worker for a heartbeat with this number, which must be larger than the one before.
    pub fn request_beat(&self, number: u64) {
        for worker in &self.workers {
            // A queue that is full for long belongs to a worker that makes no progress.
            let _ = worker.try_give(Order::Beat(number));
        }
    }

    /// The number of the last heartbeat that arrived from every worker, and was taken by the thread that handles events.
    pub fn last_beat(&self) -> u64 {
        let beats = self.beats.iter().take(self.workers.len());
        beats.map(|beat| beat.load(Ordering::Relaxed)).min().unwrap_or(u64::MAX)
    }

    /// Stops the workers and waits for their end. Later input is discarded.
    pub fn stop(&self) {
        self.give_all(|| Order::Stop);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owner(&self, call_id: LocalCallId) -> Option<&Orders> {
        self.workers.get(call_id.index() % self.workers.len().max(1))
    }

    fn give(&self, call_id: LocalCallId, order: Order) {
        if let Some(worker) = self.owner(call_id) {
            worker.give(order);
        }
    }

    fn give_all(&self, order: impl Fn() -> Order) {
        for worker in &self.workers {
            worker.give(order());
        }
    }

    fn give_or_drop(&self, call_id: LocalCallId, order: Order) {
        if self.owner(call_id).is_some_and(|worker| !worker.try_give(order)) {
            crate::counters::count(&self.drops.queue_full, 1);
        }
    }
}

impl Drop for Dataplane {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Opens one queue of the interface for each worker, or as many as there are.
fn queues(tun: Tun, count: usize) -> Vec<Arc<Tun>> {
    let mut queues = Vec::new();
    for _ in 1..count {
        match tun.another_queue() {
            Ok(queue) => queues.push(Arc::new(queue)),
            Err(_) => break,
        }
    }
    queues.insert(0, Arc::new(tun));
    queues
}

/// Starts the thread of one worker.
fn start<I: GreIn + Send + 'static, O: GreOut + Send + 'static>(
    parts: Parts<I, O, Arc<Tun>>,
    sources: Sources,
    own: Option<Arc<Tun>>,
) -> adit_sys::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("adit-data-{}", parts.around.number))
        .spawn(move || worker::run(Worker::new(parts), &sources, own.as_deref()))
        .map_err(|error| {
            let tried = "cannot start a worker thread";
            adit_sys::Error::new(adit_sys::Kind::Other, tried, error.to_string())
        })
}
