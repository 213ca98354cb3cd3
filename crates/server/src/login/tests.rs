//! Tests that admission is the same for every source, and how often the store is read.

mod counting;

use std::net::Ipv4Addr;
use std::sync::Mutex;

use adit_auth::{AccountSource, AddressRequest, ChallengeState, Outcome, SessionLimits};
use adit_config::{Checked, Config, Log, LogFormat, LogLevel, Source};
use adit_crypto::proof::{Proof, Secret};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code, SourceFault};
use adit_store::{NewAccount, NewSession, ServerIdentity, SessionId, Store};
use jiff::Timestamp;

use super::*;
use crate::addresses::{Addresses, LeaseRequest};
use crate::event_writer::LogLines;
use crate::session::Session;
use counting::Reads;

const FROM: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// A source that returns one verdict, once.
struct Verdict(Mutex<Option<Result<Outcome, SourceFault>>>);

impl AccountSource for Verdict {
    fn name(&self) -> &str {
        "test"
    }

    fn authenticate<'a>(
        &'a self,
        _request: &'a AuthRequest,
        _caller: &'a Caller,
        _state: Option<ChallengeState>,
    ) -> adit_auth::BoxFuture<'a, Result<Outcome, SourceFault>> {
        Box::pin(async { self.0.lock().unwrap().take().unwrap() })
    }
}

fn config(text: &str) -> Arc<Config> {
    Arc::new(Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap())
}

fn authenticator(store: Store, sources: Sources) -> SourceAuthenticator {
    let log = Log { level: LogLevel::Info, to: Vec::new(), format: LogFormat::Kv };
    let event_writer = EventWriter::start(store, LogLines::open(&log).unwrap());
    let rules = config("").auth.lockout.clone();
    let lockout = Arc::new(Lockout::new(rules, Vec::new(), event_writer.clone()));
    SourceAuthenticator { lockout, sources, registry: Arc::new(Registry::default()), event_writer }
}

fn request(name: &str) -> AuthRequest {
    let proof = Proof::Pap { password: Password::new("correct horse") };
    AuthRequest { name: name.as_bytes().to_vec(), method: AuthMethod::Pap, proof, continues: false }
}

/// The result of a login of `alice` for which the source returns this verdict, while one session of hers is
/// up.
async fn log_in(verdict: Result<Outcome, SourceFault>, text: &str) -> (Answer, Learned) {
    let store = adit_store::open(&adit_store::StoreConfig::memory()).unwrap();
    let sources = Sources::new(vec![Arc::new(Verdict(Mutex::new(Some(verdict))))]);
    let authenticator = authenticator(store, sources);
    let from = std::net::SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 1), 9);
    let session = Arc::new(Session::new(SessionId(4), from, FROM, Timestamp::now()));
    session.known().user = Some("alice".to_owned());
    authenticator.registry.add(Arc::clone(&session));
    authenticator.registry.call_up(session);
    let caller = Caller { from: FROM, config: config(text) };
    authenticator.log_in(&request("alice"), &caller, None).await
}

fn grant() -> Grant {
    Grant { account: "alice".to_owned(), ..Grant::default() }
}

