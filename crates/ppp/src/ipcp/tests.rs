use std::time::Instant;

use adit_wire::cp;
use adit_wire::ipcp::{self, NameServer};
use proptest::prelude::*;

use super::*;
use crate::fsm::testing::{Pair, events, packet, packets, reply};
use crate::fsm::{Event, Failure, Finish, Fsm, Timers};

const LOCAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const GIVEN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const DNS: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(192, 0, 2, 54)];
const ZERO: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

fn grant(dns: usize) -> AddressGrant {
    AddressGrant { peer: GIVEN, local: LOCAL, dns: DNS[..dns].to_vec(), wins: vec![] }
}

fn server(dns: usize) -> Fsm<Ipcp> {
    Fsm::new(Ipcp::server(grant(dns)), Timers::default())
}

fn client(client: Client) -> Fsm<Ipcp> {
    Fsm::new(Ipcp::client(client), Timers::default())
}

fn start(mut fsm: Fsm<Ipcp>) -> (Fsm<Ipcp>, Instant, Vec<u8>) {
    let now = Instant::now();
    fsm.open(now);
    fsm.lower_up(now);
    let (_, _, request) = reply(&mut fsm);
    (fsm, now, request)
}

fn octets(options: &[IpcpOption<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    options.iter().for_each(|option| option.emit(&mut out));
    out
}

fn answer(fsm: &mut Fsm<Ipcp>, now: Instant, options: &[IpcpOption<'_>]) -> (u8, Vec<u8>) {
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &octets(options))).unwrap();
    let (code, _, data) = reply(fsm);
    (code, data)
}

fn address(address: Ipv4Addr) -> IpcpOption<'static> {
    IpcpOption::Address(ipcp::Address(address))
}

fn name_server(server: NameServer, address: Ipv4Addr) -> IpcpOption<'static> {
    IpcpOption::NameServer(ipcp::NameServerAddress { server, address })
}

fn failure(fsm: &mut Fsm<Ipcp>) -> Failure {
    packets(fsm);
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
    }
    match events(fsm).pop() {
        Some(Event::Finished(Finish::Failed(failure))) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn c127_0_0_0_0_is_naked_with_the_assigned_address_as_often_as_it_is_sent_then_acked() {
    let (mut fsm, now, _) = start(server(0));
    for _ in 0..3 {
        let (code, data) = answer(&mut fsm, now, &[address(ZERO)]);
        assert_eq!((code, data), (cp::CONFIGURE_NAK, octets(&[address(GIVEN)])));
    }
    assert_eq!(answer(&mut fsm, now, &[address(GIVEN)]).0, cp::CONFIGURE_ACK);
}

#[test]
fn c128_another_address_is_naked_and_a_client_that_insists_ends_ipcp() {
    let (mut fsm, now, _) = start(server(0));
    for _ in 0..5 {
        let (code, data) = answer(&mut fsm, now, &[address(OTHER)]);
        assert_eq!((code, data), (cp::CONFIGURE_NAK, octets(&[address(GIVEN)])));
    }
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &octets(&[address(OTHER)]))).unwrap();
    let failure = failure(&mut fsm);
    assert_eq!(failure.code, Code::I02);
    assert_eq!(failure.detail, "the client insists on address 198.51.100.7, we give 192.0.2.100");
}

#[test]
fn a_client_that_takes_no_address_is_asked_to_and_then_ends_ipcp() {
    let (mut fsm, now, _) = start(server(0));
    for _ in 0..5 {
        let (code, data) = answer(&mut fsm, now, &[]);
        assert_eq!((code, data), (cp::CONFIGURE_NAK, octets(&[address(GIVEN)])));
    }
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &[])).unwrap();
    assert_eq!(failure(&mut fsm).code, Code::I02);
}

#[test]
fn c129_name_servers_are_naked_with_the_configured_ones_or_rejected() {
    let (mut fsm, now, _) = start(server(1));
    let asked = |server| name_server(server, ZERO);
    let (code, data) = answer(&mut fsm, now, &[address(GIVEN), asked(NameServer::PrimaryDns)]);
    assert_eq!((code, data), (cp::CONFIGURE_NAK, octets(&[name_server(NameServer::PrimaryDns, DNS[0])])));
    let (code, data) = answer(&mut fsm, now, &[address(GIVEN), asked(NameServer::SecondaryDns)]);
    assert_eq!((code, data), (cp::CONFIGURE_REJECT, octets(&[asked(NameServer::SecondaryDns)])));
}

