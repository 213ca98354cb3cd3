//! The router's PPTP helper, its absence, and its faults, with two fake PPTP ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use adit_sys::gre::{GreOptions, GreSocket, RecvBatch, SendBatch};
use adit_testbed::{Helper, Host, Nat, bridge, wire};

const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const ROUTER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// Both clients choose this one, as two of the same kind do.
const SAME_CALL: u16 = 0x4001;

struct World {
    nat: Nat,
    clients: [Host; 2],
    server: Host,
    _switch: Host,
}

fn world(helper: Helper) -> World {
    let (router, switch, server) = (Host::new("router"), Host::new("switch"), Host::new("server"));
    let clients = [Host::new("one"), Host::new("two")];
    wire((&router, "lan", "192.168.1.1/24"), (&switch, "up", ""));
    for (n, client) in clients.iter().enumerate() {
        wire((client, "eth0", &format!("192.168.1.{}/24", n + 10)), (&switch, &format!("port{n}"), ""));
        client.ip("route add default via 192.168.1.1");
    }
    bridge(&switch, "br0", &["up", "port0", "port1"]);
    wire((&router, "wan", "203.0.113.1/24"), (&server, "eth0", "203.0.113.10/24"));
    World { nat: Nat::start(router, "wan", helper), clients, server, _switch: switch }
}

/// The start of every control message: length, type 1, magic cookie, control message type (RFC 2637 section 2).
fn message(kind: u16, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len];
    octets[..2].copy_from_slice(&(len as u16).to_be_bytes());
    octets[2..4].copy_from_slice(&1u16.to_be_bytes());
    octets[4..8].copy_from_slice(&0x1a2b_3c4du32.to_be_bytes());
    octets[8..10].copy_from_slice(&kind.to_be_bytes());
    octets
}

fn take(from: &mut TcpStream) -> Vec<u8> {
    let mut len = [0; 2];
    from.read_exact(&mut len).unwrap();
    let mut octets = len.to_vec();
    octets.resize(usize::from(u16::from_be_bytes(len)), 0);
    from.read_exact(&mut octets[2..]).unwrap();
    octets
}

fn word(octets: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([octets[at], octets[at + 1]])
}

/// The client's part up to Outgoing-Call-Reply; returns the server's Call ID as the client sees it.
fn call(control: &mut TcpStream, id: u16) -> u16 {
    let mut start = message(1, 156);
    start[12..14].copy_from_slice(&0x0100u16.to_be_bytes());
    control.write_all(&start).unwrap();
    assert_eq!(word(&take(control), 8), 2);
    let mut request = message(7, 168);
    request[12..14].copy_from_slice(&id.to_be_bytes());
    control.write_all(&request).unwrap();
    let reply = take(control);
    assert_eq!((word(&reply, 8), word(&reply, 14)), (8, id), "our own Call ID is returned unchanged");
    word(&reply, 12)
}

/// The server's part; returns the client's Call ID as the server sees it.
fn answer(control: &mut TcpStream, id: u16) -> u16 {
    assert_eq!(word(&take(control), 8), 1);
    let mut reply = message(2, 156);
    reply[12..14].copy_from_slice(&0x0100u16.to_be_bytes());
    reply[14] = 1;
    control.write_all(&reply).unwrap();
    let request = take(control);
    let theirs = word(&request, 12);
    let mut reply = message(8, 32);
    reply[12..14].copy_from_slice(&id.to_be_bytes());
    reply[14..16].copy_from_slice(&theirs.to_be_bytes());
    reply[16] = 1;
    control.write_all(&reply).unwrap();
    theirs
}

struct Call {
    control: [TcpStream; 2],
    gre: GreSocket,
    /// The client's Call ID as the server sees it, and the server's as the client sees it.
    ids: [u16; 2],
}

fn dial(world: &World, listener: &TcpListener, client: usize, server_id: u16) -> Call {
    let (mut near, mut far, ids) = std::thread::scope(|s| {
        let serve = s.spawn(|| {
            let (mut control, _) = listener.accept().unwrap();
            let id = answer(&mut control, server_id);
            (control, id)
        });
        let mut control = world.clients[client].run(|| TcpStream::connect((SERVER, 1723)).unwrap());
        let theirs = call(&mut control, SAME_CALL);
        let (far, seen) = serve.join().unwrap();
        (control, far, [seen, theirs])
    });
    for control in [&mut near, &mut far] {
        control.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    }
    let gre = world.clients[client].run(|| GreSocket::open(&GreOptions::default()).unwrap());
    Call { control: [near, far], gre, ids }
}

