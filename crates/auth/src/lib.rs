//! Account sources: who may log in, asked in order, in one round or several.
//!
//! An [`AccountSource`] provides accounts: those of the store ([`LocalAccounts`]), of a directory or of a
//! RADIUS server. [`Sources`] asks several in their order; the first one that has the user decides. A source
//! returns all its data about an account in one [`Grant`]; it is not asked again during the session.
//!
//! # When a source does not answer
//!
//! The login ends as [`LoginOutcome::Unavailable`]: an attacker who silences a source must not choose the one that decides.
//!
//! If the source is [optional](AccountSource::is_optional), the sources after it are asked. But only a grant, or a
//! challenge that leads to one, is accepted from them. A rejection is not: the silent source has precedence and may
//! know the user, who would then change a correct password; and the difference between "rejected" and "not available"
//! would reveal which names the later source has. Such a login is unavailable too; the lockout counts it as a guess.
//!
//! # What is bounded
//!
//! [`Limits`] bounds the rounds that a source may add, the time that a login may take with all its rounds,
//! and the logins that wait for one source. A source that reaches its bound delays no login of another
//! source: nothing is queued, and a login that waits holds no thread. Dropping the future of a login
//! withdraws it.
#![forbid(unsafe_code)]

mod grant;
mod local;
mod radius;
mod source;
mod sources;

pub use adit_nas::ServerStatus;
pub use grant::{AddressRequest, Grant, SessionLimits};
pub use local::LocalAccounts;
pub use radius::{RadiusError, RadiusServers};
pub use source::{AccountSource, BoxFuture, Caller, ChallengeState, Outcome, Rejection};
pub use sources::{Limits, LoginOutcome, Pending, Sources};
