use adit_crypto::change_password;
use adit_diag::AuthMethod;
use adit_wire::chap::{ChangePassword, Failure, Message};
use adit_wire::{Protocol, cp};

use super::*;

/// A server that has sent a Challenge, a client, and the client's Response.
fn responded(method: AuthMethod, credentials: Credentials) -> (Authenticator, Peer, Vec<u8>) {
    let (mut server, mut client) = (authenticator(method), peer_of(method, credentials));
    let now = Instant::now();
    server.open(now);
    client.open(now);
    client.handle_input(now, &sent(&mut server)).unwrap();
    let response = peer_sent(&mut client);
    (server, client, response)
}

fn failure(packet: &[u8]) -> Failure<'_> {
    assert_eq!(packet[0], 4);
    Failure::parse(&packet[4..])
}

#[test]
fn c150_a_response_with_another_identifier_is_dropped() {
    for method in CHAP_METHODS {
        let (mut server, _, mut response) = responded(method, credentials("alice", "clientPass"));
        response[1] = response[1].wrapping_add(1);
        assert_eq!(server.handle_input(Instant::now(), &response), Err(Ignored::WrongId));
        assert!(server.poll_event().is_none() && nothing_sent(&mut server));
    }
}

#[test]
fn c151_a_repeated_response_gets_the_same_result_without_a_second_check() {
    for method in CHAP_METHODS {
        for password in ["clientPass", "wrong"] {
            let (mut server, _, response) = responded(method, credentials("alice", password));
            let now = Instant::now();
            server.handle_input(now, &response).unwrap();
            let verdict = Account::new().answer(&question(&mut server));
            assert_eq!(server.handle_input(now, &response), Err(Ignored::BeingChecked));
            server.handle_answer(now, verdict);
            let result = sent(&mut server);
            assert!(server.poll_event().is_some());
            for _ in 0..3 {
                server.handle_input(now, &response).unwrap();
                assert_eq!(sent(&mut server), result);
            }
            // A different Response under the same identifier: no result, no request.
            let mut other = response.clone();
            other[10] ^= 1;
            assert_eq!(server.handle_input(now, &other), Err(Ignored::Unexpected));
            assert!(nothing_sent(&mut server) && server.poll_event().is_none());
        }
    }
}

#[test]
fn c151_a_success_that_may_be_lost_is_repeated_until_the_client_goes_on() {
    for method in CHAP_METHODS {
        for goes_on in [None, Some(2)] {
            let (mut server, _, response) = responded(method, credentials("alice", "clientPass"));
            let mut now = Instant::now();
            server.handle_input(now, &response).unwrap();
            let verdict = Account::new().answer(&question(&mut server));
            server.handle_answer(now, verdict);
            let result = sent(&mut server);
            assert!(matches!(server.poll_event(), Some(AuthenticatorEvent::Success { .. })));
            let mut again = 0;
            while let Some((due, _)) = server.poll_timeout() {
                assert_eq!(due, now + Timing::default().resend);
                now = due;
                server.handle_timeout(now);
                assert_eq!(sent(&mut server), result);
                assert!(nothing_sent(&mut server) && server.poll_event().is_none());
                again += 1;
                if goes_on == Some(again) {
                    server.peer_went_on();
                }
            }
            assert_eq!(again, goes_on.unwrap_or(Timing::default().tries - 1));
            // A peer that repeats its Response still gets the reply.
            server.handle_input(now, &response).unwrap();
            assert_eq!(sent(&mut server), result);
        }
    }
}

#[test]
fn a_success_after_a_later_challenge_is_sent_once() {
    let (mut server, mut client, response) =
        responded(AuthMethod::MsChapV2, credentials("alice", "clientPass"));
    let (now, mut account) = (Instant::now(), Account::new());
    server.handle_input(now, &response).unwrap();
    let verdict = account.answer(&question(&mut server));
    server.handle_answer(now, verdict);
    client.handle_input(now, &sent(&mut server)).unwrap();
    assert!(server.poll_event().is_some());
    server.peer_went_on();
    server.rechallenge(now);
    client.handle_input(now, &sent(&mut server)).unwrap();
    server.handle_input(now, &peer_sent(&mut client)).unwrap();
    let verdict = account.answer(&question(&mut server));
    server.handle_answer(now, verdict);
    assert!(matches!(server.poll_event(), Some(AuthenticatorEvent::Renewed)));
    assert_eq!(server.poll_timeout(), None);
}

