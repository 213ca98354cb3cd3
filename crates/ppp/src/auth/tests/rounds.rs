//! Further rounds, which the account source requires.

use std::time::Instant;

use adit_diag::AuthMethod;
use adit_wire::chap::Failure;

use super::*;

/// Both ends, and an account source that requires these rounds before it accepts.
fn rounds(method: AuthMethod, rounds: &[Round], next: &[&str]) -> Line {
    let mut credentials = credentials("alice", "clientPass");
    credentials.next_passwords = next.iter().map(|password| Password::new(*password)).collect();
    let account = Account { rounds: rounds.to_vec().into(), ..Account::new() };
    Line::with(authenticator(method), peer_of(method, credentials), account)
}

fn silent() -> Round {
    Round { message: "", next: None }
}

fn asks(message: &'static str, next: &'static str) -> Round {
    Round { message, next: Some(next) }
}

fn is_in(line: &Line) -> bool {
    matches!(line.server_events[..], [AuthenticatorEvent::Success { .. }])
        && matches!(line.client_events[..], [PeerEvent::Success { .. }])
}

#[test]
fn a_round_without_a_message_is_a_new_challenge_that_every_client_answers() {
    for method in CHAP_METHODS {
        let mut line = rounds(method, &[silent(), silent()], &[]);
        line.server.open(line.now);
        line.client.open(line.now);
        let mut challenges = Vec::new();
        for _ in 0..3 {
            let challenge = sent(&mut line.server);
            assert_eq!(challenge[0], 1, "{method}");
            challenges.push((challenge[1], challenge[5..13].to_vec()));
            line.client.handle_input(line.now, &challenge).unwrap();
            line.server.handle_input(line.now, &peer_sent(&mut line.client)).unwrap();
            let question = question(&mut line.server);
            assert_eq!(question.continues, challenges.len() > 1);
            let verdict = line.account.answer(&question);
            line.server.handle_answer(line.now, verdict);
        }
        line.settle(|| false);
        assert!(is_in(&line), "{method}: {:?} {:?}", line.server_events, line.client_events);
        // Each has an identifier and a value of its own.
        let [(a, first), (b, second), (c, third)] = &challenges[..] else { panic!() };
        assert!(a != b && b != c && a != c && first != second && second != third, "{method}");
    }
}

#[test]
fn a_message_reaches_the_client_of_mschap_in_a_failure_that_allows_another_try() {
    for method in [AuthMethod::MsChapV1, AuthMethod::MsChapV2] {
        let mut line = rounds(method, &[asks("Enter the code", "123456")], &["123456"]);
        line.server.open(line.now);
        line.client.open(line.now);
        line.client.handle_input(line.now, &sent(&mut line.server)).unwrap();
        let first = peer_sent(&mut line.client);
        line.server.handle_input(line.now, &first).unwrap();
        let verdict = line.account.answer(&question(&mut line.server));
        line.server.handle_answer(line.now, verdict);
        let reply = sent(&mut line.server);
        let failure = Failure::parse(&reply[4..]);
        assert_eq!((reply[0], reply[1]), (4, first[1]));
        assert_eq!((failure.error, failure.retry), (Some(MsChapError::AuthenticationFailure), true));
        assert_eq!(failure.message, Some(&b"Enter the code"[..]));
        assert!(failure.challenge.is_some());
        line.client.handle_input(line.now, &reply).unwrap();
        let second = peer_sent(&mut line.client);
        assert_eq!(second[..2], [2, first[1].wrapping_add(1)]);
        line.server.handle_input(line.now, &second).unwrap();
        line.settle(|| false);
        assert!(is_in(&line), "{method}: {:?} {:?}", line.server_events, line.client_events);
        // The keys derive from the last proof.
        let (
            [AuthenticatorEvent::Success { keys: Some(server), .. }],
            [PeerEvent::Success { keys: Some(client), .. }],
        ) = (&line.server_events[..], &line.client_events[..])
        else {
            panic!("{method}")
        };
        assert!(keys_meet(server, client));
    }
}

#[test]
fn chap_md5_plays_a_further_round_without_a_message() {
    let line = rounds(AuthMethod::ChapMd5, &[asks("Enter the code", "123456")], &["123456"]).open();
    assert!(is_in(&line), "{:?}", line.client_events);
}

