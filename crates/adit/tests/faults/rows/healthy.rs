//! Healthy networks: no vantage point may find anything.

use std::time::Duration;

use adit_testbed::Seeded;

use crate::case::{Case, LOGIN, row};
use crate::peers::{Manners, server};
use crate::world::{Home, Plan, hold_a_call};

#[test]
fn row_h1_direct() {
    row("H1", &Plan { home: Home::Routed, ..Plan::default() }, LOGIN, |_| {});
}

#[test]
fn row_h2_nat_with_helper() {
    row("H2", &Plan::default(), LOGIN, |_| {});
}

#[test]
fn row_h3_two_percent_loss() {
    let spoiled = |seed| Seeded { drop: 20, ..Seeded::new(seed) };
    row("H3", &Plan { line: Some((spoiled(3), spoiled(4))), ..Plan::default() }, LOGIN, |_| {});
}

#[test]
fn row_h4_two_hundred_milliseconds() {
    let slow = |seed| Seeded { delay: Duration::from_millis(100), ..Seeded::new(seed) };
    row("H4", &Plan { line: Some((slow(5), slow(6))), ..Plan::default() }, LOGIN, |_| {});
}

#[test]
fn row_h5_two_clients_with_helper() {
    let mut case = Case::new("H5", &Plan { users: vec!["alice", "bob"], ..Plan::default() });
    let neighbour = case.world.neighbour();
    let _held = hold_a_call(&neighbour, "bob");
    case.examine(LOGIN);
    case.server().record().judge();
}

#[test]
fn row_h6_foreign_server() {
    let mut case = Case::new("H6", &Plan::without_server());
    let _server = server::start(&case.world.server, server::link(), Manners::default());
    case.examine(&[]);
    case.judge();
}
