use std::time::Duration;

use adit_diag::note::LayerUp;
use adit_diag::{EventFacts, LoginRefusal, Note, Traffic};
use adit_store::{
    Change, ErrorKind, EventFilter, NewEvent, Retention, Session, SessionEnd, SessionFilter, SessionId,
    SessionState, SessionUpdate, Step, Store,
};

use super::{at, claim, ip, server, start_on};

fn start(store: &Store, seconds: i64) -> SessionId {
    start_on(store, server(store), seconds)
}

fn start_as(store: &Store, seconds: i64, user: &str) -> SessionId {
    let id = start(store, seconds);
    let update = SessionUpdate { user: Some(user.into()), ..SessionUpdate::default() };
    write(store, update_to(id, update), seconds);
    id
}

fn write(store: &Store, change: Change, seconds: i64) {
    store.apply(&[change], at(seconds)).unwrap();
}

fn update_to(id: SessionId, update: SessionUpdate) -> Change {
    Change::Update(id, Box::new(update))
}

fn end_of(id: SessionId, end: SessionEnd) -> Change {
    Change::End(id, Box::new(end), None, Vec::new(), 0)
}

fn end(seconds: i64, code: Option<&str>) -> SessionEnd {
    SessionEnd {
        at: at(seconds),
        why: if code.is_some() { "failed" } else { "user-request" }.into(),
        by: "received".into(),
        code: code.map(Into::into),
        detail: "for a test".into(),
        refusal: None,
    }
}

fn get(store: &Store, id: SessionId) -> Session {
    store.session(id).unwrap().unwrap()
}

pub(crate) fn sessions_begin_grow_and_end(store: &Store) {
    assert_eq!(store.session(SessionId(1)).unwrap(), None);
    let id = start(store, 0);
    let fresh = get(store, id);
    assert_eq!((fresh.state(), fresh.from.port(), fresh.seen), (SessionState::Starting, 50000, at(0)));
    assert_eq!(fresh.server, server(store));

    let traffic = Traffic { rx_bytes: 1 << 40, tx_bytes: 2, rx_packets: 3, tx_packets: 4 };
    let peer = SessionUpdate {
        host: Some(String::new()),
        vendor: Some("Microsoft Windows NT".into()),
        ..SessionUpdate::default()
    };
    write(store, update_to(id, peer), 1);
    let up = SessionUpdate {
        up: Some(at(2)),
        user: Some("Alice".into()),
        group: Some("staff".into()),
        pool: Some("default".into()),
        address: Some([10, 99, 0, 14].into()),
        server_address: Some([10, 99, 0, 1].into()),
        method: Some("mschap-v2".into()),
        mppe: Some("128 stateless".into()),
        traffic: Some(traffic),
        ..SessionUpdate::default()
    };
    write(store, update_to(id, up), 2);
    let session = get(store, id);
    assert_eq!(session.state(), SessionState::Up);
    assert_eq!(
        session.vendor.as_deref(),
        Some("Microsoft Windows NT"),
        "an update leaves alone what it does not name"
    );
    assert_eq!(session.user.as_deref(), Some("Alice"));
    assert_eq!(session.address, Some([10, 99, 0, 14].into()));
    assert_eq!((session.traffic, session.seen), (traffic, at(2)));

    let last = Traffic { rx_bytes: u64::MAX, ..traffic };
    write(store, Change::End(id, Box::new(end(9, None)), Some(last), Vec::new(), 0), 9);
    let session = get(store, id);
    assert_eq!((session.state(), session.end), (SessionState::Ended, Some(end(9, None))));
    assert_eq!(session.traffic.rx_bytes, i64::MAX as u64, "what does not fit stops at the end");
    assert_eq!(session.traffic.tx_packets, 4);
}

pub(crate) fn a_session_ends_exactly_once(store: &Store) {
    let id = start(store, 0);
    write(store, end_of(id, end(1, Some("G01"))), 1);
    let late = Traffic { rx_bytes: 7, ..Traffic::default() };
    write(store, Change::End(id, Box::new(end(2, None)), Some(late), Vec::new(), 0), 2);
    write(store, update_to(id, SessionUpdate { up: Some(at(3)), ..SessionUpdate::default() }), 3);
    let session = get(store, id);
    assert_eq!(session.end, Some(end(1, Some("G01"))));
    assert_eq!((session.traffic, session.up, session.seen), (Traffic::default(), None, at(0)));
}