#[test]
fn c152_no_two_challenges_are_alike_and_each_has_its_identifier() {
    let mut seen = Vec::new();
    for seed in 0..50 {
        let config = AuthenticatorConfig {
            method: AuthMethod::MsChapV2,
            local_name: "vpn".into(),
            change_password: false,
            timing: Timing::default(),
        };
        let mut server = Authenticator::new(config, Rng::from_number(seed));
        server.open(Instant::now());
        let packet = sent(&mut server);
        assert_eq!((packet[0], packet[4], &packet[21..]), (1, 16, &b"vpn"[..]));
        assert!(!seen.contains(&packet[5..21].to_vec()));
        seen.push(packet[5..21].to_vec());
    }
    // Rechallenges of one session.
    let mut line = Line::new(AuthMethod::MsChapV2).open();
    let mut ids = Vec::new();
    for _ in 0..20 {
        line.server.rechallenge(line.now);
        let packet = sent(&mut line.server);
        assert!(!seen.contains(&packet[5..21].to_vec()) && !ids.contains(&packet[1]));
        seen.push(packet[5..21].to_vec());
        ids.push(packet[1]);
        line.client.handle_input(line.now, &packet).unwrap();
        line.settle(|| false);
    }
}

#[test]
fn a_challenge_is_repeated_unchanged_ten_times_in_thirty_seconds() {
    let mut server = authenticator(AuthMethod::MsChapV2);
    let start = Instant::now();
    server.open(start);
    let first = sent(&mut server);
    for n in 1..10 {
        let (at, _) = server.poll_timeout().unwrap();
        assert_eq!(at - start, secs(3 * n));
        server.handle_timeout(at - Duration::from_millis(1));
        assert!(nothing_sent(&mut server));
        server.handle_timeout(at);
        assert_eq!(sent(&mut server), first);
    }
    server.handle_timeout(start + secs(30));
    assert_eq!(server_failed(&mut server), (Code::A14, "the client did not answer the challenge".to_owned()));
    assert_eq!(server.poll_timeout(), None);
}

#[test]
fn c158_a_value_of_a_wrong_size_is_dropped_and_a_right_one_still_counts() {
    for method in CHAP_METHODS {
        let (mut server, _, response) = responded(method, credentials("alice", "clientPass"));
        let now = Instant::now();
        for size in [0, 1, 15, 17, 48, 50, 255] {
            let mut bad = Vec::new();
            let data = [&[size][..], &vec![7; usize::from(size)], b"alice"].concat();
            cp::emit(&mut bad, 2, response[1], &data);
            assert!(matches!(server.handle_input(now, &bad), Err(Ignored::Malformed(_))), "{method} {size}");
        }
        server.handle_input(now, &response).unwrap();
        assert_eq!(question(&mut server).name, b"alice");
    }
    // Reserved octets and flags are ignored.
    let (mut server, _, mut response) = responded(AuthMethod::MsChapV2, credentials("alice", "clientPass"));
    response[5 + 16..5 + 24].fill(0xee);
    response[5 + 48] = 0xff;
    server.handle_input(Instant::now(), &response).unwrap();
    assert!(matches!(Account::new().answer(&question(&mut server)), Verdict::Accept(_)));
}

#[test]
fn a_name_beyond_256_octets_is_dropped() {
    let (mut server, _, mut response) = responded(AuthMethod::MsChapV2, credentials("alice", "clientPass"));
    response.truncate(4 + 1 + 49);
    response.extend([b'x'; 257]);
    response[2..4].copy_from_slice(&311_u16.to_be_bytes());
    assert_eq!(server.handle_input(Instant::now(), &response), Err(Ignored::LongName));
    response.pop();
    response[3] -= 1;
    server.handle_input(Instant::now(), &response).unwrap();
    assert_eq!(question(&mut server).name.len(), 256);
}

#[test]
fn c161_a_failure_names_error_retry_challenge_version_and_message() {
    let (mut server, _, response) = responded(AuthMethod::MsChapV2, credentials("alice", "wrong"));
    let now = Instant::now();
    server.handle_input(now, &response).unwrap();
    let verdict = Account::new().answer(&question(&mut server));
    server.handle_answer(now, verdict);
    // The packet can be collected before the event that ends the session.
    let packet = sent(&mut server);
    assert_eq!(packet[1], response[1]);
    let text = text(&packet);
    assert!(text.starts_with("E=691 R=0 C="), "{text}");
    assert!(text.ends_with(" V=3 M=Access denied"), "{text}");
    assert_eq!(failure(&packet).challenge.unwrap().len(), 16);
    assert_eq!(server_failed(&mut server).0, Code::A01);

    let (mut server, _, response) = responded(AuthMethod::MsChapV1, credentials("alice", "wrong"));
    server.handle_input(now, &response).unwrap();
    let verdict = Account::new().answer(&question(&mut server));
    server.handle_answer(now, verdict);
    assert_eq!(failure(&sent(&mut server)).challenge.unwrap().len(), 8);
}

