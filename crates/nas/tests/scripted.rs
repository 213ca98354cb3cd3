//! The client against servers on loopback that do what a script says.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::Proof;
use adit_crypto::secret::Password;
use adit_nas::{Notice, RadiusClient};
use adit_radius::client::{ClientConfig, Evidence, Failure, HealthConfig, Retransmission, ServerConfig};
use adit_radius::number::standard;
use adit_radius::{
    AccessRequest, Builder, Call, Code, Credentials, Dropped, Nas, Packet, Reply,
    RequireMessageAuthenticator, SharedSecret, Signing,
};
use tokio::time::timeout;

const SECRET: &[u8] = b"a secret of 24 characters";
const LONG: Duration = Duration::from_secs(20);

fn secret() -> SharedSecret {
    SharedSecret::new(SECRET).unwrap()
}

/// What a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Accept,
    Reject,
    Nothing,
    /// Only the third datagram with the same identifier gets an answer.
    Third,
    After(Duration),
    OtherSecret,
    Unsigned,
    Garbage,
}

/// A server in a thread; it ends when dropped.
struct Server {
    address: SocketAddr,
    act: Arc<Mutex<Act>>,
    /// Access-Requests that have arrived, and the ports that they came from.
    requests: Arc<AtomicUsize>,
    ports: Arc<Mutex<Vec<u16>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Server {
    fn start(act: Act) -> Server {
        Server::start_at("127.0.0.1:0".parse().unwrap(), act)
    }

    fn start_at(address: SocketAddr, act: Act) -> Server {
        let socket = UdpSocket::bind(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let address = socket.local_addr().unwrap();
        let (act, stop) = (Arc::new(Mutex::new(act)), Arc::new(AtomicBool::new(false)));
        let (requests, ports) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let thread = {
            let (act, stop, requests, ports) =
                (Arc::clone(&act), Arc::clone(&stop), Arc::clone(&requests), Arc::clone(&ports));
            std::thread::spawn(move || serve(&socket, &act, &stop, (&requests, &ports)))
        };
        Server { address, act, requests, ports, stop, thread: Some(thread) }
    }

    fn set(&self, act: Act) {
        *self.act.lock().unwrap() = act;
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn ports(&self) -> usize {
        let mut ports = self.ports.lock().unwrap().clone();
        ports.sort_unstable();
        ports.dedup();
        ports.len()
    }
}

fn serve(
    socket: &UdpSocket,
    act: &Mutex<Act>,
    stop: &AtomicBool,
    (requests, ports): (&AtomicUsize, &Mutex<Vec<u16>>),
) {
    let mut later: Vec<(Instant, SocketAddr, Vec<u8>)> = Vec::new();
    let mut seen = [0_u32; 256];
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        later.retain(|(at, to, octets)| {
            let is_due = *at <= now;
            if is_due {
                socket.send_to(octets, to).unwrap();
            }
            !is_due
        });
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let packet = Packet::new_checked(&buffer[..length]).unwrap();
        let act = *act.lock().unwrap();
        let is_probe = packet.code() == Code::StatusServer;
        if !is_probe {
            requests.fetch_add(1, Ordering::Relaxed);
            ports.lock().unwrap().push(from.port());
        }
        seen[usize::from(packet.id())] += 1;
        let (code, key, is_signed, wait) = match act {
            Act::Accept => (Code::AccessAccept, secret(), true, Duration::ZERO),
            Act::Reject if !is_probe => (Code::AccessReject, secret(), true, Duration::ZERO),
            Act::Reject => (Code::AccessAccept, secret(), true, Duration::ZERO),
            Act::After(wait) => (Code::AccessAccept, secret(), true, wait),
            Act::Third if seen[usize::from(packet.id())] == 3 => {
                (Code::AccessAccept, secret(), true, Duration::ZERO)
            }
            Act::OtherSecret => {
                (Code::AccessAccept, SharedSecret::new(b"another").unwrap(), true, Duration::ZERO)
            }
            Act::Unsigned => (Code::AccessAccept, secret(), false, Duration::ZERO),
            Act::Garbage => {
                socket.send_to(&[2, packet.id(), 0, 3], from).unwrap();
                continue;
            }
            Act::Nothing | Act::Third => continue,
        };
        let mut builder = Builder::new(code, packet.id(), [0; 16]);
        if is_signed {
            builder.message_authenticator();
        }
        builder.text(standard::REPLY_MESSAGE, "from the script");
        let octets = builder.finish(Signing::Reply(*packet.authenticator()), &key).unwrap();
        later.push((now + wait, from, octets));
        later.sort_by_key(|(at, ..)| *at);
        for (_, to, octets) in later.extract_if(.., |(at, ..)| *at <= now) {
            socket.send_to(&octets, to).unwrap();
        }
    }
}

fn config(servers: &[SocketAddr]) -> ClientConfig {
    let server = |address: &SocketAddr| ServerConfig {
        address: *address,
        secret: secret(),
        require: RequireMessageAuthenticator::Yes,
    };
    ClientConfig {
        retransmission: Retransmission::within(Duration::from_secs(2), 2),
        health: HealthConfig {
            probe_wait: Duration::from_millis(500),
            probe_interval: Duration::from_millis(500),
            confirm_interval: Duration::from_millis(200),
            ..HealthConfig::default()
        },
        ..ClientConfig::new(servers.iter().map(server).collect(), Nas::default())
    }
}

fn start(servers: &[SocketAddr]) -> (RadiusClient, Arc<Mutex<Vec<Notice>>>) {
    start_with(config(servers))
}

fn start_with(config: ClientConfig) -> (RadiusClient, Arc<Mutex<Vec<Notice>>>) {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&notices);
    let client =
        RadiusClient::start(config, Rng::from_number(7), move |notice| heard.lock().unwrap().push(notice));
    (client, notices)
}

fn request() -> AccessRequest {
    AccessRequest {
        user_name: b"alice".to_vec(),
        credentials: Credentials::Proof(Proof::Pap { password: Password::new("secret") }),
        nas: Arc::new(Nas { address: None, identifier: "test".to_owned() }),
        call: Call::default(),
        state: None,
    }
}

async fn evidence(client: &RadiusClient) -> Evidence {
    match client.ask(request(), None).await {
        Err(Failure::NoAnswer(failures)) => failures.last().unwrap().evidence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_decides_and_its_state_is_known() {
    let server = Server::start(Act::Accept);
    let (client, _) = start(&[server.address]);
    let answer = client.ask(request(), None).await.unwrap();
    let Reply::Accept(accept) = answer.reply else { panic!("{answer:?}") };
    assert_eq!(accept.reply_message, "from the script");
    server.set(Act::Reject);
    assert!(matches!(client.ask(request(), None).await.unwrap().reply, Reply::Reject(_)));
    let status = &client.servers()[0];
    assert_eq!((status.is_in_service, status.answered, status.unanswered), (true, 2, 0));
    assert_eq!(server.ports(), 1, "one socket for all logins");
}

#[tokio::test]
async fn a_lost_packet_is_sent_again() {
    let server = Server::start(Act::Third);
    let (client, _) = start(&[server.address]);
    assert!(client.ask(request(), None).await.is_ok());
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_named() {
    for (act, expected) in [
        (Act::Nothing, Evidence::Silence),
        (Act::OtherSecret, Evidence::Dropped(Dropped::WrongAuthenticator)),
        (Act::Unsigned, Evidence::Dropped(Dropped::NoMessageAuthenticator)),
    ] {
        let server = Server::start(act);
        let (client, notices) = start(&[server.address]);
        assert_eq!(evidence(&client).await, expected, "{act:?}");
        let status = &client.servers()[0];
        assert_eq!(status.unanswered, 1);
        assert!(status.problem.as_ref().unwrap().contains(&server.address.to_string()), "{status:?}");
        let dropped = notices.lock().unwrap().iter().any(|notice| matches!(notice, Notice::Dropped { .. }));
        assert_eq!(dropped, act != Act::Nothing, "{act:?}");
    }
    let server = Server::start(Act::Garbage);
    let (client, _) = start(&[server.address]);
    assert!(matches!(evidence(&client).await, Evidence::Dropped(Dropped::Malformed(_))));
}

#[tokio::test]
async fn a_closed_port_is_evidence_and_the_next_server_is_asked() {
    let closed = {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    };
    let (client, _) = start(&[closed]);
    assert_eq!(evidence(&client).await, Evidence::Unreachable);
    // A single packet is enough for the report.
    let once = ClientConfig {
        retransmission: Retransmission::within(Duration::from_secs(2), 0),
        ..config(&[closed])
    };
    assert_eq!(evidence(&start_with(once).0).await, Evidence::Unreachable);
    let server = Server::start(Act::Accept);
    let (client, _) = start(&[closed, server.address]);
    assert_eq!(client.ask(request(), None).await.unwrap().server.0, 1);
}

#[tokio::test]
async fn a_dead_server_is_left_out_and_comes_back() {
    let first = Server::start(Act::Nothing);
    let second = Server::start(Act::Accept);
    let (client, notices) = start(&[first.address, second.address]);
    let three = [client.ask(request(), None), client.ask(request(), None), client.ask(request(), None)];
    for answer in three {
        assert_eq!(answer.await.unwrap().server.0, 1);
    }
    let until = Instant::now() + LONG;
    while client.servers()[0].is_in_service {
        assert!(Instant::now() < until, "{:?}", client.servers());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = first.requests();
    let began = Instant::now();
    assert_eq!(client.ask(request(), None).await.unwrap().server.0, 1);
    assert!(began.elapsed() < Duration::from_secs(2), "no wait for the dead one");
    assert_eq!(first.requests(), before);
    first.set(Act::Accept);
    while !client.servers()[0].is_in_service {
        assert!(Instant::now() < until, "{:?}", client.servers());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.ask(request(), None).await.unwrap().server.0, 0);
    let notices = notices.lock().unwrap();
    let changes: Vec<bool> = notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Up { .. } => Some(true),
            Notice::Down { .. } => Some(false),
            Notice::Dropped { .. } => None,
        })
        .collect();
    assert_eq!(changes, [false, true]);
}

#[tokio::test]
async fn slow_answers_delay_no_other_login_and_sockets_are_few() {
    let slow = Server::start(Act::After(Duration::from_secs(3)));
    let patient = ClientConfig {
        retransmission: Retransmission::within(Duration::from_secs(30), 2),
        ..config(&[slow.address])
    };
    let (client, _) = start_with(patient);
    let mut waiting = Vec::new();
    for number in 0..1_000 {
        let client = client.clone();
        waiting.push(tokio::spawn(async move { client.ask(request(), None).await.map(drop) }));
        if number % 50 == 0 {
            // So that the receive buffer of the script does not overflow.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let until = Instant::now() + LONG;
    while slow.requests() < 1_000 {
        assert!(Instant::now() < until, "{} arrived", slow.requests());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    slow.set(Act::Accept);
    timeout(LONG, client.ask(request(), None)).await.unwrap().unwrap();
    assert!(!waiting.iter().all(tokio::task::JoinHandle::is_finished), "it was not behind the others");
    for login in waiting {
        timeout(LONG, login).await.unwrap().unwrap().unwrap();
    }
    assert!((4..=5).contains(&slow.ports()), "256 identifiers each: {}", slow.ports());
}

#[tokio::test]
async fn a_withdrawn_login_frees_its_place() {
    let server = Server::start(Act::Nothing);
    let few = ClientConfig { requests: 1, ..config(&[server.address]) };
    let (client, _) = start_with(few);
    for _ in 0..20 {
        // Withdrawn at once, and after it was sent.
        assert!(timeout(Duration::ZERO, client.ask(request(), None)).await.is_err());
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(timeout(Duration::from_millis(20), client.ask(request(), None)).await.is_err());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.set(Act::Accept);
    assert!(client.ask(request(), None).await.is_ok());
    // Two at once are one too many.
    server.set(Act::Nothing);
    let (one, two) = tokio::join!(client.ask(request(), None), client.ask(request(), None));
    assert!(matches!(one, Err(Failure::NoAnswer(_))), "{one:?}");
    assert_eq!(two.err(), Some(Failure::TooManyRequests(1)));
}

#[tokio::test]
async fn the_task_ends_with_its_last_handle() {
    let server = Server::start(Act::Accept);
    let (client, notices) = start(&[server.address]);
    let other = client.clone();
    drop(client);
    assert!(other.ask(request(), None).await.is_ok(), "a clone keeps it");
    drop(other);
    let until = Instant::now() + LONG;
    // The task owns the other reference.
    while Arc::strong_count(&notices) > 1 {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
