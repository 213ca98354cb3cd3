//! A server and a client, joined by hand, on a virtual clock.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use adit_tunnel::path::Origin;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::{self, Secret};
use adit_crypto::secret::Password;
use adit_diag::Code;
use adit_ppp::auth::{Credentials, MsChapError, Rejection};
use adit_ppp::link::{AddressGrant, LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_tunnel::events::{Answer, Command, End, Event, Input, Question, Terms, Up, Who, Why};
use adit_tunnel::{ClientConfig, ClientTunnel, ServerConfig, ServerTunnel, Transmit};
use adit_wire::LocalCallId;

const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const INNER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 14);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

#[derive(Default)]
struct Seen {
    up: Option<Up>,
    call_end: Option<End>,
    closed: Option<End>,
    call: u32,
}

struct Pair {
    now: Instant,
    server: ServerTunnel,
    client: ClientTunnel,
    at_server: Seen,
    at_client: Seen,
    password: &'static str,
    /// Whether GRE passes from the server, and to it.
    gre: (bool, bool),
    /// When the server first sent a frame.
    first_frame: Option<Instant>,
}

impl Pair {
    fn new(password: &'static str) -> Pair {
        let now = Instant::now();
        let link = LinkConfig::new(Side::Server);
        let server = ServerConfig {
            control: ControlConfig::server().into(),
            link: link.into(),
            setup: Duration::from_secs(30),
            mtu: 1400,
        };
        let mut link = LinkConfig::new(Side::Client);
        // Most conversations here take no time.
        link.ccp_delay = Duration::ZERO;
        link.credentials = Some(Credentials::new("alice", Password::new("correct horse")));
        let client = ClientConfig {
            control: ControlConfig::client().into(),
            link: link.into(),
            setup: Duration::from_secs(30),
            mtu: 1400,
            call_id: LocalCallId::new(7),
        };
        Pair {
            now,
            server: ServerTunnel::new(server, CLIENT, now, Rng::from_number(1)),
            client: ClientTunnel::new(client, SERVER, now, Rng::from_number(2)),
            at_server: Seen::default(),
            at_client: Seen::default(),
            password,
            gre: (true, true),
            first_frame: None,
        }
    }

    fn answer(&mut self, id: u32, question: &Question) {
        let answer = match question {
            Question::Call(_) => Answer::AcceptCall { call_id: LocalCallId::new(4711) },
            Question::Authenticate(request) => {
                let secret = Secret::Clear(Password::new(self.password));
                match proof::check(&request.proof, &secret) {
                    Ok(proven) => Answer::Accept { proven, terms: Terms::default() },
                    Err(_) => Answer::Reject(Rejection {
                        error: MsChapError::AuthenticationFailure,
                        code: Code::A01,
                        retry: false,
                        message: "no".to_owned(),
                    }),
                }
            }
            Question::Address { .. } => {
                let (dns, wins) = (vec![Ipv4Addr::new(192, 168, 10, 5)], Vec::new());
                Answer::Address(AddressGrant { peer: INNER, local: GATEWAY, dns, wins })
            }
        };
        self.server.handle_answer(self.now, id, answer);
    }

    /// Moves everything that can be moved now.
    fn settle(&mut self) {
        let mut buf = Vec::new();
        for _ in 0..1000 {
            while let Some(event) = self.server.poll_event() {
                match event {
                    Event::Ask { id, question, .. } => self.answer(id, &question),
                    other => self.at_server.note(other),
                }
            }
            while let Some(event) = self.client.poll_event() {
                self.at_client.note(event);
            }
            let mut moved = false;
            while let Some(to) = self.server.poll_transmit(&mut buf) {
                moved = true;
                if matches!(to, Transmit::Frame { .. }) {
                    self.first_frame.get_or_insert(self.now);
                }
                match to {
                    Transmit::Control => self.client.handle_input(self.now, Input::Control(&buf)),
                    Transmit::Frame { .. } if self.gre.0 => {
                        let call = self.at_client.call;
                        self.client.handle_input(
                            self.now,
                            Input::Frame { call, frame: &buf, origin: Origin::Clear },
                        );
                    }
                    Transmit::Frame { .. } => {}
                }
            }
            while let Some(to) = self.client.poll_transmit(&mut buf) {
                moved = true;
                match to {
                    Transmit::Control => self.server.handle_input(self.now, Input::Control(&buf)),
                    Transmit::Frame { .. } if self.gre.1 => {
                        let call = self.at_server.call;
                        self.server.handle_input(
                            self.now,
                            Input::Frame { call, frame: &buf, origin: Origin::Clear },
                        );
                    }
                    Transmit::Frame { .. } => {}
                }
            }
            if !moved {
                return;
            }
        }
        panic!("the two never stop talking");
    }

