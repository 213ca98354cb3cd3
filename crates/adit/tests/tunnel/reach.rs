//! What users may reach, with real packets: the server itself, other clients, allowed and denied ports, fragments.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use adit_testbed::{Host, wait_until, wire};

use crate::common::*;

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
/// The server's address in the LAN, which is in the routes.
const SERVER_IN_LAN: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 1);
const ADDED_LATER: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 77);

const STAFF: &str = "acl = [\"allow 192.168.10.20 tcp 7001\", \"allow 192.168.10.20 udp 7002\", \"allow icmp\", \"deny any log\"]";

fn config(staff: &str) -> String {
    let config =
        CONFIG.replace("listen = \"203.0.113.10\"", "listen = [\"203.0.113.10\", \"198.51.100.10\"]");
    format!("{config}[groups.staff]\n{staff}\n")
}

/// A server with a client of group staff (alice), and one of no group (bob) on a wire of its own.
struct World {
    server: Server,
    alice: Host,
    bob: Host,
    clients: [Client; 2],
}

fn world() -> World {
    let (alice, server_host) = neighbours();
    let bob = Host::new("bob");
    wire((&bob, "eth0", "198.51.100.77/24"), (&server_host, "eth1", "198.51.100.10/24"));
    let server = Server::start(server_host, &config(STAFF), &["bob"]);
    add_user(server.dir.path(), "alice", &["--group", "staff"]);
    let routes = ["--routes", "192.168.10.0/24", "--routes", "10.99.0.0/24", "--routes", "224.0.0.0/4"];
    let dial = |host: &Host, to: &str, user: &str| {
        let mut client = dial(host, to, user, PASSWORD, &routes);
        client.running.wait_for("connected", SOON);
        client
    };
    let clients = [dial(&alice, "203.0.113.10", "alice"), dial(&bob, "198.51.100.10", "bob")];
    World { server, alice, bob, clients }
}

impl World {
    /// The packets that one key denied in the session of a user.
    fn denied(&self, user: &str, key: &str) -> u64 {
        let rules = self.server.session(user).rules;
        rules.iter().filter(|rule| rule.is_denied && rule.key == key).map(|rule| rule.packets).sum()
    }

    /// Does something, and waits until a key has denied another packet of the user.
    #[track_caller]
    fn is_denied(&self, user: &str, key: &str, work: impl FnOnce()) {
        let before = self.denied(user, key);
        work();
        wait_until(&format!("a packet of {user} denied by {key}"), SOON, || self.denied(user, key) > before);
    }

    fn address_of(&self, user: &str) -> Ipv4Addr {
        self.server.session(user).session.address.unwrap()
    }
}

