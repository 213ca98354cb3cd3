use adit_diag::AuthMethod;

use super::*;

const REQUEST: &[u8] = b"\x01\x07\x00\x15\x05alice\x0aclientPass";

#[test]
fn c147_a_request_with_inner_lengths_beyond_the_packet_is_dropped() {
    let mut server = authenticator(AuthMethod::Pap);
    let now = Instant::now();
    server.open(now);
    for bad in [&b"\x01\x07\x00\x0a\x06alice"[..], b"\x01\x07\x00\x0b\x05alice\x01", b"\x01\x07\x00\x04"] {
        assert!(matches!(server.handle_input(now, bad), Err(Ignored::Malformed(_))));
    }
    assert!(server.poll_event().is_none() && nothing_sent(&mut server));
    server.handle_input(now, REQUEST).unwrap();
    assert_eq!(question(&mut server).name, b"alice");
}

#[test]
fn c148_a_request_after_success_is_acknowledged_again() {
    let mut server = authenticator(AuthMethod::Pap);
    let now = Instant::now();
    server.open(now);
    server.handle_input(now, REQUEST).unwrap();
    let mut account = Account::new();
    // Repeated while it is being checked: no second request.
    assert_eq!(server.handle_input(now, REQUEST), Err(Ignored::BeingChecked));
    let verdict = account.answer(&question(&mut server));
    server.handle_answer(now, verdict);
    assert!(matches!(server.poll_event(), Some(AuthenticatorEvent::Success { .. })));
    let ack = sent(&mut server);
    assert_eq!(ack[..2], [2, 7]);
    for id in [7, 8] {
        let mut again = REQUEST.to_vec();
        again[1] = id;
        server.handle_input(now, &again).unwrap();
        assert_eq!(sent(&mut server)[..2], [2, id]);
    }
    assert!(server.poll_event().is_none());
    // A Nak is repeated in the same way, without another request.
    let mut server = authenticator(AuthMethod::Pap);
    server.open(now);
    server.handle_input(now, REQUEST).unwrap();
    let mut account = Account { name: b"bob", ..Account::new() };
    let verdict = account.answer(&question(&mut server));
    server.handle_answer(now, verdict);
    assert_eq!(server_failed(&mut server).0, Code::A01);
    assert_eq!(sent(&mut server), b"\x03\x07\x00\x12\x0dAccess denied");
    server.handle_input(now, REQUEST).unwrap();
    assert_eq!(sent(&mut server)[0], 3);
    assert!(server.poll_event().is_none());
}

#[test]
fn c149_a_client_asks_ten_times_three_seconds_apart() {
    let mut client = peer(AuthMethod::Pap);
    let start = Instant::now();
    client.open(start);
    let first = peer_sent(&mut client);
    assert_eq!(first[4..], REQUEST[4..]);
    for n in 1..10 {
        let (at, _) = client.poll_timeout().unwrap();
        assert_eq!(at - start, secs(3 * n));
        client.handle_timeout(at);
        assert_eq!(peer_sent(&mut client), first);
    }
    let (at, _) = client.poll_timeout().unwrap();
    client.handle_timeout(at);
    assert_eq!(peer_failed(&mut client), (Code::A14, None, "the server did not answer".to_owned()));
    assert_eq!((at - start, client.poll_timeout()), (secs(30), None));
}

#[test]
fn a_client_takes_an_ack_without_a_message() {
    let mut client = peer(AuthMethod::Pap);
    let now = Instant::now();
    client.open(now);
    let id = peer_sent(&mut client)[1];
    assert_eq!(client.handle_input(now, &[2, id.wrapping_add(1), 0, 4]), Err(Ignored::WrongId));
    client.handle_input(now, &[2, id, 0, 4]).unwrap();
    assert!(matches!(client.poll_event(), Some(PeerEvent::Success { keys: None, .. })));
    assert_eq!(client.handle_input(now, &[2, id, 0, 4]), Err(Ignored::Unexpected));
}

#[test]
fn an_empty_password_is_refused_without_a_question() {
    let mut server = authenticator(AuthMethod::Pap);
    let now = Instant::now();
    server.open(now);
    server.handle_input(now, b"\x01\x07\x00\x0b\x05alice\x00").unwrap();
    assert_eq!(server_failed(&mut server), (Code::A01, "\"alice\" sent an empty password".to_owned()));
    assert_eq!(sent(&mut server)[0], 3);
}

#[test]
fn a_silent_client_ends_it() {
    let mut server = authenticator(AuthMethod::Pap);
    let now = Instant::now();
    server.open(now);
    let (at, _) = server.poll_timeout().unwrap();
    server.handle_timeout(at - secs(1));
    assert!(server.poll_event().is_none());
    server.handle_timeout(at);
    assert_eq!(server_failed(&mut server).0, Code::A14);
}
