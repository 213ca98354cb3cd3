//! Accounts whose networks are those of the server itself.

use crate::common::*;

#[test]
fn an_account_cannot_take_a_network_that_the_server_needs() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let needed = [
        ("203.0.113.0/24", "it contains the client's public address"),
        ("203.0.113.77/32", "it contains the client's public address"),
        ("192.168.10.0/24", "this host has a route to it through another interface"),
    ];
    for (network, reason) in needed {
        let before = server.host.ip("route show table main");
        let set = server.adit(&["user", "set", "alice", "--network", network]);
        assert!(set.ok, "{set}");
        let mut client = connect(&client_host, "alice", &[]);
        client_host.ping(LAN_HOST);
        assert_eq!(server.host.ip("route show table main"), before, "{network}");
        let record = server.adit(&["session", "alice"]);
        let line = format!("no route to {network} behind this client: {reason}");
        assert!(record.stdout.contains(&line), "{record}");
        assert_eq!(client.hang_up(), 0);
    }
    // And one that is really behind the client.
    assert!(server.adit(&["user", "set", "alice", "--network", "192.168.77.0/24"]).ok);
    let mut client = connect(&client_host, "alice", &[]);
    assert!(server.host.ip("route show table main").contains("192.168.77.0/24 dev adit0"));
    assert_eq!(client.hang_up(), 0);
}
