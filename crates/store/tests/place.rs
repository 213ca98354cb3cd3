//! What can happen to the file of a database while it is in use, and to the clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use adit_diag::{Code, EventFacts};
use adit_store::{
    Change, ClockCheck, ErrorKind, EventFilter, NewAccount, NewEvent, NewSession, Retention, ServerIdentity,
    SessionId, Store, StoreConfig,
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

struct World {
    dir: TempDir,
    store: Store,
}

impl World {
    /// A database with one account and one event, in use.
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        store.add_account(&NewAccount::named("alice"), None, false, day(0)).unwrap();
        let world = World { dir, store };
        world.note(0).unwrap();
        world
    }

    fn db(&self) -> PathBuf {
        self.dir.path().join("adit.db")
    }

    /// Writes an event on a day.
    fn note(&self, on: i64) -> adit_store::Result<()> {
        let event = NewEvent::new(day(on), EventFacts::ServerStart);
        self.store.apply(&[Change::Events(vec![event])], day(on)).map(drop)
    }

    fn events(&self) -> usize {
        self.store.events(&EventFilter::default()).unwrap().len()
    }

    fn start(&self) -> SessionId {
        let server = self.store.register_server(&ServerIdentity::random("vpn1").unwrap()).unwrap();
        let from = "198.51.100.7:50000".parse().unwrap();
        self.store.start_sessions(server, &[NewSession { started: day(0), from }]).unwrap()[0]
    }

    #[track_caller]
    fn refuses_to_write(&self, kind: &ErrorKind) {
        let error = self.store.check_place().unwrap_err();
        assert_eq!((&error.kind, error.code()), (kind, Some(Code::S09)), "{error}");
        assert!(error.is_transient() && error.fix().is_some());
        assert_eq!(
            self.note(0).unwrap_err().code(),
            Some(Code::S09),
            "a write that would be lost is refused"
        );
    }
}

fn open(dir: &TempDir) -> Store {
    let (db, key) = (dir.path().join("adit.db"), dir.path().join("seal.key"));
    adit_store::open(&StoreConfig::sqlite(db, key)).unwrap()
}

fn day(number: i64) -> Timestamp {
    "2026-11-22T18:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * number)
}

#[test]
fn a_deleted_database_is_written_back_with_everything() {
    let world = World::new();
    let session = world.start();
    assert_eq!(world.store.check_place(), Ok(()));
    assert_eq!(world.store.put_back(), Ok(false), "it is there");
    for all in [false, true] {
        fs::remove_file(world.db()).unwrap();
        if all {
            for log in ["adit.db-wal", "adit.db-shm"] {
                fs::remove_file(world.dir.path().join(log)).unwrap();
            }
        }
        world.refuses_to_write(&ErrorKind::Gone { moved: None });
        assert_eq!(world.store.put_back(), Ok(true));
        assert_eq!(world.store.check_place(), Ok(()));
        world.note(1).unwrap();
    }
    assert_eq!(world.events(), 3);
    // Another process sees the same, and no draft is left.
    let other = open(&world.dir);
    assert_eq!(other.events(&EventFilter::default()).unwrap().len(), 3);
    assert_eq!(other.account("alice").unwrap().unwrap().name, "alice");
    assert!(other.session(session).unwrap().is_some(), "sessions keep their names");
    let connection = Connection::open(world.db()).unwrap();
    let ok: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(ok, "ok");
    assert_eq!(fs::metadata(world.db()).unwrap().permissions().mode() & 0o777, 0o600);
    let names = fs::read_dir(world.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let drafts = names.filter(|name| name.to_string_lossy().contains("draft")).count();
    assert_eq!(drafts, 0);
}

#[test]
fn a_database_whose_directory_was_deleted_is_written_back() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let config = || StoreConfig::sqlite(state.join("adit.db"), dir.path().join("seal.key"));
    let store = adit_store::open(&config()).unwrap();
    store.add_account(&NewAccount::named("alice"), None, false, day(0)).unwrap();
    fs::remove_dir_all(&state).unwrap();
    assert_eq!(store.put_back(), Ok(true));
    drop(store);
    assert_eq!(adit_store::open(&config()).unwrap().accounts().unwrap().len(), 1);
}

#[test]
fn a_moved_database_is_named_and_works_again_when_it_is_back() {
    let world = World::new();
    let away = world.dir.path().join("away.db");
    fs::rename(world.db(), &away).unwrap();
    world.refuses_to_write(&ErrorKind::Gone { moved: Some(away.canonicalize().unwrap()) });
    let error = world.store.put_back().unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Gone { moved: Some(_) }), "two databases would differ: {error}");
    assert!(!world.db().exists());
    fs::rename(&away, world.db()).unwrap();
    assert_eq!(world.store.check_place(), Ok(()));
    world.note(1).unwrap();
    assert_eq!(world.events(), 2);
}

