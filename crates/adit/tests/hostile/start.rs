//! What keeps `adit serve` from starting is named, with the right exit status, and leaves nothing behind.

use std::path::Path;
use std::process::Command;

use adit_testbed::Host;
use tempfile::TempDir;

use crate::common::*;
use adit_testbed::wrap;

/// A host with the server's address, and a state directory with a configuration in it.
fn host() -> (Host, Host, TempDir) {
    let (client, server) = neighbours();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), with_io(CONFIG)).unwrap();
    (client, server, dir)
}

/// Runs a command that must end by itself; its exit status and all that it printed.
fn ends(host: &Host, command: &mut Command) -> (i32, String) {
    let mut running = host.spawn(command);
    let status = running.wait(SOON);
    (status.code().unwrap_or(-1), running.log())
}

/// Runs a program as an unprivileged user, without any capability.
fn unprivileged(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
    wrap(&mut wrapped, command);
    wrapped
}

/// Runs a program in a mount namespace of its own, after `script`.
fn after(script: &str, command: &Command) -> Command {
    let mut wrapped = Command::new("unshare");
    wrapped.args(["--mount", "sh", "-e", "-c", &format!("{script}\nexec \"$@\""), "sh"]);
    wrap(&mut wrapped, command);
    wrapped
}

#[track_caller]
fn clean(host: &Host, before: &str, dir: &Path) {
    assert_eq!(state_of(host), before);
    assert!(!dir.join("run/adit.sock").exists(), "the control socket is left");
}

#[test]
fn a_taken_port_is_named_with_its_holder() {
    let (_client, host, dir) = host();
    let before = state_of(&host);
    let holder = host.run(|| std::net::TcpListener::bind((SERVER, 1723)).unwrap());
    let (code, log) = ends(&host, &mut adit(dir.path(), &["serve"]));
    assert_eq!(code, 19, "{log}");
    assert!(log.contains("S01") && log.contains("203.0.113.10:1723"), "{log}");
    assert!(log.contains(&format!("process {}", std::process::id())), "who has it? {log}");
    clean(&host, &before, dir.path());
    drop(holder);
    let mut running = start(&host, dir.path());
    running.signal("TERM");
    assert!(running.wait(SOON).success(), "{}", running.log());
    clean(&host, &before, dir.path());
}

#[test]
fn an_address_that_is_not_here_is_named() {
    let (_client, host, dir) = host();
    let before = state_of(&host);
    std::fs::write(dir.path().join("adit.toml"), CONFIG.replace("203.0.113.10", "203.0.113.99")).unwrap();
    let (code, log) = ends(&host, &mut adit(dir.path(), &["serve"]));
    // A fault of the file, found before anything is touched.
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("S10") && log.contains("203.0.113.99") && log.contains("line 4"), "{log}");
    clean(&host, &before, dir.path());
}

#[test]
fn an_unprivileged_user_can_neither_serve_nor_connect() {
    let (_client, host, dir) = host();
    let before = state_of(&host);
    // Nothing may be written there.
    let (code, log) = ends(&host, &mut unprivileged(&adit(dir.path(), &["serve"])));
    assert_eq!(code, 4, "{log}");
    assert!(log.contains("S08"), "{log}");
    // Everything may be written, but the host may not be changed.
    std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
    let (code, log) = ends(&host, &mut unprivileged(&adit(dir.path(), &["serve"])));
    assert_eq!(code, 4, "{log}");
    assert!(log.contains("S08") && log.contains("fix"), "{log}");
    clean(&host, &before, dir.path());
    let listener = host.run(|| std::net::TcpListener::bind((SERVER, 1723)).unwrap());
    let password = dir.path().join("password");
    std::fs::write(&password, "x\n").unwrap();
    let file = password.to_str().unwrap();
    let arguments = ["connect", "203.0.113.10", "-u", "alice", "--password-file", file];
    let (code, log) = ends(&host, &mut unprivileged(&adit(dir.path(), &arguments)));
    assert_eq!(code, 4, "{log}");
    assert!(log.contains("S08") && log.contains("CAP_NET_ADMIN"), "{log}");
    drop(listener);
    assert_eq!(state_of(&host), before);
}

#[test]
fn a_missing_tun_device_is_named_by_server_and_client() {
    let (client, host, dir) = host();
    let before = state_of(&host);
    let missing = "mount -t tmpfs none /dev/net";
    // A file system without devices: what containers and hardened services see.
    let refused = "mount -t tmpfs -o nodev none /dev/net; mknod /dev/net/tun c 10 200";
    for script in [missing, refused] {
        let (code, log) = ends(&host, &mut after(script, &adit(dir.path(), &["serve"])));
        assert_eq!(code, 19, "{log}");
        assert!(log.contains("S07") && log.contains("/dev/net/tun"), "{log}");
        clean(&host, &before, dir.path());
    }
    let _server = start(&host, dir.path());
    let password = dir.path().join("password");
    std::fs::write(&password, "x\n").unwrap();
    let arguments = ["connect", "203.0.113.10", "-u", "alice", "--password-file", password.to_str().unwrap()];
    let (code, log) = ends(&client, &mut after(missing, &adit(dir.path(), &arguments)));
    assert_eq!(code, 19, "{log}");
    assert!(log.contains("S07"), "{log}");
}

#[test]
fn a_bad_configuration_starts_nothing_and_shows_the_line() {
    let (_client, host, dir) = host();
    let before = state_of(&host);
    let file = dir.path().join("adit.toml");
    let cases = [
        ("[pool]\nnet = \"10.99.0.0/24\"\nspilt = 1\n", "F03", "3"),
        ("[pool]\nnet = \"10.99.0.300/24\"\n", "F0", "2"),
        ("[pool]\nnet = \"10.99.0.0/24\"\nrange = \"10.99.0.10-10.99.1.250\"\n", "F12", "3"),
        (
            "[pools.one]\nnet = \"10.99.0.0/24\"\n[pools.two]\nnet = \"10.99.0.128/25\"\n[access]\npool = \"one\"\n",
            "F",
            "4",
        ),
    ];
    for (text, code, line) in cases {
        std::fs::write(&file, text).unwrap();
        let (exit, log) = ends(&host, &mut adit(dir.path(), &["serve"]));
        assert_eq!(exit, 1, "{log}");
        assert!(log.contains(code), "{code}: {log}");
        assert!(log.contains(&format!(":{line}:")) || log.contains(&format!("line {line}")), "{line}: {log}");
        clean(&host, &before, dir.path());
    }
}

#[test]
fn a_second_server_is_refused_and_the_first_goes_on() {
    let (_client, host, dir) = host();
    let mut first = start(&host, dir.path());
    // The same directories.
    let (code, log) = ends(&host, &mut adit(dir.path(), &["serve"]));
    assert_eq!(code, 19, "{log}");
    assert!(log.contains("S01") && log.contains("another adit"), "{log}");
    // Its own ones, but the same address.
    let other = TempDir::new().unwrap();
    std::fs::write(other.path().join("adit.toml"), CONFIG.replace("10.99.0.0/24", "10.98.0.0/24")).unwrap();
    let (code, log) = ends(&host, &mut adit(other.path(), &["serve"]));
    assert_eq!(code, 19, "{log}");
    assert!(log.contains("S01") && log.contains(&format!("process {}", first.pid())), "{log}");
    assert!(host.command(&mut adit(dir.path(), &["status", "--check", "ready"])).ok);
    first.signal("TERM");
    assert!(first.wait(SOON).success(), "{}", first.log());
}
