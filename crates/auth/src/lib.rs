//! Account sources: who may log in, asked in order, in one round or several.
//!
//! An [`AccountSource`] knows accounts: the store's ([`LocalAccounts`]), a directory's, a RADIUS server's. [`Sources`] asks
//! several in their order; the first that knows the user decides. What a source knows of an account is one
//! [`Grant`], and nothing that happens to the session afterwards asks the source again.
//!
//! # When a source does not answer
//!
//! The sources after it are asked all the same, so that local accounts keep working while a directory is down. But only a
//! grant, or a challenge that leads to one, counts from them. A rejection does not: the silent source has precedence
//! and may know the user, who would change a password that is right; and the difference between "rejected" and "not
//! available" would show which names the later source has. Such a login ends as [`LoginOutcome::Unavailable`].
//!
//! # What is bounded
//!
//! [`Limits`] has the rounds that a source may add, the time that a login may take with all its rounds, and the logins
//! that wait for one source. A source that reaches its bound delays no login of another source: nothing is queued, and a
//! login that waits holds no thread. Dropping the future of a login withdraws it.
#![forbid(unsafe_code)]

mod grant;
mod local;
mod source;
mod sources;

pub use grant::{AddressRequest, Grant, SessionLimits};
pub use local::LocalAccounts;
pub use source::{AccountSource, BoxFuture, Caller, ChallengeState, Outcome, Rejection};
pub use sources::{Limits, LoginOutcome, Pending, Sources};
