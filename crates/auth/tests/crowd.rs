//! A slow account source and a crowd that waits for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use adit_auth::*;
use adit_config::Checked;
use adit_crypto::proof::{Proof, Secret};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, LoginRefusal, SourceFault};
use adit_ppp::auth::AuthRequest;
use adit_store::{NewAccount, Store, StoreConfig};
use jiff::Timestamp;

const CROWD: usize = 1000;

/// Knows `slow` and takes a minute to find that out.
#[derive(Default)]
struct Slow {
    waiting: AtomicUsize,
}

impl AccountSource for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn authenticate<'a>(
        &'a self,
        request: &'a AuthRequest,
        _caller: &'a Caller,
        _state: Option<ChallengeState>,
    ) -> BoxFuture<'a, Result<Outcome, SourceFault>> {
        Box::pin(async move {
            if request.name == b"slow" {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(60)).await;
                self.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            let name = String::from_utf8_lossy(&request.name).into_owned();
            Ok(Outcome::NotMine(LoginRefusal::UnknownUser { name }))
        })
    }
}

fn store() -> Store {
    let store = adit_store::open(&StoreConfig::memory()).unwrap();
    let secret = Secret::Clear(Password::new("correct horse"));
    store.add_account(&NewAccount::named("alice"), Some(&secret), false, Timestamp::now()).unwrap();
    store
}

async fn log_in(sources: Sources, name: &str) -> LoginOutcome {
    let proof = Proof::Pap { password: Password::new("correct horse") };
    let (name, method, continues) = (name.as_bytes().to_vec(), AuthMethod::Pap, false);
    let request = AuthRequest { name, method, proof, continues };
    let config = Arc::new(Checked::built_in().into_config().unwrap());
    sources.authenticate(&request, &Caller { from: [203, 0, 113, 7].into(), config }, None).await
}

#[test]
fn a_thousand_logins_that_wait_a_minute_delay_no_other() {
    // As few threads that may block as the server has at the most.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let slow = Arc::new(Slow::default());
    let sources = Sources::new(vec![Arc::clone(&slow) as _, Arc::new(LocalAccounts::new(store()))]);
    runtime.block_on(async {
        for _ in 0..CROWD {
            let sources = sources.clone();
            tokio::spawn(async move { log_in(sources, "slow").await });
        }
        while slow.waiting.load(Ordering::Relaxed) < CROWD {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let began = Instant::now();
        for _ in 0..10 {
            let outcome = log_in(sources.clone(), "alice").await;
            assert!(matches!(outcome, LoginOutcome::Grant(_)), "{outcome:?}");
        }
        // A minute would show; a busy machine does not.
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        assert_eq!(slow.waiting.load(Ordering::Relaxed), CROWD, "they wait still");
    });
    runtime.shutdown_background();
}
