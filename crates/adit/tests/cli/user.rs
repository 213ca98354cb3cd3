//! `adit user`

use std::os::unix::process::CommandExt as _;

use adit_crypto::proof::Secret;
use adit_crypto::secret::Password;
use adit_diag::event::{CameUp, EventFacts, Failed, Mppe};
use adit_diag::note::{Cause, Why};
use adit_diag::{AuthMethod, LoginRefusal};
use adit_store::{AccountChange, Change, NewAccount, NewEvent, NewSession, SessionEnd, SessionUpdate};
use jiff::{SignedDuration, Timestamp};

use crate::{World, at, server};

const GOOD: &str = "a very good passphrase\n";

fn ago(days: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(days * 24)
}

/// Puts words for the days on which the people of [`peopled`] were added.
fn settle_days(text: &str) -> String {
    let mut text = text.to_owned();
    for days in [0, 12, 80, 210, 300] {
        let day = ago(days).to_string();
        text = text.replace(day.split('T').next().unwrap(), &format!("{days:3} D AGO"));
    }
    text
}

fn refused() -> EventFacts {
    let (cause, vendor, findings) = (Cause::Login(LoginRefusal::WrongPassword), String::new(), Vec::new());
    EventFacts::AuthFail(Failed { why: Some(Why::Failed), after_ms: Some(400), cause, vendor, findings })
}

fn up() -> EventFacts {
    let (address, method) = ([10, 99, 0, 14].into(), Some(AuthMethod::MsChapV2));
    EventFacts::SessionUp(CameUp { address, method, mppe: Mppe::Stateless(128), took_ms: 1_200 })
}

/// Four people with a past.
pub(crate) fn peopled() -> World {
    let world = World::configured();
    let store = world.store();
    let secret = Secret::Clear(Password::new("correct horse"));
    for (name, group, days) in [
        ("alice", Some("staff"), 12),
        ("bob", Some("ops"), 80),
        ("carol", Some("staff"), 210),
        ("old.fax", None, 300),
    ] {
        let new = NewAccount { group: group.map(Into::into), ..NewAccount::named(name) };
        store.add_account(&new, Some(&secret), name == "old.fax", ago(days)).unwrap();
    }
    for (user, from, when) in
        [("alice", "198.51.100.7", 0), ("bob", "198.51.100.99", 3600), ("carol", "192.0.2.14", 7200)]
    {
        store.apply(&[Change::Login(user.into(), from.parse().unwrap())], at(when)).unwrap();
    }
    let locked = AccountChange {
        locked_until: Some(Some(Timestamp::now() + SignedDuration::from_secs(11 * 60 + 30))),
        ..AccountChange::default()
    };
    store.change_account("carol", &locked).unwrap();
    for (user, why, code) in [("alice", "idle-timeout", None), ("carol", "failed", Some("A01"))] {
        let from = "198.51.100.7:50000".parse().unwrap();
        let id = store.start_sessions(server(&store), &[NewSession { started: at(0), from }]).unwrap()[0];
        let update = SessionUpdate { user: Some(user.into()), ..SessionUpdate::default() };
        let end = SessionEnd {
            at: at(60),
            why: why.into(),
            by: "sent".into(),
            code: code.map(Into::into),
            detail: String::new(),
            refusal: None,
        };
        let event = NewEvent {
            user: Some(user.into()),
            from: Some(from.ip()),
            code: code.map(|code: &str| code.parse().unwrap()),
            session: Some(id),
            ..NewEvent::new(at(5), if code.is_some() { refused() } else { up() })
        };
        let changes = [
            Change::Update(id, Box::new(update)),
            Change::End(id, Box::new(end), None, Vec::new(), 0),
            Change::Events(vec![event]),
        ];
        store.apply(&changes, at(1)).unwrap();
    }
    world
}

/// The password or the hash that an account has now.
fn secret(world: &World, name: &str) -> Secret {
    world.store().credentials(name).unwrap().unwrap().1.unwrap()
}

#[test]
fn without_users() {
    let world = World::new();
    let runs = [world.run(&["user", "list"]), world.run(&["user", "show", "alice"])];
    insta::assert_snapshot!(runs.join("\n"));
    assert!(!world.path("state").exists(), "looking makes nothing");
}

