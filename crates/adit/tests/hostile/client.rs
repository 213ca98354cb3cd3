//! `adit connect` and the host it runs on: name servers, the way to the server, background, hanging up from elsewhere.

use std::path::Path;
use std::process::{Command, Stdio};

use adit_testbed::{Host, Output, wait_until};
use tempfile::TempDir;

use crate::common::*;
use adit_testbed::MountNamespace;

const RESOLV_CONF: &str = "# of the router\nsearch home.arpa\nnameserver 192.168.1.1\noptions timeout:2\n";

/// A client's host where /etc/resolv.conf is [`RESOLV_CONF`], by one of two mounts.
fn furnished(host: &Host, dir: &Path, script: &str) -> MountNamespace {
    std::fs::write(dir.join("resolv.conf"), RESOLV_CONF).unwrap();
    MountNamespace::new(host, &script.replace("DIR", dir.to_str().unwrap()))
}

/// As in a container: the file itself is a mount, and cannot be replaced by another.
const BOUND: &str = "mount --bind DIR/resolv.conf /etc/resolv.conf";
/// As on a host: a file in /etc.
const PLAIN: &str = "mkdir DIR/up DIR/work DIR/scratch; mount -t tmpfs none DIR/scratch; \
                     mkdir DIR/scratch/up DIR/scratch/work; \
                     mount -t overlay -o lowerdir=/etc,upperdir=DIR/scratch/up,workdir=DIR/scratch/work none /etc; \
                     rm -f /etc/resolv.conf; cp DIR/resolv.conf /etc/resolv.conf; chmod 640 /etc/resolv.conf";

fn arguments<'a>(password: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["connect", "203.0.113.10", "-u", "alice", "--password-file", password];
    all.extend(more);
    all
}

#[test]
fn name_servers_are_replaced_and_come_back_after_an_orderly_end_and_after_a_kill() {
    let (client_host, server_host) = neighbours();
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    for mount in [BOUND, PLAIN] {
        let dir = TempDir::new().unwrap();
        let space = furnished(&client_host, dir.path(), mount);
        let file = space.path(Path::new("/etc/resolv.conf"));
        let now = || std::fs::read_to_string(&file).unwrap();
        let mode = || client_host.sh(&format!("stat -L -c %a {}", file.display()));
        let mode_before = mode();
        let password = dir.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let arguments = arguments(password.to_str().unwrap(), &["--routes", "192.168.10.0/24"]);
        let connect = || {
            let mut client = client_host.spawn(&mut space.inside(&adit(dir.path(), &arguments)));
            client.wait_for("connected", SOON);
            assert!(client.log().contains("dns       192.168.10.5"), "{}", client.log());
            let text = now();
            assert!(text.contains("nameserver 192.168.10.5\n") && !text.contains("192.168.1.1"), "{text}");
            assert!(text.contains("options timeout:2"), "{text}");
            client
        };
        let mut client = connect();
        client.signal("INT");
        assert_eq!(client.wait(SOON).code(), Some(0), "{}", client.log());
        assert_eq!((now(), mode()), (RESOLV_CONF.to_owned(), mode_before.clone()), "{mount}");
        // Killed, and undone by the next start.
        connect().kill();
        assert_ne!(now(), RESOLV_CONF);
        let mut client = connect();
        client.signal("TERM");
        assert_eq!(client.wait(SOON).code(), Some(0), "{}", client.log());
        assert_eq!((now(), mode()), (RESOLV_CONF.to_owned(), mode_before.clone()), "{mount}");
        // Killed, and undone by hand.
        connect().kill();
        let undone = client_host.command(&mut space.inside(&adit(dir.path(), &["undo"])));
        assert!(undone.ok, "{undone}");
        assert_eq!((now(), mode()), (RESOLV_CONF.to_owned(), mode_before), "{mount}");
    }
}

#[test]
fn changes_of_resolv_conf_by_another_program_are_kept() {
    let (client_host, server_host) = neighbours();
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let dir = TempDir::new().unwrap();
    let space = furnished(&client_host, dir.path(), BOUND);
    let file = space.path(Path::new("/etc/resolv.conf"));
    let password = dir.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let arguments = arguments(password.to_str().unwrap(), &[]);
    let mut client = client_host.spawn(&mut space.inside(&adit(dir.path(), &arguments)));
    client.wait_for("connected", SOON);
    let theirs = "nameserver 198.51.100.53\n";
    std::fs::write(&file, theirs).unwrap();
    client.signal("INT");
    assert_eq!(client.wait(SOON).code(), Some(0), "{}", client.log());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), theirs);
    assert!(client.log().contains("changed by another program since"), "{}", client.log());
}

#[test]
fn all_traffic_goes_through_the_tunnel_but_for_the_tunnel_itself() {
    let (client_host, server_host) = neighbours();
    let router = Host::new("router");
    adit_testbed::wire((&client_host, "eth1", "192.168.1.23/24"), (&router, "lan", "192.168.1.1/24"));
    client_host.ip("route add default via 192.168.1.1");
    // The server is not a neighbour: the way to it is the default route.
    client_host.ip("address del 203.0.113.77/24 dev eth0");
    client_host.ip("link set eth0 down");
    adit_testbed::wire((&router, "wan", "203.0.113.1/24"), (&server_host, "eth1", "203.0.113.11/24"));
    router.sysctl("net.ipv4.ip_forward", "1");
    server_host.ip("address del 203.0.113.10/24 dev eth0");
    server_host.ip("address add 203.0.113.10/24 dev eth1");
    server_host.ip("route add 192.168.1.0/24 via 203.0.113.1");
    let before = state_of(&client_host);
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--all"]);
    client.running.wait_for("connected", SOON);
    let way = |to: &str| client_host.ip(&format!("route get {to}"));
    assert!(way("203.0.113.10").contains("via 192.168.1.1"), "{}", way("203.0.113.10"));
    for inside in ["192.0.2.1", "8.8.8.8", "10.99.0.1", "192.168.10.20"] {
        assert!(way(inside).contains("dev adit0"), "{}", way(inside));
    }
    assert!(way("192.168.1.1").contains("dev eth1"), "the own network stays: {}", way("192.168.1.1"));
    transfer(&client_host, &server.lan, 200_000);
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
    assert_eq!(state_of(&client_host), before);
}

