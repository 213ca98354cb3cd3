//! Writes events and rows on one thread, in the order in which they happened: log lines, rows in the store.
//!
//! No session waits for the disk: it enqueues an entry and goes on. While the store cannot write (disk full, database
//! locked), log lines go on, rows wait in a backlog, stderr reports it once a minute, and entries without room are counted.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::LogFormat;
use adit_store::{Change, Error, NewEvent, Retention, Store};
use jiff::Timestamp;

/// The most entries that wait on their way to the thread, and the most that wait in its backlog.
const MAX_WAITING: usize = 8192;
/// The most entries in one transaction.
const MAX_BATCH: usize = 256;
/// The delay before a write is tried again after the store could not write.
const RETRY: Duration = Duration::from_secs(5);

/// Something to write.
pub(crate) enum Entry {
    /// A log line and a row.
    Event(Box<NewEvent>),
    /// One row or several.
    Change(Change),
    /// Delete old rows.
    Prune(Retention),
    /// Write everything that waits, then report it.
    Flush(SyncSender<()>),
}

/// The sending end.
#[derive(Clone)]
pub(crate) struct EventWriter {
    entries: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<Error>>>,
}

impl EventWriter {
    /// Starts the thread that writes.
    pub(crate) fn start(
        store: Store,
        format: LogFormat,
        files: Vec<std::fs::File>,
        stderr: bool,
    ) -> EventWriter {
        let (entries, receiver) = sync_channel(MAX_WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let trouble = Arc::default();
        let writer = Writer {
            store,
            format,
            files,
            stderr,
            journald: stderr_is_systemd_journal(),
            lost: Arc::clone(&lost),
            trouble: Arc::clone(&trouble),
            backlog: VecDeque::new(),
            retry_at: Instant::now(),
            reported_at: None,
            recovery_unreported: false,
        };
        std::thread::Builder::new()
            .name("adit-events".to_owned())
            .spawn(move || writer.run(&receiver))
            .map(drop)
            .unwrap_or_else(|error| log_stderr!("adit: no thread for the event writer: {error}"));
        EventWriter { entries, lost, trouble }
    }

    /// Enqueues an entry; never waits. Without room it is lost and counted.
    pub(crate) fn enqueue(&self, entry: Entry) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.entries.try_send(entry) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Enqueues an event with its fields.
    pub(crate) fn enqueue_event(&self, event: NewEvent) {
        self.enqueue(Entry::Event(Box::new(event)));
    }

    /// Waits until everything enqueued so far is written, at most five seconds.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.entries.send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(Duration::from_secs(5));
        }
    }

    /// Why the store could not do the last write, if it could not.
    pub(crate) fn trouble(&self) -> Option<Error> {
        last(&self.trouble).clone()
    }

    /// Why a new session could not be written either: the writer tries the store again every few seconds, and nothing else
    /// has to wait for the answer.
    pub(crate) fn blocked(&self) -> Option<Error> {
        self.trouble().filter(Error::is_transient)
    }

    /// Entries that were lost because the store did not keep up.
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
    store: Store,
    format: LogFormat,
    files: Vec<std::fs::File>,
    stderr: bool,
    /// What goes to stderr is read by systemd's journal.
    journald: bool,
    lost: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<Error>>>,
    /// What the store could not take yet, oldest first; at most [`MAX_WAITING`].
    backlog: VecDeque<Work>,
    /// When the store is asked again, while there is a backlog.
    retry_at: Instant,
    /// When a failure of the store was last logged.
    reported_at: Option<Instant>,
    /// Whether the recovery from it has not been logged yet.
    recovery_unreported: bool,
}

impl Writer {
    fn run(mut self, entries: &Receiver<Entry>) {
        loop {
            let mut next = match entries.recv_timeout(RETRY) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.catch_up();
            let mut changes = Vec::new();
            while let Some(entry) = next {
                match entry {
                    Entry::Event(event) => {
                        self.line(&event);
                        match changes.last_mut() {
                            Some(Change::Events(events)) => events.push(*event),
                            _ => changes.push(Change::Events(vec![*event])),
                        }
                    }
                    Entry::Change(change) => changes.push(change),
                    Entry::Flush(done) => {
                        self.take_all(std::mem::take(&mut changes));
                        let _ = done.send(());
                    }
                    Entry::Prune(retention) => {
                        self.take_all(std::mem::take(&mut changes));
                        self.take(Work::Prune(retention));
                    }
                }
                next = if changes.len() < MAX_BATCH { entries.try_recv().ok() } else { None };
            }
            self.take_all(changes);
        }
    }

    /// Writes what waits together as one transaction, behind what waits already.
    fn take_all(&mut self, mut changes: Vec<Change>) {
        if self.backlog.is_empty() && changes.len() > 1 {
            match self.store.apply(&changes, Timestamp::now()) {
                Ok(()) => {
                    changes.clear();
                    self.wrote();
                }
                // The store as a whole does not work: everything waits.
                Err(error) if error.is_transient() => {
                    self.failed(&error);
                    self.backlog.extend(changes.drain(..).take(MAX_WAITING).map(Work::Change));
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
        if self.backlog.len() < MAX_WAITING {
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
            Work::Change(change) => self.store.apply(std::slice::from_ref(change), now),
            Work::Prune(retention) => self.store.prune(retention, now).map(drop),
        };
        match result {
            Ok(()) => {
                self.wrote();
                true
            }
            Err(error) => {
                self.failed(&error);
                !error.is_transient()
            }
        }
    }

    fn wrote(&mut self) {
        *last(&self.trouble) = None;
        if std::mem::take(&mut self.recovery_unreported) {
            log_stderr!("store    works again; {} notes are still to be written", self.backlog.len());
        }
    }

    fn failed(&mut self, error: &Error) {
        *last(&self.trouble) = Some(error.clone()).filter(|error| error.code().is_some());
        self.log_rate_limited(error);
        self.retry_at = Instant::now() + RETRY;
    }

    /// Logs a failure of the store, at most once a minute.
    fn log_rate_limited(&mut self, error: &Error) {
        if self.reported_at.is_none_or(|at| at.elapsed() >= Duration::from_secs(60)) {
            self.reported_at = Some(Instant::now());
            self.recovery_unreported = true;
            let code = error.code().map(|code| format!("{code}  ")).unwrap_or_default();
            log_stderr!("error    {code}{error}");
            log_stderr!(
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
            log_stderr!("{priority}{line}");
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

/// Whether stderr is systemd's journal, by the device and inode that systemd names (systemd.exec(5), `JOURNAL_STREAM`).
fn stderr_is_systemd_journal() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let stderr = std::fs::metadata("/dev/stderr").ok();
    stderr.is_some_and(|stderr| named == format!("{}:{}", stderr.dev(), stderr.ino()))
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
    fn the_priority_tells_a_failed_call_from_a_failed_host() {
        let with = |code: Option<&str>| {
            let mut event = NewEvent::new(Timestamp::UNIX_EPOCH, "call.fail");
            event.code = code.map(str::to_owned);
            priority(&event)
        };
        assert_eq!((with(None), with(Some("G01")), with(Some("S06"))), ("<6>", "<4>", "<3>"));
    }
}