#[test]
fn another_file_in_the_place_of_the_database_is_not_touched() {
    let world = World::new();
    let copy = world.dir.path().join("copy.db");
    fs::copy(world.db(), &copy).unwrap();
    fs::rename(&copy, world.db()).unwrap();
    let before = fs::read(world.db()).unwrap();
    world.refuses_to_write(&ErrorKind::Replaced);
    assert_eq!(world.store.put_back().unwrap_err().kind, ErrorKind::Replaced);
    assert_eq!(fs::read(world.db()).unwrap(), before);
}

#[test]
fn the_log_of_a_database_does_not_get_into_the_file_that_takes_its_place() {
    for is_moved in [false, true] {
        let world = World::new();
        let [copy, away] = ["copy.db", "away.db"].map(|name| world.dir.path().join(name));
        Connection::open(world.db()).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        for on in 1..=50 {
            world.note(on).unwrap();
        }
        if is_moved {
            fs::rename(world.db(), &away).unwrap();
            assert!(matches!(
                world.store.check_place().unwrap_err().kind,
                ErrorKind::Gone { moved: Some(_) }
            ));
        } else {
            fs::hard_link(world.db(), &away).unwrap();
            fs::rename(&copy, world.db()).unwrap();
            assert_eq!(world.store.check_place().unwrap_err().kind, ErrorKind::Replaced);
        }
        let World { dir, store } = world;
        drop(store);
        if is_moved {
            fs::rename(&copy, dir.path().join("adit.db")).unwrap();
        }
        let store = open(&dir);
        assert_eq!(store.events(&EventFilter::default()).unwrap().len(), 1);
        for (file, events) in [(dir.path().join("adit.db"), 1), (away, 51)] {
            let file = Connection::open(file).unwrap();
            let query = |sql| file.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
            assert_eq!(query("PRAGMA integrity_check"), "ok".to_owned().into());
            assert_eq!(
                query("SELECT count(*) FROM events"),
                events.into(),
                "each has its records, and all of them"
            );
        }
    }
}

#[test]
fn a_deleted_key_and_a_deleted_identity_are_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let (key, id) = (dir.path().join("state/seal.key"), dir.path().join("state/server.id"));
    let store = adit_store::open(&StoreConfig::sqlite(dir.path().join("adit.db"), &key)).unwrap();
    let identity = ServerIdentity::open(&id, "vpn1").unwrap();
    assert_eq!((store.put_key_back(), identity.put_back()), (Ok(None), Ok(None)), "both are there");
    let before = [&key, &id].map(|file| fs::read(file).unwrap());
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    assert_eq!(store.put_key_back(), Ok(Some(key.as_path())));
    assert_eq!(identity.put_back(), Ok(Some(id.as_path())));
    assert_eq!([&key, &id].map(|file| fs::read(file).unwrap()), before);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let second = ServerIdentity::open(&id, "vpn1").unwrap_err();
    assert_eq!(second.kind, ErrorKind::ServerRuns, "the new file is locked too");
    // Another key in its place is not overwritten.
    fs::write(&key, "another").unwrap();
    assert_eq!(store.put_key_back(), Ok(None));
    assert_eq!(fs::read(&key).unwrap(), b"another");
}

fn everything_is_kept(world: &World, now: Timestamp) {
    let keep = Retention { events: Duration::from_secs(90 * 86_400), ..Retention::default() };
    let before = world.events();
    assert_eq!(world.store.prune(&keep, now).unwrap(), Default::default(), "{now}");
    assert_eq!(world.events(), before);
}

#[test]
fn a_clock_that_was_far_ahead_deletes_nothing() {
    let world = World::new();
    let check = |on| world.store.check_clock(day(on), Duration::ZERO).unwrap();
    // As at the start of a server: first the check, then events with the time of the clock, then the removal.
    assert_eq!(check(0), ClockCheck::Plausible);
    for wrong in [3_650, 91, -9_000] {
        assert_ne!(check(wrong), ClockCheck::Plausible);
        if wrong > 0 {
            world.note(wrong).unwrap();
        }
        everything_is_kept(&world, day(wrong));
    }
    assert_eq!(check(3_650), ClockCheck::Ahead(day(0)), "its own events prove nothing");
    // The clock is right again.
    assert_eq!(check(1), ClockCheck::Plausible);
    everything_is_kept(&world, day(1));
}

#[test]
fn a_store_that_never_checked_a_clock_goes_by_its_newest_record() {
    let world = World::new();
    everything_is_kept(&world, day(3_650));
    assert_eq!(world.store.check_clock(day(3_650), Duration::ZERO).unwrap(), ClockCheck::Ahead(day(0)));
    everything_is_kept(&world, day(3_650));
}

#[test]
fn with_a_clock_that_goes_on_old_events_are_removed() {
    let world = World::new();
    for on in (0..=100).step_by(10) {
        assert_eq!(
            world.store.check_clock(day(on), Duration::from_secs(3600)).unwrap(),
            ClockCheck::Plausible
        );
    }
    world.note(100).unwrap();
    let keep = Retention { events: Duration::from_secs(90 * 86_400), ..Retention::default() };
    assert_eq!(world.store.prune(&keep, day(100)).unwrap().events, 1);
    assert_eq!(world.events(), 1);
}