    /// Lets time pass until `until` or both are closed.
    fn run(&mut self, until: Duration) {
        let end = self.now + until;
        self.settle();
        while self.at_server.closed.is_none() || self.at_client.closed.is_none() {
            let next = [self.server.poll_timeout(), self.client.poll_timeout()];
            let Some((at, _)) = next.into_iter().flatten().min_by_key(|(at, _)| *at) else { return };
            if at > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
            self.client.handle_timeout(self.now);
            self.settle();
        }
    }
}

impl Seen {
    fn note(&mut self, event: Event) {
        match event {
            Event::OpenPath { call, .. } => self.call = call,
            Event::Up { up, .. } => self.up = Some(up),
            Event::CallEnded { end, .. } => self.call_end = Some(end),
            Event::Closed { end } => self.closed = Some(end),
            _ => {}
        }
    }
}

#[test]
fn a_call_comes_up_with_the_same_view_on_both_sides() {
    let mut pair = Pair::new("correct horse");
    pair.settle();
    let (server, client) = (pair.at_server.up.clone().unwrap(), pair.at_client.up.clone().unwrap());
    assert_eq!((server.local, server.peer), (GATEWAY, INNER));
    assert_eq!((client.local, client.peer), (INNER, GATEWAY));
    assert_eq!(server.encryption, client.encryption);
    assert!(server.encryption.is_some());
    assert_eq!(client.dns, [Ipv4Addr::new(192, 168, 10, 5)]);
    assert!(client.server_proved);
    assert_eq!(*server.name, *b"alice");
    assert_eq!(server.mtu, client.mtu);
}

#[test]
fn hanging_up_is_orderly_on_both_sides() {
    let mut pair = Pair::new("correct horse");
    pair.settle();
    pair.client.handle_command(pair.now, Command::Stop { why: Why::UserRequest });
    pair.run(Duration::from_secs(20));
    let end = pair.at_server.call_end.unwrap();
    assert_eq!((end.why, end.code), (Why::UserRequest, None), "{}", end.detail);
    assert_eq!(pair.at_client.call_end.unwrap().code, None);
    assert!(pair.at_server.closed.is_some() && pair.at_client.closed.is_some());
}

#[test]
fn c235_the_server_ends_a_call_with_a_reason() {
    let mut pair = Pair::new("correct horse");
    pair.settle();
    pair.server.handle_command(pair.now, Command::Stop { why: Why::Shutdown });
    pair.run(Duration::from_secs(20));
    let end = pair.at_server.call_end.unwrap();
    assert_eq!((end.why, end.code), (Why::Shutdown, None));
    assert!(pair.at_client.call_end.is_some());
    assert!(pair.at_server.closed.is_some() && pair.at_client.closed.is_some());
}

#[test]
fn a_kick_carries_the_reason_of_the_call_disconnect_notify_and_no_code() {
    let mut pair = Pair::new("correct horse");
    pair.settle();
    let kicked = pair.now;
    pair.server.handle_command(pair.now, Command::Stop { why: Why::AdminReset });
    pair.run(Duration::from_secs(20));
    assert_eq!(pair.now, kicked, "the client's challenge ends the wait for its Terminate-Ack");
    let end = pair.at_client.call_end.unwrap();
    assert_eq!((end.by, end.code), (Who::Peer, None), "{}", end.detail);
    let text = "the server ended the link: \"admin-reset\"; Call-Disconnect-Notify: administrative shutdown";
    assert_eq!(end.detail, text);
}

#[test]
fn a_wrong_password_is_named_on_both_sides() {
    let mut pair = Pair::new("another password");
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.at_server.call_end.unwrap().code, Some(Code::A01));
    assert_eq!(pair.at_client.call_end.unwrap().code, Some(Code::A01));
    assert!(pair.at_server.up.is_none());
}

