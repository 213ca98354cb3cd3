use std::net::Ipv4Addr;
use std::path::PathBuf;

use adit_diag::{EventFacts, EventKind};
use adit_store::{ErrorKind, NewEvent, Place, SessionId};

use super::*;

/// A store that can be made to fail; it records what it was asked to write and what it has written.
#[derive(Default)]
struct FakeStore {
    error: Mutex<Option<Error>>,
    /// The account whose logins are always rejected.
    refused: Option<&'static str>,
    asked: AtomicU64,
    written: Mutex<Vec<Vec<String>>>,
}

fn name(change: &Change) -> String {
    match change {
        Change::Events(events) => {
            events.iter().map(|event| event.facts.kind().word()).collect::<Vec<_>>().join("+")
        }
        Change::Login(user, _) => user.clone(),
        other => panic!("{other:?}"),
    }
}

impl Sink for Arc<FakeStore> {
    fn write(&self, changes: &[Change]) -> Result<Vec<i64>, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(error) = self.error.lock().unwrap().clone() {
            return Err(error);
        }
        let names: Vec<String> = changes.iter().map(name).collect();
        if let Some(refused) = self.refused.filter(|refused| names.iter().any(|name| name == refused)) {
            return Err(error(ErrorKind::NoSuchAccount(refused.to_owned())));
        }
        self.written.lock().unwrap().push(names);
        let events = changes.iter().map(|change| match change {
            Change::Events(events) => events.len(),
            _ => 0,
        });
        Ok((1..).take(events.sum()).collect())
    }

    fn prune(&self, _retention: &Retention) -> Result<(), Error> {
        self.write(&[Change::Login("prune".to_owned(), Ipv4Addr::LOCALHOST.into())]).map(drop)
    }
}

impl FakeStore {
    fn written(&self) -> Vec<Vec<String>> {
        self.written.lock().unwrap().clone()
    }