#[test]
fn list() {
    let world = peopled();
    insta::assert_snapshot!("list", world.run(&["user", "list"]));
    insta::assert_snapshot!("list_wide", settle_days(&world.run(&["user", "list", "--wide"])));
    let runs = [
        world.run(&["user", "list", "--filter", "group=staff state!=ok"]),
        world.run(&["user", "list", "--sort", "-password_age", "--columns", "user,password_age"]),
        world.run(&["user", "list", "--filter", "user=x*"]),
    ];
    insta::assert_snapshot!("list_flags", runs.join("\n"));
    let narrow = world.command(&["user", "list"]).env("COLUMNS", "40").output().unwrap();
    for line in String::from_utf8(narrow.stdout).unwrap().lines().take(5) {
        assert!(line.chars().count() <= 40, "{line}");
    }
}

#[test]
fn list_as_json() {
    let world = peopled();
    let users = world.json(&["user", "list"]);
    assert_eq!(users["schema"], "adit.users/1");
    let names: Vec<&str> =
        users["users"].as_array().unwrap().iter().map(|u| u["user"].as_str().unwrap()).collect();
    assert_eq!(names, ["alice", "bob", "carol", "old.fax"]);
    let carol = &users["users"][2];
    assert_eq!((&carol["state"], &carol["last_end"]), (&"locked".into(), &"A01".into()));
    let fields: Vec<&String> = carol.as_object().unwrap().keys().collect();
    insta::assert_snapshot!("list_json_fields", format!("{fields:#?}"));
    let some = world.json(&["user", "list", "--columns", "user,state", "--filter", "user=bob"]);
    assert_eq!(some["users"], serde_json::json!([{ "user": "bob", "state": "ok" }]));
    assert!(!users.to_string().contains("correct horse"));
}

#[test]
fn show() {
    let world = peopled();
    let runs = [world.run(&["user", "show", "CAROL"]), world.run(&["user", "show", "carrol"])];
    insta::assert_snapshot!("show", settle_days(&runs.join("\n")));
    let json = world.json(&["user", "show", "alice"]);
    assert_eq!(json["schema"], "adit.user/1");
    let rule = json["policy"].as_array().unwrap().iter().find(|rule| rule["key"] == "routes").unwrap();
    assert_eq!(rule["value"], "[\"192.168.20.0/24\"]");
    assert_eq!(rule["from"], "groups.staff, adit.toml line 9");
}

#[test]
fn add() {
    let world = World::configured();
    let add = |arguments: &[&str]| {
        let arguments: Vec<&str> =
            ["user", "add"].iter().chain(arguments).chain(&["--password-stdin"]).copied().collect();
        world.run_with(&arguments, GOOD)
    };
    let runs = [
        add(&["alice", "--group", "staff", "--expires", "2099-03-31"]),
        add(&["branch7", "--address", "10.99.0.7", "--network", "192.168.7.0/24", "--note", "fax"]),
        // Everything that can be wrong.
        add(&["ALICE"]),
        add(&["a b"]),
        add(&["bob", "--group", "stuff"]),
        add(&["bob", "--group", "sales"]),
        add(&["bob", "--address", "10.99.0.7"]),
        add(&["bob", "--address", "10.98.0.7"]),
        add(&["bob", "--address", "10.99.0.1"]),
        add(&["bob", "--address", "10.99.0.255"]),
        add(&["bob", "--network", "192.168.7.128/25"]),
        add(&["bob", "--network", "192.168.9.1/24"]),
        add(&["bob", "--network", "10.0.0.0/8"]),
        add(&["bob", "--expires", "2020-01-01"]),
        add(&["bob", "--expires", "soon"]),
        add(&["--", "-x"]),
    ];
    insta::assert_snapshot!("add", runs.join("\n"));
    let names: Vec<String> =
        world.store().accounts().unwrap().into_iter().map(|account| account.name).collect();
    assert_eq!(names, ["alice", "branch7"]);
    let alice = world.store().account("alice").unwrap().unwrap();
    assert_eq!(alice.expires, Some("2099-04-01T00:00:00Z".parse().unwrap()), "the end of the last day");
    let hash = secret(&world, "alice").nt_hash();
    assert_eq!(hash, Password::new(GOOD.trim()).nt_hash());
}

#[test]
fn a_group_needs_a_configuration() {
    let world = World::new();
    let arguments = ["user", "add", "bob", "--group", "staff", "--password-stdin"];
    let without = world.run_with(&arguments, GOOD);
    std::fs::write(world.path("adit.toml"), "[server\n").unwrap();
    let broken = world.run_with(&arguments, GOOD);
    let helped = world.run_with(&["user", "add", "bob", "--password-stdin"], GOOD);
    insta::assert_snapshot!([without, broken, helped].join("\n"));
}

