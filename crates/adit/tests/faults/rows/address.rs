//! I: addresses.

use adit_wire::{cp, ppp};

use crate::case::{Case, LOGIN, row};
use crate::peers::drive::Came;
use crate::peers::frames::Control;
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

/// Names an address, and refuses it when it is asked for.
fn refuses_its_own() -> Manners {
    Manners {
        came: Box::new(|frame| match Control::parse(frame) {
            Some(packet) if packet.protocol == ppp::IPCP && packet.code == cp::CONFIGURE_REQUEST => {
                match packet.option(3) {
                    Some([_, _, 0, 0, 0, 0]) | None => Came::Pass,
                    Some(address) => Came::Answer(packet.answer(cp::CONFIGURE_REJECT, address)),
                }
            }
            _ => Came::Pass,
        }),
        ..Manners::default()
    }
}

#[test]
fn row_47_address_refused() {
    let mut case = Case::new("47", &Plan::without_server());
    let server = server::start(&case.world.server, server::link(), refuses_its_own());
    case.examine(&["-u", "alice"]);
    drop(server);
    case.world.serve();
    // A client that wants the address it has always had, and no other.
    let mut link = client::link("alice");
    link.address = Some("10.77.0.5".parse().unwrap());
    let _client = client::dial(&case.world.client, link, Manners::default());
    case.wait_for_a_failure(0);
    case.server().record().judge();
}

#[test]
fn row_48_pool_overlaps_the_clients_lan() {
    row("48", &Plan::with("10.99.0.0/24", "192.168.1.0/24"), LOGIN, |world| {
        world.lan.ip("route add 192.168.1.0/24 via 192.168.10.1");
    });
}

#[test]
fn row_49_pool_overlaps_the_servers_lan() {
    // A part of the LAN was given the pool's network while the server ran: what stands there looks for the client on its
    // own wire.
    let plan = Plan::with("\"192.168.10.0/24\"]", "\"192.168.10.0/24\", \"10.99.0.128/25\"]");
    row("49", &plan, &["-u", "alice", "--reach", "10.99.0.150:443"], |world| {
        world.server.ip("address add 10.99.0.129/25 dev lan0");
        world.office.ip("route add 10.99.0.0/25 via 192.168.10.1");
        world.lan.ip("route del 10.99.0.0/24");
        world.lan.ip("address add 10.99.0.150/24 dev lan0");
    });
}

#[test]
fn row_51_no_dns() {
    row("51", &Plan::with("dns = [\"192.168.10.5\"]\n", ""), LOGIN, |_| {});
}
