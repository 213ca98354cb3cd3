//! `adit` itself in network namespaces: a server with a LAN behind it, clients somewhere.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared by tests"
)]

pub mod documents;
pub mod services;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use adit_testbed::{Host, Output, Running, wait_until, wire};
use tempfile::TempDir;

use adit_api::session::{SessionDetail, SessionRow};
use adit_api::status::Status;
use documents::{Document, LiveSession, PastSession, PastSessions, Sessions};

/// Long enough for a busy machine.
pub const SOON: Duration = Duration::from_secs(30);
/// The server's public address.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The host in the LAN behind the server.
pub const LAN_HOST: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 20);
/// The password of every account made here.
pub const PASSWORD: &str = "correct-horse-battery-9";

/// The configuration that most tests use.
pub const CONFIG: &str = r#"
[server]
name = "vpn.example.org"
listen = "203.0.113.10"
[pool]
net = "10.99.0.0/24"
dns = ["192.168.10.5"]
domain = "corp.example.org"
[access]
routes = ["192.168.10.0/24"]
[limits]
calls_per_minute_per_address = 0
"#;

/// What moves the packets at both ends in this test program: its name says so.
fn io() -> &'static str {
    match env!("CARGO_CRATE_NAME") {
        name if name.ends_with("_xdp") => "xdp",
        name if name.ends_with("_auto") => "auto",
        _ => "socket",
    }
}

/// A configuration with [`io`].
pub fn with_io(config: &str) -> String {
    let (link, io) = ("[link]\n", format!("[link]\nio = \"{}\"\n", io()));
    if config.contains(link) { config.replacen(link, &io, 1) } else { format!("{config}{io}") }
}

/// A command of adit with its own state.
pub fn adit(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adit"));
    command.env("ADIT_STATE_DIR", dir.join("state")).env("ADIT_RUN_DIR", dir.join("run"));
    command.env("ADIT_CONFIG", dir.join("adit.toml")).env("NO_COLOR", "1").env_remove("COLUMNS");
    command.args(arguments);
    command
}

/// A server that runs.
pub struct Server {
    pub host: Host,
    pub lan: Host,
    pub dir: TempDir,
    pub running: Running,
}

impl Server {
    /// Starts it on `host`, which has its public interface already; `users` are made with [`PASSWORD`].
    pub fn start(host: Host, config: &str, users: &[&str]) -> Server {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("adit.toml"), with_io(config)).unwrap();
        for user in users {
            add_user(dir.path(), user, &[]);
        }
        Server::start_in(host, dir)
    }

    /// The same with a configuration and a state that are there already.
    pub fn start_in(host: Host, dir: TempDir) -> Server {
        let lan = Host::new("lan");
        wire((&host, "lan0", "192.168.10.1/24"), (&lan, "eth0", "192.168.10.20/24"));
        lan.ip("route add default via 192.168.10.1");
        lan.ip("address add 192.168.10.5/24 dev eth0");
        host.sysctl("net.ipv4.ip_forward", "1");
        let running = start(&host, dir.path());
        Server { host, lan, dir, running }
    }

    /// Runs a command of adit beside the server.
    pub fn adit(&self, arguments: &[&str]) -> Output {
        self.host.command(&mut adit(self.dir.path(), arguments))
    }

    /// The same; its document.
    #[track_caller]
    pub fn document<T: Document>(&self, arguments: &[&str]) -> T {
        let output = self.adit(&[arguments, &["--json"]].concat());
        documents::parse(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{output}"))
    }

    /// `adit status`.
    #[track_caller]
    pub fn status(&self) -> Status {
        self.document(&["status"])
    }

    /// The sessions that run, those in set-up too.
    #[track_caller]
    pub fn sessions(&self) -> Vec<SessionRow> {
        self.document::<Sessions>(&["sessions"]).sessions
    }

    /// The sessions that are over, chosen by more arguments; oldest first.
    #[track_caller]
    pub fn past(&self, more: &[&str]) -> Vec<PastSession> {
        self.document::<PastSessions>(&[&["sessions", "--past"], more].concat()).sessions
    }

    /// One that runs, with its record.
    #[track_caller]
    pub fn session(&self, who: &str) -> SessionDetail {
        self.document::<LiveSession>(&["session", who]).detail
    }

    /// Waits until a session is over and written down, and returns the oldest of these.
    #[track_caller]
    pub fn first_past(&self) -> PastSession {
        let mut first = None;
        wait_until("a session's row", SOON, || {
            first = self.past(&[]).into_iter().find(|session| session.ended.is_some());
            first.is_some()
        });
        first.unwrap()
    }
}

