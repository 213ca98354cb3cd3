//! Floods of connections before login, from many addresses and from that of a user, while users log in.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use adit_sys::gre::{GreOptions, GreSocket, SendBatch};
use adit_testbed::{Host, wait_until, wire};
use adit_wire::gre;
use adit_wire::pptp::{Frame, Framer, Message};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::LocalSet;

use crate::common::*;
use crate::peer::{Gre, Peer, call, start};

/// Connections that a flood keeps open, each from another address.
const OPEN: u32 = 400;
/// The longest time of a flood.
const LONGEST: Duration = Duration::from_secs(60);
/// LCP Configure-Request for an MRU of 1400.
const CONFIGURE_REQUEST: &[u8] = b"\xff\x03\xc0\x21\x01\x01\x00\x08\x01\x04\x05\x78";

/// What each connection of a flood does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attack {
    /// Closes at once.
    Close,
    /// Sends nothing.
    Silent,
    /// Sends half of the first message.
    Half,
    /// Requests a call and sends no GRE.
    Called,
    /// Requests a call and repeats LCP Configure-Requests.
    LcpLoop,
}

/// A flood that runs until it is dropped.
struct Flood {
    stop: Arc<AtomicBool>,
    opened: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    /// Keeps [`OPEN`] connections to the server, the n-th from the address `from(n)` of `host`. Each is opened again a
    /// moment after its end.
    fn start(host: &Host, attack: Attack, from: fn(u32) -> Ipv4Addr) -> Flood {
        Flood::of(OPEN, Duration::from_millis(200), host, attack, from)
    }

    /// The same with `open` connections, each opened again after a pause.
    fn of(open: u32, pause: Duration, host: &Host, attack: Attack, from: fn(u32) -> Ipv4Addr) -> Flood {
        let (stop, opened) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (is_over, count) = (Arc::clone(&stop), Arc::clone(&opened));
        let thread = host.thread(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let tasks = LocalSet::new();
            let raw = Rc::new(RawGre(RefCell::new((GreSocket::open(&GreOptions::default()).unwrap(), 0))));
            for n in 0..open {
                let (count, raw) = (Arc::clone(&count), Rc::clone(&raw));
                tasks.spawn_local(async move {
                    loop {
                        // It fails when the server closes the connection.
                        let _ = once(attack, from(n), n, &raw).await;
                        count.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(pause).await;
                    }
                });
            }
            runtime.block_on(tasks.run_until(async move {
                let end = Instant::now() + LONGEST;
                while !is_over.load(Ordering::Relaxed) && Instant::now() < end {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }));
        });
        Flood { stop, opened, thread: Some(thread) }
    }

    /// The number of connections that have ended so far.
    fn ended(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A raw socket of the flood, and the next sequence number.
struct RawGre(RefCell<(GreSocket, u32)>);

impl RawGre {
    fn send(&self, from: Ipv4Addr, call_id: u16, frame: &[u8]) {
        let (socket, seq) = &mut *self.0.borrow_mut();
        let mut batch = SendBatch::new(1, 2048);
        assert!(batch.push(SERVER, Some(from), &gre::packet(call_id, Some(*seq), None, frame)));
        *seq += 1;
        socket.send(&mut batch);
    }
}

/// One connection, from connect until the server or the attack ends it.
async fn once(attack: Attack, from: Ipv4Addr, n: u32, raw: &RawGre) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::V4(SocketAddrV4::new(from, 0)))?;
    let mut stream = socket.connect(SocketAddr::V4(SocketAddrV4::new(SERVER, 1723))).await?;
    let hello = start().to_octets();
    match attack {
        Attack::Close => return Ok(()),
        Attack::Silent => {}
        Attack::Half => stream.write_all(&hello[..77]).await?,
        Attack::Called | Attack::LcpLoop => {
            stream.write_all(&hello).await?;
            let mut framer = Framer::default();
            receive(&mut stream, &mut framer).await?;
            stream.write_all(&call(n as u16).to_octets()).await?;
            let reply = receive(&mut stream, &mut framer).await?;
            while let (Attack::LcpLoop, Message::OutgoingCallReply(reply)) = (attack, &reply) {
                raw.send(from, reply.call_id, CONFIGURE_REQUEST);
                let silence = Duration::from_millis(100);
                if matches!(
                    tokio::time::timeout(silence, stream.read(&mut [0; 512])).await,
                    Ok(Ok(0) | Err(_))
                ) {
                    return Ok(());
                }
            }
        }
    }
    while stream.read(&mut [0; 512]).await? > 0 {}
    Ok(())
}

