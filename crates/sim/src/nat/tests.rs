use adit_wire::pptp::*;

use super::*;

const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);
const OTHER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 6);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);

fn emit(messages: &[Message]) -> Vec<u8> {
    messages.iter().flat_map(Message::to_octets).collect()
}

fn tcp(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), octets: Vec<u8>) -> Packet {
    let segment = Segment { src_port: src.1, dst_port: dst.1, kind: Kind::Data { offset: 0, octets } };
    Packet { src: src.0, dst: dst.0, body: Body::Tcp(segment) }
}

fn gre(src: Ipv4Addr, dst: Ipv4Addr, key: u16) -> Packet {
    let mut octets = vec![0x30, 0x01, 0x88, 0x0b, 0, 1, 0, 0, 0, 0, 0, 0, 0xff];
    set_gre_call_id(&mut octets, key);
    Packet { src, dst, body: Body::Gre(octets) }
}

#[track_caller]
fn passed(verdict: Verdict) -> Packet {
    match verdict {
        Verdict::Pass(packet) => packet,
        other => panic!("{other:?}"),
    }
}

/// The external port and the first message of a segment that passed.
#[track_caller]
fn message(packet: &Packet) -> (u16, u16, Message) {
    match &packet.body {
        Body::Tcp(Segment { src_port, dst_port, kind: Kind::Data { octets, .. } }) => {
            (*src_port, *dst_port, Message::parse(octets).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

fn request(call_id: u16) -> Message {
    OutgoingCallRequest { serial: 0, minimum_bps: 0, maximum_bps: 0, ..OutgoingCallRequest::new(call_id) }
        .into()
}

fn reply(call_id: u16, peer_call_id: u16) -> Message {
    OutgoingCallReply { connect_speed: 0, ..OutgoingCallReply::connected(call_id, peer_call_id) }.into()
}

fn notify(call_id: u16) -> Message {
    let (result, error) = (DisconnectResult::Request, ErrorCode::None);
    CallDisconnectNotify { call_id, result, error, cause: 0, statistics: Text::default() }.into()
}

/// A call through the NAT: Call ID 7 inside, the port outside, 900 at the server.
fn with_call(translation: Translation, now: Instant) -> (Nat, u16) {
    let mut nat = Nat::new(OUTSIDE, translation);
    let sent = tcp((CLIENT, 40_000), (SERVER, 1723), emit(&[request(7)]));
    let (port, _, _) = message(&passed(nat.outward(now, sent)));
    let back = tcp((SERVER, 1723), (OUTSIDE, port), emit(&[reply(900, port)]));
    passed(nat.inward(now, back));
    (nat, port)
}

#[test]
fn the_helper_changes_the_fields_of_the_table() {
    let now = Instant::now();
    let mut nat = Nat::new(OUTSIDE, Translation::Helper);
    let outward = |nat: &mut Nat, m: Message| {
        let packet = passed(nat.outward(now, tcp((CLIENT, 40_000), (SERVER, 1723), emit(&[m]))));
        assert_eq!(packet.src, OUTSIDE);
        message(&packet)
    };
    let (port, _, sent) = outward(&mut nat, request(7));
    assert_eq!(sent, request(port));
    let inward = |nat: &mut Nat, m: Message| {
        let packet = passed(nat.inward(now, tcp((SERVER, 1723), (OUTSIDE, port), emit(&[m]))));
        assert_eq!(packet.dst, CLIENT);
        let (_, dst_port, message) = message(&packet);
        assert_eq!(dst_port, 40_000);
        message
    };
    assert_eq!(inward(&mut nat, reply(900, port)), reply(900, 7));
    let clear = |call_id| Message::from(CallClearRequest { call_id });
    assert_eq!(outward(&mut nat, clear(7)).2, clear(port));
    // Set-Link-Info passes unchanged in both directions.
    let info = Message::from(SetLinkInfo { peer_call_id: port, send_accm: 0, receive_accm: 0 });
    assert_eq!(inward(&mut nat, info.clone()), info);
    assert_eq!(outward(&mut nat, info.clone()).2, info);
    // Call-Disconnect-Notify: the client's id replaces the server's.
    assert_eq!(inward(&mut nat, notify(900)), notify(7));
}

#[test]
fn the_helper_reads_only_what_begins_a_segment() {
    let now = Instant::now();
    let mut nat = Nat::new(OUTSIDE, Translation::Helper);
    let echo = Message::from(EchoRequest { identifier: 1 });
    let both = tcp((CLIENT, 40_000), (SERVER, 1723), emit(&[echo, request(7)]));
    let Body::Tcp(Segment { kind: Kind::Data { octets, .. }, .. }) = passed(nat.outward(now, both)).body
    else {
        panic!();
    };
    assert_eq!(Message::parse(&octets[16..]).unwrap(), request(7), "left alone");
}

#[test]
fn gre_keys_are_changed_back_for_the_client_alone() {
    let now = Instant::now();
    let (mut nat, port) = with_call(Translation::Helper, now);
    let out = passed(nat.outward(now, gre(CLIENT, SERVER, 900)));
    assert_eq!(out, gre(OUTSIDE, SERVER, 900));
    let back = passed(nat.inward(now, gre(SERVER, OUTSIDE, port)));
    assert_eq!(back, gre(SERVER, CLIENT, 7));
    assert!(matches!(nat.inward(now, gre(SERVER, OUTSIDE, port ^ 1)), Verdict::Drop(_)));
    // The stream is removed with the call.
    passed(nat.inward(now, tcp((SERVER, 1723), (OUTSIDE, port), emit(&[notify(900)]))));
    assert!(matches!(nat.inward(now, gre(SERVER, OUTSIDE, port)), Verdict::Drop(_)));
}

#[test]
fn the_first_gre_packet_must_come_in_five_minutes() {
    let now = Instant::now();
    let (mut nat, port) = with_call(Translation::Helper, now);
    let late = now + EXPECTATION;
    assert!(matches!(nat.inward(late, gre(SERVER, OUTSIDE, port)), Verdict::Drop(_)));
    let (mut nat, port) = with_call(Translation::Helper, now);
    passed(nat.inward(now, gre(SERVER, OUTSIDE, port)));
    passed(nat.inward(late, gre(SERVER, OUTSIDE, port)));
}

#[test]
fn without_a_helper_the_last_sender_gets_everything() {
    let now = Instant::now();
    let mut nat = Nat::new(OUTSIDE, Translation::LastSender);
    passed(nat.outward(now, gre(CLIENT, SERVER, 900)));
    assert_eq!(passed(nat.inward(now, gre(SERVER, OUTSIDE, 7))), gre(SERVER, CLIENT, 7));
    passed(nat.outward(now, gre(OTHER, SERVER, 901)));
    assert_eq!(passed(nat.inward(now, gre(SERVER, OUTSIDE, 7))), gre(SERVER, OTHER, 7));
}

#[test]
fn two_clients_get_two_ports_and_two_ids() {
    let now = Instant::now();
    let mut nat = Nat::new(OUTSIDE, Translation::Helper);
    let mut seen = Vec::new();
    for client in [CLIENT, OTHER] {
        let sent = tcp((client, 40_000), (SERVER, 1723), emit(&[request(7)]));
        let (port, _, sent) = message(&passed(nat.outward(now, sent)));
        assert_eq!(sent, request(port));
        seen.push(port);
    }
    assert_ne!(seen[0], seen[1]);
}
