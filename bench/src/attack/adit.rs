//! The program under test: `adit serve` on one host, `adit connect` on another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use adit_bench::until::{wait, wait_for};
use adit_testbed::{Host, Running};
use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use crate::figures::Figures;
use crate::net::{INNER_NET, SERVER};

/// The password of every account.
pub(crate) const PASSWORD: &str = "correct-horse-battery-9";
/// How long a session may take to be up where no attack is running.
const SETUP: Duration = Duration::from_secs(30);

/// Encryption of the attacked session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mppe {
    Stateless,
    Stateful,
}

impl Mppe {
    pub(crate) const ALL: [Mppe; 2] = [Mppe::Stateless, Mppe::Stateful];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Mppe::Stateless => "stateless",
            Mppe::Stateful => "stateful",
        }
    }
}

/// A running `adit serve` with a configuration that has only what the row needs.
pub(crate) struct Server {
    pub(crate) host: Host,
    running: Running,
    program: PathBuf,
    dir: TempDir,
}

/// One session that has ended, as `adit sessions --past --json` prints it.
#[derive(Clone, Debug, Deserialize)]
struct Past {
    user: Option<String>,
    ended: Option<String>,
    up_s: u64,
    end: Option<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
struct PastSessions {
    sessions: Vec<Past>,
}

#[derive(Deserialize)]
struct Status {
    warnings: Vec<Warning>,
}

#[derive(Deserialize)]
struct Warning {
    code: String,
}

impl Past {
    /// How it ended, for the report: `G05 after 72 s`.
    fn line(&self) -> String {
        let how = self.code.as_deref().or(self.end.as_deref()).unwrap_or("no reason");
        format!("{how} after {} s", self.up_s)
    }
}

impl Server {
    /// Adds the accounts, and starts the server.
    pub(crate) fn start(program: &Path, host: Host, mppe: Mppe, users: &[String]) -> anyhow::Result<Server> {
        let dir = tempfile::tempdir()?;
        let stateful = if mppe == Mppe::Stateful { "mppe_stateless = false\n" } else { "" };
        fs::write(
            dir.path().join("adit.toml"),
            format!(
                "[server]\nlisten = \"{SERVER}\"\n[pool]\nnet = \"{INNER_NET}\"\n[access]\nserver = \"all\"\n[link]\nio = \"socket\"\n{stateful}"
            ),
        )?;
        fs::write(dir.path().join("password"), format!("{PASSWORD}\n"))?;
        for user in users {
            let add = command(program, dir.path(), &["user", "add", user, "--password-stdin"]);
            let mut shell = Command::new("sh");
            shell.args(["-e", "-c", "password=$1; shift; exec \"$@\" <\"$password\"", "-"]);
            shell.arg(dir.path().join("password")).arg(add.get_program()).args(add.get_args());
            let added = host.command(&mut shell);
            anyhow::ensure!(added.ok, "adit user add {user}: {added}");
        }
        let mut running = host.spawn(&mut command(program, dir.path(), &["serve"]));
        wait_for(&mut running, "ready")?;
        Ok(Server { host, running, program: program.to_path_buf(), dir })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Ended sessions of a user, oldest first.
    fn past(&self, user: &str) -> anyhow::Result<Vec<Past>> {
        let past: PastSessions = self.document(&["sessions", "--past", "--user", user])?;
        let ended = |past: &Past| past.ended.is_some() && past.user.as_deref() == Some(user);
        Ok(past.sessions.into_iter().filter(ended).collect())
    }

    /// Notes how the sessions of a user ended, and the warnings of `adit status`. A server that does not answer is a note too: the
    /// figures were measured before.
    pub(crate) fn describe(&self, users: &[&str], figures: &mut Figures) {
        for user in users {
            match self.past(user) {
                Ok(past) => {
                    past.iter().for_each(|past| figures.note(format!("server: {user} {}", past.line())))
                }
                Err(error) => figures.note(format!("server: {error:#}")),
            }
        }
        match self.document::<Status>(&["status"]) {
            Ok(status) => {
                status.warnings.iter().for_each(|warning| figures.note(format!("status: {}", warning.code)));
            }
            Err(error) => figures.note(format!("status: {error:#}")),
        }
    }

    fn document<T: DeserializeOwned>(&self, arguments: &[&str]) -> anyhow::Result<T> {
        let mut command = command(&self.program, self.dir.path(), arguments);
        let output = self.host.command(command.arg("--json"));
        let context = || format!("adit {}: {} {}", arguments.join(" "), output.stdout, output.stderr);
        serde_json::from_str(&output.stdout).with_context(context)
    }
}

/// A running `adit connect`, which dials again when its session has ended.
pub(crate) struct Client {
    running: Running,
    _dir: TempDir,
}

/// One line of `adit connect --jsonl`.
#[derive(Clone, Debug, Deserialize)]
struct Line {
    stage: String,
    state: String,
    code: Option<String>,
}

impl Line {
    /// Whether it reports the end of a session or of an attempt.
    fn is_end(&self) -> bool {
        self.state == "fail" || ["ended", "retry"].contains(&self.stage.as_str())
    }
}

impl Client {
    /// Connects, and waits until the session is up.
    pub(crate) fn connect(program: &Path, host: &Host, user: &str, mppe: Mppe) -> anyhow::Result<Client> {
        let dir = tempfile::tempdir()?;
        let password = dir.path().join("password");
        fs::write(&password, format!("{PASSWORD}\n"))?;
        fs::write(dir.path().join("adit.toml"), "")?;
        let (server, password) = (SERVER.to_string(), password.display().to_string());
        let mut arguments = vec!["connect", &server, "-u", user, "--password-file", &password, "--jsonl"];
        arguments.extend(["--no-dns", "--routes", INNER_NET, "--io", "socket"]);
        if mppe == Mppe::Stateful {
            arguments.push("--mppe-stateful=prefer");
        }
        let running = host.spawn(&mut command(program, dir.path(), &arguments));
        let mut client = Client { running, _dir: dir };
        let mut has_ended = false;
        wait(SETUP, || {
            has_ended = client.has_ended();
            has_ended || client.connections() > 0
        });
        let log = client.running.log();
        anyhow::ensure!(
            !has_ended && client.connections() > 0,
            "adit connect as {user}: {}",
            last_lines(&log)
        );
        if mppe == Mppe::Stateful {
            anyhow::ensure!(
                log.contains("stateful"),
                "stateful MPPE was not negotiated: {}",
                last_lines(&log)
            );
        }
        Ok(client)
    }

    /// How often its session came up.
    pub(crate) fn connections(&self) -> usize {
        self.lines().iter().filter(|line| line.stage == "connected").count()
    }

    /// The codes of what failed, in order: of sessions, and of attempts to dial again. An orderly end has none.
    pub(crate) fn failures(&self) -> Vec<String> {
        let lines = self.lines().into_iter().filter(|line| line.is_end());
        let name = |line: Line| line.code.filter(|code| !code.is_empty()).unwrap_or(line.stage);
        lines.map(name).collect()
    }

    /// Whether the program has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.running.status().is_some()
    }

    fn lines(&self) -> Vec<Line> {
        self.running.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// The end of what a program printed.
fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" / ")
}

fn command(program: &Path, dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env("NO_COLOR", "1").args(arguments).arg("--config").arg(dir.join("adit.toml"));
    command.arg("--state-dir").arg(dir.join("state")).arg("--run-dir").arg(dir.join("run"));
    command
}
