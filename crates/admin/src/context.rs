//! The context of a request.

use adit_config::Config;
use adit_store::{Change, NewEvent, Store};
use jiff::Timestamp;

use crate::PageLimit;
use crate::lockout::LockoutState;

/// A writer of events.
pub trait Recorder {
    /// Writes an event; when this returns, readers of the log find it.
    ///
    /// # Errors
    /// Why the event is not in the log, as a sentence for the user.
    fn record(&self, event: NewEvent) -> Result<(), String>;

    /// Writes several events in their order.
    ///
    /// # Errors
    /// Why not all of them are in the log.
    fn record_all(&self, events: Vec<NewEvent>) -> Result<(), String>;
}

/// Writes events directly to the store, when no server runs.
pub struct StoreRecorder<'a>(pub &'a Store);

impl Recorder for StoreRecorder<'_> {
    fn record(&self, event: NewEvent) -> Result<(), String> {
        self.record_all(vec![event])
    }

    fn record_all(&self, events: Vec<NewEvent>) -> Result<(), String> {
        let Some(at) = events.last().map(|event| event.at) else { return Ok(()) };
        self.0.apply(&[Change::Events(events)], at).map(drop).map_err(|error| error.to_string())
    }
}

/// The context of one request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Accounts, sessions, events.
    pub store: &'a Store,
    /// The effective configuration: the file's, or the defaults.
    pub config: &'a Config,
    /// The configuration file, for messages.
    pub file: &'a ConfigFile,
    /// The event log.
    pub recorder: &'a dyn Recorder,
    /// Locks and bans.
    pub lockout: &'a dyn LockoutState,
    /// Whether the server of this store runs: otherwise sessions that look active are stale.
    pub is_serving: bool,
    /// The size of one response that is a page of a list.
    pub page: PageLimit,
    /// Current time.
    pub now: Timestamp,
}

/// The configuration file, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Path of the file.
    pub path: String,
    /// State of the file.
    pub state: FileState,
}

/// The state of a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// The file is in effect.
    Usable,
    /// The file does not exist.
    Missing,
    /// The file has errors.
    Invalid,
}

impl Context<'_> {
    /// The configuration to check addresses against: that of a file, or of the running server.
    pub(crate) fn pools(&self) -> Option<&Config> {
        Some(self.config).filter(|_| self.is_serving || self.file.state == FileState::Usable)
    }
}