pub(crate) fn changes_are_applied_all_or_none(store: &Store) {
    let id = start(store, 0);
    let unknown = SessionId(999);
    let changes = [
        Change::Events(vec![NewEvent::new(at(1), EventFacts::ServerStart)]),
        end_of(id, end(1, None)),
        end_of(unknown, end(1, None)),
    ];
    assert_eq!(store.apply(&changes, at(1)), Err(ErrorKind::NoSuchSession(unknown).into()));
    assert_eq!(get(store, id).end, None);
    assert_eq!(store.events(&EventFilter::default()).unwrap(), []);
    store.apply(&changes[..2], at(1)).unwrap();
    assert_eq!(get(store, id).end, Some(end(1, None)));
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), 1);
    assert_eq!(store.session(unknown).unwrap(), None);
}

pub(crate) fn counters_of_many_sessions(store: &Store) {
    let (one, two, over) = (start(store, 0), start(store, 0), start(store, 0));
    write(store, end_of(over, end(1, None)), 1);
    let c = |n| Traffic { rx_bytes: n, tx_bytes: n + 1, rx_packets: n + 2, tx_packets: n + 3 };
    write(store, Change::Count(vec![(one, c(10)), (two, c(20)), (over, c(30)), (SessionId(999), c(40))]), 60);
    assert_eq!((get(store, one).traffic, get(store, one).seen), (c(10), at(60)));
    assert_eq!(get(store, two).traffic, c(20));
    assert_eq!(get(store, over).traffic, Traffic::default());
}

pub(crate) fn sessions_are_filtered(store: &Store) {
    let a1 = start_as(store, 0, "alice");
    let b1 = start_as(store, 10, "bob");
    let without_user = start(store, 20);
    let a2 = start_as(store, 30, "Alice");
    write(store, end_of(a1, end(5, None)), 5);
    write(store, end_of(without_user, end(50, Some("G01"))), 50);
    let ids = |filter: SessionFilter| {
        store.sessions(&filter).unwrap().into_iter().map(|s| s.id).collect::<Vec<_>>()
    };
    let all = SessionFilter::default;
    assert_eq!(ids(all()), [a1, b1, without_user, a2]);
    assert_eq!(ids(SessionFilter { running: Some(true), ..all() }), [b1, a2]);
    assert_eq!(ids(SessionFilter { running: Some(false), ..all() }), [a1, without_user]);
    assert_eq!(ids(SessionFilter { user: Some("ALICE".into()), ..all() }), [a1, a2]);
    assert_eq!(
        ids(SessionFilter { since: Some(at(6)), ..all() }),
        [b1, without_user, a2],
        "still running then"
    );
    assert_eq!(ids(SessionFilter { since: Some(at(5)), ..all() }), [a1, b1, without_user, a2]);
    assert_eq!(ids(SessionFilter { until: Some(at(30)), ..all() }), [a1, b1, without_user]);
    assert_eq!(ids(SessionFilter { newest_per_user: true, ..all() }), [b1, a2]);
    assert_eq!(ids(SessionFilter { newest_per_user: true, running: Some(false), ..all() }), [a1]);
    assert_eq!(ids(SessionFilter { failed: true, ..all() }), [without_user]);
    assert_eq!(ids(SessionFilter { last: Some(2), ..all() }), [without_user, a2]);
    assert_eq!(ids(SessionFilter { last: Some(1), running: Some(false), ..all() }), [without_user]);
}

pub(crate) fn the_record_is_kept_and_bounded(store: &Store) {
    let id = start(store, 0);
    let step = |n: u64| Step {
        at: Duration::from_micros(n * 1500),
        who: "received".into(),
        layer: "LCP".into(),
        text: format!("Configure-Request id {n}"),
        note: None,
    };
    assert_eq!(store.record(id).unwrap(), []);
    let ended = |steps: &[Step], omitted| {
        Change::End(id, Box::new(end(4, Some("L05"))), None, steps.to_vec(), omitted)
    };
    let steps: Vec<_> = (0..3).map(step).collect();
    write(store, ended(&steps, 0), 4);
    assert_eq!(store.record(id).unwrap(), steps);
    let more: Vec<_> = (0..600).map(step).collect();
    write(store, ended(&more, 7), 4);
    assert_eq!(store.record(id).unwrap(), more[..Step::MAX], "cut at the bound");
    assert_eq!(get(store, id).omitted, 7 + 88);
    assert_eq!(store.record(SessionId(999)).unwrap(), []);
}

