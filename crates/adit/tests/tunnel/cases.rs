//! What has to work whatever moves the packets.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_testbed::{Helper, Host, Nat, Relay, Seeded, wait_until, wire};

use crate::common::*;

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

#[test]
fn a_client_gets_address_routes_and_data() {
    let (client_host, server_host) = neighbours();
    let before = state_of(&client_host);
    let mut server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &[]);
    client_host.ping(GATEWAY);
    client_host.ping(LAN_HOST);
    transfer(&client_host, &server.lan, 4_000_000);
    let sessions = server.sessions();
    assert_eq!(sessions[0].user, "alice", "{sessions:?}");
    assert_eq!(sessions[0].mppe, 128);
    let pool = server.adit(&["pool", "show", "--filter", "state=used user=alice"]);
    assert!(pool.stdout.contains(&format!("10.99.0.10  used   alice  {}", sessions[0].id)), "{pool}");
    let refused = server.adit(&["pool", "release", "10.99.0.10"]);
    assert!(refused.stderr.contains(&format!("adit kick {}", sessions[0].id)), "{refused}");
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
    assert_eq!(state_of(&client_host), before, "the client's host is as it was");
    let past = server.first_past();
    assert_eq!(
        (past.user.as_deref(), past.end.as_deref()),
        (Some("alice"), Some("user-request")),
        "{past:?}"
    );
    assert!(server.sessions().is_empty());
    // Accounting counts inner packets: at least the data went both ways.
    assert!(past.rx_bytes > 4_000_000 && past.tx_bytes > 4_000_000, "{past:?}");
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
}

#[test]
fn two_clients_behind_one_nat_at_once() {
    let server_host = Host::new("server");
    let router = Host::new("router");
    let (one, two) = (Host::new("one"), Host::new("two"));
    wire((&router, "wan", "203.0.113.1/24"), (&server_host, "eth0", "203.0.113.10/24"));
    wire((&one, "eth0", "192.168.1.11/24"), (&router, "lan1", "192.168.1.1/24"));
    wire((&two, "eth0", "192.168.2.12/24"), (&router, "lan2", "192.168.2.1/24"));
    one.ip("route add default via 192.168.1.1");
    two.ip("route add default via 192.168.2.1");
    let nat = Nat::start(router, "wan", Helper::Pptp);
    nat.close_outside();
    let server = Server::start(server_host, CONFIG, &["alice", "bob"]);
    let mut first = connect(&one, "alice", &[]);
    let mut second = connect(&two, "bob", &[]);
    for host in [&one, &two] {
        host.ping(LAN_HOST);
        transfer(host, &server.lan, 1_000_000);
    }
    let rows = server.sessions();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0].from, rows[1].from, "both come from the router's address");
    assert_ne!(rows[0].address, rows[1].address);
    assert_eq!((first.hang_up(), second.hang_up()), (0, 0));
}

#[test]
fn a_bad_wire_loses_reorders_and_repeats_and_data_still_flows() {
    let (client_host, server_host) = (Host::new("client"), Host::new("server"));
    let rule = |seed| Seeded { drop: 10, duplicate: 20, reorder: 30, ..Seeded::new(seed) };
    let _relay = Relay::between(
        (&client_host, "eth0", "203.0.113.77/24"),
        (&server_host, "eth0", "203.0.113.10/24"),
        rule(1),
        rule(2),
    );
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &[]);
    transfer(&client_host, &server.lan, 500_000);
    let sessions = server.sessions();
    assert_eq!(sessions[0].counters.decrypt_failures, 0, "{sessions:?}");
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn a_wrong_password_is_named_and_not_tried_again() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let before = state_of(&client_host);
    let mut client = dial(&client_host, "203.0.113.10", "alice", "not the password", &[]);
    let status = client.running.wait(SOON);
    assert_eq!(status.code(), Some(14), "{}", client.running.log());
    assert!(client.running.log().contains("A01"), "{}", client.running.log());
    assert_eq!(state_of(&client_host), before);
    let log = server.adit(&["log", "--failed"]);
    assert!(log.stdout.contains("code=A01") && log.stdout.contains("user=alice"), "{log}");
    assert_eq!(log.stdout.matches("auth.fail").count(), 1, "one try only: {log}");
    assert_eq!(log.stdout.lines().count(), 1, "one line for each failed call: {log}");
    let failed = server.past(&["--failed"]);
    let record = server.adit(&["session", &failed[0].id]);
    for word in ["Challenge", "Failure", "A01"] {
        assert!(record.stdout.contains(word), "{word} is missing: {record}");
    }
    assert!(!record.stdout.contains(PASSWORD) && !record.stdout.contains("not the password"));
}

#[test]
fn kick_ends_a_session_and_its_client_comes_back() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &[]);
    let kicked = server.adit(&["kick", "alice", "--reason", "maintenance"]);
    assert!(kicked.ok && kicked.stdout.contains("alice"), "{kicked}");
    client.running.wait_for("retry", SOON);
    wait_until("the client's return", SOON, || client.running.log().matches("\nconnected").count() >= 2);
    client_host.ping(LAN_HOST);
    let past = server.past(&[]);
    assert_eq!(past[0].end.as_deref(), Some("admin-reset"), "{past:?}");
    assert_eq!(server.adit(&["kick", "unknown"]).code, Some(5));
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn c234_killed_client_leaves_what_undo_takes_away() {
    let (client_host, server_host) = neighbours();
    let router = "203.0.113.254";
    client_host.ip(&format!("route add default via {router}"));
    let before = state_of(&client_host);
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--all"]);
    client.running.wait_for("connected", SOON);
    assert_ne!(state_of(&client_host), before);
    client.running.kill();
    let undone = client_host.command(&mut adit(client.dir.path(), &["undo"]));
    assert!(undone.ok, "{undone}");
    assert_eq!(state_of(&client_host), before, "{undone}");
    let again = client_host.command(&mut adit(client.dir.path(), &["undo"]));
    assert!(again.ok, "a second undo does no harm: {again}");
}

