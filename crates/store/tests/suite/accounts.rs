use adit_crypto::proof::Secret;
use adit_crypto::secret::{NtHash, Password};
use adit_store::{
    AccountChange, Change, Error, ErrorKind, Login, NewAccount, NewAccountState, NewSecret, Store,
};

use super::at;

fn clear(text: &str) -> Secret {
    Secret::Clear(Password::new(text))
}

fn secret(store: &Store, name: &str) -> Option<Secret> {
    store.credentials(name).unwrap().and_then(|(account, secret)| {
        assert_eq!(Some(account), store.account(name).unwrap());
        secret
    })
}

pub(crate) fn accounts_are_added_listed_and_removed(store: &Store) {
    assert_eq!(store.accounts().unwrap(), []);
    for name in ["carol", "Alice", "bob"] {
        store.add_account(&NewAccount::named(name), None, false, at(0)).unwrap();
    }
    let names = |store: &Store| store.accounts().unwrap().into_iter().map(|a| a.name).collect::<Vec<_>>();
    assert_eq!(names(store), ["Alice", "bob", "carol"]);
    store.remove_account("BOB").unwrap();
    assert_eq!(names(store), ["Alice", "carol"]);
    assert_eq!(store.remove_account("bob"), Err(ErrorKind::NoSuchAccount("bob".into()).into()));
    assert_eq!(store.account("bob").unwrap(), None);
}

pub(crate) fn names_are_one_whatever_the_case(store: &Store) {
    store.add_account(&NewAccount::named("Émile"), None, false, at(0)).unwrap();
    for same in ["Émile", "émile", "ÉMILE"] {
        let again = store.add_account(&NewAccount::named(same), None, false, at(0));
        assert_eq!(again, Err(ErrorKind::AccountExists("Émile".into()).into()));
        assert_eq!(store.account(same).unwrap().unwrap().name, "Émile");
    }
    assert_eq!(store.account("Emile").unwrap(), None);
}

pub(crate) fn bad_names_are_refused(store: &Store) {
    for name in ["", "a b", "a\nb", "\\", &"x".repeat(65)] {
        let refused = store.add_account(&NewAccount::named(name), None, false, at(0));
        assert!(
            matches!(refused, Err(Error { kind: ErrorKind::BadName { .. }, .. })),
            "{name:?}: {refused:?}"
        );
    }
    assert_eq!(store.accounts().unwrap(), []);
}

pub(crate) fn every_field_can_be_set_and_unset(store: &Store) {
    let new = NewAccount {
        name: "alice".into(),
        group: Some("staff".into()),
        address: Some([10, 99, 0, 14].into()),
        networks: vec!["192.168.7.0/24".parse().unwrap(), "192.168.8.0/24".parse().unwrap()],
        expires: Some(at(1000)),
        vpn: false,
        must_change: true,
        note: "fax, 2nd floor\n\"the old one\"".into(),
    };
    let added = store.add_account(&new, None, false, at(0)).unwrap();
    assert_eq!(store.account("alice").unwrap().unwrap(), added);
    let again = NewAccount {
        name: added.name.clone(),
        group: added.group.clone(),
        address: added.address,
        networks: added.networks.clone(),
        expires: added.expires,
        vpn: added.vpn,
        must_change: added.must_change,
        note: added.note.clone(),
    };
    assert_eq!(again, new);
    assert_eq!((added.created, added.password_changed, added.disabled), (at(0), None, None));

    let nothing = store.change_account("ALICE", &AccountChange::default()).unwrap();
    assert_eq!(nothing.group, new.group);
    let changed = store
        .change_account(
            "Alice",
            &AccountChange {
                revision: Some(nothing.revision),
                group: Some(None),
                address: Some(None),
                networks: Some(vec![]),
                expires: Some(None),
                disabled: Some(Some("left the company".into())),
                vpn: Some(true),
                locked_until: Some(Some(at(60))),
                must_change: Some(false),
                note: Some(String::new()),
            },
        )
        .unwrap();
    assert_eq!(store.account("alice").unwrap().unwrap(), changed);
    assert_eq!((changed.group, changed.address, changed.expires), (None, None, None));
    assert_eq!((changed.networks.len(), changed.vpn, changed.must_change), (0, true, false));
    assert_eq!(changed.disabled.as_deref(), Some("left the company"));
    assert_eq!((changed.locked_until, changed.note.as_str()), (Some(at(60)), ""));
    let on = AccountChange { disabled: Some(None), locked_until: Some(None), ..AccountChange::default() };
    let on = store.change_account("alice", &on).unwrap();
    assert_eq!((on.disabled, on.locked_until), (None, None));

    let unknown = store.change_account("bob", &AccountChange::default());
    assert_eq!(unknown, Err(ErrorKind::NoSuchAccount("bob".into()).into()));
}

