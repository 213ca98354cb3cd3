//! Replies that an attacker makes from what it can see.

use std::net::SocketAddr;

use adit_crypto::Rng;
use adit_radius::client::{Command, RequestId, SocketId};
use adit_radius::number::standard;
use adit_radius::{Builder, Code, Packet, SharedSecret, Signing};

use crate::world::{End, Flight, MILLISECOND, SECOND, World, config, secret};

/// What arrives instead of, or beside, an honest reply to this request: never an authentic one.
fn forged(rng: &mut Rng, request: &[u8], replay: Option<&Vec<u8>>) -> Vec<u8> {
    let packet = Packet::new_checked(request).unwrap();
    let code =
        [Code::AccessAccept, Code::AccessReject, Code::AccessChallenge, Code::CoaAck][rng.below(4) as usize];
    let mut builder = Builder::new(code, packet.id(), [0; 16]);
    builder.message_authenticator().octets(standard::CLASS, b"forged");
    let other = SharedSecret::new(b"the attacker's guess").unwrap();
    let mut wrong = [0; 16];
    rng.fill(&mut wrong);
    match rng.below(6) {
        // Another secret.
        0 => builder.finish(Signing::Reply(*packet.authenticator()), &other).unwrap(),
        // No secret at all.
        1 => builder.finish(Signing::Random, &other).unwrap(),
        // The request itself.
        2 => request.to_vec(),
        // A former authentic reply, with the Identifier of this request.
        3 => {
            let mut former = replay.cloned().unwrap_or_default();
            if let Some(id) = former.get_mut(1) {
                *id = packet.id();
            }
            former
        }
        // An authentic reply with one changed octet. The Identifier alone may change: no request has it then.
        4 => {
            let mut octets = builder.finish(Signing::Reply(*packet.authenticator()), &secret(0)).unwrap();
            let at = rng.below(octets.len() as u64) as usize;
            octets[at] ^= 1 + rng.below(255) as u8;
            octets
        }
        // Noise.
        _ => {
            let mut noise = vec![0; rng.below(60) as usize];
            rng.fill(&mut noise);
            if let Some(id) = noise.get_mut(1) {
                *id = packet.id();
            }
            noise
        }
    }
}

#[test]
fn c204_no_forged_reply_decides_and_the_honest_one_still_counts() {
    for seed in 0..300 {
        let mut world = World::new(config(1), seed);
        let mut rng = Rng::from_number(seed);
        let mut former = None;
        for id in 0..8 {
            let (name, expected) =
                [("alice", End::Accept(0)), ("bad", End::Reject(0))][rng.below(2) as usize].clone();
            world.send(id, name);
            let request = world.sent.last().unwrap();
            let (socket, octets) = (request.socket, request.octets.clone());
            let from = world.servers[0].address;
            for _ in 0..rng.below(12) {
                let octets = forged(&mut rng, &octets, former.as_ref());
                world.fly(rng.below(20) as u32 * MILLISECOND, Flight { socket, from, octets });
            }
            former = world.flights.values().map(|flight| flight.octets.clone()).next_back();
            world.run(5 * SECOND);
            assert_eq!(world.end(id), Some(&expected), "seed {seed}, login {id}");
        }
    }
}

#[test]
fn c204_an_authentic_reply_from_another_address_port_or_socket_is_dropped() {
    let mut world = World::new(config(1), 1);
    world.send(1, "alice");
    let ((_, _), honest) = world.flights.pop_first().unwrap();
    let other_port = SocketAddr::new(honest.from.ip(), 1813);
    let other_host = SocketAddr::from(([10, 0, 0, 99], 1812));
    let socket = honest.socket;
    for (socket, from) in [
        (socket, other_port),
        (socket, other_host),
        (SocketId { number: 1, ..socket }, honest.from),
        (SocketId { server: adit_radius::client::ServerId(1), ..socket }, honest.from),
    ] {
        world.fly(MILLISECOND, Flight { socket, from, octets: honest.octets.clone() });
    }
    world.run(20 * MILLISECOND);
    assert!(world.end(1).is_none());
    world.fly(MILLISECOND, honest);
    world.run(20 * MILLISECOND);
    assert_eq!(world.end(1), Some(&End::Accept(0)));
}

#[test]
fn a_wrong_shared_secret_is_named() {
    let mut world = World::new(config(1), 2);
    world.servers[0].secret = SharedSecret::new(b"another secret").unwrap();
    world.login(1, "alice");
    assert_eq!(
        world.failure(1),
        "10.0.0.7:1812 gave no usable answer to 3 packets: a reply with a wrong Response Authenticator arrived: compare \
         the shared secret on both sides"
    );
}

#[test]
fn a_malformed_reply_is_named_and_an_authentic_one_with_a_wrong_value_is_final() {
    let mut world = World::new(config(2), 3);
    world.servers[0].is_up = false;
    world.servers[1].is_up = false;
    world.send(1, "alice");
    let (socket, from) = (world.sent[0].socket, world.servers[0].address);
    let (id, authenticator) = (world.sent[0].octets[1], world.sent[0].octets[4..20].try_into().unwrap());
    world.fly(MILLISECOND, Flight { socket, from, octets: vec![2, id, 0, 20] });
    world.run(20 * SECOND);
    assert!(
        world.failure(1).starts_with(
            "10.0.0.7:1812 gave no usable answer to 3 packets: a malformed packet arrived: RADIUS packet at octet 0: \
             expected at least 20 octets, found 4; 10.0.0.8:1812 gave no answer to 3 packets"
        ),
        "{}",
        world.failure(1)
    );
    // The first request is over; this one is the second of the socket.
    world.send(2, "alice");
    let sent = world.sent.last().unwrap();
    let (socket, id) = (sent.socket, sent.octets[1]);
    let authenticator: [u8; 16] = sent.octets[4..20].try_into().unwrap_or(authenticator);
    let mut builder = Builder::new(Code::AccessAccept, id, [0; 16]);
    builder.message_authenticator().octets(standard::SESSION_TIMEOUT, &[1]);
    let octets = builder.finish(Signing::Reply(authenticator), &secret(0)).unwrap();
    world.fly(MILLISECOND, Flight { socket, from, octets });
    world.run(SECOND);
    assert_eq!(
        world.failure(2),
        "the reply cannot be used: RADIUS Session-Timeout at octet 38: expected 4 octets, found 1"
    );
    world.command(Command::Cancel(RequestId(2)));
}
