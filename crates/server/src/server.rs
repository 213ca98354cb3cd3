//! The daemon as a whole: its parts, start, reload and stop.

mod reload;
pub(crate) mod watch;

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, Weak};
use std::time::{Duration, Instant};

use adit_admin::{ConfigFile, FileState};
use adit_api::status::{CodeCount, Drops, PoolStatus, QueueStatus, RadiusStatus, Status, Warning};
use adit_api::{Identity, Utc};
use adit_auth::Sources;
use adit_config::Config;
use adit_crypto::Rng;
use adit_dataplane::Dataplane;
use adit_diag::event::HostPart;
use adit_diag::{Code, EventFacts};
use adit_policy::reach::Locals;
use adit_store::{Change, NewEvent, ServerId, ServerIdentity, Store};
use adit_tunnel::ServerConfig;
use adit_tunnel::events::Why;
use adit_wire::LocalCallId;
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::addresses::Addresses;
use crate::admission::{Admission, Numbers, SetupSlot};
use crate::capacity::Descriptors;
use crate::connection::{BlockingAddresses, Connection, Handles, Start};
use crate::convert;
use crate::error::ServerError;
use crate::event_writer::{Entry, EventWriter};
use crate::health::{self, Health};
use crate::host::Host;
use crate::lockout::Lockout;
use crate::login::SourceAuthenticator;
use crate::message::Message;
use crate::rate_limit::RateLimit;
use crate::reach::ReachTable;
use crate::reach::report;
use crate::registry::Registry;
use crate::session::Session;
use crate::unanswered;

/// Rereads the configuration on reload.
pub type Reread = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// The settings with which the program starts the server.
pub struct Options {
    /// The configuration, checked.
    pub config: Config,
    /// The configuration file, and whether it is in effect.
    pub file: ConfigFile,
    /// Rereads the configuration.
    pub reread: Reread,
    /// Accounts, leases, sessions, events.
    pub store: Store,
    /// The store's file, with which other processes recognize this server; `None` for a store in memory.
    pub database: Option<PathBuf>,
    /// The account sources; [`Sources::from_config`] makes those of the configuration.
    pub sources: Sources,
    /// The file of the server identity, created on first use; `None` for a store that ends with the process.
    pub identity: Option<PathBuf>,
    /// The directory of the control socket.
    pub run_dir: PathBuf,
    /// Name of the tunnel interface; a `%d` in it is replaced by a number.
    pub interface: String,
    /// Called once when calls are accepted, with the status to show to the user.
    pub ready: Box<dyn FnOnce(&Status) + Send>,
    /// Version of the program.
    pub version: &'static str,
}

/// How long sessions may take to record their end after they are cut.
const CUT: Duration = Duration::from_secs(1);

/// How long the address of a user's last login is remembered for the admission queue.
const LOGIN_REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);
/// How long the status shows that connections were refused or ended for want of space.
const REFUSAL_SHOWN: Duration = Duration::from_secs(600);

/// How often counters are read.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// The number of sessions whose counters are written in one transaction.
const COUNTED_TOGETHER: usize = 1000;

/// The most events about rules that are written each time that counters are read; what is left follows.
const RULE_EVENTS: usize = 50;

/// The daemon.
pub(crate) struct Server {
    /// The configuration of new calls, and its converted form for their machines.
    config: RwLock<(Arc<Config>, ServerConfig)>,
    file: ConfigFile,
    database: Option<PathBuf>,
    reread: Reread,
    /// Held during a reload.
    reloading: Mutex<()>,
    /// Earlier configurations that connections may still have.
    former: Mutex<Vec<Weak<Config>>>,
    /// The faults of the host.
    health: Health,
    /// Why the server ends, if not on request.
    failure: Mutex<Option<ServerError>>,
    stopping: AtomicBool,
    pub(crate) store: Store,
    /// The id of this server in the store.
    pub(crate) id: ServerId,
    /// The identity of which that is the id.
    identity: ServerIdentity,
    pub(crate) registry: Arc<Registry>,
    pub(crate) event_writer: EventWriter,
    pub(crate) lockout: Arc<Lockout>,
    /// The account sources, for the status of their servers.
    sources: Sources,
    pub(crate) dataplane: Arc<Dataplane>,
    host: Arc<Host>,
    addresses: Arc<Addresses>,
    /// What each group may reach.
    reach: Arc<ReachTable>,
    /// The interfaces that connections use.
    handles: Arc<Handles>,
    rng: Mutex<Rng>,
    pub(crate) admission: Arc<Admission>,
    descriptors: Descriptors,
    /// Names the limits that the limit of open files reduced.
    reduced_limits: Mutex<Option<Warning>>,
    /// When a connection was last refused or ended for want of space.
    refused_at: Mutex<Option<Instant>>,
    flooded: Mutex<(u64, Option<Ipv4Addr>)>,
    flood_limit: RateLimit,
    error_limit: RateLimit,
    /// The number of accounts when they were last counted.
    users: AtomicU64,
    shutdown: Notify,
    version: &'static str,
    started: Timestamp,
    started_at: Instant,
    listen: Vec<SocketAddrV4>,
}

