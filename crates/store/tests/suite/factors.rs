use std::sync::atomic::{AtomicUsize, Ordering};

use adit_store::{ErrorKind, NewAccount, Store};

use super::at;

pub(crate) fn a_second_factor_belongs_to_its_account(store: &Store) {
    let missing = store.enroll_second_factor("alice", b"secret", 7, "root", at(0));
    assert_eq!(missing, Err(ErrorKind::NoSuchAccount("alice".into()).into()));
    for name in ["Alice", "bob"] {
        store.add_account(&NewAccount::named(name), None, false, at(0)).unwrap();
    }
    assert!(store.second_factor("alice").unwrap().is_none());
    store.enroll_second_factor("ALICE", b"secret", 7, "root", at(5)).unwrap();
    let factor = store.second_factor("alice").unwrap().unwrap();
    let record = factor.record();
    assert_eq!((&factor.octets[..], record.step, record.enrolled), (&b"secret"[..], 7, at(5)));
    assert_eq!(record.by, "root");
    assert!(!record.sealed.windows(6).any(|octets| octets == b"secret"), "it is sealed");
    assert_eq!(format!("{factor:?}"), "SecondFactor(..)");
    // Copied to another account it does not open.
    store.set_sealed_factor("bob", Some(record)).unwrap();
    assert!(store.second_factor("bob").is_err());
    // A later account of the same name has none.
    store.remove_account("alice").unwrap();
    store.add_account(&NewAccount::named("alice"), None, false, at(9)).unwrap();
    assert!(store.second_factor("alice").unwrap().is_none());
    assert_eq!(store.use_second_factor(&factor, Some(8), None), Ok(false));
}

pub(crate) fn a_code_is_used_once_by_one_of_many_threads(store: &Store) {
    store.add_account(&NewAccount::named("alice"), None, false, at(0)).unwrap();
    store.enroll_second_factor("alice", b"one two", 7, "root", at(0)).unwrap();
    let read = store.second_factor("alice").unwrap().unwrap();
    let used = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let is_first = store.use_second_factor(&read, Some(8), Some(b"two")).unwrap();
                used.fetch_add(usize::from(is_first), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(used.into_inner(), 1);
    let factor = store.second_factor("alice").unwrap().unwrap();
    assert_eq!((&factor.octets[..], factor.record().step), (&b"two"[..], 8));
    store.set_sealed_factor("alice", None).unwrap();
    assert_eq!(store.use_second_factor(&factor, Some(9), None), Ok(false));
}
