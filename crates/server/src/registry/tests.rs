use std::net::{Ipv4Addr, SocketAddrV4};

use adit_config::{Checked, Limits, SameNat};
use adit_wire::{LocalCallId, PeerCallId};

use super::*;

const HERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

fn session(registry: &Registry, id: u64, from: u8) -> Arc<Session> {
    let from = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, from), 40_000);
    let session = Arc::new(Session::new(SessionId(id), from, HERE, jiff::Timestamp::UNIX_EPOCH));
    registry.add(Arc::clone(&session));
    session
}

fn up(registry: &Registry, id: u64, from: u8, user: &str, group: Option<&str>) -> Arc<Session> {
    let session = session(registry, id, from);
    let mut known = session.known();
    known.user = Some(user.to_owned());
    known.group = group.map(str::to_owned);
    known.up = Some(adit_tunnel::events::Up {
        name: user.as_bytes().into(),
        method: None,
        server_proved: false,
        encryption: None,
        local: Ipv4Addr::new(10, 99, 0, 1),
        peer: Ipv4Addr::new(10, 99, 0, id as u8),
        dns: Vec::new(),
        wins: Vec::new(),
        mtu: 1400,
    });
    drop(known);
    registry.call_up(Arc::clone(&session));
    session
}

fn ids(sessions: &[Arc<Session>]) -> Vec<u64> {
    sessions.iter().map(|session| session.id.0).collect()
}

fn limits() -> Limits {
    Checked::built_in().into_config().unwrap().limits
}

#[test]
fn sessions_of_an_account_are_found_in_any_case_oldest_first_until_they_end() {
    let registry = Registry::default();
    up(&registry, 1, 7, "Alice", None);
    up(&registry, 2, 8, "alice", None);
    up(&registry, 3, 9, "bob", None);
    session(&registry, 4, 9);
    assert_eq!(ids(&registry.of_user("ALICE")), [1, 2]);
    assert_eq!(registry.up_and_starting(), (3, 1));
    registry.remove(SessionId(1));
    assert_eq!(ids(&registry.of_user("alice")), [2]);
    registry.remove(SessionId(2));
    registry.remove(SessionId(2));
    assert!(registry.of_user("alice").is_empty());
    assert_eq!(registry.up_and_starting(), (1, 1));
    assert_eq!(ids(&registry.all()), [3, 4]);
}

#[test]
fn nothing_is_kept_of_sessions_that_have_ended() {
    let registry = Registry::default();
    for id in 1..=50 {
        let session = up(&registry, id, 7, &format!("user{id}"), None);
        session.known().call_ids = Some((LocalCallId::new(id as u16), PeerCallId::new(1)));
        registry.bind_call(LocalCallId::new(id as u16), session);
    }
    for id in 1..=50 {
        registry.remove(SessionId(id));
    }
    let tables = registry.tables();
    assert!(tables.sessions.is_empty() && tables.by_call.is_empty());
    assert!(tables.by_user.is_empty() && tables.up.is_empty());
}

#[test]
fn every_selector_names_its_sessions() {
    let registry = Registry::default();
    up(&registry, 1, 7, "alice", Some("staff"));
    up(&registry, 2, 7, "bob", None);
    session(&registry, 3, 8);
    let select = |selector: &str| ids(&registry.select(selector));
    assert_eq!(select("all"), [1, 2, 3]);
    assert_eq!(select("s2"), [2]);
    assert_eq!(select("ALICE"), [1]);
    assert_eq!(select("10.99.0.2"), [2]);
    assert_eq!(select("from:198.51.100.7"), [1, 2]);
    assert_eq!(select("group:staff"), [1]);
    for none in ["s9", "carol", "10.99.0.9", "from:198.51.100", "group:Staff", ""] {
        assert!(select(none).is_empty(), "{none}");
    }
}

