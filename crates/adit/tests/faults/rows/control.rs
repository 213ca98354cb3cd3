//! C: TCP 1723 and the control connection.

use crate::case::{Case, row};
use crate::peers::listener::{self, Behaviour};
use crate::world::{Plan, World, hold_a_call};

#[test]
fn row_05_server_stopped() {
    row("5", &Plan::default(), &[], |world| {
        let mut serving = world.serving.take().unwrap();
        serving.signal("TERM");
        serving.wait(crate::common::SOON);
    });
}

#[test]
fn row_06_edge_drops_tcp_1723() {
    row("6", &Plan::default(), &[], |world| {
        World::firewall(&world.edge, "forward", "tcp dport 1723 counter drop");
    });
}

#[test]
fn row_07_server_drops_tcp_1723() {
    row("7", &Plan::default(), &[], |world| {
        World::firewall(&world.server, "input", "tcp dport 1723 counter drop");
    });
}

#[test]
fn row_08_home_router_rejects_tcp_1723() {
    row("8", &Plan::default(), &[], |world| {
        World::firewall(
            &world.home,
            "forward",
            "tcp dport 1723 counter reject with icmp type admin-prohibited",
        );
    });
}

#[test]
fn row_09_a_web_server_listens() {
    let mut case = Case::new("9", &Plan::without_server());
    let _web = listener::open(&case.world.server, Behaviour::Web);
    case.examine(&[]);
    case.server().record().judge();
}

#[test]
fn row_10_accepted_then_reset() {
    let mut case = Case::new("10", &Plan::without_server());
    let _listener = listener::open(&case.world.server, Behaviour::Resets);
    case.examine(&[]);
    case.judge();
}

#[test]
fn row_11_accepts_and_never_answers() {
    let mut case = Case::new("11", &Plan::without_server());
    let _listener = listener::open(&case.world.server, Behaviour::Mute);
    case.examine(&[]);
    case.judge();
}

#[test]
fn row_12_session_limit_reached() {
    let mut plan = Plan::with("[limits]\n", "[limits]\nsessions = 1\n");
    plan.users.push("bob");
    let mut case = Case::new("12", &plan);
    let neighbour = case.world.neighbour();
    let _held = hold_a_call(&neighbour, "bob");
    case.examine(&[]);
    case.server().record().judge();
}
