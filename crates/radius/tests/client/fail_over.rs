//! Several servers, one of which fails.

use adit_radius::client::{Event, ServerId};

use crate::world::{End, SECOND, World, config};

/// A world in which so many logins find the first server down.
fn with_first_down(logins: u64, answers_status: bool) -> World {
    let mut world = World::new(config(2), 1);
    world.servers[0].answers_status = answers_status;
    world.servers[0].is_up = false;
    for id in 0..logins {
        assert_eq!(world.login(id, "alice"), End::Accept(1));
    }
    world
}

#[test]
fn c206_the_next_server_is_asked_with_a_request_of_its_own() {
    let world = with_first_down(1, true);
    let of = |server| world.sent.iter().filter(move |sent| sent.socket.server == ServerId(server));
    let (first, second) = (of(0).next().unwrap(), of(1).next().unwrap());
    assert_ne!(first.octets[4..20], second.octets[4..20], "the authenticator");
    assert_ne!(
        first.octets[20..38],
        second.octets[20..38],
        "the Message-Authenticator with the other secret"
    );
    assert_eq!(second.at - first.at, 5 * SECOND);
    assert!(world.changes().is_empty(), "one login in vain is no proof");
}

#[test]
fn c206_a_server_that_answers_neither_logins_nor_probes_is_not_asked() {
    let mut world = with_first_down(3, true);
    world.run(10 * SECOND);
    assert_eq!(world.changes(), [("down", 0)]);
    assert!(!world.client.is_in_service(ServerId(0)));
    let before = world.now;
    assert_eq!(world.login(10, "alice"), End::Accept(1));
    assert!(world.now - before < SECOND, "without waiting for the first server");
}

#[test]
fn c224_probes_bring_a_server_back() {
    let mut world = with_first_down(3, true);
    world.run(10 * SECOND);
    world.servers[0].is_up = true;
    let back = world.now;
    while world.changes().len() < 2 && world.step(back + 120 * SECOND) {}
    assert_eq!(world.changes(), [("down", 0), ("up", 0)]);
    assert!(world.now - back <= 45 * SECOND, "one interval, and two shorter ones");
    assert_eq!(world.servers[0].probes, 3);
    assert_eq!(world.login(10, "alice"), End::Accept(0));
}

#[test]
fn c224_a_server_that_answers_probes_only_now_and_then_stays_out_of_service() {
    let mut world = with_first_down(3, true);
    world.run(10 * SECOND);
    // A probe is answered, so that the server is known to answer them; the next one is not.
    for _ in 0..10 {
        world.servers[0].is_up = true;
        let probes = world.servers[0].probes;
        let until = world.now + 60 * SECOND;
        while world.servers[0].probes == probes && world.step(until) {}
        world.servers[0].is_up = false;
        world.run(40 * SECOND);
    }
    assert_eq!(world.changes(), [("down", 0)]);
}

#[test]
fn a_server_without_status_server_is_tried_again_after_the_dead_time() {
    let mut world = with_first_down(3, false);
    world.run(10 * SECOND);
    assert_eq!(world.changes(), [("down", 0)]);
    world.servers[0].is_up = true;
    world.run(60 * SECOND);
    assert_eq!(world.changes(), [("down", 0), ("up", 0)]);
    assert_eq!(world.login(10, "alice"), End::Accept(0));
    // Still down: a single login notices it.
    let mut world = with_first_down(3, false);
    world.run(70 * SECOND);
    assert_eq!(world.login(10, "alice"), End::Accept(1));
    world.run(10 * SECOND);
    assert_eq!(world.changes(), [("down", 0), ("up", 0), ("down", 0)]);
}

#[test]
fn a_server_that_answers_probes_stays_in_service_though_users_do_not_approve() {
    let mut world = World::new(config(1), 2);
    for id in 0..9 {
        // Its answer would take 60 s, and it has 5 s.
        assert!(matches!(world.login(id, "slow"), End::Failed(_)));
    }
    assert!(world.changes().is_empty(), "{:?}", world.changes());
    assert!(world.servers[0].probes > 0);
}

#[test]
fn when_all_servers_are_out_of_service_all_are_asked() {
    let mut world = World::new(config(2), 3);
    for server in &mut world.servers {
        server.is_up = false;
    }
    for id in 0..3 {
        assert!(matches!(world.login(id, "alice"), End::Failed(_)));
    }
    world.run(20 * SECOND);
    assert_eq!(world.changes(), [("down", 0), ("down", 1)]);
    world.servers[1].is_up = true;
    assert_eq!(world.login(10, "alice"), End::Accept(1));
    assert_eq!(world.changes().last(), Some(&("up", 1)), "a reply is proof enough");
    let dropped = world.events.iter().any(|(_, event)| matches!(event, Event::Dropped { .. }));
    assert!(!dropped);
}
