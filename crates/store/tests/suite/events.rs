use adit_diag::event::{AccountChanged, EventFacts, Failed};
use adit_diag::note::{Cause, Finding};
use adit_diag::{Code, EventKind, Layer, LoginRefusal};
use adit_store::{Change, Event, EventFilter, NewEvent, SessionId, Store};

use super::at;

fn failed() -> Failed {
    let cause = Cause::Login(LoginRefusal::WrongPassword);
    Failed {
        why: None,
        after_ms: Some(420),
        cause,
        vendor: String::new(),
        findings: vec![Finding::Loss { lost: 310, sent: 1030 }],
    }
}

fn event(seconds: i64, facts: EventFacts, user: Option<&str>, code: Option<Code>) -> NewEvent {
    NewEvent { user: user.map(Into::into), code, ..NewEvent::new(at(seconds), facts) }
}

fn add(store: &Store, events: &[NewEvent]) {
    store.apply(&[Change::Events(events.to_vec())], at(0)).unwrap();
}

/// What has to be read of an event that was written.
pub(crate) fn on_record(id: i64, event: NewEvent) -> Event {
    Event {
        id,
        at: event.at,
        kind: event.facts.kind().to_string().into(),
        user: event.user.clone(),
        from: event.from,
        code: event.code.map(|code| code.to_string().into()),
        session: event.session,
        fields: event.fields(),
        facts: Some(event.facts),
    }
}

pub(crate) fn events_keep_everything_they_hold(store: &Store) {
    let mut full = event(0, EventFacts::AuthFail(failed()), Some("bob\n\u{202e}"), Some(Code::A01));
    full.from = Some("2001:db8::7".parse().unwrap());
    full.session = Some(SessionId(39));
    let change = |k: &str, v: &str| (k.to_string(), v.to_string());
    let changes = vec![change("zeta", "1"), change("alpha", "\"\\\n=\u{0}é"), change("empty", "")];
    let changed = NewEvent::new(at(1), EventFacts::UserSet(AccountChanged { changes, by: "root".into() }));
    let bare = NewEvent::new(at(2), EventFacts::ServerStart);
    let written = [full, changed, bare];
    add(store, &written);
    add(store, &[]);
    let read = store.events(&EventFilter::default()).unwrap();
    let ids: Vec<i64> = read.iter().map(|event| event.id).collect();
    let expected: Vec<Event> = ids.into_iter().zip(written).map(|(id, event)| on_record(id, event)).collect();
    assert_eq!(read, expected);
}

pub(crate) fn events_are_filtered(store: &Store) {
    let mut of_session = event(40, EventFacts::CallFail(failed()), None, Some(Code::G01));
    of_session.session = Some(SessionId(7));
    add(
        store,
        &[
            event(0, EventFacts::ServerStart, None, None),
            event(10, EventFacts::AuthFail(failed()), Some("Bob"), Some(Code::A01)),
            event(20, EventFacts::ServerDrain, Some("bob"), None),
            event(30, EventFacts::AuthFail(failed()), Some("carol"), Some(Code::A04)),
            of_session,
        ],
    );
    let times = |filter: EventFilter| {
        let events = store.events(&filter).unwrap();
        events.iter().map(|event| event.at.duration_since(at(0)).as_secs()).collect::<Vec<_>>()
    };
    let all = EventFilter::default;
    assert_eq!(times(all()), [0, 10, 20, 30, 40]);
    assert_eq!(times(EventFilter { since: Some(at(10)), until: Some(at(30)), ..all() }), [10, 20]);
    assert_eq!(times(EventFilter { user: Some("BOB".into()), ..all() }), [10, 20]);
    assert_eq!(times(EventFilter { failed: true, ..all() }), [10, 30, 40]);
    assert_eq!(times(EventFilter { layers: vec![Layer::Gre], ..all() }), [40]);
    assert_eq!(times(EventFilter { layers: vec![Layer::Gre, Layer::Auth], ..all() }), [10, 30, 40]);
    assert_eq!(times(EventFilter { session: Some(SessionId(7)), ..all() }), [40]);
    assert_eq!(times(EventFilter { last: Some(2), ..all() }), [30, 40]);
    assert_eq!(times(EventFilter { last: Some(0), ..all() }), [] as [i64; 0]);
    assert_eq!(times(EventFilter { last: Some(1), user: Some("bob".into()), ..all() }), [20]);
}

pub(crate) fn events_are_followed(store: &Store) {
    add(
        store,
        &[event(0, EventFacts::ServerStart, None, None), event(0, EventFacts::ServerDrain, None, None)],
    );
    let seen = store.events(&EventFilter::default()).unwrap().last().unwrap().id;
    let next = EventFilter { after: Some(seen), ..EventFilter::default() };
    assert_eq!(store.events(&next).unwrap(), []);
    // The clock may go back: what is written later is listed later.
    add(store, &[event(-100, EventFacts::ServerStop, None, None)]);
    let new = store.events(&next).unwrap();
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].kind, EventKind::ServerStop);
}