#[test]
fn a_configuration_that_is_a_broken_link_is_not_a_missing_one() {
    let world = World::new();
    std::os::unix::fs::symlink(world.path("nowhere.toml"), world.path("adit.toml")).unwrap();
    let mut command = world.command(&["user", "add", "bob", "--password-stdin"]);
    let output = command.env("ADIT_CONFIG", world.path("adit.toml")).write_stdin(GOOD).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("link to a file that does not exist"), "{error}");
    assert!(!world.path("state").exists());
}

#[test]
fn a_configuration_with_errors_names_no_database() {
    let world = World::new();
    let database = world.path("named.db");
    let text = format!("[store]\nurl = \"sqlite:{}\"\n[link]\nmtuu = 1400\n", database.display());
    std::fs::write(world.path("adit.toml"), text).unwrap();
    for arguments in [
        &["user", "list"][..],
        &["user", "show", "bob"],
        &["user", "add", "bob", "--password-stdin"],
        &["user", "set", "bob", "--note", "fax"],
        &["user", "passwd", "bob", "--password-stdin"],
        &["user", "disable", "bob"],
        &["user", "remove", "bob", "--yes"],
        &["log"],
        &["session", "s1"],
        &["sessions", "--past"],
        &["explain", "user", "bob"],
        &["explain", "route", "bob", "192.168.10.5"],
    ] {
        // A state directory names the database, and still not its rules.
        for is_state_given in [false, true] {
            let mut command = world.command(arguments);
            if !is_state_given {
                command.env_remove("ADIT_STATE_DIR");
            }
            let output = command.write_stdin(GOOD).output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
            assert!(error.contains("the database that it names is not known"), "{arguments:?}: {error}");
            assert_eq!(output.stdout, b"", "{arguments:?}");
        }
    }
    assert!(!world.path("state").exists(), "nothing was made");
    assert!(!database.exists());
}

#[test]
fn commands_that_run_until_they_are_stopped_have_no_dry_run() {
    let world = World::configured();
    for arguments in [&["--dry-run", "serve"][..], &["connect", "192.0.2.1", "-u", "alice", "--dry-run"]] {
        let output = world.command(arguments).write_stdin(GOOD).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains("has no dry run"), "{arguments:?}: {error}");
    }
    assert!(!world.path("state").exists());
}

#[test]
fn a_dry_run_touches_nothing() {
    let world = World::configured();
    let runs = [
        world.run(&["user", "add", "alice", "--group", "staff", "--dry-run"]),
        world.run(&["user", "remove", "alice", "--dry-run"]),
    ];
    assert!(!world.path("state").exists());
    let people = peopled();
    let more = [
        people.run(&["user", "add", "alice", "--dry-run"]),
        people.run(&["user", "set", "alice", "--note", "x", "--dry-run"]),
        people.run(&["user", "disable", "alice", "--dry-run"]),
        people.run(&["user", "remove", "alice", "--dry-run"]),
        people.run_with(&["user", "passwd", "alice", "--password-stdin", "--dry-run"], GOOD),
    ];
    insta::assert_snapshot!(runs.into_iter().chain(more).collect::<Vec<_>>().join("\n"));
    let alice = people.store().account("alice").unwrap().unwrap();
    assert_eq!((alice.revision, alice.disabled, alice.note.as_str()), (1, None, ""));
}

