//! Logins with a second factor, by every method.

use adit_crypto::Rng;
use adit_crypto::{chap, mschap};
use adit_store::{NewAccount, StoreConfig};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

const NOW: u64 = 58_000_000;
const PASSWORD: &str = "correct horse";

/// A store with an account and its factor; `last` is the step of the last code that was used.
fn store(reversible: bool, last: u64) -> (Store, Factor) {
    let store = adit_store::open(&StoreConfig::memory()).unwrap();
    let secret = Secret::Clear(Password::new(PASSWORD));
    store.add_account(&NewAccount::named("alice"), Some(&secret), reversible, Timestamp::now()).unwrap();
    let factor = Factor::generate(&mut Rng::from_number(7));
    store.enroll_second_factor("alice", &factor.to_octets(), last, "root", Timestamp::now()).unwrap();
    (store, factor)
}

/// What a client with this password sends, by every method.
fn proofs(password: &str) -> [Proof; 4] {
    let password = Password::new(password);
    let hash = password.nt_hash();
    [
        Proof::ChapMd5 { id: 3, challenge: vec![9; 16], response: chap::response(3, &password, &[9; 16]) },
        Proof::MsChapV1 { challenge: [8; 8], nt_response: mschap::nt_response(&[8; 8], &hash) },
        Proof::MsChapV2 {
            authenticator_challenge: [1; 16],
            peer_challenge: [2; 16],
            nt_response: mschap::nt_response_v2(&[1; 16], &[2; 16], b"alice", &hash),
            name: b"alice".to_vec(),
        },
        Proof::Pap { password },
    ]
}

fn log_in(store: &Store, proof: &Proof) -> Result<Proven, FactorFault> {
    let (_, secret) = store.credentials("alice").unwrap().unwrap();
    let stored = store.second_factor("alice").unwrap().unwrap();
    match check(proof, "alice", &secret.unwrap(), &stored, NOW).unwrap() {
        Ok(valid) if consume(store, &stored, &valid).unwrap() => Ok(valid.proven),
        Ok(_) => Err(FactorFault::Used),
        Err(LoginRefusal::SecondFactor { user, fault }) if user == "alice" => Err(fault),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_code_is_valid_once_by_every_method() {
    for method in 0..4 {
        let (store, factor) = store(true, 0);
        let proof = |step| proofs(&format!("{PASSWORD}{}", factor.code(step).expose()))[method].clone();
        assert_eq!(log_in(&store, &proof(NOW + 2)).err(), Some(FactorFault::Wrong));
        assert_eq!(log_in(&store, &proof(NOW - 2)).err(), Some(FactorFault::Wrong));
        let proven = log_in(&store, &proof(NOW)).unwrap();
        assert_eq!(proven.keys.is_some(), method == 1 || method == 2);
        assert_eq!(log_in(&store, &proof(NOW)).err(), Some(FactorFault::Used));
        assert_eq!(log_in(&store, &proof(NOW - 1)).err(), Some(FactorFault::Used), "an older one");
        assert!(log_in(&store, &proof(NOW + 1)).is_ok());
        assert_eq!(log_in(&store, &proofs(PASSWORD)[method]).err(), Some(FactorFault::Missing));
        assert_eq!(log_in(&store, &proofs("x123456")[method]).err(), Some(FactorFault::Wrong));
        let recovery = &proofs(&format!("{PASSWORD}{}", factor.recovery()[2]))[method];
        assert!(log_in(&store, recovery).is_ok());
        assert_eq!(log_in(&store, recovery).err(), Some(FactorFault::Wrong), "it is used up");
    }
}

#[test]
fn keys_are_those_of_the_password_with_the_code() {
    let (store, factor) = store(true, 0);
    let password = format!("{PASSWORD}{}", factor.code(NOW).expose());
    let proof = &proofs(&password)[2];
    let alone = proof::check(proof, &Secret::Clear(Password::new(password))).unwrap();
    assert_eq!(log_in(&store, proof).unwrap().mschap, alone.mschap);
}

#[test]
fn without_the_clear_password_only_pap_can_be_checked() {
    let (store, factor) = store(false, 0);
    let proofs = proofs(&format!("{PASSWORD}{}", factor.code(NOW).expose()));
    for proof in &proofs[..3] {
        assert_eq!(log_in(&store, proof).err(), Some(FactorFault::NeedsReversiblePassword));
    }
    assert!(log_in(&store, &proofs[3]).is_ok());
    assert_eq!(log_in(&store, &proofs[3]).err(), Some(FactorFault::Used));
    for wrong in
        [PASSWORD.to_owned(), String::new(), "é".to_owned(), format!("x{}", factor.code(NOW).expose())]
    {
        let proof = Proof::Pap { password: Password::new(wrong) };
        assert!(log_in(&store, &proof).is_err());
    }
}

#[test]
fn of_many_logins_at_once_one_uses_the_code() {
    let (store, factor) = store(true, 0);
    let proof = &proofs(&format!("{PASSWORD}{}", factor.code(NOW).expose()))[2];
    let granted = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..8).map(|_| scope.spawn(|| log_in(&store, proof).is_ok())).collect();
        logins.into_iter().filter_map(|login| login.join().ok()).filter(|granted| *granted).count()
    });
    assert_eq!(granted, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_other_suffix_is_accepted(suffix in "[0-9]{0,8}", method in 0usize..4) {
        let (store, factor) = store(true, 0);
        let is_code = (NOW - 1..=NOW + 1).any(|step| factor.code(step).expose() == suffix);
        let proof = &proofs(&format!("{PASSWORD}{suffix}"))[method];
        prop_assert_eq!(log_in(&store, proof).is_ok(), is_code);
    }
}
