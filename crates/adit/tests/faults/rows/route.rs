//! R: routes, rules and names behind the server.

use adit_testbed::wire;

use crate::case::{Case, LOGIN, row};
use crate::world::{Plan, World, settle};

#[test]
fn row_52_dns_server_silent() {
    row("52", &Plan::default(), LOGIN, |world| world.office_dns = None);
}

#[test]
fn row_53_inner_name_does_not_exist() {
    row("53", &Plan::default(), &["-u", "alice", "--reach", "nosuch.corp.example.org:443"], |_| {});
}

#[test]
fn row_54_ip_forward_off() {
    row("54", &Plan::default(), LOGIN, |world| world.server.sysctl("net.ipv4.ip_forward", "0"));
}

/// A target beyond the LAN, which clients may reach.
const ONWARD: &[&str] = &["-u", "alice", "--reach", "172.16.50.9:443"];

fn onward() -> Plan {
    Plan::with("\"192.168.10.0/24\"]", "\"192.168.10.0/24\", \"172.16.50.0/24\"]")
}

#[test]
fn row_55_rp_filter_drops_replies() {
    row("55", &onward(), ONWARD, |world| {
        // The way back is another than the way there.
        wire((&world.server, "lan1", "192.168.11.1/24"), (&world.lan, "back0", "192.168.11.254/24"));
        world.lan.ip("route replace 10.99.0.0/24 via 192.168.11.1");
        world.server.sysctl("net.ipv4.conf.lan1.rp_filter", "1");
    });
}

#[test]
fn row_56_no_route_back() {
    row("56", &Plan::default(), LOGIN, |world| {
        world.lan.ip("route del 10.99.0.0/24");
        // Its way to everything else leads nowhere.
        world.lan.ip("route add blackhole default");
    });
}

#[test]
fn row_57_acl_denies_the_target() {
    row("57", &Plan::default(), ONWARD, |_| {});
}

#[test]
fn row_57b_servers_rules_deny_the_target() {
    row("57b", &onward(), ONWARD, |world| {
        World::firewall(
            &world.server,
            "forward",
            "ip daddr 172.16.50.0/24 counter reject with icmp type admin-prohibited",
        );
    });
}

#[test]
fn row_58_target_silent() {
    row("58", &Plan::default(), LOGIN, |world| {
        World::firewall(&world.office, "input", "ip daddr 192.168.10.20 drop");
    });
}

#[test]
fn row_58b_target_refuses() {
    row("58b", &Plan::default(), LOGIN, |world| world.office_web = None);
}

#[test]
fn row_59_split_tunnel_lacks_the_prefix() {
    // The server has no way there itself, nor one to everything.
    row("59", &onward(), ONWARD, |world| {
        world.server.ip("route del 172.16.50.0/24");
        world.server.ip("route add 198.51.100.0/24 via 203.0.113.1");
        world.server.ip("route del default");
    });
}

#[test]
fn row_64_default_route_swallowed() {
    let mut case = Case::new("64", &Plan::default());
    let captures = case.world.record();
    let mut running = case.world.dial("alice", &["--all"]);
    running.wait_for("connected", crate::common::SOON);
    // The administrator removes the one route that keeps the tunnel itself out of the tunnel.
    case.world.client.ip("route del 203.0.113.10");
    settle();
    case.doctor(&[]);
    case.judge_captures(captures);
    case.server().record().judge();
}
