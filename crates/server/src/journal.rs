//! What happened, written down by one thread in the order in which it happened: lines for people, rows in the store.
//!
//! Nobody waits for the disk: a session sends a note and goes on. When the store cannot write (disk full, database
//! locked), the line on stderr says so once a minute and the notes that did not fit are counted.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::LogFormat;
use adit_store::{Counters, NewEvent, Retention, SessionEnd, SessionId, SessionUpdate, Step, Store};
use jiff::Timestamp;

/// Notes that wait at the most.
const WAITING: usize = 8192;

/// Something to write down.
pub(crate) enum Note {
    /// A line and a row.
    Event(Box<NewEvent>),
    /// Somebody has logged in from there.
    Login(String, std::net::Ipv4Addr),
    /// What became known of a session.
    Update(SessionId, Box<SessionUpdate>),
    /// Counters of running sessions.
    Count(Vec<(SessionId, Counters)>),
    /// A session is over: its end and its record.
    End(SessionId, Box<SessionEnd>, Counters, Vec<Step>, u64),
    /// An address goes back.
    Release(SessionId, String, std::net::Ipv4Addr),
    /// Old rows go.
    Prune(Retention),
    /// Write everything that waits and say so.
    Flush(SyncSender<()>),
}

/// The sending end.
#[derive(Clone)]
pub(crate) struct Journal {
    notes: SyncSender<Note>,
    lost: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<adit_store::Error>>>,
}

impl Journal {
    /// Starts the thread that writes.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        format: LogFormat,
        files: Vec<std::fs::File>,
        stderr: bool,
    ) -> Journal {
        let (notes, receiver) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let trouble = Arc::default();
        let writer = Writer {
            store,
            format,
            files,
            stderr,
            complained: None,
            failures: 0,
            lost: Arc::clone(&lost),
            trouble: Arc::clone(&trouble),
            unwritten: Vec::new(),
        };
        std::thread::Builder::new()
            .name("adit-journal".to_owned())
            .spawn(move || writer.run(&receiver))
            .map(drop)
            .unwrap_or_else(|error| eprintln!("adit: no thread for the journal: {error}"));
        Journal { notes, lost, trouble }
    }

    /// Sends a note; never waits.
    pub(crate) fn note(&self, note: Note) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.notes.try_send(note) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// An event with its fields.
    pub(crate) fn event(&self, event: NewEvent) {
        self.note(Note::Event(Box::new(event)));
    }

    /// Waits until everything noted so far is written, at most five seconds.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.notes.send(Note::Flush(done)).is_ok() {
            let _ = written.recv_timeout(Duration::from_secs(5));
        }
    }

    /// Why the store does not take anything now, if it does not.
    pub(crate) fn trouble(&self) -> Option<adit_store::Error> {
        last(&self.trouble).clone()
    }

    /// Notes that were lost because the store did not keep up.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// What the store said to the last write, if it did not do it.
fn last(trouble: &Mutex<Option<adit_store::Error>>) -> MutexGuard<'_, Option<adit_store::Error>> {
    trouble.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Writer {
    store: Arc<dyn Store>,
    format: LogFormat,
    files: Vec<std::fs::File>,
    stderr: bool,
    complained: Option<Instant>,
    failures: u64,
    lost: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<adit_store::Error>>>,
    /// Ends of sessions and their addresses that the store would not take yet; at most [`WAITING`].
    unwritten: Vec<Note>,
}

/// How long the thread waits before it tries again what the store refused.
const RETRY: Duration = Duration::from_secs(5);

/// How long it lets others have the store after it refused something.
const BREATH: Duration = Duration::from_millis(100);

impl Writer {
    fn run(mut self, notes: &Receiver<Note>) {
        loop {
            let mut next = match notes.recv_timeout(RETRY) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.write_again();
            let mut events = Vec::new();
            // Events that wait together are one transaction.
            while let Some(note) = next {
                match note {
                    Note::Event(event) => {
                        self.line(&event);
                        events.push(*event);
                    }
                    other => {
                        self.add_events(&mut events);
                        self.write(other);
                    }
                }
                next = if events.len() < 256 { notes.try_recv().ok() } else { None };
            }
            self.add_events(&mut events);
        }
    }

