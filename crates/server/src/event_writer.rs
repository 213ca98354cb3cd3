//! The event writer: one thread that writes log lines and rows of the store in the order in which events
//! happened.
//!
//! No session waits for the disk: it enqueues an entry and continues. While the store cannot write (disk
//! full, database locked), log lines are still written, rows wait in a backlog, stderr reports the failure
//! once a minute, and entries that do not fit are counted.

mod backlog;
mod broadcast;
mod level;
mod log_line;
mod step;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use adit_api::log::Event;
use adit_store::{Change, Error, NewEvent, Retention, Store};

use backlog::{Backlog, Health, MAX_WAITING, RETRY, Sink, Work};
use broadcast::Broadcast;

pub(crate) use log_line::LogLines;
pub(crate) use step::Step;

/// The most entries in one transaction.
const MAX_BATCH: usize = 256;

/// An entry to write.
pub(crate) enum Entry {
    /// A log line and a row.
    Event(Box<NewEvent>),
    /// A debug line.
    Step(Box<Step>),
    /// One row or several.
    Change(Change),
    /// Delete old rows.
    Prune(Retention),
    /// Try again now to write what could not be written.
    Retry,
    /// Write everything that waits, then report it.
    Flush(SyncSender<()>),
}

/// A handle for enqueueing entries.
#[derive(Clone)]
pub(crate) struct EventWriter {
    entries: SyncSender<Entry>,
    health: Health,
    broadcast: Broadcast,
}

impl EventWriter {
    /// Starts the thread that writes.
    pub(crate) fn start(store: Store, log: LogLines) -> EventWriter {
        let (entries, receiver) = sync_channel(MAX_WAITING);
        let health = Health::default();
        let broadcast = Broadcast::new();
        let writer = Writer { log, backlog: Backlog::new(store, health.clone(), broadcast.clone()) };
        std::thread::Builder::new()
            .name("adit-events".to_owned())
            .spawn(move || writer.run(&receiver))
            .map(drop)
            .unwrap_or_else(|error| log_stderr!("adit: no thread for the event writer: {error}"));
        EventWriter { entries, health, broadcast }
    }

    /// Enqueues an entry without waiting. If the queue is full, the entry is dropped and counted.
    pub(crate) fn enqueue(&self, entry: Entry) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.entries.try_send(entry) {
            self.health.count_lost();
        }
    }

    /// Enqueues an event with its fields.
    pub(crate) fn enqueue_event(&self, event: NewEvent) {
        self.enqueue(Entry::Event(Box::new(event)));
    }

    /// Subscribes to all later events; an event is sent when it is written or cannot be. A slow reader loses
    /// the oldest events and is notified how many.
    pub(crate) fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Arc<Event>> {
        self.broadcast.subscribe()
    }

    /// Waits until everything enqueued so far is written, at most five seconds.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.entries.send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(Duration::from_secs(5));
        }
    }

    /// Why the last write to the store failed, if it did.
    pub(crate) fn trouble(&self) -> Option<Error> {
        self.health.trouble()
    }

    /// Why a new session could not be written either, if so. The writer retries every few seconds, and other
    /// parts need not wait for the result.
    pub(crate) fn blocked(&self) -> Option<Error> {
        self.health.blocked()
    }

    /// The number of entries that were dropped because the store did not keep up.
    pub(crate) fn lost(&self) -> u64 {
        self.health.lost()
    }
}

/// The state of the writer thread.
struct Writer<S> {
    log: LogLines,
    backlog: Backlog<S>,
}

impl<S: Sink> Writer<S> {
    fn run(mut self, entries: &Receiver<Entry>) {
        loop {
            let mut next = match entries.recv_timeout(RETRY) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.backlog.catch_up(Instant::now());
            let mut changes = Vec::new();
            let mut count = 0;
            while let Some(entry) = next {
                count += 1;
                match entry {
                    Entry::Event(event) => {
                        self.log.write(&event);
                        match changes.last_mut() {
                            Some(Change::Events(events)) => events.push(*event),
                            _ => changes.push(Change::Events(vec![*event])),
                        }
                    }
                    Entry::Step(step) => self.log.write_step(&step),
                    Entry::Change(change) => changes.push(change),
                    Entry::Retry => {
                        self.backlog.write_all(std::mem::take(&mut changes));
                        self.backlog.retry(Instant::now());
                    }
                    Entry::Flush(done) => {
                        self.backlog.write_all(std::mem::take(&mut changes));
                        let _ = done.send(());
                    }
                    Entry::Prune(retention) => {
                        self.backlog.write_all(std::mem::take(&mut changes));
                        self.backlog.write(Work::Prune(retention));
                    }
                }
                next = if count < MAX_BATCH { entries.try_recv().ok() } else { None };
            }
            self.backlog.write_all(changes);
        }
    }
}

#[cfg(test)]
mod tests;