pub(crate) fn what_is_typed_comes_back_typed(store: &Store) {
    let id = start(store, 0);
    let notes = [
        Note::LayerUp(LayerUp::Lcp { mru: 1400 }),
        Note::Refused(LoginRefusal::UnknownUser { name: "mallory \"quoted\"".into() }.into()),
    ];
    let steps: Vec<Step> = notes
        .into_iter()
        .map(|note| Step {
            at: Duration::from_millis(5),
            who: note.who().word().into(),
            layer: note.protocol().name().into(),
            text: note.to_string(),
            note: Some(note),
        })
        .collect();
    let refusal = Some(LoginRefusal::UnknownUser { name: "mallory".into() });
    let over = SessionEnd { refusal, ..end(4, Some("A01")) };
    write(store, Change::End(id, Box::new(over.clone()), None, steps.clone(), 0), 4);
    assert_eq!(store.record(id).unwrap(), steps);
    assert_eq!(get(store, id).end, Some(over));
}

pub(crate) fn a_crash_is_cleaned_up(store: &Store) {
    let (over, running) = (start(store, 0), start_as(store, 10, "alice"));
    write(store, end_of(over, end(5, None)), 5);
    assert_eq!(claim(store, running, "alice", None, 11), Ok(ip(10)));
    let traffic = Traffic { rx_bytes: 5, ..Traffic::default() };
    write(store, Change::Count(vec![(running, traffic)]), 40);

    let recovered = store.recover(server(store), at(1000)).unwrap();
    assert_eq!((recovered.sessions, recovered.leases), (vec![running], 1));
    let session = get(store, running);
    let ended = session.end.unwrap();
    assert_eq!(ended.at, at(40), "it was seen last then, not now");
    assert_eq!(ended.detail, "server stopped unexpectedly");
    assert_eq!((ended.why.as_str(), ended.by.as_str(), ended.code), ("crash", "note", None));
    assert_eq!(session.traffic, traffic);
    assert_eq!(get(store, over).end, Some(end(5, None)));
    assert_eq!(store.recover(server(store), at(1001)).unwrap(), Default::default(), "nothing is left to do");
    assert_eq!(claim(store, start(store, 1002), "alice", None, 1099), Ok(ip(10)), "it sticks from then on");
}

pub(crate) fn session_ids_are_never_used_twice(store: &Store) {
    let first = start(store, 0);
    write(store, end_of(first, end(1, None)), 1);
    let retention = Retention { sessions: Duration::ZERO, ..Retention::default() };
    assert_eq!(store.prune(&retention, at(1000)).unwrap().sessions, 1);
    assert_eq!(store.session(first).unwrap(), None);
    assert!(start(store, 2) > first);
}

pub(crate) fn old_things_are_removed_and_young_ones_kept(store: &Store) {
    let (old, young, running) = (start(store, 0), start(store, 900), start(store, 1));
    let step = Step {
        at: Duration::ZERO,
        who: "note".into(),
        layer: "PPTP".into(),
        text: "TCP accepted".into(),
        note: None,
    };
    for (id, seconds) in [(old, 10), (young, 910)] {
        let ended = Change::End(id, Box::new(end(seconds, None)), None, vec![step.clone()], 0);
        write(store, ended, seconds);
        write(store, Change::Events(vec![NewEvent::new(at(seconds), EventFacts::ServerStart)]), seconds);
    }
    let keep = |events, sessions| Retention {
        events: Duration::from_secs(events),
        sessions: Duration::from_secs(sessions),
        ..Retention::default()
    };

    let pruned = store.prune(&keep(500, 2000), at(1000)).unwrap();
    assert_eq!((pruned.events, pruned.sessions, pruned.steps), (1, 0, 1), "records go with the events");
    assert_eq!(store.record(old).unwrap(), []);
    assert_eq!(store.record(young).unwrap().len(), 1);
    let pruned = store.prune(&keep(500, 500), at(1000)).unwrap();
    assert_eq!((pruned.events, pruned.sessions, pruned.steps), (0, 1, 0));
    assert_eq!(store.session(old).unwrap(), None);
    assert!(store.session(running).unwrap().is_some(), "what runs is never old");
    assert_eq!(store.prune(&keep(500, 500), at(1000)).unwrap(), Default::default());
}

pub(crate) fn a_flood_is_cut(store: &Store) {
    for n in 0..30 {
        let id = start(store, n);
        write(store, end_of(id, end(n, Some("G01"))), n);
        write(store, Change::Events(vec![NewEvent::new(at(n), EventFacts::ServerStart)]), n);
    }
    let few = Retention { most: 10, ..Retention::default() };
    let pruned = store.prune(&few, at(31)).unwrap();
    assert_eq!((pruned.events, pruned.sessions), (20, 20));
    let left = store.sessions(&SessionFilter::default()).unwrap();
    assert_eq!((left.len(), left[0].started), (10, at(20)), "the newest stay");
    assert_eq!(store.events(&Default::default()).unwrap().len(), 10);
}
