//! N: name and way to the server.

use crate::case::{LOGIN, row};
use crate::world::{Edge, NAME, Plan};

#[test]
fn row_01_name_does_not_resolve() {
    row("1", &Plan::default(), &[], |world| world.outer_names.set(NAME, None));
}

#[test]
fn row_02_name_leads_to_an_old_address() {
    row("2", &Plan::default(), &[], |world| {
        world.outer_names.set(NAME, Some("203.0.113.99".parse().unwrap()));
        world.edge.ip("route add blackhole 203.0.113.99");
    });
}

#[test]
fn row_03_no_route_on_the_client() {
    row("3", &Plan::default(), &[], |world| {
        world.client.ip("route del default");
    });
}

#[test]
fn row_04_transit_answers_host_unreachable() {
    row("4", &Plan::default(), &[], |world| {
        world.transit.ip("route add unreachable 203.0.113.0/24");
    });
}

#[test]
fn row_68_cgnat_before_the_server() {
    // The edge has no public address itself: a carrier's NAT stands before it.
    let plan = Plan { edge: Edge::Forward { gre: true }, ..Plan::default() };
    let plan = plan.and("203.0.113.10", "any");
    row("68", &plan, LOGIN, |world| {
        world.edge.ip("address del 192.168.200.1/24 dev srv0");
        world.edge.ip("address add 100.64.7.1/24 dev srv0");
        world.server.ip("address del 192.168.200.10/24 dev eth0");
        world.server.ip("address add 100.64.7.10/24 dev eth0");
        world.server.ip("route replace default via 100.64.7.1");
        world.edge.sh("nft flush table ip nat");
        world.edge.nft(
            "table ip nat {\n\
                 chain prerouting { ip daddr 203.0.113.10 tcp dport 1723 dnat to 100.64.7.10; \
                     ip daddr 203.0.113.10 ip protocol 47 dnat to 100.64.7.10; }\n\
                 chain postrouting { oifname \"wan0\" snat to 203.0.113.10; }\n\
             }",
        );
    });
}
