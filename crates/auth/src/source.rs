//! The interface between account sources and the server.

use core::any::Any;
use core::fmt;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;

use adit_config::Config;
use adit_diag::{LoginRefusal, SourceFault};
use adit_nas::ServerStatus;
use adit_ppp::auth::AuthRequest;

use crate::Grant;

/// A boxed future; a source waits for a store or a network, which takes longer than an allocation.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of accounts. CONTRIBUTING.md describes how to add one.
pub trait AccountSource: Send + Sync {
    /// The name of the source in `auth.sources`, for the record.
    fn name(&self) -> &str;

    /// Whether the next source is asked when this one has no verdict: `on_unavailable = "next"`.
    fn is_optional(&self) -> bool {
        false
    }

    /// The servers that this source asks, in order, with their state.
    fn servers(&self) -> Vec<ServerStatus> {
        Vec::new()
    }

    /// Checks what a client claims and proves. `state` is what the source gave with [`Outcome::Challenge`], when the
    /// request answers that challenge: the source is then the only one that is asked, and cannot return
    /// [`Outcome::NotMine`].
    ///
    /// The future may take long: thousands of logins may wait at once. It must not block the thread. It is
    /// dropped when the login has reached its time limit or the client has disconnected.
    ///
    /// # Errors
    /// Why there is no verdict.
    fn authenticate<'a>(
        &'a self,
        request: &'a AuthRequest,
        caller: &'a Caller,
        state: Option<ChallengeState>,
    ) -> BoxFuture<'a, Result<Outcome, SourceFault>>;
}

/// The client that logs in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client's public address.
    pub from: Ipv4Addr,
    /// The configuration of the session.
    pub config: Arc<Config>,
}

impl Caller {
    /// Checks whether an account of this group may log in from the client's address. The server checks this
    /// for every grant; a source that changes something on behalf of the client, such as a password, must
    /// check it before.
    ///
    /// # Errors
    /// [`LoginRefusal::SourceAddress`].
    pub fn may_log_in(&self, user: &str, group: Option<&str>) -> Result<(), LoginRefusal> {
        self.config.access_for(group).allows_from(user, self.from)
    }
}

/// The verdict of a source.
#[derive(Debug)]
pub enum Outcome {
    /// The client is who it claims to be.
    Grant(Box<Grant>),
    /// The source requires another round before it decides.
    Challenge {
        /// Returned with the next round.
        state: ChallengeState,
        /// A message to show to the user before the round; empty if no user is needed.
        message: String,
    },
    /// The client is not who it claims to be, or may not log in.
    Reject(Rejection),
    /// The source does not know the name: the next source is asked. The reason goes into the record, unless
    /// another source knows the name.
    NotMine(LoginRefusal),
}

/// A rejected login. An acceptance cannot be expressed with this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The account as the source spells it; `None` when there is none.
    pub account: Option<String>,
    /// Why.
    pub reason: LoginRefusal,
}

/// The state that a source keeps between two rounds of a login; opaque to others. It is dropped with the
/// login.
pub struct ChallengeState(Box<dyn Any + Send>);

impl ChallengeState {
    /// Wraps a value.
    pub fn new<T: Any + Send>(value: T) -> ChallengeState {
        ChallengeState(Box::new(value))
    }

    /// Returns the value if it is of this type, which it always is for the source that made it.
    pub fn into_value<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|value| *value)
    }
}

impl fmt::Debug for ChallengeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengeState(..)")
    }
}
