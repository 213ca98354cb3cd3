//! What other programs do to the host of a running server: interface, addresses, routes and database are taken away, and the
//! configuration is changed under living sessions.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use adit_api::status::{Fault, Status};
use adit_diag::Code;
use adit_diag::event::HostPart;
use adit_testbed::{Host, MountNamespace, wait_until};

use crate::common::documents::parse;
use crate::common::*;

/// The time in which a fault has to be reported, on a busy machine.
const REPORTED: Duration = Duration::from_secs(10);

fn begin() -> (Host, Server, Client) {
    begin_with(CONFIG)
}

fn begin_with(config: &str) -> (Host, Server, Client) {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, config, &["alice", "bob"]);
    let client = connect(&client_host, "alice", &[]);
    client_host.ping(LAN_HOST);
    (client_host, server, client)
}

fn logged(server: &Server, text: &str) {
    wait_until(text, SOON, || server.running.log().contains(text));
}

/// Changes the configuration and has the server read it.
fn change(server: &mut Server, from: &str, to: &str) {
    std::fs::write(server.dir.path().join("adit.toml"), with_io(&CONFIG.replace(from, to))).unwrap();
    server.running.signal("HUP");
}

fn database(server: &Server) -> PathBuf {
    server.dir.path().join("state/adit.db")
}

/// One attempt of bob; its exit status and what it printed.
fn bob(host: &Host) -> (i32, String) {
    let routes = ["--once", "--routes", "192.168.77.0/24", "--interface", "second0"];
    let mut client = dial(host, "203.0.113.10", "bob", PASSWORD, &routes);
    let is_connected = |client: &Client| client.running.log().contains("\nconnected");
    wait_until("bob's attempt", SOON, || is_connected(&client) || client.running.status().is_some());
    let code =
        if is_connected(&client) { client.hang_up() } else { client.running.wait(SOON).code().unwrap_or(-1) };
    (code, client.running.log())
}

/// Waits for the fault of a part in the status, and for its event.
#[track_caller]
fn reported(server: &Server, part: HostPart, code: Code) -> Fault {
    let mut found = None;
    wait_until("a fault in the status", REPORTED, || {
        let faults = server.status().faults;
        found = faults.into_iter().find(|fault| fault.part == part && fault.code == code);
        found.is_some()
    });
    let status = server.status();
    assert!(status.warnings.iter().any(|warning| warning.code == code), "{status:?}");
    let log = server.running.log();
    assert!(log.contains("server.fault") && log.contains(&format!("what={}", part.word())), "{log}");
    let doctor = server.adit(&["doctor", "--server"]);
    assert!(doctor.stdout.contains("the server reports"), "{doctor}");
    assert!(doctor.stdout.contains(code.as_str()), "{doctor}");
    found.unwrap()
}

#[track_caller]
fn repaired(server: &Server, part: HostPart) {
    wait_until("the repair", SOON, || {
        server.status().faults.iter().all(|fault| fault.part != part || fault.repaired_s.is_some())
    });
    assert!(server.running.log().contains("server.repair"));
}

#[test]
fn a_pool_change_that_would_disconnect_a_session_is_refused() {
    let (client_host, mut server, mut client) = begin();
    let before = state_of(&server.host);
    change(&mut server, "10.99.0.0/24", "10.98.0.0/24");
    logged(&server, "reload   FAILED: 1 session would be disconnected");
    let log = server.running.log();
    assert!(log.contains("alice  10.99.0.10  outside every pool"), "{log}");
    wait_until("the event", SOON, || server.adit(&["log"]).stdout.contains("config.fail"));
    let events = server.adit(&["log"]);
    assert!(events.stdout.contains("alice 10.99.0.10"), "{events}");
    client_host.ping(LAN_HOST);
    client_host.ping("10.99.0.1".parse().unwrap());
    assert_eq!(state_of(&server.host), before, "nothing was applied");
    assert_eq!(server.status().pools[0].net.to_string(), "10.99.0.0/24");

    // Another address of the server: the session keeps the one that it has.
    change(&mut server, "dns =", "server = \"10.99.0.254\"\ndns =");
    logged(&server, "reload   ok");
    let addresses = |server: &Server| server.host.ip("-4 -o address show dev adit0");
    let now = addresses(&server);
    assert!(now.contains("10.99.0.1/24") && now.contains("10.99.0.254/24"), "{now}");
    client_host.ping("10.99.0.1".parse().unwrap());
    client_host.ping(LAN_HOST);
    assert_eq!(client.hang_up(), 0);
    wait_until("the end of the former address", SOON, || !addresses(&server).contains("10.99.0.1/24"));
    let now = addresses(&server);
    assert!(now.contains("10.99.0.254/24"), "the kernel removes it with the first: {now}");

    // Without sessions every change is possible.
    change(&mut server, "10.99.0.0/24", "10.98.0.0/24");
    wait_until("the new pool", SOON, || server.status().pools[0].net.to_string() == "10.98.0.0/24");
    wait_until("its address alone", SOON, || !addresses(&server).contains("10.99.0."));
    assert_eq!(bob(&client_host).0, 0);
}

