//! One fault at a time, made for real; the doctor names the first layer that fails.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use adit_testbed::{Helper, Host, Nat, wire};

use crate::common::*;
use crate::world::*;

/// A client behind a router with a PPTP helper, and the server's host.
fn behind_nat() -> (Host, Nat, Host) {
    let (client, router, server) = (Host::new("client"), Host::new("router"), Host::new("server"));
    wire((&client, "eth0", "192.168.1.23/24"), (&router, "lan", "192.168.1.1/24"));
    wire((&router, "wan", "203.0.113.1/24"), (&server, "eth0", "203.0.113.10/24"));
    client.ip("route add default via 192.168.1.1");
    (client, Nat::start(router, "wan", Helper::Pptp), server)
}

#[track_caller]
fn fails_with(reply: &Reply, exit: i32, codes: &[&str]) {
    assert!(codes.contains(&reply.code()), "{} is none of {codes:?}: {}", reply.code(), reply.output);
    assert_eq!(reply.output.code, Some(exit), "{}", reply.output);
}

#[test]
fn a_healthy_call_behind_nat() {
    let (client, _nat, server) = behind_nat();
    let server = Server::start(server, CONFIG, &["alice"]);
    let _names = names(&server.lan);
    doctor(&client, &["203.0.113.10"]).is_healthy();
    doctor(&client, &["203.0.113.10", "-u", "alice", "--reach", "192.168.10.20"]).is_healthy();
}

#[test]
fn gre_that_does_not_leave_the_client_side() {
    let (client, nat, server) = behind_nat();
    nat.drop_gre_out();
    let _server = Server::start(server, CONFIG, &["alice"]);
    let reply = doctor(&client, &["203.0.113.10"]);
    // The server speaks after a while, so that its own requests prove its direction.
    fails_with(&reply, 12, &["G01", "G02"]);
}

#[test]
fn gre_that_does_not_come_back() {
    let (client, nat, server) = behind_nat();
    nat.drop_gre_in();
    let _server = Server::start(server, CONFIG, &["alice"]);
    let reply = doctor(&client, &["203.0.113.10"]);
    fails_with(&reply, 12, &["G01"]);
}

#[test]
fn a_firewall_of_this_host_is_not_blamed_on_others() {
    let (client, server) = neighbours();
    client.nft("table ip f { chain o { type filter hook output priority 0; ip protocol 47 drop; }; }");
    let _server = Server::start(server, CONFIG, &["alice"]);
    fails_with(&doctor(&client, &["203.0.113.10"]), 19, &["S03"]);
}

#[test]
fn a_port_that_is_closed_dropped_or_refused_on_the_way() {
    let (client, nat, server) = behind_nat();
    fails_with(&doctor(&client, &["203.0.113.10"]), 11, &["C02"]);
    server.nft("table ip f { chain i { type filter hook input priority 0; tcp dport 1723 drop; }; }");
    fails_with(&doctor(&client, &["203.0.113.10"]), 11, &["C01"]);
    nat.rule("tcp dport 1723 reject with icmp type admin-prohibited");
    let reply = doctor(&client, &["203.0.113.10"]);
    fails_with(&reply, 11, &["C01"]);
    assert!(reply.output.stdout.contains("192.168.1.1"), "the router is named: {}", reply.output);
}

#[test]
fn an_unused_address_and_one_without_a_route() {
    let (client, _server) = neighbours();
    fails_with(&doctor(&client, &["203.0.113.99"]), 11, &["C01"]);
    fails_with(&doctor(&client, &["198.51.100.1"]), 10, &["N02"]);
}

#[test]
fn something_else_that_listens_on_the_port() {
    let (client, server) = neighbours();
    let listener = server.run(|| TcpListener::bind("203.0.113.10:1723").unwrap());
    let web = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 200];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        std::thread::sleep(std::time::Duration::from_millis(200));
        listener
    });
    let reply = doctor(&client, &["203.0.113.10"]);
    fails_with(&reply, 11, &["C04"]);
    let listener = web.join().unwrap();
    let silent = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(7));
        drop(stream);
    });
    fails_with(&doctor(&client, &["203.0.113.10"]), 11, &["C01"]);
    silent.join().unwrap();
}

