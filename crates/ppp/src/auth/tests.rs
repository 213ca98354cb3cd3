mod chap;
mod pap;
mod peer;
mod random;
mod rounds;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::mppe::{KeySchedule, StartKeys, Strength};
use adit_crypto::proof::{ProofError, Secret, check, check_unknown};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code};

use super::*;

const METHODS: [AuthMethod; 4] =
    [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV1, AuthMethod::MsChapV2];
const CHAP_METHODS: [AuthMethod; 3] = [AuthMethod::ChapMd5, AuthMethod::MsChapV1, AuthMethod::MsChapV2];

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn authenticator(method: AuthMethod) -> Authenticator {
    let config = AuthenticatorConfig {
        method,
        local_name: "vpn".into(),
        change_password: true,
        timing: Timing::default(),
    };
    Authenticator::new(config, Rng::from_number(1))
}

fn credentials(name: &str, password: &str) -> Credentials {
    Credentials::new(name, Password::new(password))
}

fn peer_of(method: AuthMethod, credentials: Credentials) -> Peer {
    let config = PeerConfig { method, credentials, min_challenge: 8, timing: Timing::default() };
    Peer::new(config, Rng::from_number(2))
}

fn peer(method: AuthMethod) -> Peer {
    peer_of(method, credentials("alice", "clientPass"))
}

/// An account in the store of a server.
struct Account {
    name: &'static [u8],
    password: Password,
    expired: bool,
    retry: bool,
    /// The number of answered requests.
    asked: u32,
    /// Rounds to require before the login is accepted.
    rounds: VecDeque<Round>,
}

/// A further round.
#[derive(Clone, Copy)]
struct Round {
    message: &'static str,
    /// The password that the round requires.
    next: Option<&'static str>,
}

impl Account {
    fn new() -> Account {
        let password = Password::new("clientPass");
        Account { name: b"alice", password, expired: false, retry: false, asked: 0, rounds: VecDeque::new() }
    }

    fn answer(&mut self, question: &AuthRequest) -> Verdict {
        self.asked += 1;
        let reject = |error, code, retry, message: &str| {
            let message = message.to_owned();
            Verdict::Reject(Rejection { error, code, retry, message })
        };
        let name = adit_crypto::mschap::without_domain(&question.name);
        let result = if name == self.name {
            check(&question.proof, &Secret::Clear(self.password.clone()))
        } else {
            Err(check_unknown(&question.proof))
        };
        match result {
            Ok(proven) => {
                if let Some(new) = &proven.new_password {
                    self.password = new.clone();
                    self.expired = false;
                }
                if self.expired {
                    return reject(MsChapError::PasswordExpired, Code::A03, false, "Password expired");
                }
                if let Some(Round { message, next }) = self.rounds.pop_front() {
                    self.password = next.map_or(self.password.clone(), Password::new);
                    return Verdict::Challenge { message: message.to_owned() };
                }
                Verdict::Accept(proven)
            }
            Err(ProofError::BadChange(_)) => {
                reject(MsChapError::ChangingPassword, Code::A03, false, "Password not changed")
            }
            Err(_) => reject(MsChapError::AuthenticationFailure, Code::A01, self.retry, "Access denied"),
        }
    }
}

/// Collects one packet.
fn packet_of(poll: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    poll(&mut out).then_some(out)
}

/// Collects one packet, which must exist.
fn sent(end: &mut Authenticator) -> Vec<u8> {
    packet_of(|out| end.poll_transmit(out)).expect("a packet")
}

fn nothing_sent(end: &mut Authenticator) -> bool {
    !end.poll_transmit(&mut Vec::new())
}

fn peer_sent(end: &mut Peer) -> Vec<u8> {
    packet_of(|out| end.poll_transmit(out)).expect("a packet")
}

/// Collects the open request.
fn question(end: &mut Authenticator) -> AuthRequest {
    match end.poll_event() {
        Some(AuthenticatorEvent::Ask(question)) => question,
        other => panic!("no question: {other:?}"),
    }
}

fn server_failed(end: &mut Authenticator) -> (Code, String) {
    match end.poll_event() {
        Some(AuthenticatorEvent::Failed { code, detail }) => (code, detail),
        other => panic!("no failure: {other:?}"),
    }
}

fn peer_failed(end: &mut Peer) -> (Code, Option<u32>, String) {
    match end.poll_event() {
        Some(PeerEvent::Failed { code, mschap_error, message }) => (code, mschap_error, message),
        other => panic!("no failure: {other:?}"),
    }
}

/// The text of a Success or Failure packet.
fn text(packet: &[u8]) -> String {
    String::from_utf8(packet[4..].to_vec()).unwrap()
}

/// Both ends and their events, connected by a line that drops packets when `lost` returns true.
struct Line {
    now: Instant,
    server: Authenticator,
    client: Peer,
    account: Account,
    server_events: Vec<AuthenticatorEvent>,
    client_events: Vec<PeerEvent>,
}

impl Line {
    fn new(method: AuthMethod) -> Line {
        Line::with(authenticator(method), peer(method), Account::new())
    }

    fn with(server: Authenticator, client: Peer, account: Account) -> Line {
        let now = Instant::now();
        Line { now, server, client, account, server_events: Vec::new(), client_events: Vec::new() }
    }

    fn open(mut self) -> Line {
        self.server.open(self.now);
        self.client.open(self.now);
        self.settle(|| false);
        self
    }