async fn receive(stream: &mut TcpStream, framer: &mut Framer) -> std::io::Result<Message> {
    loop {
        if let Some(Ok(Frame::Message(message))) = framer.next_frame() {
            return Ok(message);
        }
        let mut octets = [0; 64];
        let len = stream.read(&mut octets).await?;
        if len == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        framer.push(&octets[..len]);
    }
}

/// A host that owns 198.18.0.0/16, on another interface of the server.
fn flooder(server: &Host) -> Host {
    let flooder = Host::new("flooder");
    wire((&flooder, "eth0", "198.51.100.66/24"), (server, "eth9", "198.51.100.1/24"));
    flooder.ip("route add default via 198.51.100.1");
    flooder.ip("route add local 198.18.0.0/16 dev lo");
    server.ip("route add 198.18.0.0/16 via 198.51.100.66");
    flooder
}

/// Addresses of two /24 networks.
fn adjacent(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(0xc612_0000 + n)
}

/// Addresses of as many networks.
fn scattered(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(0xc612_0001 + ((n % 256) << 8) + n / 256)
}

/// The address of the clients of [`neighbours`].
fn of_the_user(_: u32) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, 77)
}

/// Logs `user` in and out; returns the seconds until the tunnel was up.
fn log_in(host: &Host, user: &str) -> f64 {
    let routes = ["--routes", "192.168.77.0/24"];
    let began = Instant::now();
    let mut client = dial(host, "203.0.113.10", user, PASSWORD, &routes);
    client.running.wait_for("connected", SOON);
    let took = began.elapsed().as_secs_f64();
    assert_eq!(client.hang_up(), 0);
    took
}

/// A server with 64 slots, so that a small flood fills them all, and otherwise the default limits.
fn server() -> (Host, Server) {
    let (client, host) = neighbours();
    let config = CONFIG.replace("calls_per_minute_per_address = 0", "starting = 64");
    (client, Server::start(host, &config, &["alice", "bob"]))
}

/// A flood from many addresses: logins of a user from an address that is not known, and then is.
#[track_caller]
fn from_many(attack: Attack, from: fn(u32) -> Ipv4Addr, unknown: f64, known: f64) {
    let (client, server) = server();
    let flooder = flooder(&server.host);
    let flood = Flood::start(&flooder, attack, from);
    std::thread::sleep(Duration::from_secs(1));
    let took = [log_in(&client, "alice"), log_in(&client, "alice"), log_in(&client, "bob")];
    let queue = server.status().queue;
    println!("{attack:?}: {took:?} s, {} connections of the flood have ended, {queue:?}", flood.ended());
    assert!(took[0] < unknown, "unknown address: {took:?}");
    assert!(took[1..].iter().all(|took| *took < known), "known address: {took:?}");
    drop(flood);
    wait_until("the end of the flood", SOON, || {
        let status = server.status();
        status.sessions_starting == 0 && (status.queue.waiting, status.queue.arriving) == (0, 0)
    });
}

#[test]
fn c232_connections_that_are_closed_at_once_delay_no_login() {
    from_many(Attack::Close, adjacent, 2.0, 2.0);
}

#[test]
fn c232_silent_connections_delay_no_login() {
    from_many(Attack::Silent, scattered, 2.0, 2.0);
}

#[test]
fn c232_half_messages_delay_no_login() {
    from_many(Attack::Half, scattered, 2.0, 2.0);
}

#[test]
fn c232_calls_without_gre_delay_a_known_user_by_a_moment() {
    from_many(Attack::Called, adjacent, 15.0, 5.0);
}

#[test]
fn c232_negotiations_without_end_delay_a_known_user_by_a_moment() {
    from_many(Attack::LcpLoop, adjacent, 15.0, 5.0);
}

#[test]
fn known_addresses_are_remembered_when_the_server_starts_again() {
    let (client, mut server) = server();
    log_in(&client, "alice");
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    server.running = crate::common::start(&server.host, server.dir.path());
    let flooder = flooder(&server.host);
    let flood = Flood::start(&flooder, Attack::Called, adjacent);
    // All slots but those for known addresses are taken, and no set-up is stalled yet.
    wait_until("the flood", SOON, || server.status().queue.waiting > 0);
    let took = log_in(&client, "bob");
    assert!(took < 1.5, "{took}");
    drop(flood);
}