#[test]
fn gre_that_is_dropped_is_named_by_direction() {
    for (gre, server_code, client_code) in [
        ((false, false), Code::G01, Code::G01),
        ((true, false), Code::G01, Code::G02),
        ((false, true), Code::G03, Code::G01),
    ] {
        let mut pair = Pair::new("correct horse");
        pair.gre = gre;
        pair.run(Duration::from_secs(90));
        let (server, client) = (pair.at_server.call_end.unwrap(), pair.at_client.call_end.unwrap());
        // The side that gives up first knows the layer; the other may only see that it was hung up.
        let named = [(server.code, server_code), (client.code, client_code)];
        assert!(
            named.iter().any(|(found, wanted)| *found == Some(*wanted)),
            "{gre:?}: {server:?} {client:?}"
        );
    }
}

#[test]
fn the_client_speaks_first_and_a_silent_one_is_not_waited_for() {
    for (hears, wait) in [(true, 0), (false, 100)] {
        let mut pair = Pair::new("correct horse");
        pair.gre.1 = hears;
        let began = pair.now;
        pair.run(Duration::from_secs(1));
        assert_eq!(pair.first_frame.unwrap() - began, Duration::from_millis(wait));
    }
}

#[test]
fn a_lost_control_connection_ends_the_call() {
    let mut pair = Pair::new("correct horse");
    pair.settle();
    pair.server.handle_input(pair.now, Input::ControlClosed);
    pair.settle();
    let end = pair.at_server.call_end.unwrap();
    assert_eq!(end.why, Why::LostCarrier, "{end:?}");
    assert!(pair.at_server.closed.is_some());
}

#[test]
fn c239_a_clock_that_steps_back_expires_nothing() {
    let mut pair = Pair::new("correct horse");
    pair.now += Duration::from_secs(3600);
    let later = pair.now;
    pair.settle();
    assert!(pair.at_server.up.is_some());
    let (server, client) = (pair.server.poll_timeout().unwrap(), pair.client.poll_timeout().unwrap());
    pair.now = later - Duration::from_secs(3600);
    pair.server.handle_timeout(pair.now);
    pair.client.handle_timeout(pair.now);
    pair.settle();
    assert!(pair.at_server.call_end.is_none() && pair.at_client.call_end.is_none());
    assert_eq!(pair.server.poll_timeout(), Some(server));
    assert_eq!(pair.client.poll_timeout(), Some(client));
}

#[test]
fn idle_and_longest_time_end_a_call() {
    for (terms, why) in [
        (Terms { idle: Some(Duration::from_secs(600)), ..Terms::default() }, Why::IdleTimeout),
        (Terms { max: Some(Duration::from_secs(600)), ..Terms::default() }, Why::SessionTimeout),
    ] {
        let mut pair = Pair::new("correct horse");
        pair.settle_with(terms);
        assert!(pair.at_server.up.is_some());
        pair.run(Duration::from_secs(700));
        assert_eq!(pair.at_server.call_end.unwrap().why, why);
    }
}

impl Pair {
    /// Settles with these terms for the account.
    fn settle_with(&mut self, terms: Terms) {
        let mut buf = Vec::new();
        for _ in 0..100 {
            while let Some(event) = self.server.poll_event() {
                match event {
                    Event::Ask { id, question: Question::Authenticate(request), .. } => {
                        let secret = Secret::Clear(Password::new(self.password));
                        let proven = proof::check(&request.proof, &secret).unwrap();
                        let answer = Answer::Accept { proven, terms: terms.clone() };
                        self.server.handle_answer(self.now, id, answer);
                    }
                    Event::Ask { id, question, .. } => self.answer(id, &question),
                    other => self.at_server.note(other),
                }
            }
            while let Some(event) = self.client.poll_event() {
                self.at_client.note(event);
            }
            if let Some(to) = self.server.poll_transmit(&mut buf) {
                let call = self.at_client.call;
                let input = match to {
                    Transmit::Control => Input::Control(&buf),
                    Transmit::Frame { .. } => Input::Frame { call, frame: &buf, origin: Origin::Clear },
                };
                self.client.handle_input(self.now, input);
            } else if let Some(to) = self.client.poll_transmit(&mut buf) {
                let call = self.at_server.call;
                let input = match to {
                    Transmit::Control => Input::Control(&buf),
                    Transmit::Frame { .. } => Input::Frame { call, frame: &buf, origin: Origin::Clear },
                };
                self.server.handle_input(self.now, input);
            } else {
                return;
            }
        }
    }
}
