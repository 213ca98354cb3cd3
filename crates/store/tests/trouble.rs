//! What can happen to a database: each is one clear error with a code and a fix, and nothing is lost.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use adit_crypto::proof::Secret;
use adit_crypto::secret::Password;
use adit_diag::Code;
use adit_diag::event::{AccountChanged, EventFacts};
use adit_policy::{AddressRequest, PoolConfig};
use adit_store::{
    AccountChange, Change, Error, ErrorKind, EventFilter, LeaseClaim, NewAccount, NewEvent, NewSecret,
    NewSession, ServerIdentity, SessionFilter, SessionId, Store, StoreConfig,
};
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    fn db(&self) -> PathBuf {
        self.dir.path().join("adit.db")
    }

    fn key(&self) -> PathBuf {
        self.dir.path().join("seal.key")
    }

    fn config(&self) -> StoreConfig {
        StoreConfig::sqlite(self.db(), self.key())
    }

    fn open(&self) -> Result<Store, Error> {
        adit_store::open(&self.config())
    }

    fn open_read_only(&self) -> Result<Store, Error> {
        adit_store::open(&StoreConfig::sqlite_read_only(self.db()))
    }

    /// A database with one account and one event.
    fn used() -> Place {
        let place = Place::new();
        let store = place.open().unwrap();
        let secret = Secret::Clear(Password::new("correct horse"));
        store.add_account(&NewAccount::named("alice"), Some(&secret), true, now()).unwrap();
        add(&store, &[event()]).unwrap();
        drop(store);
        place
    }
}

fn now() -> Timestamp {
    "2026-11-22T18:00:00Z".parse().unwrap()
}

/// A session on a server of its own.
fn start(store: &Store) -> SessionId {
    let server = store.register_server(&ServerIdentity::random("vpn1").unwrap()).unwrap();
    let from = "198.51.100.7:50000".parse().unwrap();
    store.start_sessions(server, &[NewSession { started: now(), from }]).unwrap()[0]
}

/// So many addresses.
fn pools(size: u32) -> BTreeMap<String, PoolConfig> {
    let first = Ipv4Addr::new(10, 99, 0, 10);
    let ranges = vec![(first, Ipv4Addr::from(u32::from(first) + size - 1))];
    let pool = PoolConfig { ranges, ..PoolConfig::new("default", "10.99.0.0/16".parse().unwrap()) };
    [("default".to_owned(), pool)].into()
}

/// One address; `None` when there is none.
fn claim(store: &Store, session: SessionId, pools: &BTreeMap<String, PoolConfig>) -> Option<Ipv4Addr> {
    let request = AddressRequest { pools, pool: "default", user: "u", fixed: None };
    store.claim_lease(&LeaseClaim { session, request }, &[], now()).unwrap().ok().map(|chosen| chosen.address)
}

fn event() -> NewEvent {
    NewEvent::new(now(), EventFacts::ServerStart)
}

/// An event that takes twice so many octets and a few more: it is kept as text and typed.
fn long(octets: usize) -> NewEvent {
    let changes = vec![("note".into(), "x".repeat(octets))];
    NewEvent::new(now(), EventFacts::UserSet(AccountChanged { changes, by: String::new() }))
}

fn add(store: &Store, events: &[NewEvent]) -> Result<(), Error> {
    store.apply(&[Change::Events(events.to_vec())], now()).map(drop)
}

/// SQLite's own check of the whole file.
fn check(place: &Place) -> String {
    let connection = Connection::open(place.db()).unwrap();
    connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0)).unwrap()
}

#[track_caller]
fn is(error: &Error, code: Code, words: &str) {
    assert_eq!(error.code(), Some(code), "{error}");
    assert!(error.to_string().contains(words), "{error}");
    let diagnostic = error.diagnostic().unwrap();
    assert_eq!((diagnostic.code, diagnostic.message), (code, error.to_string()));
    assert!(diagnostic.fix.is_some(), "{error} has no fix");
}

/// Runs one test of this file again in another process; `true` in that process.
fn again(name: &str, command: impl FnOnce(&Path) -> Command) -> bool {
    if std::env::var_os("ADIT_TEST_AGAIN").is_some() {
        return true;
    }
    let output = command(&std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env("ADIT_TEST_AGAIN", "1")
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn locked_by_another_program() {
    let place = Place::used();
    let config = StoreConfig { lock_wait: Duration::from_millis(200), ..place.config() };
    let store = adit_store::open(&config).unwrap();
    let other = Connection::open(place.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO meta VALUES ('x', 'y')").unwrap();
    let began = Instant::now();
    let error = add(&store, &[event()]).unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(150), "it waits before it gives up");
    is(&error, Code::S09, "locked by another program");
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), 1, "reading goes on");
    other.execute_batch("COMMIT").unwrap();
    add(&store, &[event()]).unwrap();
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), 2);
}

