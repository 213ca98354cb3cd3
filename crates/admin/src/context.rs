//! What a use case works on.

use adit_config::Config;
use adit_store::{Change, NewEvent, Store};
use jiff::Timestamp;

/// Writes down what was done.
pub trait Recorder {
    /// Writes down an event; when this returns, a reader of the log finds it.
    ///
    /// # Errors
    /// A sentence for people: why it is not in the log.
    fn record(&self, event: NewEvent) -> Result<(), String>;
}

/// Writes events straight into the store: where no server runs.
pub struct StoreRecorder<'a>(pub &'a Store);

impl Recorder for StoreRecorder<'_> {
    fn record(&self, event: NewEvent) -> Result<(), String> {
        let (at, change) = (event.at, Change::Events(vec![event]));
        self.0.apply(&[change], at).map(drop).map_err(|error| error.to_string())
    }
}

/// What a use case works on, for one request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Accounts, sessions, events.
    pub store: &'a Store,
    /// What applies: the configuration, or the defaults where there is none.
    pub config: &'a Config,
    /// The source of the configuration.
    pub file: &'a ConfigFile,
    /// The log.
    pub recorder: &'a dyn Recorder,
    /// Whether the server of this store runs: only then sessions that look like running do run.
    pub is_serving: bool,
    /// The most items of one answer.
    pub page: usize,
    /// Now.
    pub now: Timestamp,
}

/// The source of the configuration, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// The file.
    pub path: String,
    /// Whether it is what applies.
    pub state: FileState,
}

/// Whether a configuration file is what applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is.
    Usable,
    /// There is none.
    Missing,
    /// It has errors.
    Invalid,
}

impl Context<'_> {
    /// The configuration that addresses can be checked against: that of a file, or of the server that runs.
    pub(crate) fn pools(&self) -> Option<&Config> {
        Some(self.config).filter(|_| self.is_serving || self.file.state == FileState::Usable)
    }
}
