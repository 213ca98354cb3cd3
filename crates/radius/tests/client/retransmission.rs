//! When a request is sent again.

use std::time::Duration;

use adit_radius::client::{Command, RequestId, Retransmission, SocketId};

use crate::world::{End, MILLISECOND, SECOND, World, config};

#[test]
fn c206_a_request_is_sent_again_unchanged_at_growing_intervals() {
    let mut world = World::new(config(1), 1);
    world.servers[0].is_up = false;
    world.send(1, "alice");
    world.run(60 * SECOND);
    let logins: Vec<_> = world.sent.iter().filter(|sent| sent.octets[0] == 1).collect();
    let first = Retransmission::default().first;
    assert_eq!(logins.len(), 3);
    for again in &logins[1..] {
        assert_eq!((again.socket, &again.octets), (logins[0].socket, &logins[0].octets));
    }
    let within = |interval: Duration, expected: Duration| {
        assert!(
            interval >= expected * 9 / 10 && interval <= expected * 11 / 10,
            "{interval:?}, {expected:?}"
        );
    };
    within(logins[1].at - logins[0].at, first);
    within(logins[2].at - logins[1].at, first * 2);
    assert_eq!(world.ends[&RequestId(1)].0, 5 * SECOND, "the time of one server");
    assert_eq!(
        world.failure(1),
        "10.0.0.7:1812 gave no answer to 3 packets: check that it is running, that a firewall passes UDP, that its list \
         of clients has this server, and that the shared secret is the same"
    );
}

#[test]
fn intervals_are_spread_over_the_time_of_a_server() {
    let spread = |seconds, retries| Retransmission::within(seconds * SECOND, retries).first;
    assert_eq!(spread(7, 2), SECOND);
    assert_eq!(spread(60, 2), 3 * SECOND, "no more than three seconds apart at first");
    assert_eq!(spread(5, 200), 100 * MILLISECOND);
    assert_eq!(Retransmission::within(SECOND, 0).retries, 0);
}

#[test]
fn a_lost_packet_in_either_direction_is_repaired() {
    let mut repaired = 0;
    for seed in 0..100 {
        let mut world = World::new(config(1), seed);
        world.loss = (30, 10);
        repaired += u64::from(world.login(1, "alice") == End::Accept(0));
    }
    // Three attempts, of which each fails with a probability of 1 - 0.7 * 0.7.
    assert!((75..100).contains(&repaired), "{repaired} of 100");
}

#[test]
fn a_late_or_repeated_reply_has_no_effect() {
    let mut world = World::new(config(1), 2);
    world.loss = (0, 100);
    assert_eq!(world.login(1, "alice"), End::Accept(0));
    world.send(2, "bad");
    world.run(60 * SECOND);
    assert_eq!(world.end(2), Some(&End::Reject(0)));
    assert!(world.events.is_empty(), "{:?}", world.events);
}

#[test]
fn a_report_that_the_port_is_closed_is_evidence_and_ends_nothing() {
    let mut world = World::new(config(1), 3);
    world.servers[0].is_up = false;
    world.send(1, "alice");
    let socket = SocketId { number: 0, ..world.sent[0].socket };
    world.client.handle_unreachable(world.now, socket);
    world.drain();
    assert!(world.end(1).is_none());
    world.run(20 * SECOND);
    assert_eq!(
        world.failure(1),
        "10.0.0.7:1812 cannot be reached (ICMP): check that the RADIUS server is running and the port is right"
    );
    // A report from before a request says nothing about it.
    world.login(2, "alice");
    assert!(world.failure(2).contains("gave no answer"));
    world.command(Command::Cancel(RequestId(2)));
}