#[test]
fn a_user_behind_the_address_of_a_flood_logs_in() {
    let (client, server) = server();
    for attack in [Attack::Close, Attack::Half] {
        let flood = Flood::start(&client, attack, of_the_user);
        std::thread::sleep(Duration::from_secs(1));
        let took = log_in(&client, "alice");
        println!("{attack:?}: {took} s, {} connections ended, {:?}", flood.ended(), server.status().queue);
        assert!(took < 15.0, "{attack:?}: {took}");
    }
}

#[test]
fn a_user_behind_the_address_of_500_calls_a_second_logs_in() {
    let (client, host) = neighbours();
    let config = CONFIG.replace("calls_per_minute_per_address = 0", "");
    let server = Server::start(host, &config, &["alice"]);
    adit_sys::host::raise_descriptor_limit().unwrap();
    let flood = Flood::of(1_500, Duration::from_millis(1_500), &client, Attack::Called, of_the_user);
    wait_until("the flood", SOON, || server.status().queue.evicted > 500);
    let took = log_in(&client, "alice");
    println!("{took} s, {} connections ended, {:?}", flood.ended(), server.status().queue);
    assert!(took < 15.0, "{took}");
}

#[test]
fn connections_that_closed_again_leave_nothing_behind() {
    let (client, server) = server();
    let hello = start().to_octets();
    client.run(|| {
        for _ in 0..3_000 {
            use std::io::Write as _;
            let mut stream = std::net::TcpStream::connect((SERVER, 1723)).unwrap();
            stream.write_all(&hello).unwrap();
        }
    });
    let took = log_in(&client, "alice");
    assert!(took < 5.0, "{took}");
    wait_until("the end of all of them", SOON, || {
        let status = server.status();
        status.sessions_starting == 0 && (status.queue.waiting, status.queue.arriving) == (0, 0)
    });
    let closed = server.host.sh("ss -Htn state close-wait sport = :1723 | wc -l");
    assert_eq!(closed.trim(), "0", "sockets that the client has closed");
}

#[test]
fn with_few_descriptors_limits_are_reduced_and_the_status_has_a_warning() {
    let (client, host) = neighbours();
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), with_io(CONFIG)).unwrap();
    add_user(dir.path(), "alice", &[]);
    let lan = Host::new("lan");
    wire((&host, "lan0", "192.168.10.1/24"), (&lan, "eth0", "192.168.10.20/24"));
    let serve = adit(dir.path(), &["serve"]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 256 && exec \"$0\" serve"]).arg(serve.get_program());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let mut running = host.spawn(&mut limited);
    running.wait_for("ready", SOON);
    assert!(running.log().contains("limits.sessions is 144 instead of 200"), "{}", running.log());
    let server = Server { host, lan, dir, running };
    let flooder = flooder(&server.host);
    let flood = Flood::start(&flooder, Attack::Called, adjacent);
    std::thread::sleep(Duration::from_secs(1));
    let took = log_in(&client, "alice");
    assert!(took < 15.0, "{took}");
    let status = server.status();
    assert_eq!(status.sessions_limit, 144);
    assert!(status.warnings.iter().any(|warning| warning.text.contains("256 files")), "{status:?}");
    drop(flood);
}

#[test]
fn a_flood_of_control_frames_is_answered_at_a_bounded_rate() {
    const FRAMES: u32 = 10_000;
    let (client, server) = server();
    let flooder = flooder(&server.host);
    let mut peer = Peer::open(&flooder);
    peer.start();
    let call_id = peer.call(77);
    let mut gre = Gre::open(&flooder, SERVER);
    let (began, mut answers) = (Instant::now(), 0);
    for _ in 0..FRAMES / 50 {
        (0..50).for_each(|_| gre.send(call_id, CONFIGURE_REQUEST));
        // What has arrived, in a few batches.
        let rounds = Cell::new(5);
        let more = || rounds.replace(rounds.get() - 1) > 0;
        gre.each(77, more, |_, _| answers += 1);
    }
    let seconds = began.elapsed().as_secs_f64();
    let took = log_in(&client, "alice");
    println!("{FRAMES} frames in {seconds} s, {answers} answers; a login took {took} s");
    // Some of them are requests of the server.
    let most = 250.0 + 110.0 * seconds;
    assert!(answers > 0 && f64::from(answers) < most, "{answers} answers in {seconds} s");
    assert!(took < 5.0, "{took}");
}