#[test]
fn c234_killed_server_starts_again_and_closes_what_it_left() {
    let (client_host, server_host) = neighbours();
    let mut server = Server::start(server_host, CONFIG, &["alice"]);
    let _client = connect(&client_host, "alice", &["--once"]);
    server.running.kill();
    wait_until("the interface's end", SOON, || !server.host.sh("ip -o link").contains("adit"));
    server.running = start(&server.host, server.dir.path());
    let past = server.past(&[]);
    assert_eq!(past[0].user.as_deref(), Some("alice"), "{past:?}");
    let mut again = connect(&client_host, "alice", &[]);
    client_host.ping(LAN_HOST);
    assert_eq!(again.hang_up(), 0);
}

#[test]
fn reload_keeps_the_sessions_and_a_bad_file_changes_nothing() {
    let (client_host, server_host) = neighbours();
    let mut server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &[]);
    let file = server.dir.path().join("adit.toml");
    std::fs::write(&file, with_io(&CONFIG.replace("[limits]", "[limits]\nsessions = 1"))).unwrap();
    server.running.signal("HUP");
    server.running.wait_for("reload   ok", SOON);
    client_host.ping(LAN_HOST);
    assert_eq!(server.status().sessions_limit, 1);
    std::fs::write(&file, "[pool]\nnet = \"nonsense\"\n").unwrap();
    server.running.signal("HUP");
    server.running.wait_for("reload   FAILED", SOON);
    assert_eq!(server.status().sessions_limit, 1);
    client_host.ping(LAN_HOST);
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn weaker_methods_and_keys_where_policy_allows_them() {
    for (config, arguments) in [
        ("[link]\nmppe_bits = [128, 40]\n", &["--mppe-bits", "40"][..]),
        ("[link]\nmppe_bits = [128, 56]\n", &["--mppe-bits", "56"]),
        ("[link]\nmppe_stateless = false\n", &["--mppe-stateful"]),
        ("[link]\nmppe = \"off\"\n", &["--mppe", "off"]),
        ("[auth]\nmethods = [\"pap\"]\n[link]\nmppe = \"off\"\n", &["--mppe", "off", "--method", "pap"]),
        ("[auth]\nmethods = [\"chap\"]\n[link]\nmppe = \"off\"\n", &["--mppe", "off", "--method", "chap"]),
        ("[auth]\nmethods = [\"mschap-v1\"]\n", &["--method", "mschap-v1"]),
    ] {
        let (client_host, server_host) = neighbours();
        let config = format!("{CONFIG}{config}");
        let server = Server::start(server_host, &config, &[]);
        add_user(server.dir.path(), "alice", &["--reversible"]);
        let mut client = connect(&client_host, "alice", arguments);
        transfer(&client_host, &server.lan, 200_000);
        assert_eq!(client.hang_up(), 0, "{arguments:?}: {}", client.running.log());
    }
}

#[test]
fn stateful_mppe_is_used_only_if_the_client_prefers_it_and_the_server_allows_it() {
    let allowing = format!("{CONFIG}[link]\nmppe_stateless = false\n");
    for (config, arguments, expected) in [
        (allowing.as_str(), &["--mppe-stateful=prefer"][..], "mppe 128 stateful"),
        (&allowing, &["--mppe-stateful"], "mppe 128 stateless"),
        (&allowing, &["--mppe-stateful=accept"], "mppe 128 stateless"),
        (&allowing, &[], "mppe 128 stateless"),
        (CONFIG, &["--mppe-stateful=prefer"], "mppe 128 stateless"),
    ] {
        let (client_host, server_host) = neighbours();
        let server = Server::start(server_host, config, &["alice"]);
        let mut client = connect(&client_host, "alice", arguments);
        let log = client.running.log();
        assert!(log.contains(expected), "{arguments:?}: expected {expected} in: {log}");
        transfer(&client_host, &server.lan, 200_000);
        assert_eq!(client.hang_up(), 0, "{arguments:?}: {}", client.running.log());
    }
}

#[test]
fn dhcpinform_in_the_tunnel_is_answered() {
    let (client_host, server_host) = neighbours();
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &[]);
    let reply = client_host.run(|| {
        let socket = std::net::UdpSocket::bind("0.0.0.0:68").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut inform = vec![0u8; 240];
        inform[0] = 1;
        inform[1] = 8;
        inform[4..8].copy_from_slice(&[1, 2, 3, 4]);
        let address: Ipv4Addr = client_host
            .sh("ip -o -4 address show dev adit0 | sed 's/.*inet \\([0-9.]*\\).*/\\1/'")
            .trim()
            .parse()
            .unwrap();
        inform[12..16].copy_from_slice(&address.octets());
        inform[236..240].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
        inform.extend([53, 1, 8, 55, 5, 6, 15, 44, 121, 249, 255]);
        socket.send_to(&inform, (GATEWAY, 67)).unwrap();
        let mut buffer = [0u8; 1500];
        let (len, _) = socket.recv_from(&mut buffer).unwrap();
        buffer[..len].to_vec()
    });
    assert_eq!(&reply[4..8], [1, 2, 3, 4]);
    let options = &reply[240..];
    let has = |wanted: &[u8]| options.windows(wanted.len()).any(|window| window == wanted);
    assert!(has(&[6, 4, 192, 168, 10, 5]), "DNS: {options:?}");
    assert!(has(b"corp.example.org"), "domain");
    assert!(has(&[24, 192, 168, 10]), "classless route");
    assert_eq!(client.hang_up(), 0);
}