#[test]
fn another_database_in_the_file_needs_a_restart_and_commands_refuse_it() {
    let (_client_host, server_host) = neighbours();
    let config = |name: &str| format!("{CONFIG}[store]\nurl = \"sqlite:{name}\"\n");
    let dir = tempfile::TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let file = dir.path().join("adit.toml");
    let (one, two) = (path("one.db"), path("two.db"));
    let keyed = |name: &str| format!("{}seal_key = {{ file = \"{}\" }}\n", config(name), path("key"));
    std::fs::write(&file, keyed(&one)).unwrap();
    // The usual state directory, and not the one of this machine.
    let space = MountNamespace::new(&server_host, "mount -t tmpfs none /var/lib");
    let command = |arguments: &[&str]| {
        let mut command = adit(dir.path(), arguments);
        command.env_remove("ADIT_STATE_DIR");
        space.inside(&command)
    };
    let mut running = server_host.spawn(&mut command(&["serve"]));
    running.wait_for("ready", SOON);
    std::fs::write(&file, keyed(&two)).unwrap();
    running.signal("HUP");
    running.wait_for("reload   FAILED", SOON);
    assert!(running.log().contains("store.url"), "{}", running.log());
    for arguments in [&["user", "add", "bob", "--password-stdin"][..], &["user", "list"], &["log"]] {
        let output = with_input(&mut command(arguments), PASSWORD);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{arguments:?}: {error}");
        assert!(error.contains("one.db") && error.contains("two.db"), "{error}");
    }
    assert!(!std::path::Path::new(&two).exists());
}

