//! Several account sources, asked in order.

use core::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_config::{AuthSource, Config};
use adit_crypto::proof;
use adit_diag::{SourceFault, SourceUnavailable};
use adit_ppp::auth::{AuthRequest, MAX_ROUNDS};
use adit_store::Store;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::{
    AccountSource, Caller, ChallengeState, Grant, LocalAccounts, Outcome, RadiusError, RadiusServers,
    Rejection, ServerStatus,
};

/// The limits of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rounds that a source may add to one login.
    pub rounds: u8,
    /// Logins that may wait for one source.
    pub waiting: usize,
    /// The time that one login may take with all its rounds.
    pub time: Duration,
}

/// 8 rounds and 180 s, as much as PPP allows; 4096 logins.
impl Default for Limits {
    fn default() -> Limits {
        Limits { rounds: MAX_ROUNDS, waiting: 4096, time: Duration::from_secs(180) }
    }
}

/// Several account sources in the order in which they are asked; clones share them.
#[derive(Clone)]
pub struct Sources {
    entries: Arc<[Arc<Entry>]>,
    limits: Limits,
}

struct Entry {
    source: Arc<dyn AccountSource>,
    waiting: Semaphore,
}

impl Entry {
    fn fault(&self, fault: SourceFault) -> SourceUnavailable {
        SourceUnavailable { source: self.source.name().to_owned(), fault }
    }

    fn unavailable(&self, fault: SourceFault) -> LoginOutcome {
        LoginOutcome::Unavailable { why: self.fault(fault), withheld: None }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source.name())
    }
}

/// The result of a login.
#[derive(Debug)]
pub enum LoginOutcome {
    /// The client is who it claims to be.
    Grant(Box<Grant>),
    /// Another round is required.
    Challenge {
        /// The state to pass to the next round.
        pending: Box<Pending>,
        /// A message to show to the user before the round; may be empty.
        message: String,
    },
    /// The login is rejected.
    Reject(Rejection),
    /// There is no verdict.
    Unavailable {
        /// The source that has none, and why.
        why: SourceUnavailable,
        /// The rejection by a later source, which the client does not learn: it is a guess nevertheless.
        withheld: Option<Rejection>,
    },
}

/// A login between two rounds. The connection owns it, so that it is dropped with the connection.
#[derive(Debug)]
pub struct Pending {
    /// The source that requires the next round.
    entry: Arc<Entry>,
    state: ChallengeState,
    login: Login,
}

/// The state of a login across sources and rounds.
#[derive(Debug)]
struct Login {
    /// The user name at the start of the login; a different name starts a different login.
    name: Vec<u8>,
    began: Instant,
    /// Rounds that were added so far.
    rounds: u8,
    /// The first optional source that failed to give a verdict.
    fault: Option<SourceUnavailable>,
}

impl Sources {
    /// Creates sources that are asked in this order, with the default limits.
    pub fn new(sources: Vec<Arc<dyn AccountSource>>) -> Sources {
        Sources::with_limits(sources, Limits::default())
    }

    /// Creates sources that are asked in this order.
    pub fn with_limits(sources: Vec<Arc<dyn AccountSource>>, limits: Limits) -> Sources {
        let permits = limits.waiting.min(Semaphore::MAX_PERMITS);
        let entry = |source| Arc::new(Entry { source, waiting: Semaphore::new(permits) });
        Sources { entries: sources.into_iter().map(entry).collect(), limits }
    }

    /// Creates the sources of `auth.sources`; local accounts are in `store`.
    ///
    /// # Errors
    /// The secret of the RADIUS servers cannot be read.
    pub fn from_config(config: &Config, store: &Store) -> Result<Sources, RadiusError> {
        let open = |source: &AuthSource| {
            Ok(match source {
                AuthSource::Local => Arc::new(LocalAccounts::new(store.clone())) as Arc<dyn AccountSource>,
                AuthSource::Radius => Arc::new(RadiusServers::open(config)?),
            })
        };
        Ok(Sources::new(config.auth.sources.iter().map(open).collect::<Result<_, _>>()?))
    }

    /// The servers that the sources ask, with their state.
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.entries.iter().flat_map(|entry| entry.source.servers()).collect()
    }

    /// Asks the sources about a login; `pending` is the state left by the round before.
    pub async fn authenticate(
        &self,
        request: &AuthRequest,
        caller: &Caller,
        pending: Option<Box<Pending>>,
    ) -> LoginOutcome {
        let continues = |pending: &Pending| request.continues && pending.login.name == request.name;
        if let Some(pending) = pending.filter(|pending| continues(pending)) {
            let Pending { entry, state, login } = *pending;
            return match self.ask(&entry, request, caller, Some(state), login.began).await {
                Ok(outcome) => self.conclude(entry, outcome, login),
                Err(fault) => entry.unavailable(fault),
            };
        }
        let mut login = Login { name: request.name.clone(), began: Instant::now(), rounds: 0, fault: None };
        let mut unknown = None;
        for entry in self.entries.iter() {
            match self.ask(entry, request, caller, None, login.began).await {
                Ok(Outcome::NotMine(reason)) => {
                    unknown.get_or_insert(reason);
                }
                Ok(outcome) => return self.conclude(Arc::clone(entry), outcome, login),
                Err(fault) if entry.source.is_optional() => {
                    login.fault.get_or_insert_with(|| entry.fault(fault));
                }
                Err(fault) => return entry.unavailable(fault),
            }
        }
        // An unknown name costs the same work and gets the same answer as a wrong password.
        proof::check_unknown(&request.proof);
        let name = || adit_wire::text::escape(&request.name).to_string();
        let reason = unknown.unwrap_or_else(|| adit_diag::LoginRefusal::UnknownUser { name: name() });
        reject(login, Rejection { account: None, reason })
    }

    /// Asks one source, within the limits.
    async fn ask(
        &self,
        entry: &Entry,
        request: &AuthRequest,
        caller: &Caller,
        state: Option<ChallengeState>,
        began: Instant,
    ) -> Result<Outcome, SourceFault> {
        let Ok(_permit) = entry.waiting.try_acquire() else {
            return Err(SourceFault::TooManyLogins { limit: self.limits.waiting });
        };
        let left = self.limits.time.saturating_sub(began.elapsed());
        match timeout(left, entry.source.authenticate(request, caller, state)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SourceFault::TimedOut { seconds: self.limits.time.as_secs() }),
        }
    }

    /// Converts the verdict of the source that decides.
    fn conclude(&self, entry: Arc<Entry>, outcome: Outcome, mut login: Login) -> LoginOutcome {
        match outcome {
            Outcome::Grant(grant) => LoginOutcome::Grant(grant),
            Outcome::Challenge { .. } if login.rounds >= self.limits.rounds => {
                entry.unavailable(SourceFault::TooManyRounds { limit: self.limits.rounds })
            }
            Outcome::Challenge { state, message } => {
                login.rounds += 1;
                LoginOutcome::Challenge { pending: Box::new(Pending { entry, state, login }), message }
            }
            Outcome::Reject(rejection) => reject(login, rejection),
            Outcome::NotMine(_) => entry.unavailable(SourceFault::LostLogin),
        }
    }
}

/// Rejects a login; final only if every source before it gave its verdict.
fn reject(login: Login, rejection: Rejection) -> LoginOutcome {
    match login.fault {
        Some(why) => LoginOutcome::Unavailable { why, withheld: Some(rejection) },
        None => LoginOutcome::Reject(rejection),
    }
}

#[cfg(test)]
mod tests;
