//! The changes to be written to the store, and the backlog of those that could not be written yet.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_store::{Change, Error, Retention, Store};
use jiff::Timestamp;

use super::broadcast::Broadcast;

/// The most entries in the backlog.
pub(super) const MAX_WAITING: usize = 8192;
/// The delay before a failed write is retried.
pub(super) const RETRY: Duration = Duration::from_secs(5);

/// The operations of the store that the backlog uses.
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

/// The state of the backlog, as the owner of the writer sees it.
#[derive(Clone, Default)]
pub(super) struct Health {
    lost: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<Error>>>,
}

impl Health {
    /// Counts a dropped entry.
    pub(super) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of entries that were dropped because the store did not keep up.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Why the last write to the store failed, if it did.
    pub(super) fn trouble(&self) -> Option<Error> {
        self.last().clone()
    }

    /// Why any other write would fail too, if so.
    pub(super) fn blocked(&self) -> Option<Error> {
        self.trouble().filter(Error::is_transient)
    }

    fn last(&self) -> MutexGuard<'_, Option<Error>> {
        self.trouble.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// An operation to carry out on the store.
pub(super) enum Work {
    /// Write one row or several.
    Change(Change),
    /// Delete old rows.
    Prune(Retention),
}

/// The outcome of a write.
enum Outcome {
    /// It is written; these are the ids of its events.
    Written(Vec<i64>),
    /// The store rejects it permanently.
    Refused,
    /// The store is unavailable for now.
    Waits,
}

/// Writes to the store, in order. What cannot be written goes to the backlog. Subscribers get an event when
/// it is written or added to the backlog.
pub(super) struct Backlog<S> {
    store: S,
    health: Health,
    broadcast: Broadcast,
    /// The changes that could not be written yet, oldest first; at most [`MAX_WAITING`].
    backlog: VecDeque<Work>,
    /// When the next write is attempted, while there is a backlog.
    retry_at: Instant,
    /// When a failure of the store was last logged.
    reported_at: Option<Instant>,
    /// Whether the recovery from it has not been logged yet.
    recovery_unreported: bool,
}

impl<S: Sink> Backlog<S> {
    /// Creates an empty backlog in front of a store.
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

    /// Writes these changes in one transaction, after those in the backlog.
    pub(super) fn write_all(&mut self, mut changes: Vec<Change>) {
        if self.backlog.is_empty() && changes.len() > 1 {
            match self.store.write(&changes) {
                Ok(ids) => {
                    self.broadcast.send(&changes, &ids);
                    changes.clear();
                    self.wrote();
                }
                // The store as a whole is unavailable: add everything to the backlog.
                Err(error) if error.is_transient() => {
                    self.failed(&error);
                    self.broadcast.send(&changes, &[]);
                    self.backlog.extend(changes.drain(..).take(MAX_WAITING).map(Work::Change));
                }
                // One change was rejected; the others are written one by one below.
                Err(_) => {}
            }
        }
        for change in changes {
            self.write(Work::Change(change));
        }
    }

    /// Writes one item, after those in the backlog.
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

    /// Retries the backlog now.
    pub(super) fn retry(&mut self, now: Instant) {
        self.retry_at = now;
        self.catch_up(now);
    }

    /// Retries the backlog when it is time.
    pub(super) fn catch_up(&mut self, now: Instant) {
        if now < self.retry_at {
            return;
        }
        while let Some(work) = self.backlog.pop_front() {
            // The events were sent when it was added to the backlog.
            if let Outcome::Waits = self.try_write(&work) {
                self.backlog.push_front(work);
                return;
            }
        }
    }

    /// Writes one item.
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