pub(crate) fn a_fixed_address_has_one_owner(store: &Store) {
    let address = [10, 99, 0, 14].into();
    let with = |name| NewAccount { address: Some(address), ..NewAccount::named(name) };
    store.add_account(&with("alice"), None, false, at(0)).unwrap();
    let taken = Err(ErrorKind::AddressTaken { address, by: "alice".into() }.into());
    assert_eq!(store.add_account(&with("bob"), None, false, at(0)), taken);
    assert_eq!(store.account("bob").unwrap(), None, "nothing is left of a refused one");
    store.add_account(&NewAccount::named("bob"), None, false, at(0)).unwrap();
    let change = AccountChange { address: Some(Some(address)), ..AccountChange::default() };
    assert_eq!(store.change_account("bob", &change), taken);
    store.change_account("alice", &change).unwrap();
    store.remove_account("alice").unwrap();
    store.change_account("bob", &change).unwrap();
}

pub(crate) fn a_change_of_something_older_is_refused(store: &Store) {
    let seen = store.add_account(&NewAccount::named("alice"), None, false, at(0)).unwrap();
    let note = |text: &str| AccountChange {
        revision: Some(seen.revision),
        note: Some(text.into()),
        ..AccountChange::default()
    };
    store.change_account("alice", &note("first")).unwrap();
    assert_eq!(
        store.change_account("alice", &note("second")),
        Err(ErrorKind::Changed("alice".into()).into())
    );
    assert_eq!(store.account("alice").unwrap().unwrap().note, "first");
}

pub(crate) fn secrets_come_back_as_they_were_put(store: &Store) {
    let hash = |store: &Store, name: &str| match secret(store, name) {
        Some(Secret::NtHash(hash)) => hash,
        other => panic!("{name}: {other:?}"),
    };
    store.add_account(&NewAccount::named("none"), None, false, at(0)).unwrap();
    assert!(secret(store, "none").is_none());
    assert!(secret(store, "unknown").is_none());

    let added =
        store.add_account(&NewAccount::named("alice"), Some(&clear("clientPass")), false, at(5)).unwrap();
    assert_eq!((added.password_changed, added.reversible), (Some(at(5)), false));
    assert_eq!(hash(store, "ALICE"), Password::new("clientPass").nt_hash());

    let stored = NtHash::from_bytes(*b"0123456789abcdef");
    store.add_account(&NewAccount::named("bob"), Some(&Secret::NtHash(stored.clone())), true, at(5)).unwrap();
    assert_eq!(hash(store, "bob"), stored);
    assert!(!store.account("bob").unwrap().unwrap().reversible, "there is no clear password to keep");

    store.add_account(&NewAccount::named("fax"), Some(&clear("päss wörd")), true, at(5)).unwrap();
    assert!(store.account("fax").unwrap().unwrap().reversible);
    let Some(Secret::Clear(password)) = secret(store, "Fax") else { panic!("not kept") };
    assert_eq!(password.expose(), "päss wörd");
}

pub(crate) fn a_new_secret_replaces_all_of_the_old_one(store: &Store) {
    let new = NewAccount { must_change: true, ..NewAccount::named("fax") };
    store.add_account(&new, Some(&clear("old")), true, at(0)).unwrap();
    let must_change = true;
    store
        .set_secret("FAX", &NewSecret { secret: &clear("new"), reversible: false, must_change }, at(9))
        .unwrap();
    assert!(store.account("fax").unwrap().unwrap().must_change);
    let new = NewSecret { secret: &clear("new"), reversible: false, must_change: false };
    store.set_secret("FAX", &new, at(9)).unwrap();
    let account = store.account("fax").unwrap().unwrap();
    assert_eq!(
        (account.password_changed, account.reversible, account.must_change),
        (Some(at(9)), false, false)
    );
    let Some(Secret::NtHash(hash)) = secret(store, "fax") else { panic!("the clear one is still there") };
    assert_eq!(hash, Password::new("new").nt_hash());
    assert_eq!(
        store.set_secret("unknown", &new, at(9)),
        Err(ErrorKind::NoSuchAccount("unknown".into()).into())
    );
}