fn udp_server(host: &Host, port: u16) -> UdpSocket {
    let socket = host.run(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

fn tcp_server(host: &Host, port: u16) -> TcpListener {
    let listener = host.run(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
    listener.set_nonblocking(true).unwrap();
    listener
}

fn send(host: &Host, to: (Ipv4Addr, u16), len: usize) {
    host.run(|| {
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap().send_to(&vec![7; len], to).map(drop).unwrap()
    });
}

/// A short attempt for what must not succeed; the time does not decide, the counters of the server do.
fn can_connect(host: &Host, to: (Ipv4Addr, u16)) -> bool {
    host.run(|| TcpStream::connect_timeout(&SocketAddr::from(to), Duration::from_millis(300)).is_ok())
}

#[track_caller]
fn connects(host: &Host, to: (Ipv4Addr, u16)) {
    host.run(|| TcpStream::connect_timeout(&SocketAddr::from(to), SOON)).unwrap();
}

fn is_empty(socket: &UdpSocket) -> bool {
    socket.set_nonblocking(true).unwrap();
    socket.recv_from(&mut [0; 16]).is_err()
}

#[test]
fn of_the_server_only_ping_and_dns_are_reached_at_every_address() {
    let world = world();
    let bob = &world.bob;
    bob.ping(GATEWAY);
    bob.ping(SERVER_IN_LAN);
    let dns = udp_server(&world.server.host, 53);
    for to in [GATEWAY, SERVER_IN_LAN] {
        send(bob, (to, 53), 30);
        assert_eq!(dns.recv_from(&mut [0; 64]).unwrap().0, 30);
    }
    let (web, noise) = (tcp_server(&world.server.host, 7003), udp_server(&world.server.host, 7003));
    let group = udp_server(&world.server.host, 5353);
    group.join_multicast_v4(&Ipv4Addr::new(224, 0, 0, 251), &GATEWAY).unwrap();
    for to in [GATEWAY, SERVER_IN_LAN] {
        world.is_denied("bob", "access.server", || assert!(!can_connect(bob, (to, 7003))));
        world.is_denied("bob", "access.server", || send(bob, (to, 7003), 30));
        // Fragments: the first has the port, the second has none.
        world.is_denied("bob", "access.server", || send(bob, (to, 7003), 2_000));
    }
    world.is_denied("bob", "access.server", || send(bob, (Ipv4Addr::new(224, 0, 0, 251), 5353), 30));
    // An address that this host gets while the session is up.
    world.server.host.ip(&format!("address add {ADDED_LATER}/24 dev lan0"));
    bob.ping(ADDED_LATER);
    let key = "access.server";
    wait_until("the new address", SOON, || {
        let before = world.denied("bob", key);
        assert!(!can_connect(bob, (ADDED_LATER, 7003)) || before == world.denied("bob", key));
        world.denied("bob", key) > before
    });
    while web.accept().is_ok() {}
    assert!(!can_connect(bob, (ADDED_LATER, 7003)));
    assert!(web.accept().is_err() && is_empty(&noise) && is_empty(&group));
}

#[test]
fn clients_do_not_reach_each_other() {
    let world = world();
    let bob = udp_server(&world.bob, 7004);
    let to = (world.address_of("bob"), 7004);
    world.is_denied("alice", "access.client_to_client", || send(&world.alice, to, 30));
    assert!(is_empty(&bob));
}

#[test]
fn an_allowed_port_passes_with_its_fragments_and_a_denied_one_does_not_until_a_reload() {
    let mut world = world();
    let lan = &world.server.lan;
    let (allowed, denied) = (tcp_server(lan, 7001), tcp_server(lan, 7009));
    let (udp_allowed, udp_denied) = (udp_server(lan, 7002), udp_server(lan, 7009));
    connects(&world.alice, (LAN_HOST, 7001));
    wait_until("the connection", SOON, || allowed.accept().is_ok());
    let rule = "groups.staff.acl[3]";
    world.is_denied("alice", rule, || assert!(!can_connect(&world.alice, (LAN_HOST, 7009))));
    send(&world.alice, (LAN_HOST, 7002), 5_000);
    assert_eq!(udp_allowed.recv_from(&mut [0; 8_000]).unwrap().0, 5_000, "all fragments");
    world.is_denied("alice", rule, || send(&world.alice, (LAN_HOST, 7009), 5_000));
    world.alice.ping(LAN_HOST);
    assert!(denied.accept().is_err() && is_empty(&udp_denied));

    wait_until("the event", SOON, || world.server.adit(&["log"]).stdout.contains("acl.deny"));
    let log = world.server.adit(&["log"]).stdout;
    let line = log.lines().find(|line| line.contains("acl.deny")).unwrap();
    assert!(
        line.contains("R02") && line.contains("groups.staff.acl[3]") && line.contains("deny any log"),
        "{line}"
    );
    for (to, code) in [
        ("192.168.10.20:7001", 0),
        ("192.168.10.20:7009", 1),
        ("10.99.0.1:53/udp", 0),
        ("192.168.10.1:22", 1),
    ] {
        let explained = world.server.adit(&["explain", "route", "alice", to]);
        assert_eq!(explained.code, Some(code), "{explained}");
    }
    let session = world.server.adit(&["session", "alice"]).stdout;
    assert!(session.contains("groups.staff.acl[3] deny any log"), "{session}");

    let file = world.server.dir.path().join("adit.toml");
    std::fs::write(&file, with_io(&config("acl = [\"allow 192.168.10.20 tcp 7009\"]"))).unwrap();
    world.server.running.signal("HUP");
    world.server.running.wait_for("reload   ok", SOON);
    connects(&world.alice, (LAN_HOST, 7009));
    world.is_denied("alice", "groups.staff.acl", || assert!(!can_connect(&world.alice, (LAN_HOST, 7001))));
    assert_eq!(world.clients.each_mut().map(Client::hang_up), [0, 0]);
}

/// Packets to the client pass only from networks that an allow rule names.
#[test]
fn a_host_that_no_rule_names_sends_nothing_to_the_client() {
    let world = world();
    let client = udp_server(&world.alice, 7005);
    let to = (world.address_of("alice"), 7005);
    let key = "groups.staff.acl";
    // The name server has another address of the same LAN.
    let before = world.denied("alice", key);
    world.server.lan.run(|| UdpSocket::bind("192.168.10.5:0").unwrap().send_to(b"x", to).map(drop).unwrap());
    wait_until("a packet to alice denied", SOON, || world.denied("alice", key) > before);
    world
        .server
        .lan
        .run(|| UdpSocket::bind("192.168.10.20:0").unwrap().send_to(b"yy", to).map(drop).unwrap());
    assert_eq!(client.recv_from(&mut [0; 16]).unwrap().0, 2, "the first packet is not there");
}
