//! L: LCP.

use std::time::Duration;

use adit_wire::{cp, ppp};

use crate::case::{Case, row};
use crate::peers::drive::Came;
use crate::peers::frames::Control;
use crate::peers::{Manners, client, server};
use crate::world::{Plan, World, settle};

#[test]
fn row_26_ppp_dies_after_the_call() {
    let mut case = Case::new("26", &Plan::without_server());
    // As poptop does when pppd cannot be started: not a word of PPP, then the end of the control connection.
    let manners = Manners {
        came: Box::new(|_| Came::Drop),
        leaves: Box::new(|_| None),
        dies_after: Some(Duration::from_secs(1)),
        ..Manners::default()
    };
    let _server = server::start(&case.world.server, server::link(), manners);
    case.examine(&[]);
    case.judge();
}

/// Never content with the MRU that it is offered: 1000 is wanted in place of 1400, and 1400 in place of 1000.
fn never_content() -> Manners {
    Manners {
        came: Box::new(|frame| match Control::parse(frame) {
            Some(packet) if packet.protocol == ppp::LCP && packet.code == cp::CONFIGURE_REQUEST => {
                let asked = packet.option(1).and_then(|mru| mru.get(2..4));
                let wanted = if asked == Some(&1000_u16.to_be_bytes()) { 1400_u16 } else { 1000 };
                let [high, low] = wanted.to_be_bytes();
                Came::Answer(packet.answer(cp::CONFIGURE_NAK, &[1, 4, high, low]))
            }
            _ => Came::Pass,
        }),
        ..Manners::default()
    }
}

#[test]
fn row_28_lcp_loops_on_the_mru() {
    let mut case = Case::new("28", &Plan::without_server());
    let server = server::start(&case.world.server, server::link(), never_content());
    case.examine(&[]);
    drop(server);
    case.world.serve();
    let _client = client::dial(&case.world.client, client::link("alice"), never_content());
    case.wait_for_a_failure(0);
    case.server().record().judge();
}

#[test]
fn row_29_looped_back() {
    let mut case = Case::new("29", &Plan::without_server());
    let manners = Manners {
        came: Box::new(|frame| Came::Answer(frame.to_vec())),
        leaves: Box::new(|_| None),
        ..Manners::default()
    };
    let _server = server::start(&case.world.server, server::link(), manners);
    case.examine(&[]);
    case.judge();
}

#[test]
fn row_30_peer_dies_when_up() {
    let plan = Plan::with("[link]\n", "[link.echo]\nevery = \"5s\"\nlost = 3\n[link]\n");
    let mut case = Case::new("30", &plan);
    // Both fall silent for each other for good while the call is up: the doctor is in the middle of its tests, and the
    // server waits until it gives up.
    let dies = |world: &World| {
        world.wait_for_sessions(1);
        settle();
        World::firewall(&world.edge, "forward", "oifname \"wan0\" drop\niifname \"wan0\" drop");
    };
    let captures = case.world.record();
    case.doctor_while(crate::case::LOGIN, dies);
    case.wait_for_a_failure(0);
    case.judge_captures(captures);
    case.server().record().judge();
}

#[test]
fn row_27_server_takes_pap_alone() {
    let plan =
        Plan::with("[auth]\n", "[auth]\nmethods = [\"pap\"]\n").and("[link]\n", "[link]\nmppe = \"off\"\n");
    row("27", &plan, &["-u", "alice"], |_| {});
}