#[test]
fn a_user_whose_name_looks_like_a_session_is_found_when_no_session_has_it() {
    let registry = Registry::default();
    up(&registry, 1, 7, "s77", None);
    assert_eq!(ids(&registry.select("s77")), [1]);
    session(&registry, 77, 8);
    assert_eq!(ids(&registry.select("s77")), [77]);
}

#[test]
fn messages_reach_the_session_of_their_call_and_overflow_is_counted() {
    let registry = Registry::default();
    let (first, second) = (session(&registry, 1, 7), session(&registry, 2, 8));
    registry.bind_call(LocalCallId::new(100), Arc::clone(&first));
    registry.deliver(LocalCallId::new(100), Message::Traffic { received: 1, sent: 0 });
    registry.deliver(LocalCallId::new(200), Message::Traffic { received: 2, sent: 0 });
    assert!(matches!(first.queue.try_next(), Some(Message::Traffic { received: 1, .. })));
    assert!(first.queue.try_next().is_none() && second.queue.try_next().is_none());
    assert_eq!(registry.queue_full.load(Ordering::Relaxed), 0, "an unknown call is not a full queue");
    for n in 0..crate::message::MAX_MESSAGES as u64 + 3 {
        registry.deliver(LocalCallId::new(100), Message::Traffic { received: n, sent: 0 });
    }
    assert_eq!(registry.queue_full.load(Ordering::Relaxed), 3);
}

#[test]
fn a_call_id_that_was_given_to_a_newer_session_stays_with_it() {
    let registry = Registry::default();
    let (older, newer) = (session(&registry, 1, 7), session(&registry, 2, 8));
    for session in [&older, &newer] {
        session.known().call_ids = Some((LocalCallId::new(100), PeerCallId::new(1)));
        registry.bind_call(LocalCallId::new(100), Arc::clone(session));
    }
    registry.remove(SessionId(1));
    registry.deliver(LocalCallId::new(100), Message::Traffic { received: 5, sent: 0 });
    assert!(matches!(newer.queue.try_next(), Some(Message::Traffic { received: 5, .. })));
    registry.unbind_call(LocalCallId::new(100));
    registry.deliver(LocalCallId::new(100), Message::Traffic { received: 6, sent: 0 });
    assert!(newer.queue.try_next().is_none());
}

#[test]
fn a_call_is_refused_while_draining_and_when_all_sessions_are_in_use() {
    let registry = Registry::default();
    let caller = session(&registry, 9, 9);
    let limits = Limits { sessions: 2, same_nat: SameNat::Allow, ..limits() };
    up(&registry, 1, 7, "alice", None);
    assert_eq!(registry.refusal(&limits, &caller), None);
    up(&registry, 2, 7, "bob", None);
    let reason = registry.refusal(&limits, &caller).unwrap();
    assert!(reason.contains("limits.sessions"), "{reason}");
    registry.remove(SessionId(2));
    assert_eq!(registry.refusal(&limits, &caller), None);
    registry.draining.store(true, Ordering::Relaxed);
    assert!(registry.refusal(&limits, &caller).unwrap().contains("drained"));
}

#[test]
fn one_call_per_address_where_configured() {
    let registry = Registry::default();
    let limits = Limits { same_nat: SameNat::Refuse, ..limits() };
    let (first, second, other) =
        (session(&registry, 1, 7), session(&registry, 2, 7), session(&registry, 3, 8));
    assert_eq!(registry.refusal(&limits, &second), None, "the first has no call yet");
    first.known().call_ids = Some((LocalCallId::new(100), PeerCallId::new(1)));
    assert!(registry.refusal(&limits, &second).unwrap().contains("s1"));
    assert_eq!(registry.refusal(&limits, &first), None, "not by its own call");
    assert_eq!(registry.refusal(&limits, &other), None);
}

#[test]
fn failed_calls_are_counted_by_code() {
    let registry = Registry::default();
    for code in [Code::A01, Code::G01, Code::A01] {
        registry.count_failed(code);
    }
    assert_eq!(registry.failed(), [(Code::G01, 1), (Code::A01, 2)]);
}