#[test]
fn c130_the_order_of_windows_gives_reject_then_nak_then_ack() {
    let (mut fsm, now, _) = start(server(2));
    let asked = |server| name_server(server, ZERO);
    use NameServer::{PrimaryDns, PrimaryNbns, SecondaryDns, SecondaryNbns};
    let all =
        [address(ZERO), asked(PrimaryDns), asked(PrimaryNbns), asked(SecondaryDns), asked(SecondaryNbns)];
    let (code, data) = answer(&mut fsm, now, &all);
    assert_eq!((code, data), (cp::CONFIGURE_REJECT, octets(&[asked(PrimaryNbns), asked(SecondaryNbns)])));

    let fewer = [address(ZERO), asked(PrimaryDns), asked(SecondaryDns)];
    let right = [address(GIVEN), name_server(PrimaryDns, DNS[0]), name_server(SecondaryDns, DNS[1])];
    assert_eq!(answer(&mut fsm, now, &fewer), (cp::CONFIGURE_NAK, octets(&right)));
    assert_eq!(answer(&mut fsm, now, &right), (cp::CONFIGURE_ACK, octets(&right)));
}

#[test]
fn c131_c132_compression_and_the_old_addresses_are_rejected() {
    let refused = [
        IpcpOption::Addresses(ipcp::Addresses { own: ZERO, peer: ZERO }),
        IpcpOption::Compression(ipcp::Compression { protocol: 0x002d, parameters: &[15, 1] }),
        IpcpOption::Other(cp::UnknownOption { kind: 4, data: &[0; 4] }),
        IpcpOption::Other(cp::UnknownOption { kind: 200, data: &[] }),
    ];
    for fsm in [server(0), client(Client::new())] {
        let (mut fsm, now, _) = start(fsm);
        let with = [&[address(GIVEN)][..], &refused].concat();
        assert_eq!(answer(&mut fsm, now, &with), (cp::CONFIGURE_REJECT, octets(&refused)));
    }
}

#[test]
fn a_readable_option_of_a_wrong_length_is_rejected() {
    let (mut fsm, now, _) = start(server(1));
    let raw = [3, 4, 192, 0, 129, 3, 9];
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &raw)).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REJECT, 1, raw.to_vec()));
}

#[test]
fn c133_a_client_takes_address_and_dns_and_does_without_what_is_rejected() {
    let mut pair = Pair::new(server(1), client(Client::new().with_name_servers(NameServer::ALL)));
    pair.start();
    assert!(pair.a.is_opened() && pair.b.is_opened(), "{:#?}", pair.log);
    let agreed = pair.b.protocol().agreed();
    assert_eq!(agreed, Agreed { local: GIVEN, peer: LOCAL, dns: vec![DNS[0]], wins: vec![] });
    let server = pair.a.protocol().agreed();
    assert_eq!((server.local, server.peer), (LOCAL, GIVEN));
    let from_client = pair.log.iter().filter(|line| line.starts_with("b: Configure-Request")).count();
    assert_eq!(from_client, 3, "{:#?}", pair.log);
}

#[test]
fn c134_a_server_without_an_address_of_its_own_gets_a_placeholder() {
    let (mut fsm, now, _) = start(client(Client::new()));
    assert_eq!(answer(&mut fsm, now, &[]).0, cp::CONFIGURE_ACK);
    fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, 1, &octets(&[address(GIVEN)]))).unwrap();
    let (_, id, request) = reply(&mut fsm);
    fsm.handle_input(now, &packet(cp::CONFIGURE_ACK, id, &request)).unwrap();
    assert_eq!(events(&mut fsm), [Event::Up]);
    let agreed = fsm.protocol().agreed();
    assert_eq!((agreed.local, agreed.peer), (GIVEN, PLACEHOLDER));
}

