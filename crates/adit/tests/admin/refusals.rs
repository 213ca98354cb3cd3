//! What is refused, and a server that stops while it is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use adit_api::{Kind, Response};
use adit_testbed::{Output, Running};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::common::*;
use crate::{ControlClient, add, server};

/// A user and a group that own nothing.
const UNPRIVILEGED_UID: &str = "65534";
const OPERATORS: &str = "65533";

/// Runs a command of adit as a user of one group.
fn run_as(server: &Server, group: &str, arguments: &[&str]) -> Output {
    let command = adit(server.dir.path(), arguments);
    let mut other = std::process::Command::new("setpriv");
    other.args(["--reuid", UNPRIVILEGED_UID, "--regid", group, "--clear-groups"]).arg(command.get_program());
    other.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    server.host.command(&mut other)
}

#[test]
fn the_socket_is_for_its_group_and_accounts_are_changed_by_root() {
    let (_neighbour, server) = server(CONFIG);
    assert!(add(&server, "alice", &[]).status.success());
    let open = |path: &str, mode| {
        let path = server.dir.path().join(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open("", 0o755);
    open("run", 0o755);
    server.host.sh(&format!("chgrp {OPERATORS} {}/run/adit.sock", server.dir.path().display()));
    for arguments in [&["user", "list"][..], &["status"], &["log"], &["user", "disable", "alice"]] {
        let refused = run_as(&server, UNPRIVILEGED_UID, arguments);
        assert_eq!(refused.code, Some(4), "{refused}");
        assert!(refused.stderr.contains("you may not use") && refused.stderr.contains("S08"), "{refused}");
    }
    for arguments in
        [&["user", "list"][..], &["status"], &["log"], &["user", "disable", "alice", "--dry-run"]]
    {
        let allowed = run_as(&server, OPERATORS, arguments);
        assert_eq!(allowed.code, Some(0), "{allowed}");
    }
    let plain = run_as(&server, OPERATORS, &["user", "export"]);
    assert!(plain.stdout.contains("alice") && plain.code == Some(0), "{plain}");
    let refused = run_as(&server, OPERATORS, &["user", "export", "--with-hashes"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(4), ""), "{refused}");
    assert!(refused.stderr.contains("not at passwords and NT hashes"), "{refused}");
    let refused = run_as(&server, OPERATORS, &["user", "disable", "alice"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("not change accounts") && refused.stderr.contains("sudo"), "{refused}");
    assert!(server.adit(&["user", "list"]).stdout.contains("ok, no login yet"));
}

#[test]
fn a_request_that_is_not_known_or_too_long_is_refused_with_what_to_do() {
    let (_neighbour, server) = server(CONFIG);
    let mut client = ControlClient::open(&server);
    client.send(r#"{"command":"dance"}"#);
    match client.receive() {
        Some(Response::Error(error)) => {
            assert_eq!(error.kind, Kind::Unsupported);
            assert!(error.fix.unwrap().contains("restart the server"));
        }
        other => panic!("{other:?}"),
    }
    let long = add(&server, "alice", &["--note", &"x".repeat(70_000)]);
    let text = String::from_utf8_lossy(&long.stderr).into_owned();
    assert_eq!(long.status.code(), Some(2), "{text}");
    assert!(text.contains("the request is longer than 65536 octets"), "{text}");
    assert!(!server.adit(&["user", "list"]).stdout.contains("alice"));
}

#[test]
fn a_server_of_another_version_is_named_as_such() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), CONFIG).unwrap();
    std::fs::create_dir(dir.path().join("run")).unwrap();
    let client = UnixListener::bind(dir.path().join("run/adit.sock")).unwrap();
    // The answer of the version before to a request that it does not know.
    let answer = b"{\"error\":{\"exit\":2,\"message\":\"not a request: unknown variant `identity`\"}}\n";
    let server = std::thread::spawn(move || {
        let (stream, _) = client.accept().unwrap();
        BufReader::new(&stream).read_line(&mut String::new()).unwrap();
        (&stream).write_all(answer).unwrap();
    });
    let output = with_input(&mut adit(dir.path(), &["user", "add", "alice", "--password-stdin"]), PASSWORD);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("the running server is of another version") && text.contains("restart it"),
        "{text}"
    );
    assert!(!dir.path().join("state/adit.db").exists(), "nothing was written past the server");
    server.join().unwrap();
}

/// A change of the account `alice` that waits for the database, and the lock that it waits for.
fn waiting_change(server: &Server) -> (Connection, Running) {
    assert!(add(server, "alice", &[]).status.success());
    let lock = Connection::open(server.dir.path().join("state/adit.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let change = server.host.spawn(&mut adit(server.dir.path(), &["user", "set", "alice", "--note", "new"]));
    std::thread::sleep(Duration::from_millis(700));
    (lock, change)
}

#[test]
fn a_server_that_is_stopped_answers_the_request_in_progress() {
    let (_neighbour, mut server) = server(CONFIG);
    let (lock, mut change) = waiting_change(&server);
    assert_eq!(change.status(), None, "{}", change.log());
    server.running.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    lock.execute_batch("ROLLBACK").unwrap();
    assert!(change.wait(SOON).success(), "{}", change.log());
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    let shown = server.adit(&["user", "show", "alice"]);
    assert!(shown.stdout.contains("note       new"), "{shown}");
}

#[test]
fn a_server_that_is_killed_leaves_an_account_as_it_was_or_changed() {
    let (_neighbour, mut server) = server(CONFIG);
    let (lock, mut change) = waiting_change(&server);
    server.running.kill();
    assert_eq!(change.wait(SOON).code(), Some(3), "{}", change.log());
    assert!(change.log().contains("changed in full or not at all"), "{}", change.log());
    assert!(change.log().contains("adit user show NAME"), "{}", change.log());
    lock.execute_batch("ROLLBACK").unwrap();
    let shown = server.adit(&["user", "show", "alice"]);
    assert!(shown.stdout.contains("ok, no login yet") && !shown.stdout.contains("note"), "{shown}");
}