#[test]
fn passwords() {
    let world = peopled();
    let file = world.path("password");
    std::fs::write(&file, "another good passphrase\r\n").unwrap();
    let passwd = |arguments: &[&str], stdin: &str| {
        let arguments: Vec<&str> = ["user", "passwd", "alice"].iter().chain(arguments).copied().collect();
        world.run_with(&arguments, stdin)
    };
    let secret = || match secret(&world, "alice") {
        Secret::Clear(password) => format!("clear {}", password.expose()),
        Secret::NtHash(_) => "hash".to_owned(),
    };
    let mut runs = vec![passwd(&["--password-stdin"], GOOD)];
    assert_eq!(secret(), "hash");
    runs.push(passwd(&["--password-file", &file.display().to_string(), "--reversible"], ""));
    assert_eq!(secret(), "clear another good passphrase");
    let revision = world.store().account("alice").unwrap().unwrap().revision;
    runs.push(passwd(&["--password-stdin", "--must-change"], GOOD));
    assert_eq!(world.store().account("alice").unwrap().unwrap().revision, revision + 1, "one write");
    assert_eq!(secret(), "clear a very good passphrase", "it stays as it was");
    assert!(world.store().account("alice").unwrap().unwrap().must_change);
    runs.push(passwd(&["--password-stdin", "--no-reversible"], GOOD));
    assert_eq!(secret(), "hash");
    assert!(!world.store().account("alice").unwrap().unwrap().must_change);
    // Everything that can be wrong.
    let before = world.store().account("alice").unwrap().unwrap();
    runs.push(passwd(&["--password-stdin"], "short\n"));
    runs.push(passwd(&["--password-stdin"], "alicealicealice\n"));
    runs.push(passwd(&["--password-stdin", "--weak"], "a\tb\n"));
    runs.push(passwd(&["--password-file", "/nowhere"], ""));
    runs.push(passwd(&[], ""));
    runs.push(world.run_with(&["user", "passwd", "alicia", "--password-stdin"], GOOD));
    assert_eq!(world.store().account("alice").unwrap().unwrap(), before);
    runs.push(passwd(&["--password-stdin", "--weak"], "short\n"));
    insta::assert_snapshot!("passwords", runs.join("\n"));
}

#[test]
fn an_empty_password_on_stdin_or_in_a_file_is_refused() {
    let world = World::configured();
    let file = world.path("password");
    std::fs::write(&file, "\r\nsecond line\n").unwrap();
    for input in ["", "\n", "\r\n"] {
        let text = world.run_with(&["user", "add", "alice", "--password-stdin"], input);
        assert!(text.contains("the password is empty: the first line of stdin"), "{text}");
        assert!(text.contains("--- exit 2") && !text.contains("shown once"), "{text}");
    }
    let text = world.run(&["user", "add", "alice", "--password-file", &file.display().to_string()]);
    assert!(text.contains("the password is empty") && text.contains("--- exit 2"), "{text}");
    assert_eq!(world.store().accounts().unwrap().len(), 0);
}

#[test]
fn names_that_commands_take_for_something_else_or_that_no_login_reaches_are_refused() {
    let world = World::configured();
    for name in ["all", "S1", "10.99.0.9"] {
        let text = world.run_with(&["user", "add", name, "--password-stdin"], GOOD);
        assert!(text.contains("selects sessions in commands") && text.contains("--- exit 2"), "{text}");
    }
    let text = world.run_with(&["user", "add", "CORP\\bob", "--password-stdin"], GOOD);
    assert!(text.contains("auth.domain = \"strip\"") && text.contains("--- exit 2"), "{text}");
    assert_eq!(world.store().accounts().unwrap().len(), 0);
}