fn gre(call_id: u16, text: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x30, 0x01, 0x88, 0x0b, 0, text.len() as u8];
    octets.extend_from_slice(&call_id.to_be_bytes());
    octets.extend_from_slice(&[0, 0, 0, 1]);
    octets.extend_from_slice(text);
    octets
}

fn send(from: &GreSocket, to: Ipv4Addr, packet: &[u8]) {
    let mut batch = SendBatch::new(1, 128);
    assert!(batch.push(to, None, packet));
    from.send(&mut batch);
}

/// Call ID and text of the next packet within a second.
fn receive(at: &GreSocket) -> Option<(Ipv4Addr, u16, String)> {
    let mut batch = RecvBatch::new(1, 256);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        if at.receive(&mut batch).unwrap() > 0 {
            let p = batch.get_mut(0).unwrap();
            return Some((p.source, word(p.gre, 6), String::from_utf8_lossy(&p.gre[12..]).into_owned()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

#[test]
fn the_helper_keeps_two_clients_with_the_same_call_id_apart() {
    let world = world(Helper::Pptp);
    world.nat.close_outside();
    let listener = world.server.run(|| TcpListener::bind((SERVER, 1723)).unwrap());
    let server = world.server.run(|| GreSocket::open(&GreOptions::default()).unwrap());
    let calls = [dial(&world, &listener, 0, 100), dial(&world, &listener, 1, 200)];
    assert_ne!(calls[0].ids[0], calls[1].ids[0], "the router made the Call IDs different");

    for (n, call) in calls.iter().enumerate() {
        send(&call.gre, SERVER, &gre(call.ids[1], format!("from {n}").as_bytes()));
        assert_eq!(receive(&server), Some((ROUTER, [100, 200][n], format!("from {n}"))));
        send(&server, ROUTER, &gre(call.ids[0], format!("to {n}").as_bytes()));
        let back = receive(&call.gre);
        assert_eq!(back, Some((SERVER, SAME_CALL, format!("to {n}"))), "{}", world.nat.connections());
        assert!(call.control[0].peer_addr().is_ok());
    }
}

#[test]
fn without_the_helper_the_second_client_is_not_distinguished() {
    let world = world(Helper::None);
    world.nat.close_outside();
    let listener = world.server.run(|| TcpListener::bind((SERVER, 1723)).unwrap());
    let server = world.server.run(|| GreSocket::open(&GreOptions::default()).unwrap());
    let calls = [dial(&world, &listener, 0, 100), dial(&world, &listener, 1, 200)];
    assert_eq!(calls.each_ref().map(|c| c.ids[0]), [SAME_CALL; 2]);

    send(&calls[0].gre, SERVER, &gre(100, b"first"));
    assert_eq!(receive(&server), Some((ROUTER, 100, "first".to_owned())));
    send(&calls[1].gre, SERVER, &gre(200, b"second"));
    receive(&server);
    send(&server, ROUTER, &gre(SAME_CALL, b"for the second"));
    let wrong = receive(&calls[0].gre);
    assert_eq!(receive(&calls[1].gre), None, "the answer reaches the first client, or none: {wrong:?}");
}

#[test]
fn gre_is_dropped_one_way_while_tcp_continues() {
    let world = world(Helper::Pptp);
    let listener = world.server.run(|| TcpListener::bind((SERVER, 1723)).unwrap());
    let server = world.server.run(|| GreSocket::open(&GreOptions::default()).unwrap());
    let mut call = dial(&world, &listener, 0, 100);

    world.nat.drop_gre_in();
    send(&call.gre, SERVER, &gre(call.ids[1], b"out"));
    assert!(receive(&server).is_some());
    send(&server, ROUTER, &gre(call.ids[0], b"in"));
    assert_eq!(receive(&call.gre), None);

    world.nat.clear_rules();
    world.nat.drop_gre_out();
    send(&call.gre, SERVER, &gre(call.ids[1], b"out"));
    assert_eq!(receive(&server), None);
    send(&server, ROUTER, &gre(call.ids[0], b"in"));
    assert!(receive(&call.gre).is_some());

    let echo = message(5, 16);
    call.control[0].write_all(&echo).unwrap();
    assert_eq!(take(&mut call.control[1]), echo);
}