    fn add_events(&mut self, events: &mut Vec<NewEvent>) {
        if !events.is_empty() {
            let result = self.store.add_events(events);
            self.check(result);
            events.clear();
        }
    }

    fn write(&mut self, note: Note) {
        let now = Timestamp::now();
        match note {
            Note::Event(_) => {}
            Note::Login(name, from) => {
                let result = self.store.record_login(&name, from.into(), now).map(drop);
                self.check(result);
            }
            Note::Update(id, update) => {
                let result = self.store.update_session(id, &update, now).map(drop);
                self.check(result);
            }
            Note::Count(counters) => {
                let result = self.store.count(&counters, now);
                self.check(result);
            }
            Note::End(id, ref end, counters, ref steps, omitted) => {
                let result = self
                    .store
                    .save_record(id, steps, omitted)
                    .and_then(|()| self.store.end_session(id, end, Some(counters)).map(drop));
                self.check_or_keep(result, note);
            }
            Note::Release(id, ref pool, address) => {
                let result = self.store.release_lease(pool, address, id, None, now).map(drop);
                self.check_or_keep(result, note);
            }
            Note::Prune(retention) => {
                let result = self.store.prune(&retention, now).map(drop);
                self.check(result);
            }
            Note::Flush(done) => {
                let _ = done.send(());
            }
        }
    }

    /// What must not be lost is written when the store takes it again. What it never will take has no code.
    fn check_or_keep(&mut self, result: adit_store::Result<()>, note: Note) {
        if result.as_ref().is_err_and(|error| error.code().is_some()) {
            if self.unwritten.len() < WAITING {
                self.unwritten.push(note);
            } else {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.check(result);
    }

    fn write_again(&mut self) {
        let mut waiting = std::mem::take(&mut self.unwritten).into_iter();
        for note in waiting.by_ref() {
            self.write(note);
            if !self.unwritten.is_empty() {
                // Still nothing: trying the others would only take as long again for each.
                break;
            }
        }
        self.unwritten.extend(waiting);
    }

    fn check(&mut self, result: adit_store::Result<()>) {
        *last(&self.trouble) = result.as_ref().err().cloned();
        let Err(error) = result else {
            if self.complained.take().is_some() {
                eprintln!("store    ok again: {} writes had failed", std::mem::take(&mut self.failures));
            }
            return;
        };
        self.failures += 1;
        // Logins wait for the store too, and a store that fails makes each of us wait in turn.
        std::thread::sleep(BREATH);
        if self.complained.is_none_or(|at| at.elapsed() >= Duration::from_secs(60)) {
            self.complained = Some(Instant::now());
            let lost = self.lost.load(Ordering::Relaxed);
            eprintln!("error    {error}");
            eprintln!(
                "         {} writes failed so far, {lost} notes had no room; sessions go on, their records may have gaps",
                self.failures
            );
        }
    }

    fn line(&mut self, event: &NewEvent) {
        let line = match self.format {
            LogFormat::Kv => event.to_string(),
            LogFormat::Json => json(event),
        };
        for file in &mut self.files {
            let _ = writeln!(file, "{line}");
        }
        if self.stderr {
            eprintln!("{line}");
        }
    }
}

fn json(event: &NewEvent) -> String {
    let mut map = serde_json::Map::new();
    let mut put = |key: &str, value: String| {
        map.insert(key.to_owned(), serde_json::Value::String(value));
    };
    put("time", format!("{:.3}", event.at));
    put("kind", event.kind.clone());
    for (key, value) in [("user", &event.user), ("code", &event.code)] {
        if let Some(value) = value {
            put(key, value.clone());
        }
    }
    if let Some(from) = event.from {
        put("from", from.to_string());
    }
    if let Some(session) = event.session {
        put("session", session.to_string());
    }
    for (key, value) in &event.fields {
        put(key, value.clone());
    }
    serde_json::Value::Object(map).to_string()
}
