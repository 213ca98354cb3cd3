//! Logins with a second factor, through the real server and client.

use std::time::SystemTime;

use adit_crypto::secret::Password;
use adit_mfa::Factor;
use adit_testbed::Host;

use crate::common::documents::SecondFactor;
use crate::common::*;

/// A server with the account alice, whose clear-text password is stored.
fn server(host: Host) -> Server {
    let server = Server::start(host, CONFIG, &[]);
    add_user(server.dir.path(), "alice", &["--reversible"]);
    server
}

fn enroll(server: &Server) -> (Factor, Vec<String>) {
    let enrolled: SecondFactor = server.document(&["user", "mfa", "enroll", "alice", "--no-confirm"]);
    assert!(enrolled.changed && enrolled.enrolled, "{enrolled:?}");
    let uri = enrolled.uri.unwrap();
    let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    (Factor::from_text(&Password::new(secret)).unwrap(), enrolled.recovery_codes)
}

fn step() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    adit_mfa::step(now.as_secs())
}

fn dial_with(host: &Host, code: &str) -> Client {
    dial(host, "203.0.113.10", "alice", &format!("{PASSWORD}{code}"), &["--once"])
}

/// Logs in with the password and this code, reaches the server and hangs up.
#[track_caller]
fn log_in(host: &Host, code: &str) {
    let mut client = dial_with(host, code);
    client.running.wait_for("connected", SOON);
    host.ping([10, 99, 0, 1].into());
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
}

/// The same, and is refused as with a wrong password.
#[track_caller]
fn is_refused(host: &Host, code: &str) {
    let mut client = dial_with(host, code);
    let status = client.running.wait(SOON).code();
    assert_eq!(status, Some(14), "{}", client.running.log());
    assert!(client.running.log().contains("A01"), "{}", client.running.log());
}

#[test]
fn the_password_with_the_code_connects_once() {
    let (client_host, server_host) = neighbours();
    let server = server(server_host);
    log_in(&client_host, "");
    let (factor, recovery) = enroll(&server);
    is_refused(&client_host, "");
    // The code of the next step stays valid while the test runs.
    let code = factor.code(step() + 1);
    log_in(&client_host, code.expose());
    is_refused(&client_host, code.expose());
    log_in(&client_host, &recovery[0]);
    let log = server.adit(&["log", "--failed"]).stdout;
    for reason in ["the code is missing", "was used before"] {
        assert!(log.contains(reason), "{reason}: {log}");
    }
    let status: SecondFactor = server.document(&["user", "mfa", "status", "alice"]);
    assert_eq!(status.recovery_left, recovery.len() - 1);
    assert!(status.uri.is_none() && status.recovery_codes.is_empty());
    let removed: SecondFactor = server.document(&["user", "mfa", "remove", "alice", "--yes"]);
    assert!(removed.changed && !removed.enrolled);
    log_in(&client_host, "");
    for secret in recovery.iter().map(String::as_str).chain([code.expose(), PASSWORD]) {
        assert!(!server.running.log().contains(secret) && !log.contains(secret));
    }
}