#[test]
fn a_wrong_password_is_tried_once() {
    let (client, server) = neighbours();
    let server = Server::start(server, CONFIG, &["alice"]);
    let file = server.dir.path().join("wrong");
    std::fs::write(&file, "not the password\n").unwrap();
    let file = file.to_str().unwrap();
    let reply = doctor(&client, &["203.0.113.10", "-u", "alice", "--password-file", file]);
    fails_with(&reply, 14, &["A01"]);
    let log = server.adit(&["log", "--failed"]);
    assert_eq!(log.stdout.matches("code=A01").count(), 1, "{log}");
    assert!(!reply.output.stdout.contains("not the password"));
}

#[test]
fn encryption_that_one_side_does_not_want() {
    let (client, server) = neighbours();
    let _server = Server::start(server, CONFIG, &["alice"]);
    fails_with(&doctor(&client, &["203.0.113.10", "-u", "alice", "--mppe", "off"]), 15, &["E01"]);
}

#[test]
fn targets_behind_the_tunnel_are_judged_one_by_one() {
    let (client, server) = neighbours();
    let server = Server::start(server, CONFIG, &["alice"]);
    let _names = names(&server.lan);
    let reach = |target: &str| doctor(&client, &["203.0.113.10", "-u", "alice", "--reach", target]);
    fails_with(&reach("192.168.10.20:81"), 17, &["R09"]);
    fails_with(&reach("192.168.10.77"), 17, &["R08"]);
    fails_with(&reach("unknown.example.org"), 17, &["R05"]);
    server.host.nft(
        "table ip f { chain f { type filter hook forward priority 0; ip daddr 192.168.10.20 reject with icmp type admin-prohibited; }; }",
    );
    fails_with(&reach("192.168.10.20:443"), 17, &["R02"]);
    server.host.sysctl("net.ipv4.ip_forward", "0");
    fails_with(&reach("192.168.10.20:443"), 17, &["R06"]);
}

#[test]
fn a_name_server_that_is_silent() {
    let (client, server) = neighbours();
    let server = Server::start(server, CONFIG, &["alice"]);
    server.lan.nft("table ip f { chain i { type filter hook input priority 0; udp dport 53 drop; }; }");
    fails_with(&doctor(&client, &["203.0.113.10", "-u", "alice", "--reach", "192.168.10.20"]), 17, &["R04"]);
}

#[test]
fn a_pool_that_is_the_clients_own_network() {
    let (client, _nat, server) = behind_nat();
    let config = CONFIG.replace("10.99.0.0/24", "192.168.1.0/24");
    let server = Server::start(server, &config, &["alice"]);
    let _names = names(&server.lan);
    fails_with(&doctor(&client, &["203.0.113.10", "-u", "alice"]), 16, &["I03"]);
}

#[test]
fn packets_that_are_too_large_vanish() {
    let (client, nat, server) = behind_nat();
    nat.rule("ip protocol 47 ip length > 1300 drop");
    let server = Server::start(server, CONFIG, &["alice"]);
    let _names = names(&server.lan);
    let reply = doctor(&client, &["203.0.113.10", "-u", "alice", "--reach", "192.168.10.20"]);
    fails_with(&reply, 18, &["M01"]);
}

#[test]
fn a_route_that_clients_do_not_learn() {
    let (client, server) = neighbours();
    let config = CONFIG.replace("routes = [\"192.168.10.0/24\"]", "routes = [\"192.168.10.0/28\"]");
    let server = Server::start(server, &config, &["alice"]);
    let _names = names(&server.lan);
    fails_with(&doctor(&client, &["203.0.113.10", "-u", "alice", "--reach", "192.168.10.20"]), 17, &["R01"]);
}

#[test]
fn gre_that_a_router_forgets() {
    let (client, nat, server) = behind_nat();
    let server = Server::start(server, CONFIG, &["alice"]);
    let _names = names(&server.lan);
    let idle = std::thread::scope(|scope| {
        scope.spawn(|| {
            // By then the tests inside are done, and the silence has begun.
            std::thread::sleep(std::time::Duration::from_secs(8));
            nat.rule("ip protocol 47 drop");
        });
        doctor(&client, &["203.0.113.10", "-u", "alice", "--idle", "12s"])
    });
    fails_with(&idle, 12, &["G05"]);
}