/// A Response of MS-CHAPv2 as a client makes it for another try.
fn response(id: u8, challenge: &[u8], password: &str) -> Vec<u8> {
    let peer_challenge = [id; 16];
    let challenge = challenge.try_into().unwrap();
    let hash = Password::new(password).nt_hash();
    let nt_response = adit_crypto::mschap::nt_response_v2(&challenge, &peer_challenge, b"alice", &hash);
    let value = adit_wire::chap::MsChapV2Response { peer_challenge, nt_response }.to_bytes();
    let mut packet = Vec::new();
    Message::Response { value: &value, name: b"alice" }.emit(&mut packet, id);
    packet
}

#[test]
fn c162_another_try_answers_the_new_challenge_under_the_next_identifier() {
    let (mut server, _, first) = responded(AuthMethod::MsChapV2, credentials("alice", "wrong"));
    let now = Instant::now();
    let mut account = Account { retry: true, ..Account::new() };
    server.handle_input(now, &first).unwrap();
    let verdict = account.answer(&question(&mut server));
    server.handle_answer(now, verdict);
    let packet = sent(&mut server);
    let failed = failure(&packet);
    assert!(failed.retry && server.poll_event().is_none());
    // The user types: no short timer, and no Challenge is sent.
    assert_eq!(server.poll_timeout().unwrap().0 - now, secs(60));
    // A repeated identifier is not another attempt, and the old challenge is not answered.
    let challenge = failed.challenge.unwrap();
    let id = first[1].wrapping_add(1);
    assert_eq!(
        server.handle_input(now, &response(first[1], &challenge, "clientPass")),
        Err(Ignored::WrongId)
    );
    let right = response(id, &challenge, "clientPass");
    server.handle_input(now + secs(50), &right).unwrap();
    let verdict = account.answer(&question(&mut server));
    server.handle_answer(now + secs(50), verdict);
    assert_eq!(sent(&mut server)[..2], [3, id]);
    assert!(matches!(server.poll_event(), Some(AuthenticatorEvent::Success { .. })));
    assert_eq!(account.asked, 2);
}

#[test]
fn c162_three_tries_and_no_more() {
    let (mut server, _, mut packet) = responded(AuthMethod::MsChapV2, credentials("alice", "wrong"));
    let now = Instant::now();
    let mut account = Account { retry: true, ..Account::new() };
    for n in 1..=3 {
        server.handle_input(now, &packet).unwrap();
        let verdict = account.answer(&question(&mut server));
        server.handle_answer(now, verdict);
        let reply = sent(&mut server);
        let failed = failure(&reply);
        assert_eq!(failed.retry, n < 3, "{n}");
        packet = response(packet[1].wrapping_add(1), &failed.challenge.unwrap(), "wrong");
    }
    assert_eq!(server_failed(&mut server).0, Code::A01);
    assert_eq!(server.handle_input(now, &packet), Err(Ignored::Unexpected));
}

#[test]
fn another_try_that_is_never_made_ends_with_the_first_reason() {
    let (mut server, _, first) = responded(AuthMethod::MsChapV2, credentials("alice", "wrong"));
    let now = Instant::now();
    server.handle_input(now, &first).unwrap();
    let mut account = Account { retry: true, ..Account::new() };
    let verdict = account.answer(&question(&mut server));
    server.handle_answer(now, verdict);
    server.handle_timeout(now + secs(59));
    assert!(server.poll_event().is_none());
    assert_eq!(server.refusal(now), Some((Code::A01, "\"alice\": Access denied")));
    server.handle_timeout(now + secs(60));
    let failed = (Code::A01, "\"alice\": Access denied; no other try came".to_owned());
    assert_eq!(server_failed(&mut server), failed);
}

/// Both ends, an expired account, and a client with a new password.
fn expired(new: &str) -> Line {
    let mut credentials = credentials("alice", "clientPass");
    credentials.domain = "CORP".to_owned();
    credentials.new_password = Some(Password::new(new));
    let client = peer_of(AuthMethod::MsChapV2, credentials);
    let account = Account { expired: true, ..Account::new() };
    Line::with(authenticator(AuthMethod::MsChapV2), client, account)
}

