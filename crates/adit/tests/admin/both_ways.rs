//! With a server and without one.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixListener;

use adit_testbed::wait_until;
use tempfile::TempDir;

use crate::common::*;
use crate::{add, server};

/// Commands that change and show accounts; what they print does not depend on the time.
const COMMANDS: [&[&str]; 19] = [
    &["user", "set", "alice", "--note", "the old fax", "--no-vpn"],
    &["user", "set", "alice", "--no-vpn"],
    &["user", "set", "alice", "--vpn", "no"],
    &["user", "passwd", "alice", "--password-stdin", "--must-change"],
    &["user", "disable", "alice", "--reason", "on leave"],
    &["user", "disable", "alice", "--reason", "on leave"],
    &["user", "enable", "alice", "--json"],
    &["user", "unlock", "alice"],
    &["user", "unlock", "alice", "--from", "198.51.100.9", "--json"],
    &["ban", "add", "203.0.113.9/24"],
    &["ban", "remove", "203.0.113.9"],
    &["user", "list", "--columns", "user,state,note"],
    &["user", "show", "alicia"],
    &["user", "remove", "alice", "--dry-run"],
    &["user", "set", "alice", "--address", "10.99.0.7"],
    &["pool", "list"],
    &["pool", "show", "default"],
    &["pool", "release", "10.99.0.7"],
    &["user", "remove", "alice", "--yes"],
];

/// What the commands print, with their exit codes, without the time in the documents.
fn transcript(dir: &std::path::Path) -> Vec<String> {
    let run = |arguments: &[&str]| {
        let output = with_input(&mut adit(dir, arguments), PASSWORD);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        let lines = text.lines().filter(|line| !line.contains("\"generated\""));
        format!("{arguments:?} {:?}\n{}", output.status.code(), lines.collect::<Vec<_>>().join("\n"))
    };
    std::iter::once(run(&["user", "add", "alice", "--password-stdin"]))
        .chain(COMMANDS.iter().map(|arguments| run(arguments)))
        .collect()
}

#[test]
fn commands_do_the_same_with_a_server_and_without_one() {
    let (_neighbour, server) = server(CONFIG);
    let alone = TempDir::new().unwrap();
    std::fs::copy(server.dir.path().join("adit.toml"), alone.path().join("adit.toml")).unwrap();
    let (through, direct) = (transcript(server.dir.path()), transcript(alone.path()));
    for (through, direct) in through.iter().zip(&direct) {
        assert_eq!(through, direct);
    }
    let kinds = |dir: &std::path::Path| {
        let output = adit(dir, &["log", "--jsonl"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let kind = |line: &str| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            event["kind"].as_str().unwrap().to_owned()
        };
        text.lines().map(kind).filter(|kind| kind.starts_with("user.")).collect::<Vec<_>>()
    };
    let all = [
        "user.add",
        "user.set",
        "user.passwd",
        "user.disable",
        "user.enable",
        "user.unlock",
        "user.set",
        "user.remove",
    ];
    assert_eq!(
        (kinds(server.dir.path()), kinds(alone.path())),
        (all.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec())
    );
}

#[test]
fn while_the_server_runs_commands_go_through_it() {
    // No other program can see this store.
    let (_neighbour, mut server) = server(&format!("{CONFIG}\n[store]\nurl = \"sqlite::memory:\"\n"));
    let command = |arguments: &[&str]| {
        let mut command = adit(server.dir.path(), arguments);
        command.env_remove("ADIT_STATE_DIR");
        with_input(&mut command, PASSWORD)
    };
    assert!(command(&["user", "add", "alice", "--password-stdin"]).status.success());
    let list = command(&["user", "list", "--columns", "user"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("alice"), "{list:?}");
    let log = command(&["log"]);
    assert!(String::from_utf8_lossy(&log.stdout).contains("user.add    user=alice by="), "{log:?}");
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    let gone = adit(server.dir.path(), &["user", "list"]).env_remove("ADIT_STATE_DIR").output().unwrap();
    assert_eq!(gone.status.code(), Some(1), "{gone:?}");
}

#[test]
fn a_past_session_is_shown_the_same_with_a_server_and_without_one() {
    let (neighbour, mut server) = server(CONFIG);
    // Not PPTP: a session that fails in its first message.
    let mut stream = neighbour.run(|| TcpStream::connect_timeout(&(SERVER, 1723).into(), SOON).unwrap());
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    wait_until("the session is on record", SOON, || {
        server.adit(&["sessions", "--past"]).stdout.contains("s1")
    });
    let shown = |server: &Server| {
        let json = server.adit(&["session", "s1", "--json"]);
        let lines = json.stdout.lines().filter(|line| !line.contains("\"generated\""));
        let checked = server.adit(&["doctor", "--server", "--session", "s1", "--json"]);
        let line = checked.stdout.lines().find(|line| line.contains("full record: adit session s1"));
        [
            server.adit(&["session", "s1"]).to_string(),
            lines.collect::<Vec<_>>().join("\n"),
            line.unwrap_or_else(|| panic!("{checked}")).to_owned(),
            server.adit(&["session", "s2"]).to_string(),
        ]
    };
    let through = shown(&server);
    assert!(through[1].contains("\"first_failure\"") && through[3].contains("there is no session \"s2\""));
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    assert_eq!(through, shown(&server));
}

#[test]
fn a_server_of_another_store_is_not_asked() {
    let (_neighbour, server) = server(CONFIG);
    let other = TempDir::new().unwrap();
    let mut command = adit(server.dir.path(), &["user", "add", "bob", "--password-stdin"]);
    command.env("ADIT_STATE_DIR", other.path());
    assert!(with_input(&mut command, PASSWORD).status.success());
    assert!(other.path().join("adit.db").exists());
    assert!(!server.adit(&["user", "list"]).stdout.contains("bob"));
    assert!(add(&server, "bob", &[]).status.success(), "the name is free in the server's store");
}

#[test]
fn a_socket_that_no_process_listens_on_is_no_server() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), CONFIG).unwrap();
    std::fs::create_dir(dir.path().join("run")).unwrap();
    drop(UnixListener::bind(dir.path().join("run/adit.sock")).unwrap());
    add_user(dir.path(), "alice", &[]);
    let list = adit(dir.path(), &["user", "list"]).output().unwrap();
    assert!(String::from_utf8_lossy(&list.stdout).contains("alice"), "{list:?}");
    let status = adit(dir.path(), &["status"]).output().unwrap();
    assert_eq!(status.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&status.stderr).contains("no server answers on"), "{status:?}");
}