#[test]
fn pap_asks_in_a_nak_and_takes_the_next_request() {
    let mut line = rounds(AuthMethod::Pap, &[asks("Enter the code", "123456")], &["123456"]);
    line.server.open(line.now);
    line.client.open(line.now);
    let first = peer_sent(&mut line.client);
    line.server.handle_input(line.now, &first).unwrap();
    let verdict = line.account.answer(&question(&mut line.server));
    line.server.handle_answer(line.now, verdict);
    let nak = sent(&mut line.server);
    assert_eq!((nak[0], &nak[5..]), (3, &b"Enter the code"[..]));
    // The client repeats its request because the Nak was lost: it gets the same Nak, without a second
    // request.
    line.server.handle_input(line.now, &first).unwrap();
    assert_eq!(sent(&mut line.server), nak);
    assert!(line.server.poll_event().is_none());
    line.client.handle_input(line.now, &nak).unwrap();
    line.settle(|| false);
    assert!(is_in(&line), "{:?} {:?}", line.server_events, line.client_events);
}

#[test]
fn a_client_with_nothing_else_to_prove_reports_what_the_server_asks_for() {
    for method in [AuthMethod::Pap, AuthMethod::MsChapV1, AuthMethod::MsChapV2] {
        let mut line = rounds(method, &[asks("Enter the code", "123456")], &[]).open();
        let [PeerEvent::Failed { code: Code::A01, message, .. }] = &line.client_events[..] else {
            panic!("{method}: {:?}", line.client_events);
        };
        assert!(message.ends_with("\"Enter the code\""), "{message}");
        assert!(line.server_events.is_empty());
        // If the client disconnects now, the refusal names the unanswered message; the same if it stays
        // silent.
        let why = "the client did not answer \"Enter the code\" of the account source";
        assert_eq!(line.server.refusal(line.now), Some((Code::A14, why)));
        while line.wait() {}
        line.settle(|| false);
        let [AuthenticatorEvent::Failed { code: Code::A14, detail }] = &line.server_events[..] else {
            panic!("{method}: {:?}", line.server_events);
        };
        assert!(detail.starts_with(why), "{detail}");
    }
}

#[test]
fn a_wrong_answer_in_a_further_round_is_refused() {
    for method in METHODS {
        let line = rounds(method, &[asks("Enter the code", "123456")], &["654321"]).open();
        let [AuthenticatorEvent::Failed { code: Code::A01, .. }] = &line.server_events[..] else {
            panic!("{method}: {:?}", line.server_events);
        };
        assert!(matches!(line.client_events[..], [PeerEvent::Failed { code: Code::A01, .. }]));
    }
}

#[test]
fn the_number_of_rounds_is_bounded() {
    for method in METHODS {
        let next = vec!["clientPass"; 100];
        let line = rounds(method, &[silent(); 100], &next).open();
        let [AuthenticatorEvent::Failed { code: Code::A07, detail }] = &line.server_events[..] else {
            panic!("{method}: {:?}", line.server_events);
        };
        assert_eq!(detail, "the account source wants more than 8 further rounds");
        assert_eq!(line.account.asked, u32::from(MAX_ROUNDS) + 1);
        assert!(matches!(line.client_events[..], [PeerEvent::Failed { .. }]));
    }
}

#[test]
fn the_time_of_all_rounds_together_is_bounded() {
    let mut line = rounds(AuthMethod::MsChapV2, &[asks("more", "clientPass"); 8], &["clientPass"; 8]);
    let start = line.now;
    line.server.open(start);
    line.client.open(start);
    // The account source takes nearly the longest allowed time in every round.
    while line.server_events.is_empty() {
        while let Some(packet) = packet_of(|out| line.server.poll_transmit(out)) {
            let _ = line.client.handle_input(line.now, &packet);
        }
        while let Some(packet) = packet_of(|out| line.client.poll_transmit(out)) {
            let _ = line.server.handle_input(line.now, &packet);
        }
        while let Some(event) = line.server.poll_event() {
            match event {
                AuthenticatorEvent::Ask(question) => {
                    line.now += secs(29);
                    line.server.handle_timeout(line.now);
                    let verdict = line.account.answer(&question);
                    line.server.handle_answer(line.now, verdict);
                }
                event => line.server_events.push(event),
            }
        }
        if let Some((due, why)) = line.server.poll_timeout() {
            assert!(due <= start + Timing::default().limit, "{why}: {:?}", due - start);
        }
    }
    assert!(matches!(line.server_events[..], [AuthenticatorEvent::Failed { code: Code::A07, .. }]));
    assert!(line.now < start + Timing::default().limit + secs(30));
}