pub(crate) fn logins_are_remembered(store: &Store) {
    let before = store.add_account(&NewAccount::named("alice"), None, false, at(0)).unwrap();
    let from = "198.51.100.7".parse().unwrap();
    let login = |name: &str| Change::Login(name.into(), from);
    store.apply(&[login("Alice"), login("a user of the directory")], at(7)).unwrap();
    let after = store.account("alice").unwrap().unwrap();
    assert_eq!(after.last_login, Some(Login { at: at(7), from }));
    assert_eq!(after.revision, before.revision, "a login is no change that an operator could run into");
    assert_eq!(store.accounts().unwrap().len(), 1);
}

pub(crate) fn the_gate_sees_the_same_account(store: &Store) {
    let new = NewAccount { expires: Some(at(100)), ..NewAccount::named("Alice") };
    let account = store.add_account(&new, None, false, at(0)).unwrap();
    let rules = adit_policy::AccountRules::default();
    let now = |seconds: i64| u64::try_from(at(seconds).as_second()).unwrap();
    assert!(adit_policy::decide(&account.for_policy(), &rules, now(99)).is_ok());
    let refused = adit_policy::decide(&account.for_policy(), &rules, now(100)).unwrap_err();
    assert_eq!(refused.code(), adit_diag::Code::A10);
    assert_eq!(account.for_policy().name, "alice");
}

pub(crate) fn whole_accounts_are_written_all_or_none(store: &Store) {
    let with =
        |name, last: u8| NewAccount { address: Some([10, 99, 0, last].into()), ..NewAccount::named(name) };
    let alice = store.add_account(&with("alice", 7), Some(&clear("first")), false, at(0)).unwrap();
    let bob = store.add_account(&with("bob", 8), None, false, at(0)).unwrap();
    let state = |account, secret, is_new| NewAccountState { account, secret, is_new };
    let new = |name: &str| NewAccount::named(name).into_account(None, at(5));
    let taken = with("dora", 7).into_account(None, at(5));
    let accounts = store.accounts().unwrap();
    for (wrong, error) in [
        (state(new("Alice"), None, true), ErrorKind::AccountExists("alice".into())),
        (state(new("erin"), None, false), ErrorKind::NoSuchAccount("erin".into())),
        (
            state(adit_store::Account { revision: 9, ..bob.clone() }, None, false),
            ErrorKind::Changed("bob".into()),
        ),
        (
            state(taken, None, true),
            ErrorKind::AddressTaken { address: [10, 99, 0, 7].into(), by: "alice".into() },
        ),
    ] {
        let refused = store.write_states(vec![state(new("carol"), None, true), wrong]);
        assert_eq!(refused.unwrap_err().kind, error);
        assert_eq!(store.accounts().unwrap(), accounts, "nothing is written");
    }
    // Two accounts exchange their addresses; one keeps its password, and one gets another.
    let exchanged = vec![
        state(adit_store::Account { address: bob.address, ..alice.clone() }, None, false),
        state(
            adit_store::Account { address: alice.address, reversible: true, ..bob },
            Some(clear("kept")),
            false,
        ),
        state(new("carol"), Some(clear("new")), true),
    ];
    store.write_states(exchanged).unwrap();
    let now = store.accounts().unwrap();
    let seen: Vec<_> = now.iter().map(|a| (a.name.as_str(), a.address, a.reversible, a.revision)).collect();
    let address = |last: u8| Some([10, 99, 0, last].into());
    let expected = [("alice", address(8), false, 2), ("bob", address(7), true, 2), ("carol", None, false, 1)];
    assert_eq!(seen, expected);
    assert_eq!(secret(store, "alice").unwrap().nt_hash(), Password::new("first").nt_hash());
    assert!(matches!(secret(store, "bob"), Some(Secret::Clear(password)) if password.expose() == "kept"));
    assert!(
        matches!(secret(store, "carol"), Some(Secret::NtHash(hash)) if hash == Password::new("new").nt_hash())
    );
}
