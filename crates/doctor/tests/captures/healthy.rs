//! What works must not be blamed.

use adit_diag::Code;
use adit_doctor::{Outcome, Vantage};
use adit_wire::{cp, ppp};

use crate::world::By::{Client, Server};
use crate::world::{Near, World, control, lcp};

#[track_caller]
fn spotless(world: &World) {
    let verdict = world.verdict();
    assert_eq!(verdict.first_failure, None, "{verdict}");
    assert_eq!(verdict.outcome, Outcome::Healthy, "{verdict}");
    assert!(verdict.findings.is_empty(), "{verdict}");
}

fn talk(world: &mut World, packets: u16) {
    for n in 0..packets {
        world.wait(0.02).data(Client, n, 100).data(Server, n, 1200);
    }
}

#[test]
fn a_call_that_works_and_ends_in_order() {
    for near in [Near::Client, Near::Server] {
        let mut world = World::new(near);
        world.up();
        talk(&mut world, 50);
        world.hang_up();
        spotless(&world);
        let vantage = world.verdict().vantage;
        assert!(vantage.near().is_some(), "{vantage:?}");
        assert!(matches!(vantage, Vantage::Capture(_)));
    }
}

#[test]
fn a_call_that_is_still_up() {
    let mut world = World::new(Near::Client);
    world.up();
    talk(&mut world, 20);
    spotless(&world);
}

#[test]
fn harmless_rejections() {
    let mut world = World::new(Near::Client);
    world.call();
    world.gre(Client, &lcp(cp::CONFIGURE_REQUEST, 100, &[13, 3, 6]));
    world.gre(Server, &lcp(cp::CONFIGURE_REJECT, 100, &[13, 3, 6]));
    world.lcp_up(crate::world::MS_CHAP_V2).login().mppe_up(crate::world::BITS_128);
    for protocol in [ppp::IPV6CP, ppp::CDPCP, ppp::CBCP] {
        let reject = [&protocol.to_be_bytes()[..], &[1, 5, 0, 4]].concat();
        world.gre(Server, &lcp(cp::PROTOCOL_REJECT, 9, &reject));
    }
    // IPCP waits for encryption at some servers.
    world.gre(Client, &control(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &[3, 6, 0, 0, 0, 0]));
    world.gre(Server, &control(ppp::IPCP, cp::TERMINATE_ACK, 1, &[]));
    world.wait(2.0).ipcp_up();
    talk(&mut world, 10);
    world.hang_up();
    spotless(&world);
}

#[test]
fn two_percent_of_loss_and_a_long_way_are_no_fault() {
    let mut world = World::new(Near::Client);
    world.up();
    for n in 0..400u16 {
        if n % 50 == 7 {
            world.lost(Server);
        }
        world.wait(0.2).data(Client, n, 100).data(Server, n, 1200);
    }
    world.hang_up();
    spotless(&world);
}

#[test]
fn idle_for_an_hour_with_echoes() {
    let mut world = World::new(Near::Server);
    world.up();
    for n in 0..60u8 {
        world.wait(60.0).echo(Client, n.into(), true);
        world.gre(Server, &lcp(cp::ECHO_REQUEST, n, &[0; 4])).wait(0.1);
        world.gre(Client, &lcp(cp::ECHO_REPLY, n, &[0; 4]));
    }
    spotless(&world);
}

/// A search for the packet size that passes asks with many echoes at once: it is one request without an answer yet.
#[test]
fn a_burst_of_echoes_is_one_question() {
    let mut world = World::new(Near::Client);
    world.up().data(Client, 0, 100).data(Server, 0, 100).wait(0.3);
    for (id, size) in [1400, 1300, 1200, 1000, 576, 400].into_iter().enumerate() {
        let id = u8::try_from(id).unwrap();
        world.gre_vanishes(Server, &lcp(cp::ECHO_REQUEST, id, &vec![0; size]));
    }
    world.silence(1.5);
    assert_ne!(world.verdict().first_failure, Some(Code::L04), "{}", world.verdict());
}

#[test]
fn call_ids_of_zero_are_legal() {
    let mut world = World::new(Near::Client);
    world.ids = [0, 0];
    world.up();
    talk(&mut world, 10);
    world.hang_up();
    spotless(&world);
}

/// A capture of TCP 1723 alone shows no GRE, and proves nothing of it.
#[test]
fn a_filtered_capture_blames_no_side() {
    for seconds in [1.0, 30.0] {
        let mut world = World::new(Near::Client);
        world.call().wait(seconds).fin(Server).fin(Client);
        let verdict = world.verdict();
        assert!(
            !matches!(verdict.first_failure, Some(Code::L03 | Code::G01 | Code::G02 | Code::G03)),
            "{verdict}"
        );
    }
    let mut world = World::new(Near::Server);
    world.call().silence(60.0);
    assert_eq!(world.verdict().outcome, Outcome::NotProvable, "{}", world.verdict());
}

/// A capture that begins late or ends early shows less, and blames no side for it.
#[test]
fn any_piece_of_a_call_that_works() {
    let make = || {
        let mut world = World::new(Near::Client);
        world.up();
        talk(&mut world, 10);
        world.wait(30.0).echo(Client, 1, true);
        talk(&mut world, 5);
        world.hang_up();
        world
    };
    let len = make().len();
    for cut in 1..len {
        for (from, to) in [(0, cut), (cut, len)] {
            let mut world = make();
            world.keep(from, to).silence(40.0);
            let (conversations, _) = world.read(None);
            for conversation in &conversations {
                for call in 0..conversation.calls.len().max(1) {
                    let (vantage, _) = adit_doctor::from::capture::vantage(conversation);
                    let facts = adit_doctor::from::capture::facts(conversation, call, vantage);
                    let verdict = adit_doctor::judge(&facts);
                    // Where it stops in the middle of the set-up, silence is what there is to see.
                    let is_silence = verdict.confidence != adit_doctor::Confidence::High && to < len;
                    assert!(
                        verdict.first_failure.is_none() || is_silence,
                        "frames {from} to {to}:\n{verdict}"
                    );
                }
            }
        }
    }
}

/// Packets that only the capture lost are not a fault.
#[test]
fn a_call_that_works_with_any_frame_missing_in_the_file() {
    let make = || {
        let mut world = World::new(Near::Server);
        world.up();
        talk(&mut world, 20);
        world.wait(10.0).hang_up();
        world
    };
    for at in 0..make().len() {
        let mut world = make();
        world.lose(at);
        world.silence(20.0);
        let verdict = world.verdict();
        assert_eq!(verdict.first_failure, None, "frame {} is missing:\n{verdict}", at + 1);
    }
}
