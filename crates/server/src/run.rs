//! Runs the server, from its settings to the restored host.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adit_api::Done;
use adit_dataplane::Dataplane;
use adit_diag::{Code, EventFacts};
use adit_store::{NewEvent, ServerIdentity};
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::addresses::Addresses;
use crate::capacity::Descriptors;
use crate::error::{Result, ServerError, store_error, sys_error};
use crate::event_writer::{EventWriter, LogLines};
use crate::host::Host;
use crate::lockout::Lockout;
use crate::registry::Registry;
use crate::server::{Options, Parts, Server, watch};
use crate::service::Service;
use crate::socket::{self, Serving};
use crate::terminal::Terminal;
use crate::{convert, crashed, dispatch, listener, reach, watchdog};

/// Threads that wait for the store. It serves one at a time, so more threads would only queue there, each
/// with a stack.
const BLOCKING: usize = 8;

/// Runs the server until it is stopped: SIGTERM or SIGINT ends sessions in order (a second one ends them at
/// once), SIGHUP rereads the configuration, unless it is sent because the terminal was closed. On return, the host is as it was before.
///
/// # Errors
/// The reason why the server cannot start, or why it had to end, with its code and fix.
pub fn run(options: Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("adit")
        .max_blocking_threads(BLOCKING)
        .build()
        .map_err(|error| ServerError::new(Code::S08, format!("no threads: {error}"), "look at ulimit -u"))?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> Result<()> {
    let Options {
        config,
        file,
        reread,
        store,
        database,
        identity,
        sources,
        run_dir,
        interface,
        ready,
        version,
    } = options;
    let descriptors = Descriptors::new(adit_sys::host::raise_descriptor_limit().unwrap_or(1024));
    // Open the control socket first: it also keeps a second server from starting before this one changes
    // anything.
    let control = socket::open(&run_dir)?;
    let (host, tun) = Host::set_up(&config, &interface)?;
    let addresses = host.listen_addresses(&config.server.listen)?;
    let listeners = addresses
        .iter()
        .map(|address| listener::open(*address, config.server.interface.as_deref()))
        .collect::<Result<Vec<_>>>()?;
    let state = identity.as_deref().and_then(Path::parent).map(Path::to_owned);
    let identity = open_identity(identity.as_deref()).map_err(|error| store_error(&error))?;
    // Before anything is written with the time of this clock.
    let clock = store.check_clock(Timestamp::now(), Duration::ZERO).map_err(|error| store_error(&error))?;
    let id = crashed::recover(&store, &identity).map_err(|error| store_error(&error))?;
    let event_writer = EventWriter::start(store.clone(), LogLines::open(&config.log)?);
    let locks = store.lockout().map_err(|error| store_error(&error))?;
    let lockout = Lockout::new(config.auth.lockout.clone(), locks, event_writer.clone());
    let pools = Addresses::new(store.clone());
    let registry = Arc::new(Registry::default());
    let plane = convert::dataplane(&config, addresses.first().map(|address| *address.ip()), state.as_deref());
    let (dataplane, events) = Dataplane::start(plane, tun).map_err(|error| sys_error(&error))?;
    let no_xdp = dataplane.no_xdp();
    if config.link.io == adit_config::Io::Xdp && !no_xdp.is_empty() {
        log_stderr!("warning  link.io: the socket is used: {no_xdp}");
    }
    dispatch::start(events, Arc::clone(&registry))
        .map_err(|error| ServerError::new(Code::S08, format!("no thread: {error}"), "look at ulimit -u"))?;
    // After the host was set up: the server's own addresses in the pools are among them.
    let locals = reach::watch::read()?;
    let seed = adit_sys::host::random_seed().map_err(|error| sys_error(&error))?;
    let server = Arc::new(Server::new(Parts {
        config,
        file,
        database,
        reread,
        store,
        sources,
        id,
        identity,
        registry,
        event_writer,
        lockout: Arc::new(lockout),
        dataplane,
        host,
        addresses: pools,
        seed,
        descriptors,
        version,
        listen: addresses,
        locals,
    }));
    server.remember_logins();
    let mut tasks = tokio::task::JoinSet::new();
    for listener in listeners {
        tasks.spawn(listener::accept(Arc::clone(&server), listener));
    }
    tasks.spawn(listener::admit(Arc::clone(&server)));
    let serving = Serving::start(Service::new(Arc::clone(&server)), control);
    let maintained = Arc::clone(&server);
    tasks.spawn(async move { maintained.run_maintenance().await });
    let watch = Arc::clone(&server);
    tasks.spawn(async move { watch.watch_traffic().await });
    let lockout = Arc::clone(&server.lockout);
    tasks.spawn(async move { lockout.keep_stored().await });
    tasks.spawn(watchdog::run(Arc::clone(&server)));
    server.event_writer.enqueue_event(NewEvent::new(Timestamp::now(), EventFacts::ServerStart));
    server.report_clock(clock);
    watch::start(&server)?;
    reach::watch::start(&server)?;
    let mut signals = Signals::new()?;
    ready(&server.status().await);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    until_shutdown(&server, &mut signals).await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let grace = server.config().server.shutdown_grace;
    server.end_all(grace, signals.stop()).await;
    tasks.shutdown().await;
    server.lockout.store_changes();
    server.event_writer.enqueue_event(NewEvent::new(Timestamp::now(), EventFacts::ServerStop));
    let event_writer = server.event_writer.clone();
    let _ = tokio::task::spawn_blocking(move || event_writer.flush()).await;
    serving.stop().await;
    server.dataplane.stop();
    server.failure().map_or(Ok(()), Err)
}

/// Opens the identity of this server, and locks it until the process ends.
fn open_identity(file: Option<&Path>) -> adit_store::Result<ServerIdentity> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match file {
        Some(file) => ServerIdentity::open(file, host.trim()),
        None => ServerIdentity::random(host.trim()),
    }
}

async fn until_shutdown(server: &Arc<Server>, signals: &mut Signals) {
    loop {
        tokio::select! {
            stop = signals.next() => {
                if stop {
                    return;
                }
                match server.reload() {
                    Ok(()) => log_stderr!("reload   ok: {}", Done::Reloaded),
                    Err(error) => log_stderr!("reload   FAILED: {error}"),
                }
            }
            () = server.shutdown_requested() => return,
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    terminal: Terminal,
}

impl Signals {
    fn new() -> Result<Signals> {
        let on = |kind| {
            signal(kind).map_err(|error| {
                ServerError::new(Code::S08, format!("cannot take signals: {error}"), "start it from a shell")
            })
        };
        Ok(Signals {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hangup: on(SignalKind::hangup())?,
            terminal: Terminal::new(),
        })
    }

    /// Waits for a signal: true for a stop, false for a reload.
    async fn next(&mut self) -> bool {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return true,
                _ = self.interrupt.recv() => return true,
                _ = self.hangup.recv() => if !self.terminal.has_hung_up() { return false; },
            }
            log_stderr!("note     the terminal was closed; the server keeps running: adit stop ends it");
        }
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
