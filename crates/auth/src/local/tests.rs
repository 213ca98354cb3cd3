//! Logins on a store in memory.

use std::sync::Arc;

use adit_config::{Checked, Source};
use adit_crypto::proof::{Proof, Secret};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, FactorFault, LoginRefusal, NameForm};
use adit_store::{AccountChange, NewAccount, NewSecret, StoreConfig};
use jiff::Timestamp;

use super::*;
use crate::{Grant, Rejection};

fn store() -> Store {
    let store = adit_store::open(&StoreConfig::memory()).unwrap();
    let alice = NewAccount {
        group: Some("staff".to_owned()),
        address: Some([10, 99, 0, 50].into()),
        networks: vec!["192.168.77.0/24".parse().unwrap()],
        ..NewAccount::named("Alice")
    };
    let secret = Secret::Clear(Password::new("correct horse"));
    store.add_account(&alice, Some(&secret), false, Timestamp::now()).unwrap();
    store.add_account(&NewAccount::named("empty"), None, false, Timestamp::now()).unwrap();
    store
}

fn caller(text: &str) -> Caller {
    let config = Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap();
    Caller { from: [203, 0, 113, 7].into(), config: Arc::new(config) }
}

fn pap(name: &str, password: &str) -> AuthRequest {
    AuthRequest {
        name: name.as_bytes().to_vec(),
        method: AuthMethod::Pap,
        proof: Proof::Pap { password: Password::new(password) },
        continues: false,
    }
}

async fn log_in(store: &Store, request: AuthRequest, caller: &Caller) -> Outcome {
    LocalAccounts::new(store.clone()).authenticate(&request, caller, None).await.unwrap()
}

