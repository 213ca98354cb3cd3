//! What an account source is, and what passes between it and the server.

use core::any::Any;
use core::fmt;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;

use adit_config::Config;
use adit_diag::{LoginRefusal, SourceFault};
use adit_ppp::auth::AuthRequest;

use crate::Grant;

/// A future on the heap; a source waits for a store or a network, which takes longer than an allocation.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Knows accounts. CONTRIBUTING.md has the recipe for another one.
pub trait AccountSource: Send + Sync {
    /// Its word in `auth.sources`, for the record.
    fn name(&self) -> &str;

    /// Checks what a client claims and proves. `state` is what the source gave with [`Outcome::Challenge`], when the
    /// request answers that challenge: the source is then the only one that is asked, and cannot return
    /// [`Outcome::NotMine`].
    ///
    /// It may take its time; thousands of logins may wait at once. It must not block the thread. The future is dropped
    /// when the login has reached its time limit or the client has hung up.
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

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client's public address.
    pub from: Ipv4Addr,
    /// The configuration of the session.
    pub config: Arc<Config>,
}

impl Caller {
    /// Whether an account of this group may log in from where the client is. The server checks it of every grant; a source
    /// that changes something on behalf of the client, such as a password, checks it before.
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
    /// It may be: the source wants another round.
    Challenge {
        /// Returned with the next round.
        state: ChallengeState,
        /// What a person should read before it; empty when that needs no person.
        message: String,
    },
    /// It is not, or it may not log in.
    Reject(Rejection),
    /// The source does not know the name: the next one is asked. The reason is the record's, unless another source
    /// knows the name.
    NotMine(LoginRefusal),
}

/// A refused login. There is no way to express an acceptance with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The account as the source spells it; `None` when there is none.
    pub account: Option<String>,
    /// Why.
    pub reason: LoginRefusal,
}

/// What a source keeps of a login between two rounds; nothing else can look into it. It is dropped with the login.
pub struct ChallengeState(Box<dyn Any + Send>);

impl ChallengeState {
    /// Keeps a value.
    pub fn new<T: Any + Send>(value: T) -> ChallengeState {
        ChallengeState(Box::new(value))
    }

    /// The value, if it is of this type: for the source that made it, always.
    pub fn into_value<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|value| *value)
    }
}

impl fmt::Debug for ChallengeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengeState(..)")
    }
}