    /// Carries packets and answers requests until there are none.
    fn settle(&mut self, mut lost: impl FnMut() -> bool) {
        loop {
            let mut moved = false;
            while let Some(packet) = packet_of(|out| self.server.poll_transmit(out)) {
                moved = true;
                if !lost() {
                    let _ = self.client.handle_input(self.now, &packet);
                }
            }
            while let Some(packet) = packet_of(|out| self.client.poll_transmit(out)) {
                moved = true;
                if !lost() {
                    let _ = self.server.handle_input(self.now, &packet);
                }
            }
            while let Some(event) = self.server.poll_event() {
                moved = true;
                if let AuthenticatorEvent::Ask(question) = event {
                    let verdict = self.account.answer(&question);
                    self.server.handle_answer(self.now, verdict);
                } else {
                    self.server_events.push(event);
                }
            }
            while let Some(event) = self.client.poll_event() {
                moved = true;
                self.client_events.push(event);
            }
            if !moved {
                return;
            }
        }
    }

    /// Advances to the next deadline; `false` if there is none.
    fn wait(&mut self) -> bool {
        let next = [self.server.poll_timeout(), self.client.poll_timeout()];
        let Some((at, _)) = next.into_iter().flatten().min() else { return false };
        self.now = at;
        self.server.handle_timeout(at);
        self.client.handle_timeout(at);
        true
    }
}

/// Whether each side decrypts what the other encrypts.
fn keys_meet(server: &StartKeys, client: &StartKeys) -> bool {
    let key = |start| KeySchedule::new(start, Strength::Bits128).session_key().to_vec();
    key(&server.send) == key(&client.receive) && key(&server.receive) == key(&client.send)
}

#[test]
fn c153_c154_c155_every_method_lets_the_right_password_in() {
    for method in METHODS {
        let line = Line::new(method).open();
        let [AuthenticatorEvent::Success { name, keys: server_keys }] = &line.server_events[..] else {
            panic!("{method}: {:?}", line.server_events);
        };
        assert_eq!(**name, *b"alice");
        let [PeerEvent::Success { keys, server_proved, password_changed: false, message }] =
            &line.client_events[..]
        else {
            panic!("{method}: {:?}", line.client_events);
        };
        assert_eq!(*server_proved, method.is_mutual());
        assert_eq!(message, b"Access granted");
        match (server_keys, keys) {
            (Some(server), Some(client)) => assert!(method.gives_keys() && keys_meet(server, client)),
            (None, None) => assert!(!method.gives_keys()),
            other => panic!("{method}: {other:?}"),
        }
        assert!(line.server.is_proven());
        assert_eq!(line.account.asked, 1);
    }
}

#[test]
fn every_method_refuses_a_wrong_password_with_its_reason() {
    for method in METHODS {
        let client = peer_of(method, credentials("alice", "wrong"));
        let line = Line::with(authenticator(method), client, Account::new()).open();
        let [AuthenticatorEvent::Failed { code: Code::A01, detail }] = &line.server_events[..] else {
            panic!("{method}: {:?}", line.server_events);
        };
        assert_eq!(detail, "\"alice\": Access denied");
        let [PeerEvent::Failed { code: Code::A01, mschap_error, message }] = &line.client_events[..] else {
            panic!("{method}: {:?}", line.client_events);
        };
        assert_eq!(*mschap_error, method.gives_keys().then_some(691));
        assert!(message.ends_with("\"Access denied\""), "{message}");
        assert!(!line.server.is_proven());
    }
}

#[test]
fn c167_an_unknown_name_looks_like_a_wrong_password() {
    for method in METHODS {
        let refusal = |name, password| {
            let client = peer_of(method, credentials(name, password));
            let line = Line::with(authenticator(method), client, Account::new()).open();
            format!("{:?}", line.client_events)
        };
        assert_eq!(refusal("alice", "wrong"), refusal("mallory", "wrong"));
    }
}

#[test]
fn c156_c157_domains_and_every_kind_of_password() {
    for password in
        ["", "p\u{e4}ssw\u{f6}rd", "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}\u{20ac}", "key\u{1f511}"]
    {
        for domain in ["", "BIGCO"] {
            let mut credentials = credentials("alice", password);
            credentials.domain = domain.to_owned();
            let wire_name = credentials.wire_name();
            let account = Account { password: Password::new(password), ..Account::new() };
            let client = peer_of(AuthMethod::MsChapV2, credentials);
            let line = Line::with(authenticator(AuthMethod::MsChapV2), client, account).open();
            let [AuthenticatorEvent::Success { name, .. }] = &line.server_events[..] else {
                panic!("{:?}", line.server_events);
            };
            assert_eq!(**name, *wire_name.into_bytes());
            assert!(matches!(line.client_events[..], [PeerEvent::Success { server_proved: true, .. }]));
        }
    }
}

#[test]
fn methods_and_their_numbers() {
    for method in METHODS {
        assert_eq!(from_lcp(lcp(method)), Some(method));
    }
    assert_eq!(AuthMethod::MsChapV2.to_string(), "mschap-v2");
    assert_eq!(from_lcp(adit_wire::lcp::AuthProtocol::Eap), None);
    assert_eq!((protocol(AuthMethod::Pap), protocol(AuthMethod::MsChapV2)), (0xc023, 0xc223));
}

#[test]
fn what_servers_mean() {
    let code = |error: u32, message: &[u8]| verdict::code_of(MsChapError::from(error), message);
    assert_eq!(code(646, b""), Code::A06);
    assert_eq!(code(647, b"Account disabled"), Code::A02);
    assert_eq!(code(647, b"Account Locked out"), Code::A04);
    assert_eq!(code(648, b""), Code::A03);
    assert_eq!(code(649, b""), Code::A11);
    assert_eq!(code(691, b"Access denied"), Code::A01);
    assert_eq!(code(691, b"your account is locked"), Code::A04);
    assert_eq!(code(709, b""), Code::A03);
    assert_eq!(code(5, b""), Code::A01);
}