#[test]
fn c163_an_expired_password_is_changed_and_both_ends_have_keys_of_the_new_one() {
    let line = expired("n\u{e9}w password").open();
    assert_eq!(line.account.password, Password::new("n\u{e9}w password"));
    let [AuthenticatorEvent::Success { name, keys: Some(server) }] = &line.server_events[..] else {
        panic!("{:?}", line.server_events);
    };
    assert_eq!(**name, *b"CORP\\alice");
    let [PeerEvent::Success { keys: Some(client), server_proved: true, password_changed: true, .. }] =
        &line.client_events[..]
    else {
        panic!("{:?}", line.client_events);
    };
    assert!(keys_meet(server, client));
    assert_eq!(line.account.asked, 2);
    // The next challenge is answered with the new password.
    let mut line = line;
    line.server.rechallenge(line.now);
    line.settle(|| false);
    assert!(matches!(line.server_events[1..], [AuthenticatorEvent::Renewed]));
}

#[test]
fn c163_without_permission_an_expired_password_ends_it() {
    let mut line = expired("new");
    line.server.config.change_password = false;
    let line = line.open();
    assert!(matches!(line.server_events[..], [AuthenticatorEvent::Failed { code: Code::A03, .. }]));
    assert!(matches!(
        line.client_events[..],
        [PeerEvent::Failed { code: Code::A03, mschap_error: Some(709), .. }]
    ));
    assert_eq!(line.account.password, Password::new("clientPass"));
}

#[test]
fn a_client_without_a_new_password_reports_that_the_old_one_expired() {
    let mut line = expired("new");
    line.client.config.credentials.new_password = None;
    let line = line.open();
    let [PeerEvent::Failed { code: Code::A03, mschap_error: Some(648), message }] = &line.client_events[..]
    else {
        panic!("{:?}", line.client_events);
    };
    assert_eq!(message, "the server says E=648, password expired: \"Password expired\"");
}

#[test]
fn c164_a_change_that_is_wrong_is_refused_with_709_and_nothing_is_stored() {
    let now = Instant::now();
    for old in ["clientPass", "not the old one"] {
        let (mut server, _, first) = responded(AuthMethod::MsChapV2, credentials("alice", "clientPass"));
        let mut account = Account { expired: true, ..Account::new() };
        server.handle_input(now, &first).unwrap();
        let verdict = account.answer(&question(&mut server));
        server.handle_answer(now, verdict);
        let reply = sent(&mut server);
        let failed = failure(&reply);
        assert_eq!((failed.error, failed.retry), (Some(MsChapError::PasswordExpired), true));
        let made = change_password::make(
            &mut Rng::from_number(3),
            b"alice",
            &failed.challenge.unwrap().try_into().unwrap(),
            &Password::new(old),
            &Password::new("new"),
        )
        .unwrap();
        let mut change = ChangePassword {
            encrypted_password: *made.encrypted_password,
            encrypted_hash: made.encrypted_hash,
            peer_challenge: made.peer_challenge,
            nt_response: made.nt_response,
        };
        if old == "clientPass" {
            // The last octets are the encrypted length: now it is odd.
            change.encrypted_password[512] ^= 1;
        }
        let mut packet = Vec::new();
        let id = first[1].wrapping_add(1);
        Message::ChangePassword(Box::new(change)).emit(&mut packet, id);
        assert_eq!(packet.len(), 586);
        server.handle_input(now, &packet).unwrap();
        let verdict = account.answer(&question(&mut server));
        server.handle_answer(now, verdict);
        let reply = sent(&mut server);
        assert!(text(&reply).starts_with("E=709 R=0 "), "{}", text(&reply));
        assert_eq!(reply[1], id);
        assert_eq!(server_failed(&mut server).0, Code::A03);
        assert_eq!(account.password, Password::new("clientPass"));
    }
}

#[test]
fn password_changes_of_version_1_and_unsolicited_ones_are_refused() {
    let now = Instant::now();
    for code in [5, 6, 7] {
        let (mut server, _, first) = responded(AuthMethod::MsChapV2, credentials("alice", "wrong"));
        let mut packet = Vec::new();
        cp::emit(&mut packet, code, first[1].wrapping_add(1), &[0; 582]);
        // Without a Response before it.
        assert!(server.handle_input(now, &packet).is_err());
        server.handle_input(now, &first).unwrap();
        let mut account = Account { retry: true, ..Account::new() };
        let verdict = account.answer(&question(&mut server));
        server.handle_answer(now, verdict);
        sent(&mut server);
        // After a Failure that was not about expiry.
        server.handle_input(now, &packet).unwrap();
        assert!(text(&sent(&mut server)).starts_with("E=709 R=0 "));
        assert!(server.poll_event().is_none());
    }
}

