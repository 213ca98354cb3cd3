//! The real server with an account source of another kind: slow, and it wants a second round.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use adit_admin::{ConfigFile, FileState};
use adit_auth::*;
use adit_config::{Checked, Source};
use adit_crypto::proof::{self, Secret};
use adit_crypto::secret::Password;
use adit_diag::{Code, FactorFault, LiveSession, LoginRefusal, NameForm, SourceFault};
use adit_ppp::auth::AuthRequest;
use adit_store::{NewAccount, Session, SessionFilter, Store, StoreConfig};
use adit_testbed::{Host, wait_until};
use common::*;
use tempfile::TempDir;

/// Knows `alice`, after a second round; `busy`, whose directory is down; and `refusedN`, who is refused for the N-th reason.
struct Directory {
    refusals: Vec<LoginRefusal>,
}

impl Directory {
    async fn decide(&self, request: &AuthRequest, round: u8) -> Result<Outcome, SourceFault> {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let name = String::from_utf8_lossy(&request.name).into_owned();
        if let Some(number) = name.strip_prefix("refused") {
            let reason = self.refusals[number.parse::<usize>().unwrap()].clone();
            return Ok(Outcome::Reject(Rejection { account: None, reason }));
        }
        let proven = proof::check(&request.proof, &Secret::Clear(Password::new(PASSWORD)));
        Ok(match (name.as_str(), proven) {
            ("busy", _) => return Err(SourceFault::Failed { error: "connection refused".into() }),
            ("alice", Err(_)) => {
                Outcome::Reject(Rejection { account: Some(name), reason: LoginRefusal::WrongPassword })
            }
            ("alice", Ok(_)) if round == 0 => {
                Outcome::Challenge { state: ChallengeState::new(1u8), message: String::new() }
            }
            ("alice", Ok(proven)) => Outcome::Grant(Box::new(Grant {
                account: "Alice A.".to_owned(),
                proven,
                group: Some("staff".to_owned()),
                address: AddressRequest { pool: None, address: Some(Ipv4Addr::new(10, 99, 0, 77)) },
                networks: vec!["192.168.77.0/24".parse().unwrap()],
                limits: SessionLimits { idle: None, session: Some(Duration::from_secs(8)) },
                class: vec![b"class".to_vec()],
            })),
            _ => Outcome::NotMine(LoginRefusal::UnknownUser { name }),
        })
    }
}

impl AccountSource for Directory {
    fn name(&self) -> &str {
        "directory"
    }

    fn is_optional(&self) -> bool {
        true
    }

    fn authenticate<'a>(
        &'a self,
        request: &'a AuthRequest,
        _caller: &'a Caller,
        state: Option<ChallengeState>,
    ) -> BoxFuture<'a, Result<Outcome, SourceFault>> {
        let round = state.and_then(ChallengeState::into_value).unwrap_or(0u8);
        Box::pin(self.decide(request, round))
    }
}

fn refusals() -> Vec<LoginRefusal> {
    let user = || "x".to_owned();
    let fault = || "because".to_owned();
    let from = IpAddr::from([192, 0, 2, 1]);
    let form = NameForm::At;
    vec![
        LoginRefusal::BadName { fault: fault() },
        LoginRefusal::UnknownUser { name: user() },
        LoginRefusal::UnknownUserInThisForm { name: user(), other: user(), form },
        LoginRefusal::NoPassword { user: user() },
        LoginRefusal::WrongPassword,
        LoginRefusal::RejectedByServer { server: fault(), message: fault() },
        LoginRefusal::NeedsReversiblePassword { user: user() },
        LoginRefusal::SecondFactor { user: user(), fault: FactorFault::Used },
        LoginRefusal::Locked { user: user(), left: 90 },
        LoginRefusal::Disabled { user: user(), because: fault() },
        LoginRefusal::Expired { user: user(), ago: 90 },
        LoginRefusal::NoVpnPermission { user: user() },
        LoginRefusal::LogonHours { user: user() },
        LoginRefusal::MustChangePassword { user: user() },
        LoginRefusal::PasswordExpired { user: user(), age: 90, allowed: 60 },
        LoginRefusal::BadPasswordChange { fault: fault() },
        LoginRefusal::NewPasswordRefused { fault: fault() },
        LoginRefusal::NewPasswordNotStored { fault: fault() },
        LoginRefusal::SourceAddress { user: user(), from },
        LoginRefusal::SessionLimit {
            user: user(),
            limit: 1,
            live: vec![LiveSession { session: "s9".to_owned(), from }],
        },
    ]
}

struct World {
    client: Host,
    server: Host,
    store: Store,
    _dir: TempDir,
}

