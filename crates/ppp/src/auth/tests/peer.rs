use adit_diag::AuthMethod;

use super::*;

/// A client that has answered a Challenge, and its Response.
fn answered(method: AuthMethod, challenge: &[u8]) -> (Peer, Vec<u8>) {
    let mut client = peer(method);
    client.open(Instant::now());
    client.handle_input(Instant::now(), &challenge_packet(5, challenge)).unwrap();
    let response = peer_sent(&mut client);
    (client, response)
}

fn challenge_packet(id: u8, challenge: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    adit_wire::chap::Message::Challenge { value: challenge, name: b"vpn" }.emit(&mut packet, id);
    packet
}

fn success(id: u8, text: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    adit_wire::chap::Message::Success(text).emit(&mut packet, id);
    packet
}

/// The text of a server's Success for a Response to sixteen octets of 7, with the password.
fn proof(response: &[u8]) -> String {
    let peer_challenge = response[5..21].try_into().unwrap();
    let nt_response = response[29..53].try_into().unwrap();
    let hash = Password::new("clientPass").nt_hash();
    let proof =
        adit_crypto::mschap::authenticator_response(&[7; 16], &peer_challenge, b"alice", &hash, &nt_response);
    proof.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn c159_a_server_that_cannot_prove_itself_is_left() {
    for (text, reason) in [
        (&b""[..], "the server let us in without any proof of its own"),
        (b"M=Welcome", "the server let us in without any proof of its own"),
        (b"S=1234 M=Welcome", "the server let us in without any proof of its own"),
        (
            b"S=0000000000000000000000000000000000000000 M=Welcome",
            "the server let us in, but its proof is wrong: it does not know the password",
        ),
    ] {
        let (mut client, _) = answered(AuthMethod::MsChapV2, &[7; 16]);
        client.handle_input(Instant::now(), &success(5, text)).unwrap();
        assert_eq!(peer_failed(&mut client), (Code::A12, None, reason.to_owned()));
    }
}

#[test]
fn c160_a_proof_counts_in_every_form_that_was_seen() {
    for form in ["S={} M=Access granted", "S={}", "S={}M=Thank you", "M=hello S={}"] {
        let (mut client, response) = answered(AuthMethod::MsChapV2, &[7; 16]);
        for digits in [proof(&response), proof(&response).to_uppercase()] {
            let text = form.replace("{}", &digits);
            let before = client.poll_event();
            client.handle_input(Instant::now(), &success(5, text.as_bytes())).ok();
            let event = before.or_else(|| client.poll_event());
            assert!(
                matches!(event, Some(PeerEvent::Success { server_proved: true, .. })),
                "{text}: {event:?}"
            );
            (client, _) = answered(AuthMethod::MsChapV2, &[7; 16]);
        }
    }
}

#[test]
fn an_answer_under_another_identifier_is_dropped() {
    let (mut client, response) = answered(AuthMethod::MsChapV2, &[7; 16]);
    let text = format!("S={}", proof(&response));
    assert_eq!(client.handle_input(Instant::now(), &success(6, text.as_bytes())), Err(Ignored::WrongId));
    client.handle_input(Instant::now(), &success(5, text.as_bytes())).unwrap();
    assert!(matches!(client.poll_event(), Some(PeerEvent::Success { .. })));
    // Repeated by a server that did not receive our Response.
    assert_eq!(client.handle_input(Instant::now(), &success(5, text.as_bytes())), Err(Ignored::Unexpected));
    assert!(client.poll_event().is_none());
}

#[test]
fn c165_an_own_challenge_is_never_answered() {
    for (method, challenge) in [
        (AuthMethod::ChapMd5, &[9; 16][..]),
        (AuthMethod::MsChapV1, &[9; 8]),
        (AuthMethod::MsChapV2, &[9; 16]),
    ] {
        let mut client = peer(method);
        client.open(Instant::now());
        client.never_answer(challenge);
        client.handle_input(Instant::now(), &challenge_packet(1, challenge)).unwrap();
        assert!(!client.poll_transmit(&mut Vec::new()), "{method}");
        assert_eq!(peer_failed(&mut client).0, Code::A12);
    }
    // The Peer-Challenge of MS-CHAPv2 is sent back as a Challenge.
    let (mut client, response) = answered(AuthMethod::MsChapV2, &[7; 16]);
    client.handle_input(Instant::now(), &challenge_packet(6, &response[5..21])).unwrap();
    assert!(!client.poll_transmit(&mut Vec::new()));
    assert_eq!(peer_failed(&mut client).0, Code::A12);
}

#[test]
fn c165_short_challenges_are_refused() {
    for (method, challenge, wanted) in [
        (AuthMethod::ChapMd5, &[1; 7][..], "at least 8"),
        (AuthMethod::MsChapV1, &[1; 7], "8"),
        (AuthMethod::MsChapV1, &[1; 16], "8"),
        (AuthMethod::MsChapV2, &[1; 8], "16"),
    ] {
        let mut client = peer(method);
        client.open(Instant::now());
        client.handle_input(Instant::now(), &challenge_packet(1, challenge)).unwrap();
        assert!(!client.poll_transmit(&mut Vec::new()));
        let (code, _, message) = peer_failed(&mut client);
        let octets = challenge.len();
        let text = format!("the server's challenge has {octets} octets, {wanted} are wanted");
        assert_eq!((code, message), (Code::A12, text));
    }
}

#[test]
fn a_repeated_challenge_gets_the_same_response_and_a_new_one_another() {
    let (mut client, response) = answered(AuthMethod::MsChapV2, &[7; 16]);
    client.handle_input(Instant::now(), &challenge_packet(5, &[7; 16])).unwrap();
    assert_eq!(peer_sent(&mut client), response);
    client.handle_input(Instant::now(), &challenge_packet(6, &[8; 16])).unwrap();
    let other = peer_sent(&mut client);
    assert_eq!(other[1], 6);
    assert_ne!(other[5..21], response[5..21]);
}

#[test]
fn a_response_without_an_answer_is_repeated_and_then_given_up() {
    let (mut client, response) = answered(AuthMethod::MsChapV2, &[7; 16]);
    let mut repeated = 0;
    while let Some((at, _)) = client.poll_timeout() {
        client.handle_timeout(at);
        if client.poll_transmit(&mut Vec::new()) {
            repeated += 1;
        }
    }
    assert_eq!(repeated, 9);
    assert_eq!(peer_failed(&mut client).0, Code::A14);
    assert_eq!(response[0], 2);
}

#[test]
fn a_server_that_never_asks_is_named_with_the_method() {
    let mut client = peer(AuthMethod::MsChapV2);
    let now = Instant::now();
    client.open(now);
    client.handle_timeout(now + secs(30));
    let message = "the server wants mschap-v2 and sent no challenge".to_owned();
    assert_eq!(peer_failed(&mut client), (Code::A14, None, message));
}

#[test]
fn the_servers_message_is_passed_on_and_printable() {
    let (mut client, _) = answered(AuthMethod::MsChapV2, &[7; 16]);
    let mut packet = Vec::new();
    let text = b"E=647 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Account locked\x1b[0m";
    adit_wire::chap::Message::Failure(text).emit(&mut packet, 5);
    client.handle_input(Instant::now(), &packet).unwrap();
    let (code, number, message) = peer_failed(&mut client);
    assert_eq!((code, number), (Code::A04, Some(647)));
    assert_eq!(message, "the server says E=647, account disabled: \"Account locked\\x1b[0m\"");

    let (mut client, _) = answered(AuthMethod::MsChapV2, &[7; 16]);
    let mut packet = Vec::new();
    adit_wire::chap::Message::Failure(b"Bad guy").emit(&mut packet, 5);
    client.handle_input(Instant::now(), &packet).unwrap();
    assert_eq!(peer_failed(&mut client), (Code::A01, None, "the server says \"Bad guy\"".to_owned()));
}

#[test]
fn a_change_is_tried_once_and_only_where_the_server_takes_one() {
    let expired = |version: &str| format!("E=648 R=1 C=00112233445566778899AABBCCDDEEFF{version} M=x");
    for (version, changes) in [(" V=3", true), (" V=2", false), ("", false)] {
        let mut credentials = credentials("alice", "clientPass");
        credentials.new_password = Some(Password::new("new"));
        let mut client = peer_of(AuthMethod::MsChapV2, credentials);
        let now = Instant::now();
        client.open(now);
        client.handle_input(now, &challenge_packet(255, &[7; 16])).unwrap();
        peer_sent(&mut client);
        let mut packet = Vec::new();
        adit_wire::chap::Message::Failure(expired(version).as_bytes()).emit(&mut packet, 255);
        client.handle_input(now, &packet).unwrap();
        if !changes {
            assert_eq!(peer_failed(&mut client).0, Code::A03);
            continue;
        }
        let change = peer_sent(&mut client);
        assert_eq!((change[0], change[1], change.len()), (7, 0, 586));
        packet[1] = 0;
        client.handle_input(now, &packet).unwrap();
        assert_eq!(peer_failed(&mut client).0, Code::A03);
        assert!(!client.poll_transmit(&mut Vec::new()));
    }
}