fn for_calls(config: Config) -> (Arc<Config>, ServerConfig) {
    let tunnel = convert::tunnel(&config);
    (Arc::new(config), tunnel)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The parts that [`crate::run`] creates, in the order in which they must be created.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) file: ConfigFile,
    pub(crate) database: Option<PathBuf>,
    pub(crate) reread: Reread,
    pub(crate) store: Store,
    pub(crate) sources: Sources,
    pub(crate) id: ServerId,
    pub(crate) identity: ServerIdentity,
    pub(crate) registry: Arc<Registry>,
    pub(crate) event_writer: EventWriter,
    pub(crate) lockout: Arc<Lockout>,
    pub(crate) dataplane: Dataplane,
    pub(crate) host: Host,
    pub(crate) addresses: Addresses,
    pub(crate) seed: [u8; 32],
    pub(crate) descriptors: Descriptors,
    pub(crate) version: &'static str,
    pub(crate) listen: Vec<SocketAddrV4>,
    pub(crate) locals: Locals,
}

impl Server {
    pub(crate) fn new(mut parts: Parts) -> Server {
        let reduced_limits = parts.descriptors.adapt(&mut parts.config.limits);
        let admission = Admission::new(&parts.config.limits, parts.descriptors.capacity);
        let dataplane = Arc::new(parts.dataplane);
        let host = Arc::new(parts.host);
        let addresses = Arc::new(parts.addresses);
        let config = for_calls(parts.config);
        let reach = Arc::new(ReachTable::new(Arc::clone(&config.0), parts.locals));
        let handles = Arc::new(Handles {
            registry: Arc::clone(&parts.registry),
            recorder: Box::new(parts.event_writer.clone()),
            path: Arc::clone(&dataplane) as _,
            authenticator: Box::new(SourceAuthenticator {
                sources: parts.sources.clone(),
                registry: Arc::clone(&parts.registry),
                event_writer: parts.event_writer.clone(),
                lockout: Arc::clone(&parts.lockout),
            }),
            addresses: Arc::new(BlockingAddresses(Arc::clone(&addresses))),
            routes: Arc::clone(&host) as _,
            reach: Arc::clone(&reach),
        });
        Server {
            config: RwLock::new(config),
            file: parts.file,
            database: parts.database,
            reread: parts.reread,
            reloading: Mutex::default(),
            former: Mutex::default(),
            health: Health::default(),
            failure: Mutex::default(),
            stopping: AtomicBool::new(false),
            store: parts.store,
            id: parts.id,
            identity: parts.identity,
            registry: parts.registry,
            event_writer: parts.event_writer,
            lockout: parts.lockout,
            sources: parts.sources,
            dataplane,
            host,
            addresses,
            reach,
            handles,
            rng: Mutex::new(Rng::from_seed(parts.seed)),
            admission,
            descriptors: parts.descriptors,
            reduced_limits: Mutex::new(reduced_limits),
            refused_at: Mutex::default(),
            flooded: Mutex::default(),
            flood_limit: RateLimit::default(),
            error_limit: RateLimit::default(),
            users: AtomicU64::new(0),
            shutdown: Notify::new(),
            version: parts.version,
            started: Timestamp::now(),
            started_at: Instant::now(),
            listen: parts.listen,
        }
    }