#[test]
fn a_lock_that_is_short_is_waited_for() {
    let place = Place::used();
    let store = place.open().unwrap();
    let other = Connection::open(place.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO meta VALUES ('x', 'y')").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| add(&store, &[event()]).unwrap());
        std::thread::sleep(Duration::from_millis(150));
        other.execute_batch("COMMIT").unwrap();
    });
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), 2);
}

#[test]
fn the_disk_is_full() {
    let mounted = again("the_disk_is_full", |exe| {
        let mut command = Command::new("unshare");
        command.args(if is_root() { &["--mount"][..] } else { &["--mount", "--map-root-user"] }).arg(exe);
        command
    });
    if !mounted {
        return;
    }
    let place = Place::new();
    let status = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1500k", "none"])
        .arg(place.dir.path())
        .status()
        .unwrap();
    assert!(status.success(), "mounting a small file system");
    let store = place.open().unwrap();
    store.add_account(&NewAccount::named("alice"), None, false, now()).unwrap();
    let long = long(2000);
    let mut written = 0;
    let error = loop {
        match add(&store, std::slice::from_ref(&long)) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 2000, "the file system never fills up");
    };
    is(&error, Code::S06, "no space left");
    assert!(written > 10, "{written}");
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), written, "what was accepted is there");
    assert_eq!(store.accounts().unwrap().len(), 1);
    assert_eq!(check(&place), "ok");

    // A second program that starts now, and a first start in the full file system.
    let second = place.dir.path().join("second/adit.db");
    let error =
        adit_store::open(&StoreConfig::sqlite(second, place.dir.path().join("second/seal.key"))).unwrap_err();
    is(&error, Code::S06, "no space left");
    drop(store);
    match place.open() {
        Ok(store) => assert_eq!(store.accounts().unwrap().len(), 1),
        Err(error) => is(&error, Code::S06, "no space left"),
    }

    let status =
        Command::new("mount").args(["-o", "remount,size=8m"]).arg(place.dir.path()).status().unwrap();
    assert!(status.success());
    let store = place.open().unwrap();
    add(&store, &[long]).unwrap();
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), written + 1);
}

#[test]
fn the_header_is_damaged() {
    let place = Place::used();
    let mut bytes = std::fs::read(place.db()).unwrap();
    bytes[..16].copy_from_slice(b"not a database!!");
    std::fs::write(place.db(), &bytes).unwrap();
    let error = place.open().unwrap_err();
    is(&error, Code::S09, "is damaged");
    assert_eq!(std::fs::read(place.db()).unwrap(), bytes, "it is left as it was");
    is(&place.open_read_only().unwrap_err(), Code::S09, "is damaged");
}

#[test]
fn a_text_file_in_its_place() {
    let place = Place::new();
    std::fs::write(place.db(), "[server]\nname = \"vpn.example.org\"\n".repeat(100)).unwrap();
    is(&place.open().unwrap_err(), Code::S09, "is damaged");
    assert!(!place.key().exists(), "no key is made for it");
}

#[test]
fn a_page_in_the_middle_is_damaged() {
    let place = Place::used();
    {
        let store = place.open().unwrap();
        add(&store, &vec![long(250); 200]).unwrap();
    }
    Connection::open(place.db()).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let mut bytes = std::fs::read(place.db()).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    for page in bytes[half..].chunks_exact_mut(4096) {
        page[..64].fill(0xff);
    }
    std::fs::write(place.db(), &bytes).unwrap();
    let store = place.open().unwrap();
    is(&store.events(&EventFilter::default()).unwrap_err(), Code::S09, "is damaged");
}

#[test]
fn cut_short() {
    let place = Place::used();
    Connection::open(place.db()).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let bytes = std::fs::read(place.db()).unwrap();
    std::fs::write(place.db(), &bytes[..bytes.len() / 3]).unwrap();
    let error = match place.open() {
        Err(error) => error,
        Ok(store) => store.events(&EventFilter::default()).unwrap_err(),
    };
    is(&error, Code::S09, "is damaged");
}

