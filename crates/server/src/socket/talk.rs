//! One connection to the control socket.

use std::io;
use std::time::Duration;

use adit_api::{Error, Kind, Request, Response, accounts};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::collected::CollectedImport;
use super::lines::{Line, Lines, MAX_REQUEST};
use crate::service::{Caller, Follower, Service};

/// A connection on which the peer neither sends nor reads for this long is closed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The maximum length of a response with a password: its buffer does not grow, so no copy is left in memory.
const SHORT: usize = 8 << 10;

/// Answers requests in order until the peer closes the connection or the server stops; a request in progress
/// is still answered.
pub(super) async fn talk(
    service: Service,
    stream: UnixStream,
    mut stop: watch::Receiver<()>,
) -> io::Result<()> {
    let caller = Caller { uid: stream.peer_cred().ok().map(|peer| peer.uid()) };
    let (read, mut write) = stream.into_split();
    let mut lines = Lines::new(read);
    let mut collected = CollectedImport::default();
    loop {
        let request = tokio::select! {
            biased;
            request = read_request(&mut lines) => request?,
            _ = stop.changed() => return Ok(()),
        };
        let response = match request {
            None => return Ok(()),
            Some(Ok(Request::Follow(filter))) => match service.follow(filter) {
                Ok(follower) => return relay(follower, &mut lines, &mut write, stop).await,
                Err(error) => Err(error),
            },
            Some(Ok(Request::Accounts(accounts::Request::Import(import)))) => {
                collected.call(*import, &service, caller).await
            }
            Some(Ok(request)) => service.call(request, caller).await,
            Some(Err(error)) => {
                send(&mut write, &Response::Error(error)).await?;
                return Ok(());
            }
        };
        send(&mut write, &response.unwrap_or_else(Response::Error)).await?;
    }
}

/// Reads the next request; `None` at the end, an error if it is not a known request.
async fn read_request(
    lines: &mut Lines<impl AsyncRead + Unpin>,
) -> io::Result<Option<adit_api::Result<Request>>> {
    let line = tokio::time::timeout(PATIENCE, lines.next()).await??;
    Ok(match line {
        Line::End => None,
        Line::TooLong => {
            let message = format!("the request is longer than {MAX_REQUEST} octets");
            Some(Err(Error::new(Kind::Invalid, message)))
        }
        Line::Text(line) => Some(serde_json::from_slice(line).map_err(|error| {
            Error::new(Kind::Unsupported, format!("the server does not know this request: {error}"))
                .fix("adit version; if adit was upgraded since the server was started, restart the server")
        })),
    })
}

/// Sends one line.
async fn send(write: &mut (impl AsyncWrite + Unpin), response: &Response) -> io::Result<()> {
    let mut line = Zeroizing::new(Vec::with_capacity(SHORT));
    serde_json::to_writer(&mut *line, response)?;
    line.push(b'\n');
    tokio::time::timeout(PATIENCE, write.write_all(&line)).await?
}

/// Sends a follower its events, until the peer closes the connection, or the server stops and all events are
/// sent.
async fn relay(
    mut follower: Follower,
    lines: &mut Lines<impl AsyncRead + Unpin>,
    write: &mut (impl AsyncWrite + Unpin),
    mut stop: watch::Receiver<()>,
) -> io::Result<()> {
    loop {
        let next = tokio::select! {
            biased;
            next = follower.next() => next,
            // A follower sends nothing: the peer has closed the connection or violates the protocol.
            _ = lines.next() => return Ok(()),
            _ = stop.changed() => return Ok(()),
        };
        let Some(next) = next else { return Ok(()) };
        send(write, &Response::Followed(next)).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use adit_api::log::{Event, Filter, Followed, Lagged};
    use adit_diag::EventFacts;
    use adit_store::NewEvent;
    use jiff::Timestamp;
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
    use tokio::sync::broadcast;

    use super::*;

    async fn read(octets: &[u8]) -> Option<adit_api::Result<Request>> {
        read_request(&mut Lines::new(octets)).await.unwrap()
    }

    #[tokio::test]
    async fn an_unknown_request_is_refused_with_what_to_do() {
        for line in [&b"{\"command\":\"dance\"}\n"[..], b"hello\n", b"\n", b"{\"command\":\"kick\"}\n"] {
            let error = read(line).await.unwrap().unwrap_err();
            assert_eq!(error.kind, Kind::Unsupported);
            assert!(error.fix.unwrap().contains("restart the server"));
        }
        assert_eq!(read(b"{\"command\":\"status\"}").await, Some(Ok(Request::Status)));
        assert_eq!(read(b"").await, None);
    }

    #[tokio::test]
    async fn a_long_request_is_refused() {
        let error = read(&vec![b' '; MAX_REQUEST + 1]).await.unwrap().unwrap_err();
        assert_eq!(error.kind, Kind::Invalid);
        assert!(error.message.contains("65536 octets"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_disconnected() {
        let (_kept, silent) = tokio::io::duplex(64);
        let error = read_request(&mut Lines::new(silent)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    fn event(id: i64) -> Arc<Event> {
        Arc::new(adit_admin::event(Some(id), NewEvent::new(Timestamp::UNIX_EPOCH, EventFacts::ServerStart)))
    }

    #[tokio::test]
    async fn a_peer_that_reads_slowly_receives_the_number_of_lost_events() {
        let (sender, receiver) = broadcast::channel(4);
        let follower = Follower::new(receiver, Filter::default(), None);
        // The buffer holds one line, or two.
        let (mut far, near) = tokio::io::duplex(256);
        let (near_read, mut near_write) = tokio::io::split(near);
        let (_running, stop) = watch::channel(());
        let server = tokio::spawn(async move {
            relay(follower, &mut Lines::new(near_read), &mut near_write, stop).await.unwrap();
        });
        let mut from_server = BufReader::new(&mut far).lines();
        let mut next = async || {
            let line = from_server.next_line().await.unwrap().unwrap();
            match serde_json::from_str(&line).unwrap() {
                Response::Followed(followed) => followed,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(next().await, Followed::Begun);
        for id in 0..100 {
            sender.send(event(id)).unwrap();
            tokio::task::yield_now().await;
        }
        let (mut seen, mut missed) = (0, 0);
        while seen + missed < 100 {
            match next().await {
                Followed::Event(event) => {
                    assert_eq!(event.id.unwrap(), i64::try_from(seen + missed).unwrap(), "in order");
                    seen += 1;
                }
                Followed::Lagged(Lagged { missed: more }) => missed += more,
                other => panic!("{other:?}"),
            }
        }
        assert!(seen >= 4 && missed > 0, "{seen} seen, {missed} missed");
        drop(far);
        server.await.unwrap();
    }
    #[tokio::test]
    async fn when_the_server_stops_a_follower_gets_what_happened_so_far() {
        let (sender, receiver) = broadcast::channel(4);
        let follower = Follower::new(receiver, Filter::default(), None);
        let (mut far, near) = tokio::io::duplex(4096);
        let (near_read, mut near_write) = tokio::io::split(near);
        let (running, stop) = watch::channel(());
        sender.send(event(1)).unwrap();
        sender.send(event(2)).unwrap();
        drop(running);
        relay(follower, &mut Lines::new(near_read), &mut near_write, stop).await.unwrap();
        drop(near_write);
        let mut text = String::new();
        far.read_to_string(&mut text).await.unwrap();
        let followed: Vec<Response> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(followed.len(), 3, "{text}");
        assert_eq!(followed[0], Response::Followed(Followed::Begun));
    }
}
