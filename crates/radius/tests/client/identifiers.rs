//! Sockets and identifiers, and logins that wait for each other or do not.

use std::collections::BTreeSet;

use adit_radius::client::{ClientConfig, Event, RequestId, Retransmission};

use crate::world::{End, MILLISECOND, SECOND, World, config};

fn patient(sockets: u16) -> ClientConfig {
    ClientConfig { sockets, retransmission: Retransmission::within(70 * SECOND, 2), ..config(1) }
}

#[test]
fn a_thousand_slow_answers_delay_no_other_login() {
    let mut world = World::new(patient(32), 1);
    for id in 0..1000 {
        world.send(id, "slow");
    }
    world.run(SECOND);
    let before = world.now;
    assert_eq!(world.login(5000, "alice"), End::Accept(0));
    assert!(world.now - before < 100 * MILLISECOND, "{:?}", world.now - before);
    world.run(100 * SECOND);
    assert!((0..1000).all(|id| world.end(id) == Some(&End::Accept(0))));
    let sockets: BTreeSet<_> = world.sent.iter().map(|sent| sent.socket).collect();
    assert_eq!(sockets.len(), 4, "256 identifiers each");
    let closed = world.events.iter().filter(|(_, event)| matches!(event, Event::CloseSocket(_))).count();
    assert_eq!(closed, 3, "all but the first are closed when they are not needed");
}

#[test]
fn one_socket_is_enough_for_few_logins() {
    let mut world = World::new(config(1), 2);
    for id in 0..1000 {
        assert_eq!(world.login(id, "alice"), End::Accept(0));
        world.run(200 * MILLISECOND);
    }
    assert!(world.sent.iter().all(|sent| sent.socket.number == 0));
}

#[test]
fn logins_without_an_identifier_wait_in_order_until_one_has_rested() {
    let mut world = World::new(patient(1), 3);
    for id in 0..256 {
        world.send(id, "alice");
    }
    world.run(SECOND);
    for id in 256..300 {
        world.send(id, "alice");
    }
    world.run(20 * SECOND);
    assert!(world.end(256).is_none());
    world.run(20 * SECOND);
    for id in 256..300 {
        assert_eq!(world.end(id), Some(&End::Accept(0)));
        let (at, _) = &world.ends[&RequestId(id)];
        assert!(*at >= 30 * SECOND && *at < 32 * SECOND, "{at:?}");
    }
    let order = |id| world.ends[&RequestId(id)].0;
    assert!(order(256) <= order(299) + 30 * MILLISECOND);
}

#[test]
fn a_new_login_does_not_overtake_those_that_wait() {
    let mut world = World::new(patient(1), 5);
    for id in 0..257 {
        world.send(id, "alice");
    }
    world.run(SECOND);
    // An identifier has rested, and the deadline that gives it to the first of those that wait is not handled yet.
    world.now = world.begun + 40 * SECOND;
    let sent = world.sent.len();
    world.send(999, "overtaking");
    assert_eq!(world.sent.len(), sent, "it waits too");
    world.run(SECOND);
    let order: Vec<_> = world.servers[0].logins.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(order, ["overtaking", "alice"]);
}

#[test]
fn a_login_that_waits_too_long_for_an_identifier_reports_that() {
    let mut world = World::new(ClientConfig { sockets: 1, ..config(1) }, 4);
    for id in 0..257 {
        world.send(id, "alice");
    }
    world.run(20 * SECOND);
    assert_eq!(world.failure(256), "10.0.0.7:1812 was not asked: all identifiers are in use by other logins");
    assert!(world.changes().is_empty(), "that is not the server's failure");
}
