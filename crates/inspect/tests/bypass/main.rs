//! The decision whether GRE may bypass the IP stack, in network namespaces.

#![allow(clippy::unwrap_used, missing_docs)]

mod host;
mod oracle;
mod plain;
mod watch;

use std::net::Ipv4Addr;

use adit_inspect::bypass::{Obstacle, rules};
use adit_inspect::read::nft;
use adit_testbed::{Host, wire};

const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// A server that is connected to a client.
fn hosts() -> (Host, Host) {
    let (client, server) = (Host::new("client"), Host::new("server"));
    for host in [&client, &server] {
        // No neighbour discovery, which rules of family inet would count.
        host.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
        host.sysctl("net.ipv6.conf.default.disable_ipv6", "1");
    }
    wire((&client, "eth0", "192.0.2.1/24"), (&server, "eth0", "192.0.2.2/24"));
    (client, server)
}

/// The obstacles in the rules of nftables that the host has loaded.
fn obstacles(host: &Host) -> Vec<Obstacle> {
    rules::obstacles(&nft::read(&host.sh("nft -j list ruleset")).unwrap(), "eth0", &[SERVER])
}

fn texts(obstacles: &[Obstacle]) -> Vec<String> {
    obstacles.iter().map(Obstacle::to_string).collect()
}
