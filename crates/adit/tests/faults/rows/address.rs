//! I: addresses.

use crate::case::{Case, LOGIN, row};
use crate::peers::drive::Came;
use crate::peers::frames::{Control, IPCP, REJECT, REQUEST};
use crate::peers::{Manners, client, server};
use crate::world::{Plan, hold_a_call};

#[test]
fn row_46_pool_exhausted() {
    let mut plan = Plan::with("dns =", "range = \"10.99.0.10-10.99.0.10\"\ndns =");
    plan.users.push("bob");
    let mut case = Case::new("46", &plan);
    let neighbour = case.world.neighbour();
    let _held = hold_a_call(&neighbour, "bob");
    case.examine(&["-u", "alice"]);
    case.server().record().judge();
}

/// Gives no address, whatever it is asked for.
fn gives_none() -> Manners {
    Manners {
        came: Box::new(|frame| match Control::parse(frame) {
            Some(packet) if packet.protocol == IPCP && packet.code == REQUEST => match packet.option(3) {
                Some(address) => Came::Answer(packet.answer(REJECT, address)),
                None => Came::Pass,
            },
            _ => Came::Pass,
        }),
        ..Manners::default()
    }
}

#[test]
fn row_47_address_refused() {
    let mut case = Case::new("47", &Plan::without_server());
    let server = server::start(&case.world.server, server::link(), gives_none());
    case.examine(&["-u", "alice"]);
    drop(server);
    case.world.serve();
    // A client that wants the address it has always had, and no other.
    let mut link = client::link("alice");
    link.address = Some("10.77.0.5".parse().unwrap());
    let _client = client::dial(&case.world.client, link, Manners::default());
    case.wait_for_a_failure();
    case.server().record().judge();
}

#[test]
fn row_48_pool_overlaps_the_clients_lan() {
    row("48", &Plan::with("10.99.0.0/24", "192.168.1.0/24"), LOGIN, |_| {});
}

#[test]
fn row_49_pool_overlaps_the_servers_lan() {
    // The LAN was renumbered while the server ran.
    let plan = Plan::with("\"192.168.10.0/24\"]", "\"192.168.10.0/24\", \"10.99.0.128/25\"]");
    row("49", &plan, &["-u", "alice", "--reach", "10.99.0.150:443"], |world| {
        world.server.ip("address add 10.99.0.129/24 dev lan0");
        world.office.ip("address add 10.99.0.150/24 dev eth0");
    });
}

#[test]
fn row_51_no_dns() {
    row("51", &Plan::with("dns = [\"192.168.10.5\"]\n", ""), LOGIN, |_| {});
}