#[test]
fn a_generated_password_is_shown_once() {
    let world = World::configured();
    let text = world.run(&["user", "add", "alice", "--generate"]);
    let made =
        text.lines().find_map(|line| line.strip_prefix("password ")).unwrap().split(' ').next().unwrap();
    assert_eq!(made.len(), "ruzk-pemo-lavi-tond-46".len(), "{text}");
    assert_eq!(text.matches(made).count(), 1);
    assert_eq!(secret(&world, "alice").nt_hash(), Password::new(made).nt_hash());
    let output = world.command(&["user", "passwd", "alice", "--generate", "--json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let made = json["password"].as_str().unwrap();
    assert_eq!(secret(&world, "alice").nt_hash(), Password::new(made).nt_hash());
    assert!(!world.run(&["log"]).contains(made));
}

#[test]
fn set() {
    let world = peopled();
    let set = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["user", "set"].iter().chain(arguments).copied().collect();
        world.run(&arguments)
    };
    let runs = [
        set(&[
            "alice",
            "--group",
            "ops",
            "--address",
            "10.99.0.14",
            "--expires",
            "2099-12-31",
            "--vpn",
            "no",
        ]),
        set(&["alice", "--group", "ops"]),
        set(&["alice", "--network", "192.168.7.0/24,192.168.8.0/24", "--note", "site"]),
        set(&["alice", "--no-group", "--no-address", "--no-networks", "--expires", "never", "--note", ""]),
        set(&["bob", "--group", "opps"]),
        set(&["bob", "--address", "192.0.2.1"]),
        set(&["bob", "--network", "127.0.0.0/8"]),
        set(&["bob", "--network", "0.0.0.0/0"]),
        world.run(&["user", "add", "b\u{200b}ob"]),
        set(&["bob", "--vpn", "perhaps"]),
        set(&["bob", "--group", "ops", "--no-group"]),
        set(&["bobo", "--note", "x"]),
        set(&["bob", "--must-change", "yes", "--json"]),
    ];
    insta::assert_snapshot!("set", runs.join("\n"));
}

#[test]
fn switches() {
    let world = peopled();
    let runs = [
        world.run(&["user", "disable", "alice", "--reason", "left the company"]),
        world.run(&["user", "disable", "alice", "--reason", "left the company"]),
        world.run(&["user", "show", "alice"]),
        world.run(&["user", "enable", "ALICE"]),
        world.run(&["user", "enable", "alice"]),
        world.run(&["user", "unlock", "carol"]),
        world.run(&["user", "unlock", "carol"]),
        world.run(&["user", "disable", "unknown"]),
        world.run(&["user", "disable", "bob", "--json"]),
    ];
    insta::assert_snapshot!("switches", settle_days(&runs.join("\n")));
    let events = world.store().events(&Default::default()).unwrap();
    let kinds: Vec<_> = events[2..].iter().map(|event| event.kind.to_string()).collect();
    assert_eq!(kinds, ["user.disable", "user.enable", "user.unlock", "user.disable"]);
}

#[test]
fn an_address_that_no_client_has_is_not_admitted() {
    let world = peopled();
    for address in ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255"] {
        let text = world.run(&["user", "unlock", "carol", "--from", address]);
        let words = format!("{address} is not the address of a client");
        assert!(text.contains(&words) && text.contains("--- exit 2"), "{text}");
    }
    let locked = world.run(&["user", "unlock", "carol", "--from", "192.0.2.14"]);
    assert!(locked.contains("unlocked carol") && !locked.contains("not locked"), "{locked}");
    let open = world.run(&["user", "unlock", "alice", "--from", "192.0.2.14"]);
    assert!(open.contains("alice is not locked; 192.0.2.14 is one of its own addresses"), "{open}");
}

#[test]
fn remove_asks() {
    let world = peopled();
    let runs = [
        world.run(&["user", "remove", "alice"]),
        world.run(&["user", "remove", "alice", "--yes"]),
        world.run(&["user", "remove", "alice", "--yes"]),
        world.run(&["user", "remove", "bob", "--yes", "--json"]),
    ];
    insta::assert_snapshot!("remove", runs.join("\n"));
    assert_eq!(world.store().accounts().unwrap().len(), 2);
}

#[test]
fn without_permission() {
    if std::fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me)).unwrap() != 0 {
        return; // Only root can leave something behind that others may not read.
    }
    let world = peopled();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(world.dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let adit = world.path("adit");
    std::fs::copy(assert_cmd::cargo::cargo_bin("adit"), &adit).unwrap();
    let mut shown = Vec::new();
    for arguments in [&["user", "list"][..], &["user", "set", "alice", "--note", "x"], &["log"]] {
        let output = std::process::Command::new(&adit)
            .args(arguments)
            .env_clear()
            .env("TZ", "UTC")
            .env("ADIT_STATE_DIR", world.path("state"))
            .env("ADIT_RUN_DIR", world.path("run"))
            .uid(65534)
            .gid(65534)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4));
        shown.push(format!("$ adit {}\n{}", arguments.join(" "), world.shown(&output)));
    }
    insta::assert_snapshot!("without_permission", shown.join("\n"));
}

#[test]
fn database_errors_are_reported() {
    let world = peopled();
    let database = world.path("state/adit.db");
    let mut runs = Vec::new();
    std::fs::rename(world.path("state/seal.key"), world.path("key")).unwrap();
    runs.push(world.run(&["user", "set", "alice", "--note", "x"]));
    std::fs::rename(world.path("key"), world.path("state/seal.key")).unwrap();
    // A writer that holds the lock: reading goes on.
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    runs.push(world.run(&["user", "list", "--columns", "user"]));
    drop(other);
    for side in ["adit.db-wal", "adit.db-shm"] {
        let _ = std::fs::remove_file(world.path("state").join(side));
    }
    std::fs::write(&database, "this is no database, and long enough to be looked at ".repeat(100)).unwrap();
    runs.push(world.run(&["user", "list"]));
    insta::assert_snapshot!("broken_database", runs.join("\n"));
}
