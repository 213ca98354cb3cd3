//! `adit user import`

use adit_crypto::proof::Secret;
use adit_crypto::secret::Password;

use crate::World;

/// One of every property, and an account that is added by its hash.
const STAFF: &str = "\
name,password,nt_hash,group,address,networks,expires,note,disabled,disabled_reason,must_change
alice,ruzk-pemo-lavi-tond-46,,staff,10.99.0.7,192.168.7.0/24,2099-03-31,\"fax, 2nd floor\",,,yes
bob,,44ebba8d5312b8d611474411f56989ae,ops,,,,,yes,on leave,
carol,,,,,,,,,,
";

/// A world with a file, and the arguments to import it.
fn world(text: &str) -> World {
    let world = World::configured();
    std::fs::write(world.path("users"), text).unwrap();
    world
}

fn import(world: &World, more: &[&str]) -> String {
    let path = world.path("users").display().to_string();
    world.run(&[&["user", "import", &path], more].concat())
}

fn names(world: &World) -> Vec<String> {
    world.store().accounts().unwrap().into_iter().map(|account| account.name).collect()
}

#[test]
fn accounts_of_a_file_are_added_with_all_their_properties() {
    let world = world(STAFF);
    let dry = import(&world, &["--dry-run"]);
    assert!(!world.path("state").exists(), "a dry run makes nothing");
    // The same file again is an error.
    insta::assert_snapshot!("import", [dry, import(&world, &[]), import(&world, &[])].join("\n"));
    let alice = world.store().account("alice").unwrap().unwrap();
    assert_eq!((alice.group.as_deref(), alice.address), (Some("staff"), Some([10, 99, 0, 7].into())));
    assert_eq!((alice.note.as_str(), alice.must_change), ("fax, 2nd floor", true));
    assert_eq!(alice.expires, Some("2099-04-01T00:00:00Z".parse().unwrap()));
    let bob = world.store().account("bob").unwrap().unwrap();
    assert_eq!(bob.disabled.as_deref(), Some("on leave"));
    let hash = world.store().credentials("bob").unwrap().unwrap().1.unwrap().nt_hash();
    assert_eq!(hash, Password::new("clientPass").nt_hash());
    assert!(world.store().credentials("carol").unwrap().unwrap().1.is_none());
    let log = world.run(&["log"]);
    assert!(log.contains("user.add    user=alice group=staff address=10.99.0.7"), "{log}");
    assert_eq!(log.matches("user.add").count(), 3, "{log}");
}

#[test]
fn with_any_error_nothing_is_written_and_every_line_is_reported() {
    let text = "\
name,password,group,address,networks
good,ruzk-pemo-lavi-tond-46,staff,,
erin,,sales,,
ERIN2,short,,,
s1,,,,
a b,,,,
fay,,,10.98.0.7,
gus,,,10.99.0.8,192.168.8.0/24
hal,,,10.99.0.8,
ida,,,,192.168.8.128/25
good,,,,
jon,,,x,
kim,,
";
    let world = world(text);
    insta::assert_snapshot!("errors", [import(&world, &["--dry-run"]), import(&world, &[])].join("\n"));
    assert_eq!(names(&world), [""; 0]);
    let json = world.json(&["user", "import", world.path("users").to_str().unwrap()]);
    assert_eq!(json["schema"], "adit.user-import/1");
    assert_eq!((&json["written"], &json["errors"][0]["line"]), (&false.into(), &3.into()));
    assert!(!json.to_string().contains("ruzk"), "a password is not printed");
}

#[test]
fn existing_accounts_are_changed_only_with_update() {
    let world = world(STAFF);
    import(&world, &[]);
    let before = world.store().account("alice").unwrap().unwrap();
    // Two accounts exchange what only one of them can have; columns that are not there change nothing.
    std::fs::write(world.path("users"), "name,address,group\nALICE,,staff\nbob,10.99.0.7,\ndora,,\n")
        .unwrap();
    let refused = import(&world, &[]);
    assert!(refused.contains("line 2    ALICE: the account exists (--update changes it)"), "{refused}");
    assert!(refused.contains("1 would be added, 0 would change, 2 errors"), "{refused}");
    let changed = import(&world, &["--update"]);
    assert!(changed.contains("1 added, 2 changed."), "{changed}");
    let after = world.store().account("alice").unwrap().unwrap();
    assert_eq!((after.address, &after.note, after.expires), (None, &before.note, before.expires));
    assert_eq!(after.password_changed, before.password_changed);
    let bob = world.store().account("bob").unwrap().unwrap();
    assert_eq!((bob.group, bob.address), (None, Some([10, 99, 0, 7].into())));
    assert!(bob.disabled.is_some(), "the file has no column for it");
    let again = import(&world, &["--update"]);
    assert!(again.contains("0 added, 0 changed, 3 unchanged."), "{again}");
    let log = world.run(&["log"]);
    assert_eq!(log.matches("user.set").count(), 2, "{log}");
}

#[test]
fn a_new_password_is_kept_reversible_like_the_former_one() {
    let world = world("name,password,reversible\nfax,Kiesel-Wanduhr-83,yes\nbob,Kiesel-Wanduhr-84,no\n");
    import(&world, &[]);
    std::fs::write(world.path("users"), "name,password\nfax,Kiesel-Wanduhr-85\nbob,Kiesel-Wanduhr-86\n")
        .unwrap();
    let changed = import(&world, &["--update"]);
    assert!(changed.contains("0 added, 2 changed."), "{changed}");
    let reversible = |name| world.store().account(name).unwrap().unwrap().reversible;
    assert_eq!((reversible("fax"), reversible("bob")), (true, false));
}

#[test]
fn secrets_of_pppd_and_hash_lists_are_imported() {
    let text = "# poptop\nalice pptpd old\\ secret *\nbob l2tpd x *\n'carol' * \"horse\" 10.99.0.9\n";
    let world = world(text);
    let refused = import(&world, &["--format", "chap-secrets"]);
    assert!(refused.contains("this password is refused: too short"), "{refused}");
    let taken = import(&world, &["--format", "chap-secrets", "--chap-server", "pptpd", "--weak"]);
    insta::assert_snapshot!("chap_secrets", taken);
    assert_eq!(names(&world), ["alice", "carol"]);
    let secret = world.store().credentials("alice").unwrap().unwrap().1.unwrap();
    assert!(matches!(secret, Secret::NtHash(hash) if hash == Password::new("old secret").nt_hash()));
    std::fs::write(world.path("users"), "dora:44EBBA8D5312B8D611474411F56989AE\nerin:1\n").unwrap();
    let refused = import(&world, &["--format", "nt-hashes"]);
    assert!(refused.contains("line 2    erin: the NT hash has 1 characters; expected 32"), "{refused}");
    let wrong = import(&world, &["--chap-server", "pptpd"]);
    assert!(wrong.contains("--- exit 2"), "{wrong}");
}

#[test]
fn a_file_is_read_from_stdin_and_one_that_is_missing_is_named() {
    let world = World::configured();
    let added = world.run_with(&["user", "import", "-"], "name\nalice\n");
    assert!(added.contains("1 added, 0 changed."), "{added}");
    let missing = world.run(&["user", "import", "/nowhere/users.csv"]);
    assert!(missing.contains("reading /nowhere/users.csv") && missing.contains("--- exit 1"), "{missing}");
    let wrong = world.run_with(&["user", "import", "-"], "name;note\nalice;x\n");
    assert!(wrong.contains("not separated by commas") && wrong.contains("--- exit 1"), "{wrong}");
}
