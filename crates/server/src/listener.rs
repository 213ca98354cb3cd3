//! Accepts control connections and starts their sessions.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use adit_config::{Config, Listen};
use adit_diag::Code;
use adit_diag::event::{EventFacts, Failed};
use adit_store::{NewEvent, NewSession, SessionId};
use adit_wire::pptp;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::admission::{Accepted, SetupSlot};
use crate::error::{Result, ServerError};
use crate::server::Server;
use crate::session::Session;

/// The backlog of the listening socket; net.core.somaxconn may lower it.
const BACKLOG: u32 = 4096;
/// The most connections that wait for admission.
const MAX_WAITING: u64 = 16_384;

/// How long sending a refusal may take.
const REJECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

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

/// How many connections may wait for admission under this limit of descriptors: a quarter of it.
pub(crate) fn admission_capacity(descriptors: u64) -> usize {
    usize::try_from((descriptors / 4).clamp(64, MAX_WAITING)).unwrap_or(64)
}

/// Accepts connections until the listener is dropped, and enqueues them for admission.
pub(crate) async fn accept(server: Arc<Server>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, SocketAddr::V4(from))) => {
                if let Some((from, _)) = server.admission.enqueue(*from.ip(), (stream, from)) {
                    server.count_flood(from);
                }
            }
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
        start_sessions(&server, admitted).await;
    }
}

/// Starts the sessions of a batch of admitted connections.
async fn start_sessions(server: &Arc<Server>, admitted: Vec<(Accepted, SetupSlot<Accepted>)>) {
    let started = Timestamp::now();
    let from: Vec<SocketAddrV4> = admitted.iter().map(|((_, from), _)| *from).collect();
    let Some(ids) = create_rows(server, started, &from).await else {
        for ((stream, _), slot) in admitted {
            tokio::spawn(async move {
                reject(stream).await;
                drop(slot);
            });
        }
        return;
    };
    for (((stream, from), slot), id) in admitted.into_iter().zip(ids) {
        let _ = stream.set_nodelay(true);
        let to = match stream.local_addr() {
            Ok(SocketAddr::V4(to)) => *to.ip(),
            _ => Ipv4Addr::UNSPECIFIED,
        };
        let session = Arc::new(Session::new(id, from, to, started));
        server.registry.add(Arc::clone(&session));
        slot.session_started(Arc::clone(&session));
        let connection = Box::new(server.connection(session, slot, stream));
        tokio::spawn(connection.run());
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
    let made = match server.event_writer.blocked() {
        Some(error) => Err(error),
        None => tokio::task::spawn_blocking(move || store.start_sessions(id, &new)).await.ok()?,
    };
    let error = match made {
        Ok(ids) => return Some(ids),
        Err(error) => error,
    };
    server.log_rate_limited("a call could not be taken", &error);
    let code = error.code().unwrap_or(Code::S09);
    for from in from {
        server.registry.count_failed(code);
        let (cause, vendor, findings) = (error.to_string().into(), String::new(), Vec::new());
        let failed = Failed { why: None, after_ms: None, cause, vendor, findings };
        let mut event = NewEvent::new(started, EventFacts::CallFail(failed));
        event.from = Some((*from.ip()).into());
        event.code = Some(code);
        server.event_writer.enqueue_event(event);
    }
    None
}

/// Refuses a connection with "no resource", so that the user does not look for the fault in the network.
async fn reject(mut stream: TcpStream) {
    let refusal = pptp::Message::from(pptp::StartControlConnectionReply {
        result: pptp::StartResult::GeneralError,
        error: pptp::ErrorCode::NoResource,
        maximum_channels: 0,
        ..pptp::StartControlConnectionReply::new(b"", b"adit")
    });
    let reply = refusal.to_octets();
    // Read what the client has sent before closing: unread data would cause a reset, which could discard the
    // answer.
    let mut request = [0; pptp::MESSAGE_MAX];
    let whole = pptp::MessageType::StartControlConnectionRequest.size();
    let exchange = async {
        stream.read_exact(request.get_mut(..whole).unwrap_or_default()).await?;
        stream.write_all(&reply).await?;
        stream.shutdown().await?;
        stream.read(&mut request).await
    };
    let _ = tokio::time::timeout(REJECT_TIMEOUT, exchange).await;
}
