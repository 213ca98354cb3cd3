//! Accounts, leases, sessions and events: what outlives the program, whatever keeps it.
//!
//! [`open`] is the one way to a [`Store`]. A back end fills the roles [`Accounts`], [`Servers`], [`Leases`], [`Sessions`],
//! [`Lockouts`], [`Events`], [`Changes`] and [`Maintenance`]; it keeps sealed octets and knows no key. All calls block; an asynchronous caller
//! gives them a thread. The SQLite back end keeps everything in one file that other programs may read: tables are strict,
//! times are whole milliseconds since 1970 (UTC), addresses are text, names of columns are the names used here. Passwords
//! are the exception: they are sealed with a key that lives in another file.
#![forbid(unsafe_code)]

mod backend;
mod changes;
mod clock;
mod error;
mod event;
mod factor;
mod files;
mod lease;
mod maintenance;
mod open;
mod seal;
mod server;
mod server_id;
mod session;
mod sqlite;
mod store;
mod time;

pub use adit_api::SessionId;
pub use adit_api::accounts::{Account, AccountChange, Login, NewAccount};
pub use adit_api::history::{SessionEnd, Step};
pub use adit_policy::lockout::Change as LockoutChange;
pub use backend::{AccountWrite, Accounts, Backend, Events, Lockouts, Maintenance, Sessions};
pub use changes::{Change, Changes};
pub use clock::{CLOCK_CONFIRMED_AFTER, CLOCK_TOLERANCE, ClockCheck};
pub use error::{Error, ErrorKind, Place, Result};
pub use event::{Event, EventFilter, NewEvent};
pub use factor::{SealedFactor, SecondFactor};
pub use lease::{Lease, LeaseClaim, Leases, Release};
pub use maintenance::{Pruned, Recovered, Retention};
pub use open::{Access, Location, StoreConfig, open};
pub use seal::{KeySource, SealKey, SealedSecret};
pub use server::{ServerIdentity, Servers};
pub use server_id::ServerId;
pub use session::{NewSession, Session, SessionFilter, SessionState, SessionUpdate};
pub use store::{NewAccountState, NewSecret, Store};
