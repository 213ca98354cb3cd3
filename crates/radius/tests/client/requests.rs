//! Verdicts, and logins that cannot be sent.

use adit_crypto::proof::Proof;
use adit_radius::RequireMessageAuthenticator;
use adit_radius::client::{Command, Event, Failure, RequestId, ServerId};

use crate::world::{End, SECOND, World, config, pap, with_proof};

#[test]
fn the_verdict_of_the_first_server_is_final() {
    let mut world = World::new(config(2), 1);
    assert_eq!(world.login(1, "alice"), End::Accept(0));
    assert_eq!(world.login(2, "bad"), End::Reject(0));
    assert_eq!(world.login(3, "more"), End::Challenge(0));
    assert!(world.servers[1].logins.is_empty(), "no other server is asked after a verdict");
    assert_eq!(world.client.open_requests(), 0);
}

#[test]
fn a_challenge_is_continued_by_its_server_alone() {
    let mut world = World::new(config(2), 2);
    world.servers[1].is_up = false;
    let pinned =
        |id, name: &str| Command::Send { id: RequestId(id), request: pap(name), server: Some(ServerId(1)) };
    world.command(pinned(1, "alice"));
    world.run(20 * SECOND);
    assert!(matches!(world.end(1), Some(End::Failed(Failure::NoAnswer(servers))) if servers.len() == 1));
    assert!(world.servers[0].logins.is_empty());
    world.servers[1].is_up = true;
    world.command(pinned(2, "alice"));
    world.run(SECOND);
    assert_eq!(world.end(2), Some(&End::Accept(1)));
    world.command(Command::Send { id: RequestId(3), request: pap("alice"), server: Some(ServerId(9)) });
    assert_eq!(world.end(3), Some(&End::Failed(Failure::NoServer)));
}

#[test]
fn a_withdrawn_login_has_no_events() {
    let mut world = World::new(config(1), 3);
    world.send(1, "alice");
    world.command(Command::Cancel(RequestId(1)));
    world.command(Command::Cancel(RequestId(7)));
    world.run(60 * SECOND);
    assert_eq!((world.ends.len(), world.client.open_requests()), (0, 0));
    // A number that is sent again withdraws the login that had it.
    world.send(2, "slow");
    world.send(2, "bad");
    world.run(90 * SECOND);
    assert_eq!(world.end(2), Some(&End::Reject(0)));
}

#[test]
fn logins_beyond_the_bound_and_those_that_cannot_be_sent_fail_at_once() {
    let mut world = World::new(adit_radius::client::ClientConfig { requests: 2, ..config(1) }, 4);
    for id in 1..=3 {
        world.send(id, "alice");
    }
    assert_eq!(world.end(3), Some(&End::Failed(Failure::TooManyRequests(2))));
    world.run(SECOND);
    world.send(4, &"x".repeat(254));
    assert_eq!(
        world.failure(4),
        "the request cannot be sent: RADIUS User-Name at octet 0: expected at most 253 octets, found 254"
    );
    let mut none = World::new(config(0), 5);
    none.send(1, "alice");
    assert_eq!(none.failure(1), "there is no RADIUS server to ask");
}

#[test]
fn c208_an_accept_for_mschap_v2_without_the_servers_proof_is_unusable() {
    let mut world = World::new(config(2), 6);
    let proof = Proof::MsChapV2 {
        authenticator_challenge: [1; 16],
        peer_challenge: [2; 16],
        nt_response: [3; 24],
        name: b"alice".to_vec(),
    };
    let request = with_proof("alice", proof);
    world.command(Command::Send { id: RequestId(1), request, server: None });
    world.run(SECOND);
    assert_eq!(
        world.failure(1),
        "the reply cannot be used: RADIUS MS-CHAP2-Success at octet 0: expected the attribute in an Access-Accept for \
         MS-CHAPv2, found 0"
    );
    assert!(world.servers[1].logins.is_empty(), "the server has decided");
}

#[test]
fn c203_the_setting_of_message_authenticator() {
    let with = |require| {
        let mut config = config(1);
        config.servers[0].require = require;
        World::new(config, 7)
    };
    let mut required = with(RequireMessageAuthenticator::Yes);
    assert_eq!(required.login(1, "alice"), End::Accept(0));
    required.servers[0].signs = false;
    required.login(2, "alice");
    assert_eq!(
        required.failure(2),
        "10.0.0.7:1812 gave no usable answer to 3 packets: a reply without Message-Authenticator arrived, which can be \
         forged (CVE-2024-3596): update the server, or let it add the attribute to its replies"
    );
    let dropped =
        |world: &World| world.events.iter().filter(|(_, e)| matches!(e, Event::Dropped { .. })).count();
    assert_eq!(dropped(&required), 1, "reported once a minute");

    let mut waived = with(RequireMessageAuthenticator::No);
    waived.servers[0].signs = false;
    assert_eq!(waived.login(1, "alice"), End::Accept(0));

    let mut auto = with(RequireMessageAuthenticator::Auto);
    auto.servers[0].signs = false;
    assert_eq!(auto.login(1, "alice"), End::Accept(0));
    auto.servers[0].signs = true;
    assert_eq!(auto.login(2, "alice"), End::Accept(0));
    auto.servers[0].signs = false;
    assert!(matches!(auto.login(3, "alice"), End::Failed(_)), "required after the first reply that had one");
}
