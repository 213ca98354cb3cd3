//! Parallel TCP connections to all addresses of the server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use adit_doctor::facts::Connect;
use adit_sys::poll::{Interest, Poller};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::record::Recorder;
use crate::stop::Stop;

/// Maximum number of addresses tried for one name.
const ADDRESSES_MAX: usize = 8;
/// Time for the other addresses after the first has answered; later ones count as silent.
const GRACE: Duration = Duration::from_millis(2500);
const STOP: u64 = 1000;
const RECORDER: u64 = 1001;

/// A connection attempt.
pub(crate) struct Dialled {
    pub(crate) to: SocketAddrV4,
    pub(crate) stream: Option<TcpStream>,
    pub(crate) what: Connect,
    /// Local address of the connection.
    pub(crate) local: Option<SocketAddr>,
}

struct Attempt {
    to: SocketAddrV4,
    stream: Option<TcpStream>,
    local: Option<SocketAddr>,
    done: Option<Connect>,
}

/// Dials all addresses; returns the results in the order given.
pub(crate) fn dial(
    addresses: &[Ipv4Addr],
    port: u16,
    from: Option<Ipv4Addr>,
    until: Instant,
    stop: &Stop,
    recorder: &mut Recorder,
) -> adit_sys::Result<Vec<Dialled>> {
    let poller = Poller::new()?;
    poller.add(stop.waker(), STOP, Interest::Read)?;
    if let Some(observer) = recorder.observer() {
        poller.add(observer, RECORDER, Interest::Read)?;
    }
    let began = Instant::now();
    let mut attempts = Vec::new();
    for (token, address) in (0u64..).zip(addresses.iter().take(ADDRESSES_MAX)) {
        let to = SocketAddrV4::new(*address, port);
        let mut attempt = Attempt { to, stream: None, local: None, done: None };
        match begin(to, from) {
            Ok(stream) => {
                attempt.local = stream.local_addr().ok();
                recorder.add_port(attempt.local.map_or(0, |local| local.port()));
                poller.add(&stream, token, Interest::ReadWrite)?;
                attempt.stream = Some(stream);
            }
            Err(error) => attempt.done = Some(failed(&error, began)),
        }
        attempts.push(attempt);
    }
    let mut until = until;
    while attempts.iter().any(|attempt| attempt.done.is_none()) && !stop.is_requested() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let mut ready = Vec::new();
        let _ = poller.wait(Some(left), |which| ready.push(which));
        recorder.turn();
        for which in ready.iter().filter(|which| which.token < STOP && (which.writable || which.error)) {
            let Some(attempt) = attempts.get_mut(which.token as usize) else { continue };
            let Some(stream) = attempt.stream.as_ref().filter(|_| attempt.done.is_none()) else { continue };
            let done = match stream.take_error() {
                Ok(None) if stream.peer_addr().is_ok() => Connect::Open { after: began.elapsed() },
                Ok(None) => continue,
                Ok(Some(error)) | Err(error) => failed(&error, began),
            };
            if matches!(done, Connect::Open { .. }) {
                until = until.min(Instant::now() + GRACE);
            }
            let _ = poller.remove(stream);
            attempt.done = Some(done);
        }
    }
    let waited = began.elapsed();
    let ended = attempts.into_iter().map(|attempt| {
        let what = attempt.done.unwrap_or(Connect::Silent { syns: syns(waited), waited });
        let stream = attempt.stream.filter(|_| matches!(what, Connect::Open { .. }));
        Dialled { to: attempt.to, stream, what, local: attempt.local }
    });
    Ok(ended.collect())
}

/// Number of SYNs that Linux has sent by then: at once, and after 1, 3, 7 ... s.
fn syns(waited: Duration) -> u32 {
    (waited.as_secs() + 1).checked_ilog2().unwrap_or(0) + 1
}

fn begin(to: SocketAddrV4, from: Option<Ipv4Addr>) -> io::Result<TcpStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    // Send one message per segment: NAT helpers parse only messages at the start of a segment.
    sockopt::set_tcp_nodelay(&socket, true)?;
    if let Some(from) = from {
        rustix::net::bind(&socket, &SocketAddr::from((from, 0)))?;
    }
    match rustix::net::connect(&socket, &SocketAddr::V4(to)) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}

/// Classifies the system's error; the sender of an ICMP message is known only from the captured packets.
fn failed(error: &io::Error, began: Instant) -> Connect {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Connect::Refused { by_a_box: false },
        // No ICMP message arrived: no host on the link has the address.
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable => {
            let waited = began.elapsed();
            Connect::Silent { syns: syns(waited), waited }
        }
        _ => Connect::Denied(words(error)),
    }
}

/// The text of an error without its number.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
