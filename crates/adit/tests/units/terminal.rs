//! A server whose terminal is closed, and how it is reloaded and stopped from another one.

use std::path::Path;
use std::process::Command;

use adit_testbed::{Host, Running, wait_until};
use tempfile::TempDir;

use crate::common::*;

/// Runs a program on a terminal of its own, which is closed when a file appears; prints the process id, and the output.
const TERMINAL: &str = r#"
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
print("process", pid, flush=True)
while not os.path.exists(sys.argv[1]):
    if select.select([terminal], [], [], 0.02)[0]:
        os.write(1, os.read(terminal, 65536))
os.close(terminal)
print("closed", flush=True)
os.waitpid(pid, 0)
print("ended", flush=True)
"#;

/// A program on a terminal; it is killed on drop.
struct OnTerminal {
    running: Running,
    pid: u32,
}

impl OnTerminal {
    fn start(host: &Host, close: &Path, command: &Command, ready: &str) -> OnTerminal {
        let mut terminal = Command::new("python3");
        terminal.args(["-c", TERMINAL]).arg(close);
        adit_testbed::wrap(&mut terminal, command);
        let mut running = host.spawn(&mut terminal);
        running.wait_for("process ", SOON);
        let log = running.log();
        let pid = log.split("process ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        let mut started = OnTerminal { running, pid };
        started.running.wait_for(ready, SOON);
        started
    }

    fn is_running(&self) -> bool {
        std::fs::read_to_string(format!("/proc/{}/status", self.pid))
            .is_ok_and(|status| !status.contains("Z (zombie)"))
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        if self.running.status().is_none() {
            let _ = Command::new("kill").args(["-s", "KILL", &self.pid.to_string()]).status();
        }
    }
}

#[test]
fn a_server_outlives_its_terminal_and_is_reloaded_and_stopped_from_elsewhere() {
    let (client_host, server_host) = neighbours();
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("adit.toml");
    std::fs::write(&file, with_io(CONFIG)).unwrap();
    add_user(dir.path(), "alice", &[]);
    let close = dir.path().join("close");
    let mut server = OnTerminal::start(&server_host, &close, &adit(dir.path(), &["serve"]), "ready");
    let mut client = connect(&client_host, "alice", &[]);
    let run = |arguments: &[&str]| server_host.command(&mut adit(dir.path(), arguments));
    // A reload would now fail, and print to the terminal.
    std::fs::write(&file, format!("{}nonsense = 1\n", with_io(CONFIG))).unwrap();
    std::fs::write(&close, "").unwrap();
    server.running.wait_for("closed", SOON);
    client_host.ping("10.99.0.1".parse().unwrap());
    assert!(run(&["status", "--check", "ready"]).ok);
    assert!(server.is_running());
    // A failed reload keeps the running configuration, and the server, although nothing can be printed.
    let refused = run(&["reload"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    client_host.ping("10.99.0.1".parse().unwrap());
    std::fs::write(&file, with_io(CONFIG)).unwrap();
    let reloaded = run(&["reload"]);
    assert!(reloaded.ok && reloaded.stdout.contains("new calls get the new configuration"), "{reloaded}");
    let log = || run(&["log"]).stdout;
    wait_until("one reload, and none by the hang-up", SOON, || log().matches("config.reload").count() == 1);
    let stop = run(&["stop", "--dry-run"]);
    assert!(stop.ok && stop.stdout.contains("1 sessions"), "{stop}");
    assert!(server.is_running());
    let stopped = run(&["stop"]);
    assert!(stopped.ok, "{stopped}");
    assert!(!server.is_running(), "it has ended when the command returns");
    server.running.wait_for("ended", SOON);
    assert_eq!(run(&["stop"]).code, Some(3));
    client.running.signal("INT");
}

#[test]
fn a_client_whose_terminal_is_closed_ends_in_order() {
    let (client_host, server_host) = neighbours();
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let before = state_of(&client_host);
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("password"), PASSWORD).unwrap();
    let file = dir.path().join("password").display().to_string();
    let arguments = ["connect", "203.0.113.10", "-u", "alice", "--password-file", &file, "--no-dns", "--all"];
    let close = dir.path().join("close");
    let mut client = OnTerminal::start(&client_host, &close, &adit(dir.path(), &arguments), "connected");
    assert_ne!(state_of(&client_host), before);
    std::fs::write(&close, "").unwrap();
    client.running.wait_for("ended", SOON);
    assert_eq!(state_of(&client_host), before);
}

#[test]
fn a_client_in_the_background_names_its_log_and_shows_its_state() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("password"), PASSWORD).unwrap();
    let file = dir.path().join("password").display().to_string();
    let arguments =
        ["connect", "203.0.113.10", "-u", "alice", "--password-file", &file, "--no-dns", "--background"];
    let run = |arguments: &[&str]| client_host.command(&mut adit(dir.path(), arguments));
    let started = run(&arguments);
    assert!(started.ok, "{started}");
    let named = started.stderr.lines().find_map(|line| line.strip_prefix("log")).unwrap().trim().to_owned();
    assert_eq!(Path::new(&named), dir.path().join("run/log/203.0.113.10.log"));
    assert!(std::fs::read_to_string(&named).unwrap().contains("connected in"));
    // No server runs there: the status is that of the client.
    let status = run(&["status"]);
    assert!(status.ok && status.stdout.contains("client   203.0.113.10 as alice   up "), "{status}");
    drop(server);
    wait_until("the end of the tunnel", SOON, || {
        let status = run(&["status", "--client"]);
        status.code == Some(1) && !status.stdout.contains("   up ")
    });
    wait_until("the line in the log", SOON, || std::fs::read_to_string(&named).unwrap().contains("retry in"));
    assert!(run(&["disconnect"]).ok);
    assert_eq!(run(&["status", "--client"]).code, Some(5));
}

#[test]
fn a_client_that_waits_for_the_network_connects_when_it_is_there() {
    let (client_host, server_host) = neighbours();
    client_host.ip("link set eth0 down");
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--wait"]);
    client.running.wait_for("retry in 2 s", SOON);
    assert!(client.running.log().contains("N02"), "{}", client.running.log());
    client_host.ip("link set eth0 up");
    client.running.wait_for("connected", SOON);
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn a_dead_path_is_noticed_by_the_echo_options_whatever_this_host_sends() {
    let (client_host, server_host) = neighbours();
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &["--echo", "1", "--echo-lost", "2", "--once"]);
    // A program that keeps sending: by itself it keeps no dead path alive.
    let mut ping = Command::new("ping");
    let _ping = client_host.spawn(ping.args(["-q", "-i", "0.5", "-w", "60", "10.99.0.1"]));
    let begin = std::time::Instant::now();
    client_host.nft("table inet cut { chain in { type filter hook input priority 0; iifname eth0 drop; }; }");
    let code = client.running.wait(SOON).code();
    assert_eq!(code, Some(13), "{}", client.running.log());
    assert!(client.running.log().contains("L04"), "{}", client.running.log());
    assert!(begin.elapsed().as_secs() < 25, "{:?}", begin.elapsed());
}
