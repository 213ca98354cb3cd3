//! Accepts control connections and creates the rows of their sessions.

use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;

use adit_config::{Config, Listen};
use adit_diag::Code;
use adit_diag::event::{EventFacts, Failed};
use adit_store::{NewEvent, NewSession, SessionId};
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::admission::Admitted;
use crate::arrival;
use crate::error::{Result, ServerError};
use crate::server::Server;

/// The backlog of the listening socket; net.core.somaxconn may lower it.
const BACKLOG: u32 = 4096;

/// Checks that no other program listens on the addresses, without listening. The program that does can be named only while
/// this one has the rights of root.
///
/// # Errors
/// S01 with the program that has the port. Other errors are reported when the listener is opened.
pub fn check_addresses(config: &Config) -> Result<()> {
    // On an interface of its own, a server may share the address.
    if config.server.interface.is_some() {
        return Ok(());
    }
    for listen in &config.server.listen {
        let Listen::Address { address, port } = listen else { continue };
        let address = SocketAddrV4::new(*address, *port);
        let Ok(socket) = tokio::net::TcpSocket::new_v4() else { return Ok(()) };
        let bound = socket.set_reuseaddr(true).and_then(|()| socket.bind(SocketAddr::V4(address)));
        if let Err(error) = bound
            && error.kind() == std::io::ErrorKind::AddrInUse
        {
            return Err(listen_error(address, &error));
        }
    }
    Ok(())
}

/// Opens the TCP listener of one address.
///
/// # Errors
/// S01 when the port is taken, S08 when it needs a right, S10 when the address is not on this host.
pub(crate) fn open(address: SocketAddrV4, interface: Option<&str>) -> Result<TcpListener> {
    let failed = |error: std::io::Error| listen_error(address, &error);
    let socket = tokio::net::TcpSocket::new_v4().map_err(failed)?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind_device(interface.map(str::as_bytes)).map_err(|error| {
        let interface = interface.unwrap_or_default();
        ServerError::new(
            Code::S10,
            format!("cannot accept calls on interface {interface} alone: {error}"),
            "name an interface of this host in server.interface (ip link), and start as root",
        )
    })?;
    socket.bind(SocketAddr::V4(address)).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)
}

fn listen_error(address: SocketAddrV4, error: &std::io::Error) -> ServerError {
    let holder = adit_sys::host::port_holder(address.port())
        .map(|holder| format!(" ({holder} has it)"))
        .unwrap_or_default();
    match error.kind() {
        std::io::ErrorKind::AddrInUse => ServerError::new(
            Code::S01,
            format!("TCP {address} is taken{holder}"),
            "stop that program (another PPTP server?), or listen on another address in server.listen",
        ),
        std::io::ErrorKind::AddrNotAvailable => ServerError::new(
            Code::S10,
            format!("{} is not an address of this host", address.ip()),
            "name an address that `ip -4 address` shows, or an interface, in server.listen",
        ),
        std::io::ErrorKind::PermissionDenied => ServerError::new(
            Code::S08,
            format!("no permission to listen on TCP {address}"),
            "start as root, or give the program CAP_NET_BIND_SERVICE",
        ),
        _ => ServerError::new(
            Code::S01,
            format!("cannot listen on TCP {address}: {error}"),
            "see `ss -ltnp` for who listens where",
        ),
    }
}

/// Accepts connections until the listener is dropped; each waits for admission in a task of its own.
pub(crate) async fn accept(server: Arc<Server>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            // A banned address costs an accept and nothing else.
            Ok((_, SocketAddr::V4(from))) if server.lockout.turns_away(*from.ip()) => {}
            Ok((stream, SocketAddr::V4(from))) => match server.admission.arrive(from, server.registry.up()) {
                Some(arrival) => drop(tokio::spawn(arrival::run(Arc::clone(&server), arrival, stream, from))),
                None => server.count_flood(1, *from.ip()),
            },
            Ok((_, SocketAddr::V6(_))) => {}
            Err(error) => {
                // Out of descriptors or memory: wait, so that existing connections can proceed and free some.
                server.log_rate_limited("accept", &error);
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// Admits connections in order, until it is cancelled.
pub(crate) async fn admit(server: Arc<Server>) {
    loop {
        let admitted = server.admission.admit().await;
        if let Some((evicted, from)) = server.admission.take_evicted() {
            server.count_flood(evicted, from);
        }
        let (banned, admitted): (Vec<_>, Vec<_>) =
            admitted.into_iter().partition(|admitted| server.lockout.turns_away(*admitted.from.ip()));
        banned.into_iter().for_each(Admitted::turn_away);
        if admitted.is_empty() {
            continue;
        }
        let started = Timestamp::now();
        let from: Vec<SocketAddrV4> = admitted.iter().map(|admitted| admitted.from).collect();
        match create_rows(&server, started, &from).await {
            Some(ids) => admitted.into_iter().zip(ids).for_each(|(admitted, id)| admitted.start(id, started)),
            None => admitted.into_iter().for_each(Admitted::refuse),
        }
    }
}

/// Inserts the rows of new sessions in one transaction.
async fn create_rows(
    server: &Arc<Server>,
    started: Timestamp,
    from: &[SocketAddrV4],
) -> Option<Vec<SessionId>> {
    let (store, id) = (server.store.clone(), server.id);
    let new: Vec<NewSession> =
        from.iter().map(|from| NewSession { started, from: SocketAddr::V4(*from) }).collect();
    let made = match server.refuses_calls() {
        Some(refusal) => Err(refusal),
        None => {
            let make = move || store.check_place().and_then(|()| store.start_sessions(id, &new));
            let made = tokio::task::spawn_blocking(make).await.ok()?;
            made.map_err(|error| (error.code().unwrap_or(Code::S09), error.to_string()))
        }
    };
    let (code, error) = match made {
        Ok(ids) => return Some(ids),
        Err(refusal) => refusal,
    };
    server.log_rate_limited("a call could not be taken", &error);
    for from in from {
        server.registry.count_failed(code);
        let (cause, vendor, findings) = (error.as_str().into(), String::new(), Vec::new());
        let failed = Failed { why: None, after_ms: None, cause, vendor, findings };
        let mut event = NewEvent::new(started, EventFacts::CallFail(failed));
        event.from = Some((*from.ip()).into());
        event.code = Some(code);
        server.event_writer.enqueue_event(event);
    }
    None
}
