//! Followers of the log: slow ones, many, and those that vanish.

use adit_api::log::{Filter, Followed};
use adit_api::{Kind, Request, Response};
use adit_testbed::wait_until;

use crate::common::*;
use crate::{ControlClient, server};

/// Followers at once.
const FOLLOWERS: usize = 32;

fn follow(server: &Server) -> Result<ControlClient, adit_api::Error> {
    let mut client = ControlClient::open(server);
    match client.ask(&Request::Follow(Filter::default())) {
        Response::Followed(Followed::Begun) => Ok(client),
        Response::Error(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slow_follower_loses_events_and_receives_their_number() {
    const EVENTS: u64 = 20_000;
    let (_neighbour, server) = server(CONFIG);
    let mut slow = follow(&server).unwrap();
    let mut client = ControlClient::open(&server);
    for number in 0..EVENTS {
        // The event writer's own queue must not overflow: that would be another loss.
        if number % 4000 == 0 {
            assert!(matches!(
                client.ask(&Request::Log(Filter { last: Some(1), ..Filter::default() })),
                Response::Log(_)
            ));
        }
        assert!(matches!(client.ask(&Request::Drain { on: number % 2 == 0 }), Response::Done(_)));
    }
    let (mut seen, mut missed) = (0, 0);
    while seen + missed < EVENTS {
        match slow.receive() {
            Some(Response::Followed(Followed::Event(_))) => seen += 1,
            Some(Response::Followed(Followed::Lagged(lagged))) => missed += lagged.missed,
            Some(Response::Followed(Followed::Idle)) => {}
            other => panic!("{other:?} after {seen} events, {missed} missed"),
        }
    }
    assert!(missed > 0 && seen > 0, "{seen} seen, {missed} missed");
    assert_eq!(seen + missed, EVENTS);
    assert!(
        server.status().warnings.iter().all(|warning| !warning.text.contains("lost")),
        "{:?}",
        server.status()
    );
}

#[test]
fn followers_are_bounded_and_those_that_vanish_free_their_place() {
    let (_neighbour, server) = server(CONFIG);
    let mut followers: Vec<ControlClient> = (0..FOLLOWERS).map(|_| follow(&server).unwrap()).collect();
    let refusal = follow(&server).err().unwrap();
    assert_eq!(refusal.kind, Kind::Busy);
    assert!(refusal.message.contains("32 others") && refusal.fix.is_some(), "{refusal:?}");
    let output = server.adit(&["log", "--follow"]);
    assert_eq!(output.code, Some(3), "{output}");
    // Others still get answers.
    assert_eq!(server.status().sessions_up, 0);
    followers.truncate(1);
    wait_until("room for more followers", SOON, || follow(&server).is_ok());
    assert!(matches!(ControlClient::open(&server).ask(&Request::Drain { on: true }), Response::Done(_)));
    match followers[0].receive() {
        Some(Response::Followed(Followed::Event(event))) => {
            assert_eq!(event.kind.to_string(), "server.drain")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_follows_through_a_restart_of_the_server() {
    let (_neighbour, mut server) = server(CONFIG);
    let mut log = server.host.spawn(&mut adit(server.dir.path(), &["log", "--follow", "--jsonl"]));
    log.wait_for("server.start", SOON);
    assert!(matches!(ControlClient::open(&server).ask(&Request::Drain { on: true }), Response::Done(_)));
    log.wait_for("\"kind\":\"server.drain\"", SOON);
    server.running.signal("TERM");
    log.wait_for("\"kind\":\"server.stop\"", SOON);
    assert!(server.running.wait(SOON).success());
    add_user(server.dir.path(), "alice", &[]);
    log.wait_for("\"kind\":\"user.add\"", SOON);
    server.running = start(&server.host, server.dir.path());
    assert!(matches!(ControlClient::open(&server).ask(&Request::Drain { on: true }), Response::Done(_)));
    // The kind of the event itself: its facts bear it too.
    let count = |kind: &str| log.log().matches(&format!("\"kind\":\"{kind}\",\"user\"")).count();
    wait_until("the second start", SOON, || count("server.start") == 2);
    for kind in ["server.stop", "user.add"] {
        assert_eq!(count(kind), 1, "{}", log.log());
    }
}
