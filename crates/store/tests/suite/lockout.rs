use adit_policy::Lockout;
use adit_policy::lockout::{Account, AddressRules, Ban, Bucket, Penalty, Rules, Strikes, Verdict};
use adit_store::{Change, LockoutChange, NewAccount, Store};
use std::time::Duration;

use super::at;

const T: u64 = 1_900_000_000_000;

fn rules() -> Rules {
    let second = Duration::from_secs;
    let address = AddressRules { tries: 20, ban: second(3_600), ignore: Vec::new() };
    Rules { tries: 5, window: second(600), lock: second(900), address }
}

fn apply(store: &Store, changes: Vec<LockoutChange>) {
    store.apply(&[Change::Lockout(changes)], at(0)).unwrap();
}

/// What an attack on an account leaves, after a login of its user.
fn attacked() -> Lockout {
    let mut lockout = Lockout::new(rules());
    let ticket = lockout.begin(T, "alice", "198.51.100.7".parse().unwrap()).unwrap();
    let _ = lockout.end(T, ticket, Verdict::Proven);
    for n in 0..5u8 {
        let ticket = lockout.begin(T, "alice", [203, 0, n, 1].into()).unwrap();
        let _ = lockout.end(T, ticket, Verdict::Failed { exists: true });
    }
    let ban = |by: Option<&str>| Ban {
        since: T,
        until: T + 7,
        by: by.map(str::to_owned),
        reason: "it's a \"scan\"".to_owned(),
    };
    assert!(lockout.ban(T, "192.0.2.0/25".parse().unwrap(), ban(Some("root"))));
    assert!(lockout.ban(T, "192.0.2.200/32".parse().unwrap(), ban(None)));
    lockout
}

pub(crate) fn the_state_of_the_lockout_is_kept(store: &Store) {
    assert_eq!(store.lockout().unwrap(), []);
    let mut lockout = attacked();
    let written = lockout.take_changes();
    apply(store, written.clone());
    let read = store.lockout().unwrap();
    assert!(read.iter().all(|row| written.contains(row)) && read.len() == written.len(), "{read:?}");
    apply(store, written.clone());
    assert_eq!(store.lockout().unwrap(), read, "a row is there once");
    assert!(lockout.unban("192.0.2.0/25".parse().unwrap()));
    lockout.forget("alice");
    apply(store, lockout.take_changes());
    let left: Vec<_> = store.lockout().unwrap();
    assert_eq!(left.len(), read.len() - 3, "the ban, the account and its network: {left:?}");
    let largest = Strikes { count: u32::MAX, last: 7, lock: Penalty { times: u8::MAX, until: 9 } };
    let bucket = Bucket { filled: u64::MAX >> 1, at: 3 };
    let account = Account::new(largest, bucket, bucket);
    let row = LockoutChange::Account("bob".into(), Some(account));
    apply(store, vec![row.clone()]);
    assert!(store.lockout().unwrap().contains(&row));
}

pub(crate) fn a_lock_is_shown_in_its_account(store: &Store) {
    let before = store.add_account(&NewAccount::named("Alice"), None, false, at(0)).unwrap();
    let mut lockout = attacked();
    apply(store, lockout.take_changes());
    let locked = store.account("alice").unwrap().unwrap();
    assert_eq!(locked.locked_until.unwrap().as_millisecond(), (T + 900_000) as i64);
    assert_eq!(locked.revision, before.revision);
    lockout.unlock(T, "alice", None);
    apply(store, lockout.take_changes());
    assert_eq!(store.account("alice").unwrap().unwrap().locked_until, None);
    // A lock of an own network is shown as well.
    for _ in 0..5 {
        let ticket = lockout.begin(T, "alice", "198.51.100.9".parse().unwrap()).unwrap();
        let _ = lockout.end(T, ticket, Verdict::Failed { exists: true });
    }
    apply(store, lockout.take_changes());
    assert!(store.account("alice").unwrap().unwrap().locked_until.is_some());
}