impl World {
    /// A server with a directory, and local accounts behind it.
    fn start() -> World {
        let (client, server) = neighbours();
        let dir = TempDir::new().unwrap();
        let store = adit_store::open(&StoreConfig::memory()).unwrap();
        let secret = Secret::Clear(Password::new(PASSWORD));
        for name in ["bob", "busy"] {
            store
                .add_account(&NewAccount::named(name), Some(&secret), false, jiff::Timestamp::now())
                .unwrap();
        }
        let config = Checked::built_in_with(Source::new("adit.toml", with_io(CONFIG))).into_config().unwrap();
        let directory = Directory { refusals: refusals() };
        let sources = Sources::new(vec![Arc::new(directory), Arc::new(LocalAccounts::new(store.clone()))]);
        let (ready, is_ready) = mpsc::channel();
        let options = adit_server::Options {
            config,
            file: ConfigFile { path: "adit.toml".to_owned(), state: FileState::Usable },
            database: None,
            reread: Box::new(|| Err("it is not read again".to_owned())),
            store: store.clone(),
            sources,
            identity: None,
            run_dir: dir.path().join("run"),
            interface: "adit%d".to_owned(),
            ready: Box::new(move |_| ready.send(()).unwrap()),
            version: "test",
        };
        // It runs until the test program ends.
        server.thread(move || adit_server::run(options).unwrap());
        is_ready.recv_timeout(SOON).unwrap();
        World { client, server, store, _dir: dir }
    }

    /// The session of this user that is over.
    fn past(&self, user: &str) -> Option<Session> {
        let filter =
            SessionFilter { running: Some(false), user: Some(user.to_owned()), ..SessionFilter::default() };
        self.store.sessions(&filter).unwrap().pop()
    }

    /// Its code and detail; waits for it.
    #[track_caller]
    fn end(&self, user: &str) -> (Option<String>, String) {
        wait_until("the end of the session", SOON, || self.past(user).is_some());
        let end = self.past(user).unwrap().end.unwrap();
        (end.code, end.detail)
    }
}

#[test]
fn a_slow_source_with_a_second_round_logs_a_client_in() {
    let world = World::start();
    let mut alice = connect(&world.client, "alice", &["--once"]);
    world.client.ping(Ipv4Addr::new(10, 99, 0, 1));
    assert!(world.server.ip("route").contains("192.168.77.0/24 dev adit0"));
    // The session lasts as long as the source allows.
    assert_eq!(alice.running.wait(SOON).code(), Some(0), "{}", alice.running.log());
    wait_until("the end of the session", SOON, || world.past("Alice A.").is_some());
    let session = world.past("Alice A.").unwrap();
    assert_eq!(session.address, Some(Ipv4Addr::new(10, 99, 0, 77)));
    assert_eq!(session.group.as_deref(), Some("staff"));
    assert_eq!(session.end.unwrap().why, "session-timeout");
    // Who is not in the directory may be in the next source.
    let mut bob = connect(&world.client, "bob", &["--once"]);
    assert_eq!(bob.hang_up(), 0);
    assert_eq!(world.end("bob").0, None);
}

#[test]
fn every_typed_reason_reaches_client_and_record() {
    let world = World::start();
    let reasons = refusals();
    let mut clients = Vec::new();
    for number in 0..reasons.len() {
        let (user, interface) = (format!("refused{number}"), format!("refused{number}"));
        let more = ["--once", "--interface", &interface];
        clients.push(dial(&world.client, "203.0.113.10", &user, PASSWORD, &more));
    }
    for (number, (client, reason)) in clients.iter_mut().zip(&reasons).enumerate() {
        assert_eq!(client.running.wait(SOON * 2).code(), Some(14), "{reason}: {}", client.running.log());
        let end = world.end(&format!("refused{number}"));
        assert_eq!(end, (Some(reason.code().to_string()), reason.to_string()));
    }
    let mut wrong = dial(&world.client, "203.0.113.10", "alice", "wrong", &["--once"]);
    assert_eq!(wrong.running.wait(SOON).code(), Some(14), "{}", wrong.running.log());
    assert_eq!(world.end("alice").0, Some(Code::A01.to_string()));
}

#[test]
fn while_an_optional_source_is_down_accounts_behind_it_work_and_nothing_is_rejected() {
    let world = World::start();
    let mut busy = connect(&world.client, "busy", &["--once"]);
    assert_eq!(busy.hang_up(), 0);
    let mut wrong = dial(&world.client, "203.0.113.10", "busy", "wrong", &["--once"]);
    assert!(!wrong.running.wait(SOON * 2).success(), "{}", wrong.running.log());
    let detail = "the account source directory failed: connection refused".to_owned();
    wait_until("the end of the second session", SOON, || {
        world.end("busy") == (Some(Code::A07.to_string()), detail.clone())
    });
}
