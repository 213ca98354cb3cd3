use adit_store::{Change, EventFilter, NewEvent, SessionId, Store};

use super::at;

fn event(seconds: i64, kind: &str, user: Option<&str>, code: Option<&str>) -> NewEvent {
    let mut event = NewEvent::new(at(seconds), kind);
    event.user = user.map(Into::into);
    event.code = code.map(Into::into);
    event
}

fn add(store: &Store, events: &[NewEvent]) {
    store.apply(&[Change::Events(events.to_vec())], at(0)).unwrap();
}

pub(crate) fn events_keep_everything_they_hold(store: &Store) {
    let mut full = event(0, "auth.fail", Some("bob\n\u{202e}"), Some("A01"));
    full.from = Some("2001:db8::7".parse().unwrap());
    full.session = Some(SessionId(39));
    let field = |k: &str, v: &str| (k.to_string(), v.to_string());
    full.fields = vec![field("zeta", "1"), field("alpha", "\"\\\n=\u{0}é"), field("empty", "")];
    let bare = NewEvent::new(at(1), "server.start");
    add(store, &[full.clone(), bare.clone()]);
    add(store, &[]);
    let read: Vec<_> = store.events(&EventFilter::default()).unwrap().into_iter().map(|e| e.event).collect();
    assert_eq!(read, [full, bare]);
}

pub(crate) fn events_are_filtered(store: &Store) {
    let mut of_session = event(40, "call.fail", None, Some("G01"));
    of_session.session = Some(SessionId(7));
    add(
        store,
        &[
            event(0, "server.start", None, None),
            event(10, "auth.fail", Some("Bob"), Some("A01")),
            event(20, "session.up", Some("bob"), None),
            event(30, "auth.fail", Some("carol"), Some("A04")),
            of_session,
        ],
    );
    let times = |filter: EventFilter| {
        let events = store.events(&filter).unwrap();
        events.iter().map(|e| e.event.at.duration_since(at(0)).as_secs()).collect::<Vec<_>>()
    };
    let all = EventFilter::default;
    assert_eq!(times(all()), [0, 10, 20, 30, 40]);
    assert_eq!(times(EventFilter { since: Some(at(10)), until: Some(at(30)), ..all() }), [10, 20]);
    assert_eq!(times(EventFilter { user: Some("BOB".into()), ..all() }), [10, 20]);
    assert_eq!(times(EventFilter { failed: true, ..all() }), [10, 30, 40]);
    assert_eq!(times(EventFilter { layers: vec!['g'], ..all() }), [40]);
    assert_eq!(times(EventFilter { layers: vec!['G', 'A'], ..all() }), [10, 30, 40]);
    assert_eq!(times(EventFilter { session: Some(SessionId(7)), ..all() }), [40]);
    assert_eq!(times(EventFilter { last: Some(2), ..all() }), [30, 40]);
    assert_eq!(times(EventFilter { last: Some(0), ..all() }), [] as [i64; 0]);
    assert_eq!(times(EventFilter { last: Some(1), user: Some("bob".into()), ..all() }), [20]);
}

pub(crate) fn events_are_followed(store: &Store) {
    add(store, &[event(0, "a", None, None), event(0, "b", None, None)]);
    let seen = store.events(&EventFilter::default()).unwrap().last().unwrap().id;
    let next = EventFilter { after: Some(seen), ..EventFilter::default() };
    assert_eq!(store.events(&next).unwrap(), []);
    // The clock may go back: what is written later comes later.
    add(store, &[event(-100, "c", None, None)]);
    let new = store.events(&next).unwrap();
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].event.kind, "c");
}
