use super::*;
use crate::{AuthMethod, Code, LoginRefusal};

fn every() -> Vec<(Note, &'static str)> {
    let request = Message {
        protocol: Protocol::Pptp,
        kind: MessageKind::OutgoingCallRequest,
        id: None,
        length: 156,
        octets: Octets(vec![0, 7]),
    };
    let packet = |sent, treatment| {
        let message = Message {
            protocol: Protocol::Lcp,
            kind: MessageKind::ConfigureRequest,
            id: Some(3),
            length: 4,
            octets: Octets(vec![1, 4, 5, 0x78]),
        };
        Note::Packet(Packet { sent, message, treatment })
    };
    let last = Destination { address: [192, 168, 20, 5].into(), protocol: 6, port: 3389 };
    vec![
        (packet(true, Treatment::Handled), "Configure-Request id 3"),
        (
            packet(false, Treatment::HeldUntilAddress),
            "Configure-Request id 3 (held until there is an address)",
        ),
        (
            packet(false, Treatment::Ignored { why: "LCP is not open".into() }),
            "Configure-Request id 3 (ignored: LCP is not open)",
        ),
        (
            Note::LayerUp(LayerUp::Control { local_call_id: 7, peer_call_id: 9 }),
            "control ok: call 7 here, 9 there",
        ),
        (Note::LayerUp(LayerUp::Gre), "gre ok: the peer's GRE arrives"),
        (Note::LayerUp(LayerUp::Lcp { mru: 1400 }), "lcp ok: mru 1400"),
        (
            Note::LayerUp(LayerUp::Auth { method: AuthMethod::MsChapV2, user: "alice".into() }),
            "auth ok: mschap-v2 as alice",
        ),
        (Note::LayerUp(LayerUp::Encrypt { bits: 128, stateless: true }), "encrypt ok: mppe 128 stateless"),
        (
            Note::LayerUp(LayerUp::Address { local: [10, 0, 0, 1].into(), peer: [10, 0, 0, 2].into() }),
            "address ok: local 10.0.0.1 peer 10.0.0.2",
        ),
        (Note::CallAccepted { call_id: 4711, request }, "call accepted as 4711: Outgoing-Call-Request"),
        (Note::Refused(LoginRefusal::WrongPassword.into()), "A01 wrong password"),
        (
            Note::Refused(Refused { code: Code::I01, cause: "pool default has no free address".into() }),
            "I01 pool default has no free address",
        ),
        (
            Note::Finding(Finding::Loss { lost: 310, sent: 1030 }),
            "finding G07: 310 of 1030 GRE packets from the client never arrived (30 %): client to server",
        ),
        (
            Note::Finding(Finding::Denied { packets: 3, key: "groups.staff.routes".into(), last }),
            "finding R02: 3 packets dropped that groups.staff.routes does not allow, the last to 192.168.20.5 tcp/3389",
        ),
        (
            Note::Finding(Finding::SizeProbe { lost: 1400, passes: 1300 }),
            "finding M01: packets of 1400 octets vanish, 1300 pass: to the client or back",
        ),
        (
            Note::EndOrdered { why: Why::AdminReset, reason: "ended by an operator".into() },
            "admin-reset: ended by an operator",
        ),
        (
            Note::RouteFailed { network: "10.1.0.0/16".parse().unwrap(), error: "it exists".into() },
            "no route to 10.1.0.0/16 behind this client: it exists",
        ),
        (Note::DhcpAnswered, "DHCPINFORM answered with DNS, domain and routes"),
        (Note::DhcpFailed { error: "cut".into() }, "DHCP packet not answered: cut"),
        (Note::ForgedFrames { frames: 7 }, "forged control frames ignored: 7"),
    ]
}

#[test]
fn every_note_reads_as_a_line() {
    for (note, line) in every() {
        assert_eq!(note.to_string(), line);
    }
}

#[test]
fn every_note_survives_json_and_a_binary_format() {
    for (note, line) in every() {
        let json = serde_json::to_string(&note).unwrap();
        assert_eq!(serde_json::from_str::<Note>(&json).unwrap(), note, "{json}");
        let octets = postcard::to_allocvec(&note).unwrap();
        assert_eq!(postcard::from_bytes::<Note>(&octets).unwrap(), note, "{line}");
    }
    let up = Note::LayerUp(LayerUp::Lcp { mru: 1400 });
    assert_eq!(serde_json::to_string(&up).unwrap(), r#"{"layer-up":{"lcp":{"mru":1400}}}"#);
}

#[test]
fn a_destination_reads_as_address_and_port() {
    for (address, protocol, port, text) in [
        ([192, 168, 10, 20], 6, 443, "192.168.10.20 tcp/443"),
        ([255, 255, 255, 254], 17, 65535, "255.255.255.254 udp/65535"),
        ([0, 0, 0, 1], 1, 0, "0.0.0.1 icmp"),
        ([10, 0, 0, 1], 47, 0, "10.0.0.1 protocol 47"),
    ] {
        assert_eq!(Destination { address: address.into(), protocol, port }.to_string(), text);
    }
}

#[test]
fn an_end_reads_as_a_line() {
    let end = |code, cause| End { why: Why::Failed, by: Who::Us, code, cause }.to_string();
    assert_eq!(end(Some(Code::A01), Cause::Login(LoginRefusal::WrongPassword)), "failed A01: wrong password");
    assert_eq!(end(None, "".into()), "failed");
}
