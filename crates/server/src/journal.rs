//! What happened, written down by one thread in the order in which it happened: lines for people, rows in the store.
//!
//! Nobody waits for the disk: a session sends a note and goes on. When the store cannot write (disk full, database
//! locked), lines go on, rows wait until it can, stderr says so once a minute, and notes that had no room are counted.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::LogFormat;
use adit_store::{Change, Error, NewEvent, Retention, Store};
use jiff::Timestamp;

/// Notes that wait at the most, on their way to the thread and in its backlog.
const WAITING: usize = 8192;
/// Notes that are one transaction, at the most, when they wait together.
const TOGETHER: usize = 256;
/// How long the thread waits before it asks the store again that could not write.
const RETRY: Duration = Duration::from_secs(5);

/// Something to write down.
pub(crate) enum Note {
    /// A line and a row.
    Event(Box<NewEvent>),
    /// A row, or several.
    Change(Change),
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
    trouble: Arc<Mutex<Option<Error>>>,
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
            journald: is_journal(),
            lost: Arc::clone(&lost),
            trouble: Arc::clone(&trouble),
            backlog: VecDeque::new(),
            retry_at: Instant::now(),
            complained: None,
            unrelieved: false,
        };
        std::thread::Builder::new()
            .name("adit-journal".to_owned())
            .spawn(move || writer.run(&receiver))
            .map(drop)
            .unwrap_or_else(|error| say!("adit: no thread for the journal: {error}"));
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
    pub(crate) fn trouble(&self) -> Option<Error> {
        last(&self.trouble).clone()
    }

    /// Why a new session could not be written down either: the store is asked again every few seconds, and nobody else has
    /// to wait for the answer.
    pub(crate) fn blocked(&self) -> Option<Error> {
        self.trouble().filter(passes)
    }

    /// Notes that were lost because the store did not keep up.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// What the store said to the last write, if it did not do it.
fn last(trouble: &Mutex<Option<Error>>) -> MutexGuard<'_, Option<Error>> {
    trouble.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What the store is to do.
enum Work {
    Change(Change),
    Prune(Retention),
}

struct Writer {
    store: Arc<dyn Store>,
    format: LogFormat,
    files: Vec<std::fs::File>,
    stderr: bool,
    /// What goes to stderr is read by systemd's journal.
    journald: bool,
    lost: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<Error>>>,
    /// What the store could not take yet, oldest first; at most [`WAITING`].
    backlog: VecDeque<Work>,
    /// When the store is asked again, while there is a backlog.
    retry_at: Instant,
    /// The last complaint.
    complained: Option<Instant>,
    /// Whether there was no word of relief since.
    unrelieved: bool,
}

impl Writer {
    fn run(mut self, notes: &Receiver<Note>) {
        loop {
            let mut next = match notes.recv_timeout(RETRY) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.catch_up();
            let mut changes = Vec::new();
            while let Some(note) = next {
                match note {
                    Note::Event(event) => {
                        self.line(&event);
                        match changes.last_mut() {
                            Some(Change::Events(events)) => events.push(*event),
                            _ => changes.push(Change::Events(vec![*event])),
                        }
                    }
                    Note::Change(change) => changes.push(change),
                    Note::Flush(done) => {
                        self.take_all(std::mem::take(&mut changes));
                        let _ = done.send(());
                    }
                    Note::Prune(retention) => {
                        self.take_all(std::mem::take(&mut changes));
                        self.take(Work::Prune(retention));
                    }
                }
                next = if changes.len() < TOGETHER { notes.try_recv().ok() } else { None };
            }
            self.take_all(changes);
        }
    }

    /// Writes what waits together as one transaction, behind what waits already.
    fn take_all(&mut self, mut changes: Vec<Change>) {
        if self.backlog.is_empty() && changes.len() > 1 {
            match self.store.write_all(&changes, Timestamp::now()) {
                Ok(()) => {
                    changes.clear();
                    self.wrote();
                }
                // The store as a whole does not work: everything waits.
                Err(error) if passes(&error) => {
                    self.failed(&error);
                    self.backlog.extend(changes.drain(..).take(WAITING).map(Work::Change));
                }
                // One of them is refused: the others are not to suffer for it.
                Err(_) => {}
            }
        }
        for change in changes {
            self.take(Work::Change(change));
        }
    }

    /// Writes one thing, behind those that wait already.
    fn take(&mut self, work: Work) {
        if self.backlog.is_empty() && self.done(&work) {
            return;
        }
        if self.backlog.len() < WAITING {
            self.backlog.push_back(work);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asks a store that could not write whether it can now.
    fn catch_up(&mut self) {
        if Instant::now() < self.retry_at {
            return;
        }
        while let Some(work) = self.backlog.pop_front() {
            if !self.done(&work) {
                self.backlog.push_front(work);
                return;
            }
        }
    }

    /// Writes one thing; `false` when that has to be tried again.
    fn done(&mut self, work: &Work) -> bool {
        let now = Timestamp::now();
        let result = match work {
            Work::Change(change) => self.store.write_all(std::slice::from_ref(change), now),
            Work::Prune(retention) => self.store.prune(retention, now).map(drop),
        };
        match result {
            Ok(()) => {
                self.wrote();
                true
            }
            Err(error) => {
                self.failed(&error);
                !passes(&error)
            }
        }
    }

    fn wrote(&mut self) {
        *last(&self.trouble) = None;
        if std::mem::take(&mut self.unrelieved) {
            say!("store    works again; {} notes are still to be written", self.backlog.len());
        }
    }

    fn failed(&mut self, error: &Error) {
        *last(&self.trouble) = Some(error.clone()).filter(|error| error.code().is_some());
        self.complain(error);
        self.retry_at = Instant::now() + RETRY;
    }

    /// Once a minute.
    fn complain(&mut self, error: &Error) {
        if self.complained.is_none_or(|at| at.elapsed() >= Duration::from_secs(60)) {
            self.complained = Some(Instant::now());
            self.unrelieved = true;
            let code = error.code().map(|code| format!("{code}  ")).unwrap_or_default();
            say!("error    {code}{error}");
            say!(
                "         sessions go on, new calls are refused; {} notes wait, {} had no room",
                self.backlog.len(),
                self.lost.load(Ordering::Relaxed)
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
            let priority = if self.journald { priority(event) } else { "" };
            say!("{priority}{line}");
        }
    }
}

/// What systemd's journal takes for the priority of a line (sd-daemon(3)): a call that failed is a warning, what this host
/// could not do an error, the rest is information.
fn priority(event: &NewEvent) -> &'static str {
    match event.code.as_deref().and_then(|code| code.chars().next()) {
        None => "<6>",
        Some('S') => "<3>",
        Some(_) => "<4>",
    }
}

/// Whether stderr is the journal's, by the device and inode that systemd names (systemd.exec(5), `JOURNAL_STREAM`).
fn is_journal() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let stderr = std::fs::metadata("/dev/stderr").ok();
    stderr.is_some_and(|stderr| named == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// Whether this is the fault of the host as a whole, and may pass. Another note may be fine where one is refused.
fn passes(error: &Error) -> bool {
    matches!(error, Error::Locked { .. } | Error::Full { .. } | Error::Permission { .. } | Error::Io { .. })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_learns_what_failed() {
        let with = |code: Option<&str>| {
            let mut event = NewEvent::new(Timestamp::UNIX_EPOCH, "call.fail");
            event.code = code.map(str::to_owned);
            priority(&event)
        };
        assert_eq!((with(None), with(Some("G01")), with(Some("S06"))), ("<6>", "<4>", "<3>"));
    }
}
