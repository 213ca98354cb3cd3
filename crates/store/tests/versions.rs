//! Databases that another version of the program wrote.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::PathBuf;

use adit_diag::{Code, EventFacts, EventKind, Recorded};
use adit_store::{Change, Event, EventFilter, NewEvent, Store, StoreConfig};
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    /// A database of the first version with one event.
    fn old() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        let connection = place.connection();
        connection.execute_batch(include_str!("../src/sqlite/schema.sql")).unwrap();
        connection
            .execute_batch(
                "PRAGMA application_id = 0x61646974;
                 PRAGMA user_version = 1;
                 INSERT INTO events (at, kind, user, user_key, from_address, code, session, fields) VALUES
                     (1763834560250, 'auth.fail', 'Bob', 'bob', '198.51.100.7', 'A01', 39,
                      '{\"layer\":\"auth\",\"why\":\"failed\",\"after_s\":\"0.4\",\"detail\":\"wrong password\"}');",
            )
            .unwrap();
        place
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("adit.db")
    }

    fn connection(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn open(&self) -> Store {
        adit_store::open(&StoreConfig::sqlite(self.path(), self.0.path().join("seal.key"))).unwrap()
    }

    fn open_read_only(&self) -> Store {
        adit_store::open(&StoreConfig::sqlite_read_only(self.path())).unwrap()
    }
}

fn only(store: &Store) -> Event {
    let mut events = store.events(&EventFilter::default()).unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

#[test]
fn an_event_without_facts_keeps_its_kind_its_code_and_its_text() {
    let place = Place::old();
    let line = "2025-11-22T18:02:40Z auth.fail   user=Bob from=198.51.100.7 code=A01 layer=auth why=failed \
                after_s=0.4 detail=\"wrong password\" call=s39";
    // First as it is, then with the columns of this version.
    for store in [place.open_read_only(), place.open()] {
        let event = only(&store);
        assert_eq!(event.to_string(), line);
        assert_eq!((event.kind.known(), event.known_code()), (Some(EventKind::AuthFail), Some(Code::A01)));
        assert_eq!(event.facts, None, "text is not read back");
    }
}

#[test]
fn a_database_of_the_first_version_takes_typed_events() {
    let place = Place::old();
    let store = place.open();
    let event = NewEvent::new(Timestamp::UNIX_EPOCH, EventFacts::CallFlood { refused: 7 });
    store.apply(&[Change::Events(vec![event])], Timestamp::UNIX_EPOCH).unwrap();
    drop(store);
    let events = place.open_read_only().events(&EventFilter::default()).unwrap();
    assert_eq!(events[1].facts, Some(EventFacts::CallFlood { refused: 7 }));
}

#[test]
fn what_a_newer_version_wrote_is_shown_as_text() {
    let place = Place::old();
    drop(place.open());
    place
        .connection()
        .execute_batch(
            "UPDATE events SET kind = 'auth.throttle', code = 'A77', fields = '{\"for_s\":\"60\"}',
                 facts = '{\"kind\":\"auth.throttle\",\"for_s\":60}'",
        )
        .unwrap();
    let event = only(&place.open());
    assert_eq!(event.kind, Recorded::Unknown("auth.throttle".into()));
    assert_eq!((event.known_code(), &event.facts), (None, &None));
    assert_eq!(
        event.to_string(),
        "2025-11-22T18:02:40Z auth.throttle user=Bob from=198.51.100.7 code=A77 for_s=60 call=s39"
    );
}