#[test]
fn written_by_a_newer_program() {
    let place = Place::used();
    Connection::open(place.db()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    for error in [place.open().unwrap_err(), place.open_read_only().unwrap_err()] {
        is(&error, Code::S09, "newer adit (schema 99");
    }
}

#[test]
fn the_database_of_another_program() {
    let place = Place::new();
    Connection::open(place.db()).unwrap().execute_batch("CREATE TABLE moz_places (x)").unwrap();
    let before = std::fs::read(place.db()).unwrap();
    is(&place.open().unwrap_err(), Code::S09, "not a database of adit");
    assert_eq!(std::fs::read(place.db()).unwrap(), before);
}

#[test]
fn nothing_there_to_read() {
    let place = Place::new();
    is(&place.open_read_only().unwrap_err(), Code::S09, "there is no");
    assert!(!place.db().exists());
}

#[test]
fn no_permission() {
    let child = again("no_permission", |exe| {
        let mut command = Command::new(exe);
        if is_root() {
            command.uid(65534).gid(65534);
        }
        command
    });
    if !child {
        return;
    }
    assert!(!is_root());
    let place = Place::used();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&place.db(), 0o400);
    is(&place.open().unwrap_err(), Code::S08, "permission denied");
    assert_eq!(place.open_read_only().unwrap().accounts().unwrap().len(), 1);
    // SQLite gave its side files the mode of the database.
    for side in ["adit.db-wal", "adit.db-shm"] {
        let _ = std::fs::remove_file(place.dir.path().join(side));
    }
    mode(&place.db(), 0o000);
    is(&place.open().unwrap_err(), Code::S08, "permission denied");
    is(&place.open_read_only().unwrap_err(), Code::S08, "permission denied");
    mode(&place.db(), 0o600);
    mode(&place.key(), 0o000);
    is(&place.open().unwrap_err(), Code::S08, "seal.key");
    mode(&place.key(), 0o600);
    mode(place.dir.path(), 0o500);
    match place.open() {
        Err(error) => is(&error, Code::S08, "permission denied"),
        Ok(store) => is(&add(&store, &[event()]).unwrap_err(), Code::S08, "permission denied"),
    }
    mode(place.dir.path(), 0o000);
    is(&place.open().unwrap_err(), Code::S08, "permission denied");
    is(&place.open_read_only().unwrap_err(), Code::S08, "permission denied");
    mode(place.dir.path(), 0o700);
    place.open().unwrap();
    is(&adit_store::open(&StoreConfig::sqlite("/adit.db", place.key())).unwrap_err(), Code::S08, "/adit.db");
}

#[test]
fn the_key_is_gone_wrong_or_no_key() {
    let place = Place::used();
    let right = std::fs::read(place.key()).unwrap();
    std::fs::remove_file(place.key()).unwrap();
    is(&place.open().unwrap_err(), Code::S09, "seal.key is gone");
    assert!(!place.key().exists(), "a new key would open nothing");
    std::fs::write(place.key(), "ab".repeat(32)).unwrap();
    is(&place.open().unwrap_err(), Code::S09, "not the key that sealed");
    std::fs::write(place.key(), "hello").unwrap();
    is(&place.open().unwrap_err(), Code::S09, "does not hold a key");
    assert_eq!(place.open_read_only().unwrap().accounts().unwrap().len(), 1);
    std::fs::write(place.key(), right).unwrap();
    assert!(place.open().unwrap().credentials("alice").unwrap().unwrap().1.is_some());
}

#[test]
fn secrets_are_sealed_bound_and_private() {
    let place = Place::used();
    let store = place.open().unwrap();
    store.add_account(&NewAccount::named("mallory"), None, false, now()).unwrap();
    let other = Connection::open(place.db()).unwrap();
    other
        .execute_batch(
            "UPDATE accounts SET (nt_hash, password) = (SELECT nt_hash, password FROM accounts WHERE name = 'alice')
             WHERE name = 'mallory'",
        )
        .unwrap();
    let error = store.credentials("mallory").unwrap_err();
    is(&error, Code::S09, "sealed password of mallory");
    assert!(store.credentials("alice").unwrap().unwrap().1.is_some());
    drop((store, other));
    let hash = *Password::new("correct horse").nt_hash().as_bytes();
    for name in ["adit.db", "adit.db-wal", "adit.db-shm", "seal.key"] {
        let path = place.dir.path().join(name);
        let Ok(bytes) = std::fs::read(&path) else { continue };
        assert!(!bytes.windows(13).any(|w| w == b"correct horse"), "{name} has the password");
        assert!(!bytes.windows(16).any(|w| w == hash), "{name} has the hash");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o077, 0, "{name} is readable for others");
    }
}

#[test]
fn a_reader_cannot_write_nor_see_secrets() {
    let place = Place::used();
    let reader = place.open_read_only().unwrap();
    assert_eq!(reader.account("alice").unwrap().unwrap().name, "alice");
    assert!(matches!(reader.credentials("alice"), Err(Error { kind: ErrorKind::Permission { .. }, .. })));
    assert!(matches!(add(&reader, &[event()]), Err(Error { kind: ErrorKind::Permission { .. }, .. })));
    let secret = Secret::Clear(Password::new("x"));
    assert!(matches!(
        reader.set_secret(
            "alice",
            &NewSecret { secret: &secret, reversible: false, must_change: false },
            now()
        ),
        Err(Error { kind: ErrorKind::Permission { .. }, .. })
    ));
}