#[test]
fn a_fixed_address_is_used_when_the_server_rejects_the_option() {
    let (mut fsm, now, request) = start(client(Client::new().with_address(Some(OTHER))));
    assert_eq!(request, octets(&[address(OTHER)]));
    fsm.handle_input(now, &packet(cp::CONFIGURE_REJECT, 1, &request)).unwrap();
    assert!(reply(&mut fsm).2.is_empty());
    assert_eq!(fsm.protocol().agreed().local, OTHER);
}

#[test]
fn a_fixed_address_that_the_server_does_not_give_ends_ipcp_with_both_addresses_named() {
    let mut pair = Pair::new(server(0), client(Client::new().with_address(Some(OTHER))));
    pair.start();
    pair.wait(core::time::Duration::from_secs(20));
    let failed = pair.reported.iter().find_map(|(who, event)| match event {
        Event::Finished(Finish::Failed(failure)) => Some((who, failure)),
        _ => None,
    });
    let (_, failure) = failed.expect("one side gives up");
    assert_eq!(failure.code, Code::I02);
    assert!(failure.detail.contains("198.51.100.7") && failure.detail.contains("192.0.2.100"));
}

#[test]
fn a_server_that_acks_0_0_0_0_has_no_address_to_give() {
    let (mut fsm, now, request) = start(client(Client::new()));
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &octets(&[address(LOCAL)]))).unwrap();
    fsm.handle_input(now, &packet(cp::CONFIGURE_ACK, 1, &request)).unwrap();
    let failure = failure(&mut fsm);
    assert_eq!(failure.code, Code::I01);
}

#[test]
fn addresses_that_no_host_can_have_are_never_taken() {
    let (mut fsm, now, request) = start(client(Client::new()));
    for (id, bad) in (1..).zip([[127, 0, 0, 1], [224, 0, 0, 5], [0, 1, 2, 3], [255, 255, 255, 255]]) {
        fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, id, &octets(&[address(bad.into())]))).unwrap();
        assert_eq!(reply(&mut fsm).2, request, "{bad:?}");
    }
    for bad in [[127, 0, 0, 1], [239, 1, 1, 1], [0, 0, 0, 0]] {
        let bad = [address(bad.into())];
        assert_eq!(answer(&mut fsm, now, &bad), (cp::CONFIGURE_REJECT, octets(&bad)));
    }
}

#[test]
fn the_address_that_a_client_wants_for_the_server_is_naked() {
    let (mut fsm, now, _) = start(client(Client::new().with_peer(Some(LOCAL))));
    let (code, data) = answer(&mut fsm, now, &[address(OTHER)]);
    assert_eq!((code, data), (cp::CONFIGURE_NAK, octets(&[address(LOCAL)])));
    assert_eq!(answer(&mut fsm, now, &[address(LOCAL)]).0, cp::CONFIGURE_ACK);
}

#[test]
fn a_server_keeps_its_address_when_the_client_naks_it_and_goes_on_without_when_rejected() {
    let (mut fsm, now, request) = start(server(0));
    assert_eq!(request, octets(&[address(LOCAL)]));
    fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, 1, &octets(&[address(OTHER)]))).unwrap();
    let (_, id, again) = reply(&mut fsm);
    assert_eq!(again, request);
    fsm.handle_input(now, &packet(cp::CONFIGURE_REJECT, id, &request)).unwrap();
    assert!(reply(&mut fsm).2.is_empty());
    assert_eq!(fsm.protocol().agreed().local, LOCAL);
}

proptest! {
    #[test]
    fn any_client_gets_the_granted_address(dns in 0usize..3, ask in prop::sample::subsequence(NameServer::ALL.to_vec(), 0..=4)) {
        let mut pair = Pair::new(server(dns), client(Client::new().with_name_servers(ask.clone())));
        pair.start();
        prop_assert!(pair.a.is_opened() && pair.b.is_opened(), "{:#?}", pair.log);
        let agreed = pair.b.protocol().agreed();
        prop_assert_eq!(agreed.local, GIVEN);
        let wanted: Vec<_> = [NameServer::PrimaryDns, NameServer::SecondaryDns].into_iter().zip(DNS).take(dns)
            .filter(|(server, _)| ask.contains(server)).map(|(_, address)| address).collect();
        prop_assert_eq!(agreed.dns, wanted);
    }
}
