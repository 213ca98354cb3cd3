//! Waiting for logins that are being checked, events, and a restart.

use adit_config::{Log, LogFormat, LogLevel};
use adit_diag::EventKind;
use adit_policy::lockout::AddressRules;
use adit_store::{EventFilter, Store, StoreConfig};

use super::*;
use crate::event_writer::LogLines;

const HOME: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const WRONG: Verdict = Verdict::Failed { exists: true };

fn rules() -> Rules {
    let address = AddressRules { tries: 8, ban: Duration::from_secs(3_600), ignore: Vec::new() };
    Rules { tries: 5, window: Duration::from_secs(600), lock: Duration::from_secs(900), address }
}

fn far(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(11, 0, n, 1)
}

fn start(store: &Store) -> Arc<Lockout> {
    let log = Log { level: LogLevel::Error, to: Vec::new(), format: LogFormat::Kv };
    let event_writer = EventWriter::start(store.clone(), LogLines::open(&log).unwrap());
    Arc::new(Lockout::new(rules(), store.lockout().unwrap(), event_writer))
}

fn memory() -> Store {
    adit_store::open(&StoreConfig::memory()).unwrap()
}

#[tokio::test]
async fn a_login_beyond_the_limit_waits_for_those_that_are_being_checked() {
    let lockout = start(&memory());
    let mut checking = Vec::new();
    for n in 0..5 {
        checking.push(lockout.begin("alice", far(n)).await.unwrap());
    }
    let sixth = tokio::spawn({
        let lockout = Arc::clone(&lockout);
        async move { lockout.begin("alice", far(9)).await.map(drop) }
    });
    // Another account does not wait.
    lockout.begin("bob", far(9)).await.unwrap().end(Verdict::None, None);
    assert!(!sixth.is_finished());
    checking.drain(..).for_each(|checking| checking.end(WRONG, Some("Alice")));
    assert!(matches!(sixth.await.unwrap(), Err(LoginRefusal::Locked { left: 899..=900, .. })));
}

#[tokio::test]
async fn a_login_that_is_withdrawn_counts_for_nothing() {
    let lockout = start(&memory());
    for n in 0..50 {
        drop(lockout.begin("alice", far(n)).await.unwrap());
    }
    let (status, warnings) = lockout.status();
    assert_eq!((status.guesses, status.refused, status.locked, warnings), (0, 0, 0, Vec::new()));
    assert_eq!(status.guesses_per_hour, Some(60));
}

#[tokio::test]
async fn locks_and_bans_are_events_and_survive_a_restart() {
    let store = memory();
    let lockout = start(&store);
    lockout.begin("alice", HOME).await.unwrap().end(Verdict::Proven, None);
    for n in 0..5 {
        lockout.begin("alice", far(n)).await.unwrap().end(WRONG, Some("Alice"));
    }
    for n in 0..8 {
        let user = format!("user{n}");
        lockout.begin(&user, far(99)).await.unwrap().end(Verdict::Failed { exists: false }, None);
    }
    lockout.store_changes();
    lockout.event_writer.flush();
    let events = store.events(&EventFilter::default()).unwrap();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| (event.kind.known().unwrap(), event.user.as_deref(), event.from, event.known_code()))
        .collect();
    let from = |address: Ipv4Addr| Some(address.into());
    assert_eq!(
        kinds,
        [
            (EventKind::AccountLocked, Some("Alice"), from(far(4)), Some(Code::A04)),
            (EventKind::AddressBanned, None, from(far(99)), Some(Code::Q22)),
        ]
    );

    let again = start(&store);
    assert!(matches!(again.begin("alice", far(77)).await.map(drop), Err(LoginRefusal::Locked { .. })));
    assert!(again.begin("alice", HOME).await.is_ok(), "the user's own address");
    assert!(again.turns_away(far(99)) && !again.turns_away(far(1)));
    let (status, warnings) = again.status();
    assert_eq!((status.locked, status.banned, status.turned_away), (1, 1, 1));
    let texts: Vec<_> = warnings.iter().map(|warning| (warning.code, warning.text.as_str())).collect();
    assert_eq!(
        texts,
        [
            (Code::A04, "accounts locked after failed logins: alice (15 min)"),
            (Code::Q22, "1 address or network is banned: see adit ban list"),
        ]
    );
}

#[test]
fn a_change_by_an_administrator_is_stored_when_the_request_returns() {
    let store = memory();
    let lockout = start(&store);
    let ban = adit_policy::lockout::Ban {
        since: 0,
        until: u64::MAX >> 1,
        by: Some("root".into()),
        reason: String::new(),
    };
    let network = "203.0.113.0/24".parse().unwrap();
    lockout.with(&mut |now, machine| assert!(machine.ban(now, network, ban.clone()))).unwrap();
    assert_eq!(store.lockout().unwrap(), [Row::Ban(network, Some(ban))]);
}
