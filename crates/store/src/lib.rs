//! Accounts, leases, sessions and events: what outlives the program, behind one trait.
//!
//! [`Store`] is blocking; an asynchronous caller gives it a thread. [`SqliteStore`] keeps everything in one SQLite
//! file that other programs may read: tables are strict, times are whole milliseconds since 1970 (UTC), addresses are
//! text, names of columns are the names used here. Passwords are the exception: they are sealed with a key that lives
//! in another file.
#![forbid(unsafe_code)]

mod account;
mod change;
mod error;
mod event;
mod lease;
mod seal;
mod session;
mod sqlite;
mod store;
mod time;

pub use account::{Account, AccountChange, Login, NewAccount};
pub use change::Change;
pub use error::{Error, Result};
pub use event::{Event, EventFilter, NewEvent};
pub use lease::{Lease, LeaseState};
pub use seal::SealKey;
pub use session::{
    Counters, NewSession, Session, SessionEnd, SessionFilter, SessionId, SessionState, SessionUpdate, Step,
};
pub use sqlite::SqliteStore;
pub use store::{Pruned, Recovered, Retention, Store};