    fn fail(&self, error: Option<Error>) {
        *self.error.lock().unwrap() = error;
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

fn error(kind: ErrorKind) -> Error {
    let mut error = Error::from(kind);
    error.place = Place::File(PathBuf::from("/var/lib/adit/adit.db"));
    error
}

fn full() -> Error {
    error(ErrorKind::Full)
}

fn login(user: &str) -> Change {
    Change::Login(user.to_owned(), Ipv4Addr::LOCALHOST.into())
}

fn backlog(store: &Arc<FakeStore>) -> (Backlog<Arc<FakeStore>>, Health) {
    let health = Health::default();
    (Backlog::new(Arc::clone(store), health.clone(), Broadcast::new()), health)
}

#[test]
fn changes_that_wait_together_are_one_transaction() {
    let store = Arc::new(FakeStore::default());
    let (mut backlog, health) = backlog(&store);
    let event = NewEvent::new(Timestamp::UNIX_EPOCH, EventFacts::ServerStart);
    backlog.write_all(vec![login("a"), Change::Events(vec![event]), login("b")]);
    assert_eq!(store.written(), [["a", "server.start", "b"]]);
    assert_eq!((health.trouble(), health.lost()), (None, 0));
}

#[test]
fn a_refused_change_does_not_take_the_others_with_it() {
    let store = Arc::new(FakeStore { refused: Some("gone"), ..FakeStore::default() });
    let (mut backlog, health) = backlog(&store);
    backlog.write_all(vec![login("a"), login("gone"), login("b")]);
    assert_eq!(store.written(), [["a"], ["b"]]);
    assert!(backlog.backlog.is_empty(), "what is refused is not tried again");
    assert_eq!(health.blocked(), None, "the store works");
}

#[test]
fn what_a_full_disk_does_not_take_is_written_later_in_order() {
    let store = Arc::new(FakeStore::default());
    let (mut backlog, health) = backlog(&store);
    store.fail(Some(full()));
    backlog.write_all(vec![login("a"), login("b")]);
    backlog.write_all(vec![login("c")]);
    backlog.write(Work::Prune(Retention::default()));
    assert_eq!(health.blocked(), Some(full()));
    assert_eq!(store.asked(), 1, "a store that cannot write is not asked for every entry");

    let now = Instant::now();
    backlog.catch_up(now);
    assert_eq!(store.asked(), 1, "not before its time");
    backlog.catch_up(now + RETRY);
    assert_eq!(store.asked(), 2, "once");

    store.fail(None);
    // New entries queue behind the backlog.
    backlog.write_all(vec![login("d"), login("e")]);
    assert_eq!(store.written(), [[""; 0]; 0]);
    backlog.catch_up(Instant::now() + RETRY);
    assert_eq!(store.written(), [["a"], ["b"], ["c"], ["prune"], ["d"], ["e"]]);
    assert_eq!((health.trouble(), health.lost()), (None, 0));
    backlog.write_all(vec![login("f"), login("g")]);
    assert_eq!(store.written().last().unwrap(), &["f", "g"]);
}

#[test]
fn a_store_that_fails_again_while_it_catches_up_keeps_the_rest() {
    let store = Arc::new(FakeStore::default());
    let (mut backlog, _) = backlog(&store);
    store.fail(Some(full()));
    backlog.write_all(vec![login("a"), login("b"), login("c")]);
    backlog.catch_up(Instant::now() + RETRY);
    assert_eq!(backlog.backlog.len(), 3);
    store.fail(None);
    backlog.catch_up(Instant::now() + RETRY + RETRY);
    assert_eq!(store.written(), [["a"], ["b"], ["c"]]);
}

#[test]
fn the_backlog_is_bounded_and_lost_entries_are_counted() {
    let store = Arc::new(FakeStore::default());
    let (mut backlog, health) = backlog(&store);
    store.fail(Some(full()));
    for n in 0..MAX_WAITING + 10 {
        backlog.write(Work::Change(login(&n.to_string())));
    }
    assert_eq!((backlog.backlog.len(), health.lost()), (MAX_WAITING, 10));
    store.fail(None);
    backlog.catch_up(Instant::now() + RETRY);
    let written = store.written();
    assert_eq!(written.len(), MAX_WAITING);
    assert_eq!(
        (written[0][0].as_str(), written[MAX_WAITING - 1][0].as_str()),
        ("0", "8191"),
        "the oldest stay"
    );
}

#[test]
fn only_trouble_of_the_host_blocks_new_sessions() {
    let transient = [
        full(),
        error(ErrorKind::Locked { waited: Duration::from_secs(5) }),
        error(ErrorKind::Permission { detail: String::new() }),
    ];
    for error in transient {
        let store = Arc::new(FakeStore::default());
        let (mut backlog, health) = backlog(&store);
        store.fail(Some(error.clone()));
        backlog.write(Work::Change(login("a")));
        assert_eq!(health.blocked(), Some(error));
    }
    let store = Arc::new(FakeStore::default());
    let (mut backlog, health) = backlog(&store);
    store.fail(Some(error(ErrorKind::NoSuchSession(SessionId(4)))));
    backlog.write(Work::Change(login("a")));
    assert_eq!(health.blocked(), None);
}

#[test]
fn subscribers_get_each_event_once_with_its_id_where_it_has_one() {
    let store = Arc::new(FakeStore::default());
    let broadcast = Broadcast::new();
    let mut backlog = Backlog::new(Arc::clone(&store), Health::default(), broadcast.clone());
    let mut events = broadcast.subscribe();
    let change = |facts| Change::Events(vec![NewEvent::new(Timestamp::UNIX_EPOCH, facts)]);
    backlog.write_all(vec![login("a"), change(EventFacts::ServerStart)]);
    store.fail(Some(full()));
    backlog.write_all(vec![change(EventFacts::ConfigReload), login("b")]);
    backlog.write_all(vec![change(EventFacts::ServerDrain)]);
    store.fail(None);
    backlog.catch_up(Instant::now() + RETRY);
    backlog.write_all(vec![change(EventFacts::ServerStop)]);
    let received: Vec<_> = std::iter::from_fn(|| events.try_recv().ok())
        .map(|event| (event.id, event.kind.known().unwrap()))
        .collect();
    let expected = [
        (Some(1), EventKind::ServerStart),
        (None, EventKind::ConfigReload),
        (None, EventKind::ServerDrain),
        (Some(1), EventKind::ServerStop),
    ];
    assert_eq!(received, expected);
}