#[test]
fn c166_a_rechallenge_keeps_the_keys_and_its_failure_ends_the_session() {
    let mut line = Line::new(AuthMethod::MsChapV2).open();
    for _ in 0..5 {
        line.server.rechallenge(line.now);
        // An exchange is open: no second one.
        line.server.rechallenge(line.now);
        line.settle(|| false);
    }
    assert_eq!(line.server_events.len(), 6);
    assert!(line.server_events[1..].iter().all(|event| matches!(event, AuthenticatorEvent::Renewed)));
    assert_eq!(line.client_events.len(), 6);
    assert!(line.client_events[1..].iter().all(|event| matches!(event, PeerEvent::Renewed)));
    line.account.password = Password::new("changed meanwhile");
    line.server.rechallenge(line.now);
    line.settle(|| false);
    assert!(matches!(line.server_events[6], AuthenticatorEvent::Failed { code: Code::A01, .. }));
    assert!(matches!(line.client_events[6], PeerEvent::Failed { code: Code::A01, .. }));
    assert!(!line.server.is_proven());
}

#[test]
fn c166_a_peer_that_turns_into_another_is_refused() {
    let mut line = Line::new(AuthMethod::MsChapV2).open();
    line.server.rechallenge(line.now);
    let challenge = sent(&mut line.server);
    let mut other = peer_of(AuthMethod::MsChapV2, credentials("bob", "clientPass"));
    other.open(line.now);
    other.handle_input(line.now, &challenge).unwrap();
    line.server.handle_input(line.now, &peer_sent(&mut other)).unwrap();
    let (code, detail) = server_failed(&mut line.server);
    assert_eq!((code, &detail[..]), (Code::A01, "the client is now \"bob\", which is not who it was"));
    assert_eq!(sent(&mut line.server)[0], 4);
}

#[test]
fn an_account_source_that_is_silent_is_not_the_clients_fault() {
    let (mut server, mut client, response) =
        responded(AuthMethod::MsChapV2, credentials("alice", "clientPass"));
    let start = Instant::now();
    server.handle_input(start, &response).unwrap();
    let question = question(&mut server);
    let (at, why) = server.poll_timeout().unwrap();
    assert_eq!(why, "account source");
    server.handle_timeout(at);
    assert_eq!(server_failed(&mut server).0, Code::A07);
    client.handle_input(at, &sent(&mut server)).unwrap();
    assert_eq!(peer_failed(&mut client).1, Some(691));
    // After the deadline.
    server.handle_answer(at, Account::new().answer(&question));
    assert!(server.poll_event().is_none() && nothing_sent(&mut server));
}

#[test]
fn an_acceptance_without_a_proof_of_ours_is_none() {
    let (mut server, _, response) = responded(AuthMethod::MsChapV2, credentials("alice", "clientPass"));
    let now = Instant::now();
    server.handle_input(now, &response).unwrap();
    question(&mut server);
    server.handle_answer(now, Verdict::Accept(adit_crypto::proof::Proven::default()));
    assert_eq!(sent(&mut server)[0], 4);
    assert_eq!(server_failed(&mut server).0, Code::A12);
}

#[test]
fn packets_of_a_server_are_no_news_to_a_server() {
    let (mut server, ..) = responded(AuthMethod::MsChapV2, credentials("alice", "clientPass"));
    let now = Instant::now();
    for packet in [&b"\x01\x01\0\x06\x01a"[..], b"\x03\x01\0\x04", b"\x04\x01\0\x04"] {
        assert_eq!(server.handle_input(now, packet), Err(Ignored::Unexpected));
    }
    assert!(matches!(server.handle_input(now, b"\x63\x01\0\x04"), Err(Ignored::Malformed(_))));
    assert!(cp::Packet::parse(Protocol::Chap, b"\x63\x01\0\x04").is_ok());
}

#[test]
fn c238_debug_shows_no_secret() {
    let (mut server, client, response) = responded(AuthMethod::MsChapV2, credentials("alice", "hunter2"));
    server.handle_input(Instant::now(), &response).unwrap();
    let shown = format!("{client:?} {:?} {:?}", question(&mut server), client.config);
    assert!(!shown.contains("hunter2"), "{shown}");
}