#[test]
fn a_deleted_address_is_put_back_but_not_for_ever() {
    let (client_host, server, mut client) = begin();
    let delete = || server.host.ip("address del 10.99.0.1/24 dev adit0");
    delete();
    let fault = reported(&server, HostPart::Address, Code::S10);
    assert!(fault.text.contains("10.99.0.1/24"), "{fault:?}");
    repaired(&server, HostPart::Address);
    client_host.ping("10.99.0.1".parse().unwrap());
    client_host.ping(LAN_HOST);
    // Another program keeps removing it: adit gives in, and says so to new clients.
    let lasting = || server.status().faults.iter().any(|fault| fault.repaired_s.is_none());
    let begun = Instant::now();
    while !lasting() {
        assert!(begun.elapsed() < SOON, "it is put back for ever");
        server.host.try_sh("ip address del 10.99.0.1/24 dev adit0");
        std::thread::sleep(Duration::from_millis(300));
    }
    let (code, log) = bob(&client_host);
    assert_eq!(code, 11, "{log}");
    assert!(log.contains("no resource"), "{log}");
    wait_until("the refused call in the log", SOON, || {
        server
            .adit(&["log", "--failed"])
            .stdout
            .lines()
            .any(|line| line.contains("call.fail") && line.contains("code=S10"))
    });
    // Put back by hand, all is well.
    server.host.ip("address add 10.99.0.1/24 dev adit0");
    repaired(&server, HostPart::Address);
    wait_until("the route", SOON, || !lasting());
    assert_eq!(bob(&client_host).0, 0);
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn a_deleted_route_and_a_downed_interface_are_put_back() {
    let (client_host, server, mut client) = begin();
    server.host.ip("route del 10.99.0.0/24 dev adit0");
    reported(&server, HostPart::Route, Code::S10);
    repaired(&server, HostPart::Route);
    client_host.ping(LAN_HOST);
    server.host.ip("link set adit0 down");
    reported(&server, HostPart::Interface, Code::S07);
    repaired(&server, HostPart::Interface);
    client_host.ping(LAN_HOST);
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn a_deleted_interface_is_created_again_under_a_living_session() {
    // With several workers the interface has several queues.
    for workers in [1, 2] {
        let (client_host, server, mut client) = begin_with(&format!("{CONFIG}[link]\nworkers = {workers}\n"));
        for _ in 0..2 {
            server.host.ip("link del adit0");
            reported(&server, HostPart::Interface, Code::S07);
            // The status still shows the fault of the first time.
            wait_until("the interface", SOON, || {
                server.host.try_sh("ip -4 -o address show dev adit0").stdout.contains("10.99.0.1/24")
            });
            repaired(&server, HostPart::Interface);
            client_host.ping(LAN_HOST);
        }
        transfer(&client_host, &server.lan, 1_000_000);
        assert_eq!(server.sessions().len(), 1, "the session went on");
        assert_eq!(bob(&client_host).0, 0);
        assert_eq!(client.hang_up(), 0);
    }
}

#[test]
fn a_deleted_database_is_written_back_and_nothing_is_lost() {
    let (client_host, server, mut client) = begin();
    std::fs::remove_file(database(&server)).unwrap();
    reported(&server, HostPart::Database, Code::S09);
    repaired(&server, HostPart::Database);
    client_host.ping(LAN_HOST);
    assert_eq!(bob(&client_host).0, 0, "the accounts are there");
    assert_eq!(client.hang_up(), 0);
    wait_until("alice's end in the record", SOON, || {
        server.past(&[]).iter().any(|session| {
            session.user.as_deref() == Some("alice") && session.end.as_deref() == Some("user-request")
        })
    });
    assert!(server.adit(&["log"]).stdout.contains("server.fault"), "the event is in the database too");
}

#[test]
fn with_the_whole_state_directory_deleted_everything_comes_back() {
    let (client_host, mut server, mut client) = begin();
    std::fs::remove_dir_all(server.dir.path().join("state")).unwrap();
    reported(&server, HostPart::Database, Code::S09);
    let state = |name: &str| server.dir.path().join("state").join(name).exists();
    wait_until("all files", SOON, || ["adit.db", "seal.key", "server.id"].into_iter().all(state));
    assert_eq!(bob(&client_host).0, 0);
    client_host.ping(LAN_HOST);
    // Also after a crash: the passwords open, and the session that was open is closed.
    server.running.kill();
    client.running.wait_for("retry", SOON);
    server.running = start(&server.host, server.dir.path());
    let crashed = server
        .past(&[])
        .into_iter()
        .any(|session| session.user.as_deref() == Some("alice") && session.end.as_deref() == Some("crash"));
    assert!(crashed, "{:?}", server.past(&[]));
    assert_eq!(bob(&client_host).0, 0);
}

#[test]
fn a_moved_database_keeps_new_calls_out_until_it_is_back() {
    let (client_host, server, mut client) = begin();
    let away = server.dir.path().join("away.db");
    std::fs::rename(database(&server), &away).unwrap();
    let fault = reported(&server, HostPart::Database, Code::S09);
    assert!(fault.refuses_calls && fault.text.contains("away.db"), "{fault:?}");
    let (code, log) = bob(&client_host);
    assert_eq!(code, 11, "{log}");
    let added =
        with_input(&mut adit(server.dir.path(), &["user", "add", "carol", "--password-stdin"]), PASSWORD);
    assert_eq!(added.status.code(), Some(19), "{added:?}");
    assert!(!database(&server).exists(), "no second database is made");
    assert_eq!(server.adit(&["status", "--check", "live"]).code, Some(0));
    assert_eq!(server.adit(&["status", "--check", "ready"]).code, Some(1));
    client_host.ping(LAN_HOST);
    std::fs::rename(&away, database(&server)).unwrap();
    repaired(&server, HostPart::Database);
    wait_until("bob's call", SOON, || bob(&client_host).0 == 0);
    assert_eq!(server.adit(&["status", "--check", "ready"]).code, Some(0));
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn a_replaced_database_ends_the_server_for_its_supervisor() {
    let (_client_host, mut server, _client) = begin();
    let copy = server.dir.path().join("copy.db");
    std::fs::copy(database(&server), &copy).unwrap();
    std::fs::rename(&copy, database(&server)).unwrap();
    reported(&server, HostPart::Database, Code::S09);
    let status = server.running.wait(SOON);
    assert_eq!(status.code(), Some(19), "{}", server.running.log());
    assert!(server.running.log().contains("another file has taken the place"), "{}", server.running.log());
}

#[test]
fn a_database_that_becomes_read_only_keeps_new_calls_out() {
    let (client_host, server_host) = neighbours();
    let dir = tempfile::TempDir::new().unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::write(dir.path().join("adit.toml"), CONFIG).unwrap();
    for user in ["alice", "bob"] {
        add_user(dir.path(), user, &[]);
    }
    let space = MountNamespace::new(&server_host, "true");
    let mut server = server_host.spawn(&mut space.inside(&adit(dir.path(), &["serve"])));
    server.wait_for("ready", SOON);
    let mut alice = connect(&client_host, "alice", &[]);
    let shell = |script: String| {
        let mut command = Command::new("sh");
        command.args(["-e", "-c", &script]);
        let done = server_host.command(&mut space.inside(&command));
        assert!(done.ok, "{done}");
    };
    let path = state.display().to_string();
    shell(format!("mount --bind {path} {path}; mount -o remount,bind,ro {path}"));
    let status = || -> Status {
        let output = server_host.command(&mut space.inside(&adit(dir.path(), &["status", "--json"])));
        parse(&output.stdout).unwrap()
    };
    let is_read_only = |fault: &Fault| {
        fault.code == Code::S09 && fault.text.contains("read-only") && fault.repaired_s.is_none()
    };
    wait_until("the fault", REPORTED, || status().faults.iter().any(is_read_only));
    let (code, log) = bob(&client_host);
    assert_eq!(code, 11, "{log}");
    client_host.ping("10.99.0.1".parse().unwrap());
    shell(format!("umount {path}"));
    wait_until("the repair", SOON, || !status().faults.iter().any(is_read_only));
    wait_until("bob's call", SOON, || bob(&client_host).0 == 0);
    assert_eq!(alice.hang_up(), 0);
    server.signal("TERM");
    assert!(server.wait(SOON).success(), "{}", server.log());
}

#[test]
fn a_clock_that_is_far_ahead_at_the_start_is_reported_and_deletes_nothing() {
    let (client_host, mut server, mut client) = begin();
    assert_eq!(client.hang_up(), 0);
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    // As if all of this had been written 400 days ago, and the clock had jumped since.
    let connection = rusqlite::Connection::open(database(&server)).unwrap();
    let days = 400_i64 * 86_400_000;
    connection
        .execute_batch(&format!(
            "UPDATE events SET at = at - {days};
             UPDATE sessions SET started = started - {days}, seen = seen - {days}, ended = ended - {days};
             DELETE FROM meta WHERE key = 'clock';"
        ))
        .unwrap();
    let count = || -> i64 {
        let sql = "SELECT count(*) FROM events WHERE at < 1000 * unixepoch('now', '-399 days')";
        connection.query_row(sql, (), |row| row.get(0)).unwrap()
    };
    let before = count();
    assert!(before > 3, "{before}");
    server.running = start(&server.host, server.dir.path());
    let fault = reported(&server, HostPart::Clock, Code::S05);
    assert!(!fault.refuses_calls && fault.text.contains("400 days after the newest record"), "{fault:?}");
    // The server removes what is old at its start, before it writes what happens now.
    wait_until("the event of the fault", SOON, || server.adit(&["log"]).stdout.contains("code=S05"));
    assert_eq!(bob(&client_host).0, 0, "new calls are accepted");
    assert_eq!(count(), before);
}

#[test]
fn a_disk_that_becomes_full_is_reported_before_anything_has_to_be_written() {
    let (client_host, server_host) = neighbours();
    let dir = tempfile::TempDir::new().unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::write(dir.path().join("adit.toml"), CONFIG).unwrap();
    let space =
        MountNamespace::new(&server_host, &format!("mount -t tmpfs -o size=2m none {}", state.display()));
    let mut add = space.inside(&adit(dir.path(), &["user", "add", "bob", "--password-stdin"]));
    assert!(with_input(&mut add, PASSWORD).status.success());
    let mut server = server_host.spawn(&mut space.inside(&adit(dir.path(), &["serve"])));
    server.wait_for("ready", SOON);
    let fill = space.path(&state.join("fill"));
    std::fs::write(&fill, vec![0; 4 << 20]).unwrap_err();
    server.wait_for("server.fault", REPORTED);
    assert!(server.log().contains("code=S06") && server.log().contains("what=database"), "{}", server.log());
    let (code, log) = bob(&client_host);
    assert_eq!(code, 11, "{log}");
    std::fs::remove_file(&fill).unwrap();
    server.wait_for("server.repair", SOON);
    wait_until("bob's call", SOON, || bob(&client_host).0 == 0);
    server.signal("TERM");
    assert!(server.wait(SOON).success(), "{}", server.log());
}