#[tokio::test]
async fn limits_and_networks_of_the_source_become_terms() {
    let networks = vec!["192.168.77.0/24".parse().unwrap()];
    let limits = SessionLimits { idle: Some(Duration::from_secs(7)), session: None };
    let address = AddressRequest { pool: Some("other".to_owned()), address: None };
    let grant = Grant { networks: networks.clone(), limits, address: address.clone(), ..grant() };
    let text = "[access]\nidle = \"1h\"\nmax = \"2h\"\nsessions = 2\n";
    let (answer, learned) = log_in(Ok(Outcome::Grant(Box::new(grant))), text).await;
    let Answer::Accept { terms, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((terms.idle, terms.max), (Some(Duration::from_secs(7)), Some(Duration::from_secs(7200))));
    assert_eq!(terms.networks, networks);
    assert_eq!((learned.address, learned.networks), (address, networks));
}

#[tokio::test]
async fn every_source_meets_the_same_admission() {
    for (text, code, detail) in [
        ("[access]\nfrom = [\"192.0.2.0/24\"]\n", Code::A13, "alice may not call from 203.0.113.7"),
        (
            "[access]\nsessions = 1\non_second = \"refuse\"\n",
            Code::A08,
            "alice already has 1 of 1 sessions: s4 from 198.51.100.1",
        ),
    ] {
        let (answer, learned) = log_in(Ok(Outcome::Grant(Box::new(grant()))), text).await;
        let Answer::Reject(rejection) = answer else { panic!("{answer:?}") };
        assert_eq!(rejection.code, code);
        let refused = learned.refused.unwrap();
        assert_eq!((refused.code, refused.cause.to_string()), (code, detail.to_owned()));
    }
}

#[tokio::test]
async fn a_source_that_fails_is_no_rejection() {
    let fault = SourceFault::Failed { error: "no route to 10.0.0.7".into() };
    let (answer, learned) = log_in(Err(fault), "").await;
    let Answer::Unavailable { detail } = answer else { panic!("{answer:?}") };
    assert!(!detail.contains("10.0.0.7"), "{detail}");
    let Refused { code, cause } = learned.refused.unwrap();
    assert_eq!(code, Code::A07);
    assert_eq!(cause.to_string(), "the account source test failed: no route to 10.0.0.7");
}

#[tokio::test]
async fn the_account_is_read_once_for_a_login_with_its_address() {
    let (store, reads) = Reads::store();
    let new = NewAccount { address: Some([10, 99, 0, 50].into()), ..NewAccount::named("alice") };
    let secret = Secret::Clear(Password::new("correct horse"));
    store.add_account(&new, Some(&secret), false, Timestamp::now()).unwrap();
    let config = config("[pool]\nnet = \"10.99.0.0/24\"\n");
    let addresses = Addresses::new(store.clone());
    let started = NewSession { started: Timestamp::now(), from: "203.0.113.7:50000".parse().unwrap() };
    let server = store.register_server(&ServerIdentity::random("vpn1").unwrap()).unwrap();
    let session = store.start_sessions(server, &[started]).unwrap()[0];
    let sources = Sources::from_config(&config, &store).unwrap();
    let authenticator = authenticator(store, sources);
    let caller = Caller { from: FROM, config: Arc::clone(&config) };
    reads.take();

    let (answer, learned) = authenticator.log_in(&request("alice"), &caller, None).await;
    assert!(matches!(answer, Answer::Accept { .. }), "{answer:?}");
    let own = learned.address.address;
    let request =
        LeaseRequest { user: learned.user.unwrap(), pool: config.access.pool.clone(), address: own };
    let (answer, _) = addresses.lend(&config, session, &request);
    let Answer::Address(lent) = answer else { panic!("{answer:?}") };
    assert_eq!(lent.peer, Ipv4Addr::new(10, 99, 0, 50));
    assert_eq!(reads.take(), 1, "with its secret, at the login");
}

/// Rejects every login as a wrong password, after a challenge if `is_in_rounds`, and counts how often it is asked.
struct Rejecting {
    asked: std::sync::atomic::AtomicUsize,
    is_in_rounds: bool,
}

impl AccountSource for Rejecting {
    fn name(&self) -> &str {
        "rejecting"
    }

    fn authenticate<'a>(
        &'a self,
        _request: &'a AuthRequest,
        _caller: &'a Caller,
        state: Option<ChallengeState>,
    ) -> adit_auth::BoxFuture<'a, Result<Outcome, SourceFault>> {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let outcome = if self.is_in_rounds && state.is_none() {
            Outcome::Challenge { state: ChallengeState::new(()), message: String::new() }
        } else {
            let account = Some("alice".to_owned());
            Outcome::Reject(Rejection { account, reason: LoginRefusal::WrongPassword })
        };
        Box::pin(async { Ok(outcome) })
    }
}

#[tokio::test]
async fn a_lock_refuses_before_any_source_is_asked_in_every_round() {
    for is_in_rounds in [false, true] {
        let store = adit_store::open(&adit_store::StoreConfig::memory()).unwrap();
        let source = Arc::new(Rejecting { asked: Default::default(), is_in_rounds });
        let authenticator = authenticator(store, Sources::new(vec![Arc::clone(&source) as _]));
        let caller = Caller { from: FROM, config: config("") };
        // A login that waits for its second round while the account is locked.
        let (_, mut waiting) = authenticator.log_in(&request("alice"), &caller, None).await;
        let mut refused = 0;
        for _ in 0..20 {
            let (_, learned) = authenticator.log_in(&request("alice"), &caller, None).await;
            let second = AuthRequest { continues: true, ..request("alice") };
            let (answer, learned) = match learned.pending {
                Some(pending) => authenticator.log_in(&second, &caller, Some(pending)).await,
                None => authenticator.log_in(&request("alice"), &caller, None).await,
            };
            let Answer::Reject(rejection) = answer else { panic!("{answer:?}") };
            refused += usize::from(rejection.code == Code::A04);
            assert_eq!(learned.refused.unwrap().code, rejection.code);
            assert_eq!((rejection.message.as_str(), rejection.retry), ("authentication failed", false));
        }
        let asked = || source.asked.load(std::sync::atomic::Ordering::Relaxed);
        let before = asked();
        assert_eq!((before, refused > 10), (if is_in_rounds { 11 } else { 5 }, true));
        if let Some(pending) = waiting.pending.take() {
            let second = AuthRequest { continues: true, ..request("alice") };
            let (answer, _) = authenticator.log_in(&second, &caller, Some(pending)).await;
            assert!(matches!(answer, Answer::Reject(rejection) if rejection.code == Code::A04));
        }
        assert_eq!(asked(), before);
    }
}
