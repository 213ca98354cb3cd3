//! One inner address in two calls.

use adit_diag::Code;
use adit_doctor::from::capture;
use adit_doctor::judge;
use adit_wire::cp;

use crate::world::By::{Client, Server};
use crate::world::{Near, World, lcp};

/// What is said of each call of a file.
fn codes(world: &World) -> Vec<Option<Code>> {
    let (conversations, _) = world.read(None);
    let mut facts: Vec<_> = conversations
        .iter()
        .map(|conversation| capture::facts(conversation, 0, capture::vantage(conversation).0))
        .collect();
    let mut calls: Vec<_> =
        conversations.iter().zip(&mut facts).map(|(conversation, facts)| (conversation, 0, facts)).collect();
    capture::addresses_twice(&mut calls);
    facts.iter().map(|facts| judge(facts).first_failure).collect()
}

fn talk(world: &mut World, seconds: u16) {
    for n in 0..seconds {
        world.wait(1.0).data(Client, n, 100).data(Server, n, 100);
    }
}

/// The same address for another client, so many seconds after the first dialled.
fn second(after: f64) -> World {
    let mut world = World::new(Near::Server);
    world.second_client(8, 1301);
    world.wait(after).up();
    talk(&mut world, 20);
    world
}

#[test]
fn both_talk_at_the_same_time() {
    let mut world = World::new(Near::Server);
    world.up();
    talk(&mut world, 20);
    world.beside(second(5.0));
    assert_eq!(codes(&world), [Some(Code::I03); 2]);
}

#[test]
fn lent_anew_after_the_end() {
    let mut world = World::new(Near::Server);
    world.up();
    talk(&mut world, 20);
    world.hang_up();
    world.beside(second(25.0));
    assert_eq!(codes(&world), [None; 2]);
}

/// The first client vanishes without a message, and the server still asks for it when the second has its address.
#[test]
fn lent_anew_though_the_first_call_still_stands() {
    let mut world = World::new(Near::Server);
    world.up();
    talk(&mut world, 10);
    for id in 0..2 {
        world.wait(5.0).gre_vanishes(Server, &lcp(cp::ECHO_REQUEST, id, &[0; 4]));
    }
    world.beside(second(15.0));
    assert_eq!(codes(&world), [None; 2]);
}
