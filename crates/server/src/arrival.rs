//! A connection from accept to its session: it waits for its first message, then for admission.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use adit_wire::pptp::{self, HEADER_LEN};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::admission::{Arrival, Verdict};
use crate::server::Server;
use crate::session::Session;

/// How long the first message may take. Clients send it as soon as they are connected.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);
/// The most octets that are read before admission. A client that sends more is not read until then.
const READ_AHEAD: usize = 1024;
/// How long sending a refusal may take.
const REJECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The result of reading before admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// The connection is open.
    Open,
    /// The client has closed it.
    Closed,
}

/// Runs a connection from accept to its end.
pub(crate) async fn run(server: Arc<Server>, mut arrival: Arrival, stream: TcpStream, from: SocketAddrV4) {
    let setup = server.config().link.setup;
    let mut octets = Vec::new();
    match timeout(FIRST_MESSAGE.min(setup), first_message(&mut arrival, &stream, &mut octets)).await {
        Ok(Some(Read::Open)) => {}
        // Neither row nor event: such connections are cheap to open.
        Ok(Some(Read::Closed) | None) | Err(_) => return,
    }
    arrival.message_complete();
    match admission(&mut arrival, &stream, &mut octets).await {
        Some(Verdict::Admitted { slot, id, started }) => {
            drop(arrival);
            let _ = stream.set_nodelay(true);
            let to = match stream.local_addr() {
                Ok(SocketAddr::V4(to)) => *to.ip(),
                _ => Ipv4Addr::UNSPECIFIED,
            };
            let session = Arc::new(Session::new(id, from, to, started));
            server.registry.add(Arc::clone(&session));
            slot.session_started(Arc::clone(&session));
            let connection = Box::new(server.connection(session, slot, stream, octets));
            drop(server);
            connection.run().await;
        }
        Some(Verdict::Unavailable(slot)) => {
            reject(stream).await;
            drop(slot);
        }
        Some(Verdict::NoSpace) => {
            server.count_flood(1, *from.ip());
            // The answer of a connection that was just accepted fits into its send buffer.
            let _ = stream.try_write(&refusal());
        }
        // Closed without an answer, as at its next connection.
        Some(Verdict::Banned) | None => {}
    }
}

/// Waits until the first message is complete; `None` if the connection has to give way to others.
async fn first_message(arrival: &mut Arrival, stream: &TcpStream, octets: &mut Vec<u8>) -> Option<Read> {
    while !is_complete(octets) {
        tokio::select! {
            _ = arrival.verdict() => return None,
            read = read(stream, octets) => if read == Read::Closed { return Some(read) },
        }
    }
    Some(Read::Open)
}

/// Waits for admission; `None` if the client closes the connection before.
async fn admission(arrival: &mut Arrival, stream: &TcpStream, octets: &mut Vec<u8>) -> Option<Verdict> {
    loop {
        tokio::select! {
            verdict = arrival.verdict() => return Some(verdict),
            read = read(stream, octets), if octets.len() < READ_AHEAD => {
                if read == Read::Closed {
                    break;
                }
            }
        }
    }
    if arrival.leave() {
        return None;
    }
    // It was admitted at the same time. Its row exists, so its session must run and end.
    Some(arrival.verdict().await)
}

/// Whether the octets begin with a whole message, or with octets that can never become one.
fn is_complete(octets: &[u8]) -> bool {
    if octets.len() < HEADER_LEN {
        return false;
    }
    pptp::Header::parse(octets).map_or(true, |header| octets.len() >= usize::from(header.length))
}

/// Reads what has arrived.
async fn read(stream: &TcpStream, octets: &mut Vec<u8>) -> Read {
    loop {
        if stream.readable().await.is_err() {
            return Read::Closed;
        }
        let mut input = [0; 256];
        let most = READ_AHEAD.saturating_sub(octets.len()).min(input.len());
        match stream.try_read(input.get_mut(..most).unwrap_or_default()) {
            Ok(0) => return Read::Closed,
            Ok(len) => {
                octets.extend_from_slice(input.get(..len).unwrap_or_default());
                return Read::Open;
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return Read::Closed,
        }
    }
}

/// The answer "no resource", so that the user does not look for the fault in the network.
fn refusal() -> Vec<u8> {
    let refusal = pptp::Message::from(pptp::StartControlConnectionReply {
        result: pptp::StartResult::GeneralError,
        error: pptp::ErrorCode::NoResource,
        maximum_channels: 0,
        ..pptp::StartControlConnectionReply::new(b"", b"adit")
    });
    refusal.to_octets()
}

/// Refuses a connection whose first message was read. Unread data would cause a reset, which could discard the answer, so
/// the end of the connection is waited for.
async fn reject(mut stream: TcpStream) {
    let mut rest = [0; pptp::MESSAGE_MAX];
    let exchange = async {
        stream.write_all(&refusal()).await?;
        stream.shutdown().await?;
        stream.read(&mut rest).await
    };
    let _ = timeout(REJECT_TIMEOUT, exchange).await;
}

#[cfg(test)]
mod tests {
    use adit_wire::pptp::{EchoRequest, Message, StartControlConnectionRequest};

    use super::*;

    #[test]
    fn a_message_is_complete_with_its_last_octet_and_garbage_at_once() {
        let start = Message::from(StartControlConnectionRequest::new(b"host", b"vendor")).to_octets();
        for len in 0..start.len() {
            assert!(!is_complete(&start[..len]), "{len}");
        }
        assert!(is_complete(&start));
        let echo = Message::from(EchoRequest { identifier: 7 }).to_octets();
        assert!(is_complete(&[&start[..], &echo[..5]].concat()));
        assert!(is_complete(&echo));
        assert!(is_complete(b"GET / HTTP/1.1\r\n"));
    }
}
