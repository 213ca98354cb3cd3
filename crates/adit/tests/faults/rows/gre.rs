//! G: GRE.

use std::net::Ipv4Addr;

use adit_testbed::Seeded;

use crate::case::{Case, row};
use crate::peers::{Manners, client, rewriter, server};
use crate::world::{Edge, Home, Plan, World, hold_a_call, line};

#[test]
fn row_13_gre_lost_towards_the_server() {
    row("13", &Plan::default(), &[], |world| {
        World::firewall(&world.transit, "forward", "iifname \"home0\" ip protocol 47 counter drop");
    });
}

#[test]
fn row_14_gre_lost_towards_the_client() {
    row("14", &Plan::default(), &[], |world| {
        World::firewall(&world.transit, "forward", "oifname \"home0\" ip protocol 47 counter drop");
    });
}

#[test]
fn row_15_gre_lost_both_ways() {
    row("15", &Plan::default(), &[], |world| {
        World::firewall(&world.transit, "forward", "ip protocol 47 counter drop");
    });
}

#[test]
fn row_16_server_drops_gre_that_comes() {
    row("16", &Plan::default(), &[], |world| {
        World::firewall(&world.server, "input", "tcp dport 1723 accept\nip protocol 47 counter drop");
    });
}

#[test]
fn row_17_server_drops_gre_that_leaves() {
    row("17", &Plan::default(), &[], |world| {
        World::firewall(&world.server, "output", "ip protocol 47 counter drop");
    });
}

#[test]
fn row_18_port_47_in_place_of_protocol_47() {
    row("18", &Plan::default(), &[], |world| {
        world.server.nft(
            "table ip row { chain input { type filter hook input priority 0; policy drop;\n\
             ct state established,related accept\niifname \"lo\" accept\nip protocol icmp accept\n\
             iifname \"lan0\" accept\ntcp dport 1723 accept\ntcp dport 47 accept\n}\n}",
        );
    });
}

#[test]
fn row_19_strict_nat_without_helper() {
    row("19", &Plan { home: Home::Strict, ..Plan::default() }, &[], |_| {});
}

#[test]
fn row_20_two_clients_behind_a_nat_without_helper() {
    let neighbour = Ipv4Addr::new(192, 168, 1, 24);
    let plan = Plan { home: Home::Funnel(neighbour), users: vec!["alice", "bob"], ..Plan::default() };
    let mut case = Case::new("20", &plan);
    let neighbour = case.world.neighbour();
    // Its call is in the captures too, from its beginning.
    let captures = case.world.record();
    let _held = hold_a_call(&neighbour, "bob");
    case.doctor(&[]);
    case.judge_captures(captures);
    case.server().record().judge();
}

#[test]
fn row_22_only_tcp_is_forwarded() {
    let plan = Plan { edge: Edge::Forward { gre: false }, ..Plan::default() }.and("203.0.113.10", "any");
    row("22", &plan, &[], |_| {});
}

#[test]
fn row_23_server_answers_from_its_other_address() {
    let plan = Plan { home: Home::Routed, ..Plan::default() };
    row("23", &plan, &[], |world| {
        world.server.ip("address add 203.0.113.11/24 dev eth0");
        // As a server of several addresses does whose raw socket is bound to none.
        world.server.nft(
            "table ip row { chain post { type nat hook postrouting priority 100; \
             oifname \"eth0\" ip protocol 47 snat to 203.0.113.11;\n}\n}",
        );
    });
}

#[test]
fn row_25_protocol_unreachable() {
    let mut case = Case::new("25", &Plan::without_server());
    let manners = Manners { no_gre: true, ..Manners::default() };
    let _server = server::start(&case.world.server, server::link(), manners);
    case.examine(&[]);
    case.judge();
}

#[test]
fn row_63_a_third_of_gre_is_lost_one_way() {
    let (_, back) = line(63);
    let there = Seeded { drop: 300, ..Seeded::new(6) };
    row("63", &Plan { line: Some((there, back)), ..Plan::default() }, crate::case::LOGIN, |_| {});
}

#[test]
fn row_24_idle_gre_state_forgotten() {
    let plan = Plan::with("[link]\n", "[link.echo]\nevery = \"5s\"\nlost = 2\n[link]\n")
        .and("[pool]\n", "[server.echo]\nevery = \"5s\"\n[pool]\n");
    let mut case = Case::new("24", &plan);
    for (key, seconds) in [("gre_timeout", "2"), ("gre_timeout_stream", "2")] {
        case.world.home.sysctl(&format!("net.netfilter.nf_conntrack_{key}"), seconds);
    }
    case.doctor(&["-u", "alice", "--idle", "8s"]);
    // A client that says nothing by itself, and answers what it hears.
    let mut link = client::link("alice");
    link.echo = None;
    let known = case.failures();
    let captures = case.world.record();
    case.by_name = false;
    let call = client::dial(&case.world.client, link, Manners::default());
    case.wait_for_a_failure(known);
    drop(call);
    case.judge_captures(captures);
    case.server().record().judge();
}

#[test]
fn row_21_nat_rewrites_one_call_id() {
    let plan = Plan { home: Home::Funnel(crate::world::CLIENT), ..Plan::default() };
    let mut case = Case::new("21", &plan);
    let _rewriter = rewriter::start(&case.world.home);
    case.examine(&[]);
    case.server().record().judge();
}
