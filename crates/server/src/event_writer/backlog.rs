//! What the store is to write, and what waits while it cannot.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_store::{Change, Error, Retention, Store};
use jiff::Timestamp;

use super::broadcast::Broadcast;

/// The most entries that wait.
pub(super) const MAX_WAITING: usize = 8192;
/// The delay before a write is tried again after the store could not write.
pub(super) const RETRY: Duration = Duration::from_secs(5);

/// What the backlog needs of the store.
pub(super) trait Sink: Send {
    /// Writes changes in one transaction; returns the ids of their events.
    fn write(&self, changes: &[Change]) -> Result<Vec<i64>, Error>;
    /// Deletes old rows.
    fn prune(&self, retention: &Retention) -> Result<(), Error>;
}

impl Sink for Store {
    fn write(&self, changes: &[Change]) -> Result<Vec<i64>, Error> {
        self.apply(changes, Timestamp::now())
    }

    fn prune(&self, retention: &Retention) -> Result<(), Error> {
        (**self).prune(retention, Timestamp::now()).map(drop)
    }
}

/// What the writer's owner sees of it.
#[derive(Clone, Default)]
pub(super) struct Health {
    lost: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<Error>>>,
}

impl Health {
    /// Counts an entry that had no room.
    pub(super) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Entries that were lost because the store did not keep up.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Why the store could not do the last write, if it could not.
    pub(super) fn trouble(&self) -> Option<Error> {
        self.last().clone()
    }

    /// Why no other write would work either, if so.
    pub(super) fn blocked(&self) -> Option<Error> {
        self.trouble().filter(Error::is_transient)
    }

    fn last(&self) -> MutexGuard<'_, Option<Error>> {
        self.trouble.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What the store is to do.
pub(super) enum Work {
    /// Write one row or several.
    Change(Change),
    /// Delete old rows.
    Prune(Retention),
}

/// The outcome of a write.
enum Outcome {
    /// It is written, and its events have these ids.
    Written(Vec<i64>),
    /// The store refuses it, now and later.
    Refused,
    /// The store does not work now.
    Waits,
}

/// Writes to the store, in order; what it cannot write waits. Subscribers get every event when it is written or begins to
/// wait.
pub(super) struct Backlog<S> {
    store: S,
    health: Health,
    broadcast: Broadcast,
    /// What the store could not write yet, oldest first; at most [`MAX_WAITING`].
    backlog: VecDeque<Work>,
    /// When the store is tried again, while there is a backlog.
    retry_at: Instant,
    /// When a failure of the store was last logged.
    reported_at: Option<Instant>,
    /// Whether the recovery from it has not been logged yet.
    recovery_unreported: bool,
}

impl<S: Sink> Backlog<S> {
    /// An empty backlog in front of a store.
    pub(super) fn new(store: S, health: Health, broadcast: Broadcast) -> Backlog<S> {
        Backlog {
            store,
            health,
            broadcast,
            backlog: VecDeque::new(),
            retry_at: Instant::now(),
            reported_at: None,
            recovery_unreported: false,
        }
    }

    /// Writes what waits together as one transaction, behind what waits already.
    pub(super) fn write_all(&mut self, mut changes: Vec<Change>) {
        if self.backlog.is_empty() && changes.len() > 1 {
            match self.store.write(&changes) {
                Ok(ids) => {
                    self.broadcast.send(&changes, &ids);
                    changes.clear();
                    self.wrote();
                }
                // The store as a whole does not work: everything waits.
                Err(error) if error.is_transient() => {
                    self.failed(&error);
                    self.broadcast.send(&changes, &[]);
                    self.backlog.extend(changes.drain(..).take(MAX_WAITING).map(Work::Change));
                }
                // One of them is refused: the others are not to suffer for it.
                Err(_) => {}
            }
        }
        for change in changes {
            self.write(Work::Change(change));
        }
    }

    /// Writes one thing, behind those that wait already.
    pub(super) fn write(&mut self, work: Work) {
        let outcome = if self.backlog.is_empty() { self.try_write(&work) } else { Outcome::Waits };
        if let Work::Change(change) = &work {
            let ids = if let Outcome::Written(ids) = &outcome { ids } else { &Vec::new() };
            self.broadcast.send(std::slice::from_ref(change), ids);
        }
        if !matches!(outcome, Outcome::Waits) {
            return;
        }
        if self.backlog.len() < MAX_WAITING {
            self.backlog.push_back(work);
        } else {
            self.health.count_lost();
        }
    }

    /// Tries the store again that could not write, when it is time.
    pub(super) fn catch_up(&mut self, now: Instant) {
        if now < self.retry_at {
            return;
        }
        while let Some(work) = self.backlog.pop_front() {
            // Its events were sent when it began to wait.
            if let Outcome::Waits = self.try_write(&work) {
                self.backlog.push_front(work);
                return;
            }
        }
    }

    /// Writes one thing.
    fn try_write(&mut self, work: &Work) -> Outcome {
        let result = match work {
            Work::Change(change) => self.store.write(std::slice::from_ref(change)),
            Work::Prune(retention) => self.store.prune(retention).map(|()| Vec::new()),
        };
        match result {
            Ok(ids) => {
                self.wrote();
                Outcome::Written(ids)
            }
            Err(error) => {
                self.failed(&error);
                if error.is_transient() { Outcome::Waits } else { Outcome::Refused }
            }
        }
    }

    fn wrote(&mut self) {
        *self.health.last() = None;
        if std::mem::take(&mut self.recovery_unreported) {
            log_stderr!("store    works again; {} notes are still to be written", self.backlog.len());
        }
    }

    fn failed(&mut self, error: &Error) {
        *self.health.last() = Some(error.clone()).filter(|error| error.code().is_some());
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
                self.health.lost()
            );
        }
    }
}

#[cfg(test)]
mod tests;
