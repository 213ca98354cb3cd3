//! An import through the running server, which arrives in many requests.

use std::fmt::Write as _;

use adit_api::accounts::{self, AccountChange, Import, ImportEntry, ImportSecret};
use adit_api::{Kind, Request, Response};

use crate::common::*;
use crate::{ControlClient, server};

fn import(server: &Server, text: &str, more: &[&str]) -> adit_testbed::Output {
    let path = server.dir.path().join("users.csv");
    std::fs::write(&path, text).unwrap();
    server.adit(&[&["user", "import", path.to_str().unwrap()], more].concat())
}

/// A file of so many users, larger than one request.
fn many(count: usize) -> String {
    let mut text = "name,nt_hash,note\n".to_owned();
    for number in 0..count {
        writeln!(text, "user{number},{number:032x},{}", "x".repeat(200)).unwrap();
    }
    text
}

#[test]
fn an_import_larger_than_a_request_is_written_all_or_not_at_all() {
    let (_neighbour, server) = server(CONFIG);
    let text = many(1000);
    assert!(text.len() > 3 * 65536);
    // An error in the first request and one in the last.
    let wrong = text.replacen("user1,", "user 1,", 1) + "last,0,\nuser2,,\n";
    let refused = import(&server, &wrong, &[]);
    assert_eq!(refused.code, Some(1), "{refused}");
    for line in [
        "line 3    user 1: the name has a space",
        "line 1002 last: the NT hash",
        "line 1003 user2: the account is in line 4",
    ] {
        assert!(refused.stdout.contains(line), "{line}: {refused}");
    }
    assert!(refused.stdout.contains("3 errors.  Nothing was written."), "{refused}");
    assert!(!server.adit(&["user", "list"]).stdout.contains("user0"));
    let added = import(&server, &text, &[]);
    assert!(added.stdout.contains("1000 added, 0 changed."), "{added}");
    let log = server.adit(&["log", "-n", "2000", "--jsonl"]);
    assert_eq!(log.stdout.lines().filter(|line| line.contains("\"user.add\"")).count(), 1000);
    // An export with hashes arrives in many pages; imported again, it is the same.
    let exported = server.adit(&["user", "export", "--with-hashes"]);
    assert_eq!(exported.stdout.lines().count(), 1001, "{exported}");
    let again = import(&server, &exported.stdout, &["--update"]);
    assert!(again.stdout.contains("0 added, 1000 changed."), "{again}");
    assert_eq!(server.adit(&["user", "export", "--with-hashes"]).stdout, exported.stdout);
    let list = server.adit(&["user", "list", "--columns", "user"]);
    assert_eq!(list.stdout.matches("user").count(), 1000 + 1, "{list}");
}

#[test]
fn entries_that_are_sent_count_only_on_their_connection_and_one_import_is_collected_at_a_time() {
    let (_neighbour, server) = server(CONFIG);
    let request = |name: &str, is_last| {
        let entry = ImportEntry {
            line: 2,
            name: name.to_owned(),
            properties: AccountChange::default(),
            secret: ImportSecret::None,
            password_changed: None,
            created: None,
            is_checked: false,
        };
        let by = "root".to_owned();
        let import = Import { dry_run: false, by, update: false, is_last, entries: vec![entry] };
        Request::Accounts(accounts::Request::Import(Box::new(import)))
    };
    let mut first = ControlClient::open(&server);
    assert!(matches!(
        first.ask(&request("alice", false)),
        Response::Accounts(accounts::Response::Imported(_))
    ));
    let mut second = ControlClient::open(&server);
    match second.ask(&request("bob", true)) {
        Response::Error(error) => assert_eq!(error.kind, Kind::Busy, "{error}"),
        other => panic!("{other:?}"),
    }
    drop(first);
    adit_testbed::wait_until(
        "the import is forgotten",
        SOON,
        || matches!(second.ask(&request("bob", true)), Response::Accounts(accounts::Response::Imported(imported)) if imported.written),
    );
    let list = server.adit(&["user", "list", "--columns", "user"]);
    assert!(list.stdout.contains("bob") && !list.stdout.contains("alice"), "{list}");
}
