//! `adit serve` in network and mount namespaces of its own, on a small disk of its own.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use adit_bench::until::wait_for;
use adit_testbed::{Host, MountNamespace, Output, Running};
use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct-horse-battery-9";
/// Accounts that share the sessions.
pub(crate) const USERS: u32 = 4;
/// The server's first address and network inside every tunnel.
pub(crate) const INNER: &str = "10.77.0.1/16";
pub(crate) const CONFIG: &str = "[server]\nlisten = \"203.0.113.1\"\n[pool]\nnet = \"10.77.0.0/16\"\n[access]\nsessions = 1000\n\
    [limits]\ncalls_per_minute_per_address = 0\n[link]\nio = \"socket\"\n";

/// A state directory with the accounts, which every run copies.
pub(crate) struct Template(TempDir);

impl Template {
    pub(crate) fn new(program: &Path) -> anyhow::Result<Template> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("adit.toml"), CONFIG)?;
        fs::write(dir.path().join("password"), format!("{PASSWORD}\n"))?;
        for number in 0..USERS {
            let user = format!("load{number}");
            let mut add = command(
                program,
                dir.path(),
                &dir.path().join("state"),
                &["user", "add", &user, "--password-stdin"],
            );
            let output = add.stdin(fs::File::open(dir.path().join("password"))?).output()?;
            anyhow::ensure!(
                output.status.success(),
                "adit user add: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(Template(dir))
    }
}

/// The server of one run.
pub(crate) struct Server {
    pub(crate) host: Host,
    space: MountNamespace,
    program: PathBuf,
    dir: TempDir,
    pub(crate) running: Running,
    /// What the servers of this run before the present one have printed.
    printed: String,
}

/// What `adit status --json` prints, as far as it is used here.
#[derive(Deserialize)]
pub(crate) struct Status {
    pub(crate) sessions_up: u32,
    pub(crate) faults: Vec<Part>,
    pub(crate) warnings: Vec<Warning>,
}

#[derive(Deserialize)]
pub(crate) struct Part {
    pub(crate) part: String,
    pub(crate) code: String,
    pub(crate) repaired_s: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Warning {
    pub(crate) code: String,
}

/// One row of `adit sessions --past --json`.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) user: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) end: Option<String>,
}

#[derive(Deserialize)]
struct Log {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    kind: String,
    session: Option<String>,
}

#[derive(Deserialize)]
struct Rows {
    sessions: Vec<Row>,
}

impl Server {
    pub(crate) fn start(program: &Path, template: &Template, host: Host) -> anyhow::Result<Server> {
        let dir = tempfile::tempdir()?;
        fs::create_dir(dir.path().join("disk"))?;
        fs::write(dir.path().join("adit.toml"), CONFIG)?;
        let script = format!(
            "mount -t tmpfs -o size=16m none {0}/disk; cp -a {1}/state {0}/disk/state",
            dir.path().display(),
            template.0.path().display()
        );
        let space = MountNamespace::new(&host, &script);
        let running = serve(program, dir.path(), &host, &space)?;
        Ok(Server { host, space, program: program.to_path_buf(), dir, running, printed: String::new() })
    }

    /// Starts it again after its end.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.printed.push_str(&self.running.log());
        self.running = serve(&self.program, self.dir.path(), &self.host, &self.space)?;
        Ok(())
    }

    /// Everything that was printed in this run.
    pub(crate) fn printed(&self) -> String {
        format!("{}{}", self.printed, self.running.log())
    }

    pub(crate) fn configure(&mut self, text: &str) -> anyhow::Result<()> {
        fs::write(self.dir.path().join("adit.toml"), text)?;
        self.running.signal("HUP");
        Ok(())
    }

    /// A file on its disk, as seen from outside.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.space.path(&self.dir.path().join("disk").join(name))
    }

    pub(crate) fn adit(&self, arguments: &[&str]) -> Output {
        let command = command(&self.program, self.dir.path(), &self.dir.path().join("disk/state"), arguments);
        self.host.command(&mut self.space.inside(&command))
    }

    pub(crate) fn status(&self) -> anyhow::Result<Status> {
        self.document(&["status"])
    }

    /// All sessions on record.
    pub(crate) fn rows(&self) -> anyhow::Result<Vec<Row>> {
        // Those of a clock that is ahead began long ago.
        Ok(self.document::<Rows>(&["sessions", "--past", "--lines", "100000"])?.sessions)
    }

    /// The sessions with an event of their end.
    pub(crate) fn ended(&self) -> anyhow::Result<BTreeSet<String>> {
        let log: Log = self.document(&["log", "--lines", "100000"])?;
        let ends = log.events.into_iter().filter(|event| event.kind == "session.end");
        Ok(ends.filter_map(|event| event.session).collect())
    }

    fn document<T: DeserializeOwned>(&self, arguments: &[&str]) -> anyhow::Result<T> {
        let output = self.adit(&[arguments, &["--json"]].concat());
        let context = || format!("adit {}: {} {}", arguments.join(" "), output.stdout, output.stderr);
        serde_json::from_str(&output.stdout).with_context(context)
    }

    /// Runs a script where the server sees the same file systems; `DISK` is its disk.
    pub(crate) fn inside(&self, script: &str) -> anyhow::Result<()> {
        self.run_inside("sh", &["-e", "-c", script])
    }

    /// Runs statements on its database; `DISK` is its disk. SQLite resolves the path of a file, so that it has to run where the
    /// server sees the file.
    pub(crate) fn database(&self, statements: &str) -> anyhow::Result<()> {
        let own = std::env::current_exe().context("finding this program")?;
        self.run_inside(own, &["--database", "DISK/state/adit.db", statements])
    }

    fn run_inside(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(program);
        let disk = self.dir.path().join("disk").display().to_string();
        command.args(arguments.iter().map(|argument| argument.replace("DISK", &disk)));
        let done = self.host.command(&mut self.space.inside(&command));
        anyhow::ensure!(done.ok, "{}: {done}", arguments.join(" "));
        Ok(())
    }
}

fn serve(program: &Path, dir: &Path, host: &Host, space: &MountNamespace) -> anyhow::Result<Running> {
    let serve = command(program, dir, &dir.join("disk/state"), &["serve"]);
    let mut running = host.spawn(&mut space.inside(&serve));
    wait_for(&mut running, "ready")?;
    Ok(running)
}

fn command(program: &Path, dir: &Path, state: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env("NO_COLOR", "1").env("ADIT_CONFIG", dir.join("adit.toml"));
    command.env("ADIT_STATE_DIR", state).env("ADIT_RUN_DIR", dir.join("run")).args(arguments);
    command
}