/// `adit connect --background` to its end: that of the command, not that of the tunnel.
fn background(host: &Host, dir: &Path, password: &str) -> Output {
    let file = dir.join("password");
    std::fs::write(&file, password).unwrap();
    let more = ["--background", "--no-dns", "--routes", "192.168.10.0/24"];
    host.command(&mut adit(dir, &arguments(file.to_str().unwrap(), &more)))
}

#[test]
fn a_tunnel_in_the_background_outlives_its_command_and_is_hung_up_from_elsewhere() {
    let (client_host, server_host) = neighbours();
    let before = state_of(&client_host);
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let dir = TempDir::new().unwrap();
    let command = |arguments: &[&str]| client_host.command(&mut adit(dir.path(), arguments));
    let none = command(&["disconnect"]);
    assert_eq!(none.code, Some(5), "{none}");
    let refused = background(&client_host, dir.path(), "wrong");
    assert_eq!(refused.code, Some(14), "{refused}");
    assert!(refused.stdout.contains("A01") && refused.stderr.contains("A01"), "{refused}");
    assert_eq!(command(&["disconnect"]).code, Some(5));
    let up = background(&client_host, dir.path(), PASSWORD);
    assert!(up.ok && up.stdout.contains("connected"), "{up}");
    client_host.ping(LAN_HOST);
    let dry = command(&["disconnect", "--dry-run"]);
    assert!(dry.ok && dry.stdout.contains("203.0.113.10"), "{dry}");
    client_host.ping(LAN_HOST);
    assert_eq!(command(&["disconnect", "203.0.113.99"]).code, Some(5));
    let gone = command(&["disconnect"]);
    assert!(gone.ok && gone.stdout.contains("disconnected"), "{gone}");
    assert_eq!(state_of(&client_host), before, "at once: disconnect waits for it");
    wait_until("the session's end", SOON, || {
        server.past(&[]).iter().any(|session| session.end.as_deref() == Some("user-request"))
    });
    assert_eq!(command(&["disconnect"]).code, Some(5));
}

#[test]
fn interrupted_before_it_is_up_the_background_attempt_ends_too() {
    let (client_host, server_host) = neighbours();
    let before = state_of(&client_host);
    // No server answers here.
    let _silence = server_host.run(|| std::net::TcpListener::bind((SERVER, 1723)).unwrap());
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let mut waiting =
        client_host.spawn(&mut adit(dir.path(), &arguments(file.to_str().unwrap(), &["--background"])));
    waiting.wait_for("name", SOON);
    waiting.signal("INT");
    waiting.wait(SOON);
    let clients = dir.path().join("run/clients");
    wait_until("the end of the attempt", SOON, || std::fs::read_dir(&clients).unwrap().count() == 0);
    assert_eq!(state_of(&client_host), before);
}

#[test]
fn a_server_with_a_closed_log_pipe_goes_on() {
    let (client_host, server_host) = neighbours();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), CONFIG).unwrap();
    add_user(dir.path(), "alice", &[]);
    let mut serve = adit(dir.path(), &["serve"]);
    let mut child = server_host.run(|| serve.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    // The reader exits.
    drop(child.stderr.take());
    let ask = |arguments: &[&str]| server_host.command(&mut adit(dir.path(), arguments));
    wait_until("the server", SOON, || ask(&["status", "--check", "ready"]).ok);
    let mut alice = connect(&client_host, "alice", &[]);
    client_host.ping("10.99.0.1".parse().unwrap());
    assert_eq!(alice.hang_up(), 0);
    wait_until("the record", SOON, || ask(&["sessions", "--past", "--json"]).stdout.contains("user-request"));
    let killed = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_not_a_pptp_server_is_reported_as_such() {
    let (client_host, server_host) = neighbours();
    let web = server_host.run(|| std::net::TcpListener::bind((SERVER, 8080)).unwrap());
    let answers = std::thread::spawn(move || {
        let (mut stream, _) = web.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            .unwrap();
    });
    let before = state_of(&client_host);
    for (server, exit, code) in [
        ("203.0.113.10", 11, "C02"),
        ("203.0.113.10:8080", 11, "C04"),
        ("192.0.2.99", 10, "N02"),
        ("no-such-host.invalid", 10, "N01"),
        ("2001:db8::1", 10, "N01"),
    ] {
        let mut client = dial(&client_host, server, "alice", PASSWORD, &[]);
        let status = client.running.wait(SOON);
        let log = client.running.log();
        assert_eq!(status.code(), Some(exit), "{server}: {log}");
        assert!(log.contains(code), "{server}: {log}");
        assert!(log.contains("fix "), "{server}: {log}");
    }
    answers.join().unwrap();
    assert_eq!(state_of(&client_host), before);
}
