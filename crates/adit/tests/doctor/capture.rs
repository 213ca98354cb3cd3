//! `adit doctor --capture INTERFACE`: calls of others, watched while they happen.

use adit_testbed::{Host, Running};

use crate::common::*;
use crate::world::{doctor, names};

/// Watches an interface until it is told to stop.
fn watch(host: &Host, dir: &tempfile::TempDir, seconds: &str) -> Running {
    let mut running =
        host.spawn(&mut adit(dir.path(), &["doctor", "--capture", "eth0", "--seconds", seconds]));
    running.wait_for("watching", SOON);
    running
}

#[test]
fn a_failed_call_is_judged_when_the_capture_is_stopped() {
    let (client, server) = neighbours();
    server.nft("table ip f { chain i { type filter hook input priority 0; ip protocol 47 drop; }; }");
    let server = Server::start(server, CONFIG, &["alice"]);
    let dir = tempfile::TempDir::new().unwrap();
    let mut watching = watch(&server.host, &dir, "300");
    assert_eq!(doctor(&client, &["203.0.113.10"]).code(), "G02");
    watching.wait_for("1 control connection", SOON);
    watching.signal("INT");
    let status = watching.wait(SOON);
    let log = watching.log();
    // The packets came as far as this interface: who drops them is behind it.
    assert!(log.contains("FAILED at gre, G02"), "{log}");
    assert!(log.contains("Cause         the firewall on the server's side"), "{log}");
    assert_eq!(status.code(), Some(12), "10 and the layer: {log}");
}

#[test]
fn a_call_that_works_is_no_failure() {
    let (client, server) = neighbours();
    let server = Server::start(server, CONFIG, &["alice"]);
    let _names = names(&server.lan);
    let dir = tempfile::TempDir::new().unwrap();
    let mut watching = watch(&client, &dir, "300");
    doctor(&client, &["203.0.113.10", "-u", "alice"]).is_healthy();
    watching.wait_for("1 control connection", SOON);
    watching.signal("INT");
    let status = watching.wait(SOON);
    assert_eq!(status.code(), Some(0), "{}", watching.log());
}

#[test]
fn an_interface_without_pptp_is_an_answer() {
    let (client, _server) = neighbours();
    let dir = tempfile::TempDir::new().unwrap();
    let mut watching = watch(&client, &dir, "1");
    let status = watching.wait(SOON);
    assert_eq!(status.code(), Some(5), "{}", watching.log());
    let log = watching.log();
    assert!(log.contains("No PPTP on the interface") && log.contains("call while it watches"), "{log}");
}
