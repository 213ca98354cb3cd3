use std::time::Instant;

use adit_wire::cp::{self, ConfigOption};
use adit_wire::ipv6cp::InterfaceIdentifier;

use super::options::UNIVERSAL;
use super::*;
use crate::fsm::testing::{Pair, events, packet, packets, reply};
use crate::fsm::{Event, Finish, Fsm, Timers};

fn ipv6cp(identifier: Option<u64>, seed: u64) -> Fsm<Ipv6cp> {
    Fsm::new(Ipv6cp::new(identifier, Rng::from_number(seed)), Timers::default())
}

fn start(mut fsm: Fsm<Ipv6cp>) -> (Fsm<Ipv6cp>, Instant) {
    let now = Instant::now();
    fsm.open(now);
    fsm.lower_up(now);
    packets(&mut fsm);
    (fsm, now)
}

fn option(identifier: u64) -> Vec<u8> {
    let mut out = Vec::new();
    InterfaceIdentifier(identifier).emit(&mut out);
    out
}

/// The answer to a request for `identifier`, and the identifier in it.
fn answer(fsm: &mut Fsm<Ipv6cp>, now: Instant, identifier: u64) -> (u8, u64) {
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &option(identifier))).unwrap();
    let (code, _, data) = reply(fsm);
    (code, u64::from_be_bytes(data[2..].try_into().unwrap()))
}

#[test]
fn two_ends_have_different_local_identifiers() {
    let mut pair = Pair::new(ipv6cp(None, 1), ipv6cp(None, 2));
    pair.start();
    let (own, peer) = pair.a.protocol().identifiers();
    assert!(own != 0 && peer != 0 && own != peer);
    assert_eq!((own | peer) & UNIVERSAL, 0);
    assert_eq!(pair.b.protocol().identifiers(), (peer, own));
}

#[test]
fn c139_equal_identifiers_are_naked_and_both_zero_rejected() {
    let (mut fsm, now) = start(ipv6cp(Some(77), 1));
    let (code, suggested) = answer(&mut fsm, now, 77);
    assert_eq!(code, cp::CONFIGURE_NAK);
    assert!(suggested != 0 && suggested != 77);
    assert_eq!(answer(&mut fsm, now, 78), (cp::CONFIGURE_ACK, 78));

    let (mut fsm, now) = start(ipv6cp(Some(0), 1));
    assert_eq!(answer(&mut fsm, now, 0), (cp::CONFIGURE_REJECT, 0));

    let mut pair = Pair::new(ipv6cp(Some(77), 1), ipv6cp(Some(77), 2));
    pair.start();
    assert!(pair.a.is_opened() && pair.b.is_opened(), "{:#?}", pair.log);
    let (own, peer) = pair.a.protocol().identifiers();
    assert_ne!(own, peer);
}

#[test]
fn c140_a_zero_request_gets_a_fresh_identifier() {
    let mut pair = Pair::new(ipv6cp(Some(77), 1), ipv6cp(Some(0), 2));
    pair.start();
    assert!(pair.a.is_opened() && pair.b.is_opened(), "{:#?}", pair.log);
    let (own, peer) = pair.b.protocol().identifiers();
    assert!(own != 0 && peer == 77);
}

#[test]
fn compression_is_rejected_and_a_missing_identifier_asked_for() {
    let (mut fsm, now) = start(ipv6cp(Some(77), 1));
    let compression = [2, 4, 0, 0x61];
    let request = [&option(5)[..], &compression].concat();
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &request)).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REJECT, 1, compression.to_vec()));
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 2, &[])).unwrap();
    let (code, _, data) = reply(&mut fsm);
    assert_eq!((code, data[0]), (cp::CONFIGURE_NAK, InterfaceIdentifier::KIND));
}

#[test]
fn a_peer_that_takes_no_identifier_ends_it() {
    let (mut fsm, now) = start(ipv6cp(Some(77), 1));
    for id in 0..6 {
        fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, id, &[])).unwrap();
    }
    packets(&mut fsm);
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
    }
    assert!(matches!(&events(&mut fsm)[..], [Event::Finished(Finish::Failed(f))] if f.code == Code::I05));
}