#[test]
fn a_repeated_response_of_the_round_before_gets_its_challenge_again() {
    for method in CHAP_METHODS {
        let mut line = rounds(method, &[silent()], &[]);
        line.server.open(line.now);
        line.client.open(line.now);
        line.client.handle_input(line.now, &sent(&mut line.server)).unwrap();
        let first = peer_sent(&mut line.client);
        line.server.handle_input(line.now, &first).unwrap();
        let verdict = line.account.answer(&question(&mut line.server));
        line.server.handle_answer(line.now, verdict);
        let challenge = sent(&mut line.server);
        line.server.handle_input(line.now, &first).unwrap();
        assert_eq!(sent(&mut line.server), challenge, "{method}");
        assert!(line.server.poll_event().is_none());
    }
}

#[test]
fn rounds_survive_a_bad_line() {
    for method in METHODS {
        for seed in 0..30 {
            let mut rng = Rng::from_number(seed);
            let mut line = rounds(method, &[silent(), silent()], &["clientPass"; 2]);
            line.server.open(line.now);
            line.client.open(line.now);
            line.settle(|| rng.below(4) == 0);
            while (line.server_events.is_empty() || line.client_events.is_empty()) && line.wait() {
                line.settle(|| rng.below(4) == 0);
            }
            assert!(is_in(&line), "{method} {seed}: {:?} {:?}", line.server_events, line.client_events);
        }
    }
}

#[test]
fn a_refusal_between_two_rounds_begins_anew() {
    let mut line = rounds(AuthMethod::MsChapV2, &[silent()], &["wrong", "clientPass"]);
    line.account.retry = true;
    line.server.open(line.now);
    line.client.open(line.now);
    let mut continues = Vec::new();
    for _ in 0..3 {
        line.client.handle_input(line.now, &sent(&mut line.server)).unwrap();
        line.server.handle_input(line.now, &peer_sent(&mut line.client)).unwrap();
        let question = question(&mut line.server);
        continues.push(question.continues);
        let verdict = line.account.answer(&question);
        line.server.handle_answer(line.now, verdict);
    }
    assert_eq!(continues, [false, true, false]);
    line.settle(|| false);
    assert!(is_in(&line), "{:?}", line.server_events);
}

#[test]
fn an_unavailable_source_gives_no_verdict_on_the_password() {
    for method in METHODS {
        let mut line = Line::new(method);
        line.server.open(line.now);
        line.client.open(line.now);
        while let Some(packet) = packet_of(|out| line.server.poll_transmit(out)) {
            line.client.handle_input(line.now, &packet).unwrap();
        }
        line.server.handle_input(line.now, &peer_sent(&mut line.client)).unwrap();
        question(&mut line.server);
        let detail = "the directory does not answer".to_owned();
        line.server.handle_answer(line.now, Verdict::Unavailable { detail: detail.clone() });
        assert!(nothing_sent(&mut line.server), "{method}");
        let event = line.server.poll_event();
        assert!(matches!(event, Some(AuthenticatorEvent::Unavailable { detail: text }) if text == detail));
        assert_eq!(line.server.poll_timeout(), None);
    }
}

#[test]
fn a_server_that_never_decides_is_left() {
    let mut client = peer(AuthMethod::MsChapV2);
    let now = Instant::now();
    client.open(now);
    for n in 0..33_u8 {
        let mut packet = Vec::new();
        let value = [n; 16];
        adit_wire::chap::Message::Challenge { value: &value, name: b"vpn" }.emit(&mut packet, n);
        client.handle_input(now, &packet).unwrap();
    }
    let (code, _, message) = peer_failed(&mut client);
    assert_eq!((code, &message[..]), (Code::A14, "the server sent 32 challenges and did not decide"));
}

#[test]
fn mschap_v1_counts_on_where_a_failure_names_no_challenge() {
    let mut credentials = credentials("alice", "wrong");
    credentials.next_passwords = vec![Password::new("clientPass")];
    let mut client = peer_of(AuthMethod::MsChapV1, credentials);
    let now = Instant::now();
    client.open(now);
    let mut packet = Vec::new();
    let challenge = [250, 1, 2, 3, 4, 5, 6, 7];
    adit_wire::chap::Message::Challenge { value: &challenge, name: b"vpn" }.emit(&mut packet, 9);
    client.handle_input(now, &packet).unwrap();
    peer_sent(&mut client);
    let mut packet = Vec::new();
    adit_wire::chap::Message::Failure(b"E=691 R=1").emit(&mut packet, 9);
    client.handle_input(now, &packet).unwrap();
    let response = peer_sent(&mut client);
    assert_eq!(response[..2], [2, 10]);
    // RFC 2433 section 9: 23 is added to the first octet.
    let next = [250_u8.wrapping_add(23), 1, 2, 3, 4, 5, 6, 7];
    let proved = adit_crypto::mschap::nt_response(&next, &Password::new("clientPass").nt_hash());
    assert_eq!(response[29..53], proved);
}
