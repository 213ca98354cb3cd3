//! What a server may do, as root, as an unprivileged user, and under the restrictions of its unit.

use std::path::Path;
use std::process::Command;

use adit_testbed::{Host, Running};
use tempfile::TempDir;

use crate::common::*;
use crate::unit::{TUN, Unit};

const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;
/// CAP_BPF and CAP_IPC_LOCK.
const XDP: u64 = 1 << 39 | 1 << 14;
const NET: u64 = NET_ADMIN | NET_RAW;

/// A field of the status of each thread of a process.
fn of_threads(pid: u32, field: &str) -> Vec<u64> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let value = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("status")).ok()?;
        let line =
            text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    threads.filter_map(|thread| value(thread.unwrap().path())).collect()
}

#[track_caller]
fn has_only(server: &Running, effective: u64, permitted: u64) {
    let pid = server.pid();
    let effective_now = of_threads(pid, "CapEff");
    assert!(effective_now.len() > 2, "{effective_now:x?}");
    assert!(effective_now.iter().all(|set| *set == effective), "effective: {effective_now:x?}");
    for field in ["CapPrm", "CapBnd"] {
        let sets = of_threads(pid, field);
        assert!(sets.iter().all(|set| *set == permitted), "{field}: {sets:x?}");
    }
    let ambient = of_threads(pid, "CapAmb");
    assert!(ambient.iter().all(|set| set & !permitted == 0), "ambient: {ambient:x?}");
    assert!(of_threads(pid, "NoNewPrivs").iter().all(|value| *value == 1));
}

/// Whether a program of the same user can read the memory: it runs without capabilities.
fn is_readable(user: &str, pid: u32) -> bool {
    Command::new("setpriv")
        .args([user, "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "cat"])
        .arg(format!("/proc/{pid}/environ"))
        .output()
        .unwrap()
        .status
        .success()
}

/// A directory with configuration and account that another user may use.
fn directory_of(user: u32) -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), with_io(CONFIG)).unwrap();
    add_user(dir.path(), "alice", &[]);
    let own = |path: &Path| std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    own(dir.path());
    own(&dir.path().join("state"));
    for entry in std::fs::read_dir(dir.path().join("state")).unwrap() {
        own(&entry.unwrap().path());
    }
    dir
}

/// A client of the server connects, uses the tunnel and disconnects; the server then ends in order.
fn serves(client_host: &Host, mut server: Running) {
    let mut client = dial(client_host, "203.0.113.10", "alice", PASSWORD, &[]);
    client.running.wait_for("connected", SOON);
    client_host.ping("10.99.0.1".parse().unwrap());
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
    server.signal("TERM");
    assert!(server.wait(SOON).success(), "{}", server.log());
    assert!(!server.log().contains("denied") && !server.log().contains("not permitted"), "{}", server.log());
}

#[test]
fn root_keeps_two_capabilities_and_its_memory_is_not_readable() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    has_only(&server.running, NET, NET);
    assert!(!is_readable("--reuid=0", server.running.pid()));
    let Server { running, dir, host: _host, lan: _lan } = server;
    serves(&client_host, running);
    drop(dir);
}

#[test]
fn with_io_auto_the_capabilities_of_af_xdp_are_in_effect_only_on_demand() {
    let (_client_host, server_host) = neighbours();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), format!("{CONFIG}[link]\nio = \"auto\"\n")).unwrap();
    let mut server = server_host.spawn(&mut adit(dir.path(), &["serve"]));
    server.wait_for("ready", SOON);
    has_only(&server, NET, NET | XDP);
}

#[test]
fn an_unprivileged_user_with_two_capabilities_serves() {
    let (client_host, server_host) = neighbours();
    let dir = directory_of(65534);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-e", "-c", &format!("{TUN}\nexec \"$@\""), "sh", "setpriv"]);
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--bounding-set=-all,+net_admin,+net_raw",
    ]);
    command.args(["--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw"]);
    adit_testbed::wrap(&mut command, &adit(dir.path(), &["serve"]));
    let mut server = server_host.spawn(&mut command);
    server.wait_for("ready", SOON);
    has_only(&server, NET, NET);
    assert!(!is_readable("--reuid=65534", server.pid()));
    // The user of the server may change accounts, although the server is not dumpable.
    let mut add = Command::new("setpriv");
    add.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
    adit_testbed::wrap(&mut add, &adit(dir.path(), &["user", "disable", "alice"]));
    let changed = server_host.command(&mut add);
    assert!(changed.ok, "{changed}");
    assert!(server_host.command(&mut adit(dir.path(), &["user", "enable", "alice"])).ok);
    serves(&client_host, server);
}

#[test]
fn root_does_not_serve_from_the_directory_of_the_service() {
    let (_client_host, server_host) = neighbours();
    let dir = directory_of(65534);
    let refused = server_host.command(&mut adit(dir.path(), &["serve"]));
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("belongs to user 65534") && refused.stderr.contains("systemctl start adit"),
        "{refused}"
    );
}

#[test]
fn the_command_of_the_unit_serves_under_its_restrictions() {
    let (client_host, server_host) = neighbours();
    let unit = Unit::shipped("adit.service");
    assert_eq!(unit.values("ExecStart"), [format!("{} serve", env!("CARGO_BIN_EXE_adit"))]);
    let dir = directory_of(65534);
    let mut server = server_host.spawn(&mut unit.restricted(&adit(dir.path(), &["serve"]), dir.path()));
    server.wait_for("ready", SOON);
    has_only(&server, NET, NET);
    // ExecReload, under the same restrictions.
    let reload = server_host.command(&mut unit.restricted(&adit(dir.path(), &["reload"]), dir.path()));
    assert!(reload.ok, "{reload}");
    serves(&client_host, server);
}

#[test]
fn the_command_of_the_client_unit_connects_under_its_restrictions() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let unit = Unit::shipped("adit-client@.service");
    let dir = TempDir::new().unwrap();
    std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    std::os::unix::fs::chown(&password, Some(65534), Some(65534)).unwrap();
    // The command line of the unit, as systemd would expand it.
    let line = unit.values("ExecStart")[0]
        .replace("${CREDENTIALS_DIRECTORY}", dir.path().to_str().unwrap())
        .replace("${ADIT_USER}", "alice")
        .replace("$OPTIONS", "--routes 192.168.10.0/24 --io socket")
        .replace("${SERVER}", "203.0.113.10");
    let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    let mut client = client_host.spawn(&mut unit.restricted(&adit(dir.path(), &arguments), dir.path()));
    client.wait_for("connected", SOON);
    // The machine's resolver is not writable, which is reported and no reason to fail.
    assert!(client.log().contains("dns       192.168.10.5 not set: "), "{}", client.log());
    client_host.ping(LAN_HOST);
    let status = client_host.command(&mut adit(dir.path(), &["status", "--client"]));
    assert!(status.ok && status.stdout.contains("203.0.113.10 as alice   up "), "{status}");
    client.signal("TERM");
    assert!(client.wait(SOON).success(), "{}", client.log());
    // A wrong password is the end, with the status after which the unit is not started again.
    std::fs::write(&password, "wrong").unwrap();
    let mut refused = client_host.spawn(&mut unit.restricted(&adit(dir.path(), &arguments), dir.path()));
    let code = refused.wait(SOON).code().unwrap().to_string();
    assert!(unit.words("RestartPreventExitStatus").contains(&code.as_str()), "{code}: {}", refused.log());
    drop(server);
}