async fn rejection(store: &Store, caller: &Caller) -> LoginRefusal {
    match log_in(store, pap("alice", "correct horse"), caller).await {
        Outcome::Reject(Rejection { account: Some(account), reason }) if account == "Alice" => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_grant_carries_what_the_store_knows() {
    let outcome = log_in(&store(), pap("CORP\\ALICE", "correct horse"), &caller("")).await;
    let Outcome::Grant(grant) = outcome else { panic!("{outcome:?}") };
    let Grant { account, group, address, networks, .. } = *grant;
    assert_eq!((account.as_str(), group.as_deref()), ("Alice", Some("staff")));
    assert_eq!(address.address, Some([10, 99, 0, 50].into()));
    assert_eq!(networks, ["192.168.77.0/24".parse().unwrap()]);
}

#[tokio::test]
async fn names_without_an_account_are_not_its_own() {
    let store = store();
    let not_mine = async |name: &str| match log_in(&store, pap(name, "x"), &caller("")).await {
        Outcome::NotMine(reason) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(not_mine("bob").await, LoginRefusal::UnknownUser { name: "bob".to_owned() });
    let (name, other, form) = ("alice@corp".to_owned(), "Alice".to_owned(), NameForm::At);
    assert_eq!(not_mine("alice@corp").await, LoginRefusal::UnknownUserInThisForm { name, other, form });
    assert!(matches!(not_mine("").await, LoginRefusal::BadName { .. }));
}

#[tokio::test]
async fn an_account_without_a_password_or_with_another_one_is_rejected() {
    let store = store();
    for (name, reason) in [
        ("empty", LoginRefusal::NoPassword { user: "empty".to_owned() }),
        ("alice", LoginRefusal::WrongPassword),
    ] {
        let outcome = log_in(&store, pap(name, "x"), &caller("")).await;
        let Outcome::Reject(rejection) = outcome else { panic!("{outcome:?}") };
        assert_eq!(rejection.reason, reason);
    }
    let proof = Proof::ChapMd5 { id: 1, challenge: vec![1; 16], response: [0; 16] };
    let request = AuthRequest { method: AuthMethod::ChapMd5, proof, ..pap("alice", "") };
    let Outcome::Reject(rejection) = log_in(&store, request, &caller("")).await else { panic!() };
    assert_eq!(rejection.reason, LoginRefusal::NeedsReversiblePassword { user: "Alice".to_owned() });
}

#[tokio::test]
async fn a_group_that_needs_a_second_factor_refuses_accounts_without_one() {
    let needs = caller("[groups.staff]\nmfa = \"append\"\n");
    let refusal = rejection(&store(), &needs).await;
    let user = "Alice".to_owned();
    assert_eq!(refusal, LoginRefusal::SecondFactor { user, fault: FactorFault::NotEnrolled });
    // Before that the password must be right.
    let outcome = log_in(&store(), pap("alice", "wrong"), &needs).await;
    let Outcome::Reject(rejection) = outcome else { panic!("{outcome:?}") };
    assert_eq!(rejection.reason, LoginRefusal::WrongPassword);
    let other = caller("[groups.ops]\nmfa = \"append\"\n");
    assert!(matches!(log_in(&store(), pap("alice", "correct horse"), &other).await, Outcome::Grant(_)));
}

#[tokio::test]
async fn an_account_with_a_second_factor_needs_its_code() {
    let store = store();
    let secret = Secret::Clear(Password::new("correct horse"));
    let new = NewSecret { secret: &secret, reversible: true, must_change: false };
    store.set_secret("alice", &new, Timestamp::now()).unwrap();
    let factor = adit_mfa::Factor::generate(&mut adit_crypto::Rng::from_number(1));
    store.enroll_second_factor("alice", &factor.to_octets(), 0, "root", Timestamp::now()).unwrap();
    for config in ["", "[groups.staff]\nmfa = \"append\"\n"] {
        let refusal = rejection(&store, &caller(config)).await;
        let user = "Alice".to_owned();
        assert_eq!(refusal, LoginRefusal::SecondFactor { user, fault: FactorFault::Missing });
    }
    let password = format!("correct horse{}", factor.recovery()[0]);
    let request = || pap("alice", &password);
    assert!(matches!(log_in(&store, request(), &caller("")).await, Outcome::Grant(_)));
    assert!(matches!(log_in(&store, request(), &caller("")).await, Outcome::Reject(_)), "it is used up");
}

#[tokio::test]
async fn the_place_is_checked_before_the_state_of_the_account() {
    let store = store();
    let change = AccountChange { must_change: Some(true), ..AccountChange::default() };
    store.change_account("alice", &change).unwrap();
    let elsewhere = caller("[access]\nfrom = [\"198.51.100.0/24\"]\n");
    let (user, from) = ("Alice".to_owned(), [203, 0, 113, 7].into());
    assert_eq!(rejection(&store, &elsewhere).await, LoginRefusal::SourceAddress { user, from });
    let must_change = LoginRefusal::MustChangePassword { user: "Alice".to_owned() };
    assert_eq!(rejection(&store, &caller("")).await, must_change);
    let left = AccountChange { disabled: Some(Some("left".to_owned())), ..AccountChange::default() };
    store.change_account("alice", &left).unwrap();
    let disabled = LoginRefusal::Disabled { user: "Alice".to_owned(), because: "left".to_owned() };
    assert_eq!(rejection(&store, &caller("")).await, disabled);
}

#[tokio::test]
async fn a_store_that_cannot_unseal_is_unavailable() {
    let memory = StoreConfig { access: adit_store::Access::ReadOnly, ..StoreConfig::memory() };
    let store = adit_store::open(&memory).unwrap();
    let fault = LocalAccounts::new(store).authenticate(&pap("alice", "x"), &caller(""), None).await;
    assert!(matches!(fault, Err(SourceFault::Store { .. })), "{fault:?}");
}

#[tokio::test]
async fn logins_beyond_the_threads_wait_without_one() {
    let source = Arc::new(LocalAccounts::new(store()));
    let held = source.threads.acquire_many(THREADS as u32).await.unwrap();
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let source = Arc::clone(&source);
        logins.spawn(
            async move { source.authenticate(&pap("alice", "correct horse"), &caller(""), None).await },
        );
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(logins.try_join_next().is_none(), "every thread is in use");
    drop(held);
    for outcome in logins.join_all().await {
        assert!(matches!(outcome, Ok(Outcome::Grant(_))), "{outcome:?}");
    }
    assert_eq!(source.threads.available_permits(), THREADS);
}
