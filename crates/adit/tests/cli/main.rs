//! The program as its users meet it: arguments in, text, JSON and an exit code out. Every transcript is a snapshot.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod ban;
mod check;
mod explain;
mod frame;
mod init;
mod live;
mod log;
mod older;
mod pcap;
mod pool;
mod record;
mod rewording;
mod schema;
mod sessions;
mod user;
mod user_export;
mod user_handout;
mod user_import;
mod user_mfa;
mod user_why;

use std::path::PathBuf;
use std::process::Output;

use adit_store::{ServerId, ServerIdentity, Store, StoreConfig};
use assert_cmd::Command;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// A world of its own: state, run directory and configuration in a temporary directory.
pub(crate) struct World {
    dir: TempDir,
}

/// Enough for a group, a pool and its server.
pub(crate) const CONFIG: &str = "\
[server]
name = \"vpn.example.org\"
listen = \"127.0.0.1\"
[pool]
net = \"10.99.0.0/24\"
[access]
routes = [\"192.168.10.0/24\"]
[groups.staff]
routes = [\"192.168.20.0/24\"]
[groups.ops]
idle = \"30m\"
";

/// A server, to start sessions on.
pub(crate) fn server(store: &Store) -> ServerId {
    store.register_server(&ServerIdentity::random("vpn1").unwrap()).unwrap()
}

impl World {
    /// Without a configuration.
    pub(crate) fn new() -> World {
        World { dir: tempfile::tempdir().unwrap() }
    }

    /// With [`CONFIG`].
    pub(crate) fn configured() -> World {
        let world = World::new();
        std::fs::write(world.path("adit.toml"), CONFIG).unwrap();
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The store, to put things in.
    pub(crate) fn store(&self) -> Store {
        adit_store::open(&StoreConfig::sqlite(self.path("state/adit.db"), self.path("state/seal.key")))
            .unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("adit").unwrap();
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .env("COLUMNS", "80")
            .env("SUDO_USER", "mira")
            .env("ADIT_STATE_DIR", self.path("state"))
            .env("ADIT_RUN_DIR", self.path("run"));
        if self.path("adit.toml").exists() {
            command.env("ADIT_CONFIG", self.path("adit.toml"));
        }
        command
    }

    /// Runs `adit` and returns what a person sees.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.run_with(arguments, "")
    }

    /// The same with something on stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> String {
        let output = self.command(arguments).write_stdin(stdin).output().unwrap();
        let line = self.settle(&format!("$ adit {}", arguments.join(" ")));
        format!("{line}\n{}", self.shown(&output))
    }

    /// stdout, then stderr, then the exit code, without what differs from run to run.
    fn shown(&self, output: &Output) -> String {
        let mut text = String::from_utf8(output.stdout.clone()).unwrap();
        let err = String::from_utf8(output.stderr.clone()).unwrap();
        if !err.is_empty() {
            text.push_str("--- stderr\n");
            text.push_str(&err);
        }
        let code = output.status.code().unwrap();
        if code != 0 {
            text.push_str(&format!("--- exit {code}\n"));
        }
        self.settle(&text)
    }

    /// Puts words for the directory and for the time of now.
    fn settle(&self, text: &str) -> String {
        let mut text = text.replace(&self.dir.path().display().to_string(), "DIR");
        let mut settled = String::new();
        while let Some(at) = find_time(&text) {
            let (before, rest) = text.split_at(at);
            settled.push_str(before);
            settled.push_str("NOW");
            text = rest["2026-11-22T18:00:00Z".len()..].to_owned();
        }
        settled.push_str(&text);
        settled
    }

    /// What `--json` printed.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.command(arguments).arg("--json").output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }
}

/// Where a text has a time (RFC 3339, UTC, seconds) that is at most a minute old.
fn find_time(text: &str) -> Option<usize> {
    const LENGTH: usize = "2026-11-22T18:00:00Z".len();
    let now = Timestamp::now();
    text.char_indices().map(|(at, _)| at).find(|at| {
        let time = text.get(*at..at + LENGTH).and_then(|part| part.parse::<Timestamp>().ok());
        time.is_some_and(|time| now.duration_since(time).abs() < SignedDuration::from_mins(1))
    })
}

/// A fixed time in the past, and so many seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2025-11-22T18:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}
