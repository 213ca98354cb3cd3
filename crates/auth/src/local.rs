//! The accounts of the store.

mod factor;
mod login;

use std::sync::Arc;

use adit_diag::SourceFault;
use adit_ppp::auth::AuthRequest;
use adit_store::Store;
use tokio::sync::Semaphore;

use crate::{AccountSource, BoxFuture, Caller, ChallengeState, Outcome};

/// The most threads that wait for the store at once. It serves one at a time, so more threads would only
/// queue there.
const THREADS: usize = 4;

/// The accounts of the store. The store blocks, so it is called on a few threads of the runtime's blocking
/// pool; further logins wait in order without a thread.
#[derive(Clone, Debug)]
pub struct LocalAccounts {
    store: Store,
    threads: Arc<Semaphore>,
}

impl LocalAccounts {
    /// Creates a source for the accounts of this store, which must have been opened with its key.
    pub fn new(store: Store) -> LocalAccounts {
        LocalAccounts { store, threads: Arc::new(Semaphore::new(THREADS)) }
    }

    async fn log_in(&self, request: AuthRequest, caller: Caller) -> Result<Outcome, SourceFault> {
        let failed = |error: &dyn ToString| SourceFault::Store { error: error.to_string().into() };
        let permit = Arc::clone(&self.threads).acquire_owned().await.map_err(|error| failed(&error))?;
        let store = self.store.clone();
        // The thread is in use until the store has answered, even if the login is cancelled before.
        let work = move || {
            let outcome = login::log_in(&store, &request, &caller);
            drop(permit);
            outcome
        };
        let outcome = tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?;
        outcome.map_err(|error| failed(&error))
    }
}

impl AccountSource for LocalAccounts {
    fn name(&self) -> &str {
        "local"
    }

    fn authenticate<'a>(
        &'a self,
        request: &'a AuthRequest,
        caller: &'a Caller,
        _state: Option<ChallengeState>,
    ) -> BoxFuture<'a, Result<Outcome, SourceFault>> {
        Box::pin(self.log_in(request.clone(), caller.clone()))
    }
}

#[cfg(test)]
mod tests;
