//! Nothing is wrong, and nothing is said to be.

use crate::common::*;
use crate::world::*;

#[test]
fn without_an_account_it_stops_after_lcp_with_a_note() {
    let (client, server) = neighbours();
    let before = state_of(&client);
    let server = Server::start(server, CONFIG, &["alice"]);
    let reply = doctor(&client, &["203.0.113.10"]);
    reply.is_healthy();
    for layer in ["name", "control", "gre", "lcp"] {
        assert_eq!(reply.state(layer), "pass", "{}", reply.output);
    }
    assert_eq!(reply.state("auth"), "not-tested", "{}", reply.output);
    assert_eq!(state_of(&client), before);
    assert!(!server.adit(&["log", "--failed"]).stdout.contains("A0"), "no login was tried");
}

#[test]
fn with_an_account_it_goes_the_whole_way() {
    let (client, server) = neighbours();
    let before = state_of(&client);
    let server = Server::start(server, CONFIG, &["alice"]);
    let listener = server.lan.run(|| std::net::TcpListener::bind((LAN_HOST, 443)).unwrap());
    let names = names(&server.lan);
    let reach =
        ["--reach", "192.168.10.20:443", "--reach", "intranet.corp.example.org", "--reach", "10.99.0.1"];
    let reply = doctor(&client, &[&["203.0.113.10", "-u", "alice"], &reach[..]].concat());
    reply.is_healthy();
    for layer in ["name", "control", "gre", "lcp", "auth", "encrypt", "address", "route", "mtu"] {
        assert_eq!(reply.state(layer), "pass", "{}", reply.output);
    }
    assert_eq!(state_of(&client), before, "nothing on the host is changed");
    drop((listener, names));
}