#[test]
fn two_programs_at_first_start() {
    let place = Place::new();
    let stores: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| place.open())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let stores: Vec<_> = stores.into_iter().map(Result::unwrap).collect();
    let secret = Secret::Clear(Password::new("pw"));
    stores[0].add_account(&NewAccount::named("alice"), Some(&secret), false, now()).unwrap();
    for store in &stores {
        assert_eq!(
            store.credentials("alice").unwrap().unwrap().1.unwrap().nt_hash(),
            Password::new("pw").nt_hash()
        );
    }
}

#[test]
fn two_programs_never_lend_one_address_twice() {
    let place = Place::new();
    let stores = [place.open().unwrap(), place.open().unwrap()];
    let pools = pools(100);
    let mut given: Vec<_> = std::thread::scope(|scope| {
        let threads = stores.each_ref().map(|store| {
            let pools = &pools;
            scope.spawn(move || {
                let id = start(store);
                std::iter::from_fn(|| claim(store, id, pools)).collect::<Vec<_>>()
            })
        });
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 100, "each address went to exactly one");
}

#[test]
fn an_address_that_another_program_sets_free_is_found_before_a_pool_is_full() {
    let place = Place::new();
    let (store, other) = (place.open().unwrap(), place.open().unwrap());
    let pools = pools(3);
    let owner = NewAccount { address: Some([10, 99, 0, 10].into()), ..NewAccount::named("fax") };
    store.add_account(&owner, None, false, now()).unwrap();
    let given: Vec<_> = std::iter::from_fn(|| claim(&store, start(&store), &pools)).collect();
    assert_eq!(given.len(), 2, "{given:?}");
    let change = AccountChange { address: Some(None), ..AccountChange::default() };
    other.change_account("fax", &change).unwrap();
    assert_eq!(claim(&store, start(&store), &pools), Some([10, 99, 0, 10].into()));
}

#[test]
fn a_foreign_program_may_read() {
    let place = Place::used();
    let store = place.open().unwrap();
    let id = start(&store);
    let other = Connection::open(place.db()).unwrap();
    let sql = "SELECT datetime(started / 1000, 'unixepoch'), from_address FROM sessions WHERE id = ?1";
    let row: (String, String) =
        other.query_row(sql, [id.0 as i64], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(row, ("2026-11-22 18:00:00".into(), "198.51.100.7".into()));
    let strict: i64 = other
        .query_row("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'", (), |row| row.get(0))
        .unwrap();
    assert_eq!(strict, 0, "every table is strict");
    let mode: String = other.query_row("PRAGMA journal_mode", (), |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn killed_in_the_middle() {
    const PLACE: &str = "ADIT_TEST_PLACE";
    if let Some(dir) = std::env::var_os(PLACE) {
        // The program that will be killed: says what it was reported is written.
        let dir = PathBuf::from(dir);
        let store =
            adit_store::open(&StoreConfig::sqlite(dir.join("adit.db"), dir.join("seal.key"))).unwrap();
        let identity = ServerIdentity::open(&dir.join("server.id"), "vpn1").unwrap();
        let server = store.register_server(&identity).unwrap();
        let pools = pools(60_000);
        loop {
            let from = "198.51.100.7:1".parse().unwrap();
            let id = store.start_sessions(server, &[NewSession { started: now(), from }]).unwrap()[0];
            claim(&store, id, &pools).unwrap();
            println!("wrote {}", id.0);
        }
    }
    let place = Place::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_in_the_middle", "--nocapture"])
        .env(PLACE, place.dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reported = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, id)) = line.split_once("wrote ") {
            reported = id.parse().unwrap();
        }
        if reported == 200 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(reported >= 200, "{reported}");

    let store = place.open().unwrap();
    assert_eq!(check(&place), "ok");
    let sessions = store.sessions(&SessionFilter::default()).unwrap();
    assert!(sessions.len() as u64 >= reported, "{} of {reported} are there", sessions.len());
    let identity = ServerIdentity::open(&place.dir.path().join("server.id"), "vpn1").unwrap();
    let recovered = store.recover(store.register_server(&identity).unwrap(), now()).unwrap();
    assert_eq!(recovered.sessions.len(), sessions.len());
    assert!(recovered.leases >= reported && recovered.leases <= sessions.len() as u64);
    let left = SessionFilter { running: Some(true), ..SessionFilter::default() };
    assert_eq!(store.sessions(&left).unwrap(), []);
}