    /// The configuration that new calls get.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.config_for_a_call().0
    }

    /// The configuration of new calls with its converted form; all calls that get it share it.
    fn config_for_a_call(&self) -> (Arc<Config>, ServerConfig) {
        self.config.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Creates the connection of a new session, which begins with the octets `first`.
    pub(crate) fn connection(
        &self,
        session: Arc<Session>,
        slot: SetupSlot,
        stream: TcpStream,
        first: Vec<u8>,
    ) -> Connection {
        let (config, tunnel) = self.config_for_a_call();
        let rng = lock(&self.rng).fork();
        let start = Start { config, tunnel, rng, session, slot: Box::new(slot) };
        Connection::new(Arc::clone(&self.handles), start, stream, first)
    }

    /// Lets addresses from which users logged in recently pass others in the admission queue.
    pub(crate) fn remember_logins(&self) {
        // Without them, all addresses are treated alike: no reason not to start.
        let Ok(accounts) = self.store.accounts() else { return };
        let since = Timestamp::now() - LOGIN_REMEMBERED;
        let mut logins: Vec<_> = accounts.into_iter().filter_map(|account| account.last_login).collect();
        logins.retain(|login| login.at >= since);
        logins.sort_unstable_by_key(|login| login.at);
        self.admission.remember(logins.iter().filter_map(|login| match login.from {
            IpAddr::V4(from) => Some(from),
            IpAddr::V6(_) => None,
        }));
    }

    /// Counts connections that were refused or ended because there was no space for them; logs this once a minute.
    pub(crate) fn count_flood(&self, connections: u64, from: Ipv4Addr) {
        *lock(&self.refused_at) = Some(Instant::now());
        let mut flooded = lock(&self.flooded);
        flooded.0 += connections;
        flooded.1 = Some(from);
        if self.flood_limit.is_due() {
            let mut event = NewEvent::new(Timestamp::now(), EventFacts::CallFlood { refused: flooded.0 });
            event.from = Some(from.into());
            event.code = Some(Code::C05);
            self.event_writer.enqueue_event(event);
            flooded.0 = 0;
        }
    }

    /// Why new calls are refused now: the store or another part of the host does not work.
    pub(crate) fn refuses_calls(&self) -> Option<(Code, String)> {
        let blocked = self.event_writer.blocked();
        let refusal = blocked.map(|error| (error.code().unwrap_or(Code::S09), error.to_string()));
        refusal.or_else(|| self.health.refusal())
    }

    /// Logs a failure, at most once a minute.
    pub(crate) fn log_rate_limited(&self, what: &str, error: &dyn std::fmt::Display) {
        if self.error_limit.is_due() {
            log_stderr!("error    {what}: {error}");
        }
    }

    /// Refuses new calls, or accepts them again.
    pub(crate) fn drain(&self, on: bool) {
        self.registry.draining.store(on, Ordering::Relaxed);
        let facts = if on { EventFacts::ServerDrain } else { EventFacts::ServerUndrain };
        self.event_writer.enqueue_event(NewEvent::new(Timestamp::now(), facts));
    }

    /// Makes the main task end all sessions in order, then stop.
    pub(crate) fn request_shutdown(&self) {
        self.shutdown.notify_one();
    }

    /// Waits for [`Server::request_shutdown`].
    pub(crate) async fn shutdown_requested(&self) {
        self.shutdown.notified().await;
    }

    /// Ends every session in order; cuts those that are left when the grace period is over or `cut` is ready.
    pub(crate) async fn end_all(&self, grace: Duration, cut: impl Future<Output = ()>) {
        self.stopping.store(true, Ordering::Relaxed);
        self.drain(true);
        for session in self.registry.all() {
            session.end(Why::Shutdown, None, "the server is being stopped".to_owned());
        }
        tokio::select! {
            () = self.all_gone() => return,
            () = tokio::time::sleep(grace) => {}
            () = cut => {}
        }
        for session in self.registry.all() {
            session.cut();
        }
        let _ = tokio::time::timeout(CUT, self.all_gone()).await;
    }

    async fn all_gone(&self) {
        while self.registry.len() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Writes the counters of running sessions and deletes old rows, periodically.
    pub(crate) async fn run_maintenance(self: &Arc<Self>) {
        let mut every = tokio::time::interval(Duration::from_secs(60));
        // The clock was checked at the start.
        let mut checked = Instant::now();
        let mut minutes = 0u64;
        loop {
            every.tick().await;
            let counters = self
                .registry
                .all()
                .iter()
                .filter(|session| session.known().up.is_some())
                .map(|session| (session.id, session.known().counters.traffic()))
                .collect::<Vec<_>>();
            // In chunks, so that other writers get their turn.
            for some in counters.chunks(COUNTED_TOGETHER) {
                self.event_writer.enqueue(Entry::Change(Change::Count(some.to_vec())));
            }
            if minutes.is_multiple_of(60) {
                if minutes > 0 {
                    let server = Arc::clone(self);
                    let ran = std::mem::replace(&mut checked, Instant::now()).elapsed();
                    let _ = tokio::task::spawn_blocking(move || server.check_clock(ran)).await;
                }
                self.event_writer.enqueue(Entry::Prune(convert::retention(&self.config())));
            }
            minutes += 1;
        }
    }

    /// Reports packets with the Call ID of no call, if there are implausibly many.
    fn watch_unknown_calls(&self, now: Instant) {
        let total = self.dataplane.drops().unknown_call;
        if let Some(facts) = self.registry.forgeries.note_unknown(now, total) {
            let event = NewEvent { code: Some(Code::G10), ..NewEvent::new(Timestamp::now(), facts) };
            self.event_writer.enqueue_event(event);
        }
    }

    /// Sends sessions their traffic counts, for idle time-outs and lists, and says when packets take another path.
    pub(crate) async fn watch_traffic(&self) {
        let mut every = tokio::time::interval(COUNT_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut io = self.dataplane.io();
        loop {
            every.tick().await;
            self.watch_unknown_calls(Instant::now());
            let now = self.dataplane.io();
            if now != io {
                let why = self.dataplane.no_xdp();
                let because = if why.is_empty() { String::new() } else { format!("; no AF_XDP: {why}") };
                log_stderr!("note     link.io: {now}{because}");
                io = now;
            }
            let mut events_left = RULE_EVENTS;
            for session in self.registry.all() {
                let Some((call_id, _)) = session.known().call_ids else { continue };
                let Some(counters) = self.dataplane.counters(call_id) else { continue };
                self.report_rules(&session, call_id, &mut events_left);
                let packets = counters.rx_packets + counters.tx_packets;
                let mut known = session.known();
                let before = known.counters.rx_packets + known.counters.tx_packets;
                known.counters = counters;
                drop(known);
                if packets != before {
                    let (received, sent) = (counters.rx_packets, counters.tx_packets);
                    session.queue.push(Message::Traffic { received, sent });
                }
            }
        }
    }

    /// Whether the server is being stopped.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Uses other addresses of this host for `access.server`, at once.
    pub(crate) fn set_locals(&self, locals: Locals) {
        self.reach.set_locals(locals, &self.registry, &*self.dataplane);
    }

    /// Reads what the rules have decided about the packets of a session.
    pub(crate) fn read_hits(&self, session: &Session) {
        let Some((call_id, _)) = session.known().call_ids else { return };
        if let Some(hits) = self.dataplane.hits(call_id) {
            session.known().hits = hits;
        }
    }

    /// Writes the events that are due about rules, at most `left`.
    fn report_rules(&self, session: &Session, call_id: LocalCallId, left: &mut usize) {
        let Some(hits) = self.dataplane.hits(call_id) else { return };
        let (events, user) = {
            let mut known = session.known();
            let events = known.reported.due(&hits, Instant::now(), false, *left);
            known.hits = hits;
            (events, known.user.clone())
        };
        *left = left.saturating_sub(events.len());
        for facts in events {
            let mut event = NewEvent::new(Timestamp::now(), facts);
            event.code = report::denial_code(&event.facts);
            event.user.clone_from(&user);
            event.from = Some((*session.from.ip()).into());
            event.session = Some(session.id);
            self.event_writer.enqueue_event(event);
        }
    }

    /// Counts the accounts in the store; returns the last number if counting would take long.
    async fn count_users(&self) -> Result<u64, Warning> {
        if self.event_writer.blocked().is_some() {
            return Ok(self.users.load(Ordering::Relaxed));
        }
        let store = self.store.clone();
        let counted =
            tokio::task::spawn_blocking(move || store.accounts().map(|accounts| accounts.len() as u64)).await;
        let text = match counted {
            Ok(Ok(users)) => {
                self.users.store(users, Ordering::Relaxed);
                return Ok(users);
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(Warning { code: Code::S09, text })
    }

    /// The file of the configuration.
    pub(crate) fn file(&self) -> &ConfigFile {
        &self.file
    }

    /// The file of the configuration, for display.
    fn source(&self) -> &str {
        match self.file.state {
            FileState::Missing => "(built-in defaults)",
            FileState::Usable | FileState::Invalid => &self.file.path,
        }
    }

    /// The identity of this server.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            version: self.version.to_owned(),
            pid: std::process::id(),
            config: self.source().to_owned(),
            database: self.database.as_ref().map(|path| path.display().to_string()),
        }
    }

    /// The warning that connections were refused or ended for want of space, while that is recent.
    fn refusals(&self, numbers: Numbers) -> Option<Warning> {
        let ago = lock(&self.refused_at).map(|at| at.elapsed()).filter(|ago| *ago < REFUSAL_SHOWN)?;
        let text = format!(
            "since the start {} connections were refused for want of space and {} set-ups ended without progress, \
             the last {} s ago: see `adit log` for call.flood",
            numbers.refused,
            numbers.evicted,
            ago.as_secs()
        );
        Some(Warning { code: Code::C05, text })
    }

    /// The status of the server.
    pub(crate) async fn status(&self) -> Status {
        let config = self.config();
        let (sessions_up, sessions_starting) = self.registry.up_and_starting();
        let mut warnings = self.host.warnings(&config);
        let trouble = self.event_writer.trouble();
        if trouble.is_none() && self.health.since(HostPart::Database).is_some() {
            let store = self.store.clone();
            let is_over = tokio::task::spawn_blocking(move || store.check_place().is_ok()).await;
            if is_over.unwrap_or(false) {
                self.report(HostPart::Database, None);
            }
        }
        let faults = self.health.faults(Instant::now());
        let is_in_trouble = |part| part == HostPart::Database && trouble.is_some();
        let shown = faults.iter().filter(|fault| fault.repaired_s.is_some() || !is_in_trouble(fault.part));
        warnings.splice(0..0, shown.map(health::warning));
        if let Some(error) = trouble {
            let code = error.code().unwrap_or(Code::S09);
            let text = format!("new calls are refused, because nothing can be written down: {error}");
            warnings.insert(0, Warning { code, text });
        }
        let users = self.count_users().await.unwrap_or_else(|warning| {
            warnings.insert(0, warning);
            self.users.load(Ordering::Relaxed)
        });
        if self.event_writer.lost() > 0 {
            let text = format!("{} notes were lost because the store was too slow", self.event_writer.lost());
            warnings.push(Warning { code: Code::S09, text });
        }
        warnings.extend(lock(&self.reduced_limits).clone());
        let queue = self.admission.numbers();
        let (lockout, locks) = self.lockout.status();
        warnings.extend(locks);
        warnings.extend(self.refusals(queue));
        warnings.extend(self.registry.forgeries.warnings(Instant::now()));
        warnings.extend(unanswered::warning(&self.registry.all()));
        let drops = self.dataplane.drops();
        let radius: Vec<RadiusStatus> =
            self.sources.servers().into_iter().map(convert::radius_status).collect();
        let problems = radius.iter().filter_map(|server| server.problem.clone());
        warnings.extend(problems.map(|text| Warning { code: Code::A07, text }));
        Status {
            radius,
            version: self.version.to_owned(),
            pid: std::process::id(),
            started: Utc(self.started),
            up_s: self.started_at.elapsed().as_secs(),
            config: self.source().to_owned(),
            listen: self.listen.clone(),
            interface: self.host.interface().to_owned(),
            io: self.dataplane.io(),
            no_xdp: self.dataplane.no_xdp(),
            left_by_xdp: self.dataplane.left_by_xdp(),
            cipher: self.dataplane.cipher().to_string(),
            sessions_up,
            sessions_starting,
            sessions_limit: u64::from(config.limits.sessions),
            queue: QueueStatus {
                arriving: queue.arriving,
                waiting: queue.waiting,
                oldest_s: queue.oldest.as_secs(),
                refused: queue.refused,
                evicted: queue.evicted,
                unfinished: queue.unfinished,
            },
            lockout,
            pools: config
                .pools
                .iter()
                .map(|(name, pool)| PoolStatus {
                    name: name.clone(),
                    net: pool.net,
                    used: self.addresses.used(name),
                    size: pool.size(),
                })
                .collect(),
            users,
            draining: self.registry.draining.load(Ordering::Relaxed),
            calls_ok: self.registry.calls_ok.load(Ordering::Relaxed),
            calls_failed: self
                .registry
                .failed()
                .into_iter()
                .map(|(code, count)| CodeCount { code, count })
                .collect(),
            drops: Drops {
                unknown_call: drops.unknown_call,
                spoofed: drops.spoofed,
                malformed: drops.malformed,
                queue_full: drops.queue_full + self.registry.queue_full.load(Ordering::Relaxed),
                overflowed: drops.overflowed,
                forged: self.registry.forgeries.frames(),
                refused: drops.refused,
            },
            faults,
            warnings,
        }
    }
}