/// Starts `adit serve` and waits until it is ready.
pub fn start(host: &Host, dir: &Path) -> Running {
    let mut running = host.spawn(&mut adit(dir, &["serve"]));
    running.wait_for("ready", SOON);
    moves_packets_by_io(host);
    running
}

/// The program that belongs to AF_XDP is loaded with it, and only with it: there was no fallback to the socket.
fn moves_packets_by_io(host: &Host) {
    if io() == "auto" {
        return;
    }
    let links = host.sh("ip -o link show type veth");
    assert_eq!(links.contains("xdp"), io() == "xdp", "{links}");
}

/// Makes an account.
pub fn add_user(dir: &Path, name: &str, more: &[&str]) {
    let mut arguments = vec!["user", "add", name, "--password-stdin"];
    arguments.extend(more);
    let output = with_input(&mut adit(dir, &arguments), PASSWORD);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs a command that reads a line.
pub fn with_input(command: &mut Command, line: &str) -> std::process::Output {
    use std::process::Stdio;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A client's state and how it was started.
pub struct Client {
    pub dir: TempDir,
    pub running: Running,
}

/// Starts `adit connect` on a host; does not wait.
pub fn dial(host: &Host, server: &str, user: &str, password: &str, more: &[&str]) -> Client {
    let dir = TempDir::new().unwrap();
    let password_file: PathBuf = dir.path().join("password");
    std::fs::write(&password_file, format!("{password}\n")).unwrap();
    let file = password_file.to_str().unwrap().to_owned();
    let mut arguments =
        vec!["connect", server, "-u", user, "--password-file", &file, "--no-dns", "--io", io()];
    arguments.extend(more);
    let running = host.spawn(&mut adit(dir.path(), &arguments));
    Client { dir, running }
}

/// Starts it and waits until it is connected.
pub fn connect(host: &Host, user: &str, more: &[&str]) -> Client {
    let mut arguments = vec!["--routes", "192.168.10.0/24"];
    arguments.extend(more);
    let mut client = dial(host, "203.0.113.10", user, PASSWORD, &arguments);
    client.running.wait_for("connected", SOON);
    moves_packets_by_io(host);
    client
}

impl Client {
    /// Hangs up as Ctrl-C does and waits for the end.
    pub fn hang_up(&mut self) -> i32 {
        self.running.signal("INT");
        self.running.wait(SOON).code().unwrap()
    }
}

/// Moves `size` octets each way over TCP from a client's host to the LAN host; panics when anything differs.
pub fn transfer(client: &Host, lan: &Host, size: usize) {
    let listener = lan.run(|| TcpListener::bind((LAN_HOST, 0)).unwrap());
    let port = listener.local_addr().unwrap().port();
    let sent = octets(size, 1);
    let returned = octets(size, 2);
    let expected = sent.clone();
    let answer = returned.clone();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = vec![0; expected.len()];
        stream.set_read_timeout(Some(SOON * 4)).unwrap();
        stream.read_exact(&mut got).unwrap();
        assert!(got == expected, "what arrived at the LAN host differs");
        stream.write_all(&answer).unwrap();
    });
    let mut stream = client.run(|| {
        let address = std::net::SocketAddr::V4(SocketAddrV4::new(LAN_HOST, port));
        TcpStream::connect_timeout(&address, SOON).unwrap()
    });
    stream.set_read_timeout(Some(SOON * 4)).unwrap();
    stream.write_all(&sent).unwrap();
    let mut got = vec![0; size];
    stream.read_exact(&mut got).unwrap();
    assert!(got == returned, "what came back differs");
    server.join().unwrap();
}

/// Octets that look random and are the same every time.
fn octets(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(size + 8);
    while out.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend(state.to_le_bytes());
    }
    out.truncate(size);
    out
}

/// A client's host on the server's wire.
pub fn neighbours() -> (Host, Host) {
    let (client, server) = (Host::new("client"), Host::new("server"));
    wire((&client, "eth0", "203.0.113.77/24"), (&server, "eth0", "203.0.113.10/24"));
    (client, server)
}

/// The routes, addresses and resolver of a host: what must be the same before and after.
pub fn state_of(host: &Host) -> String {
    host.sh("ip -4 address; ip -4 route show table all; ip -4 rule")
}
