//! A row in a process of its own, which is the first one of a PID namespace: whatever happens to it, its end is the end of all
//! that it has started, and the other rows go on.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use adit_bench::until::wait;
use anyhow::Context as _;

use crate::figures::{Figures, Outcome};

/// The time for a row. No row takes as long as this: the attack, its logins and its set-up have limits of their own.
const LIMIT: Duration = Duration::from_secs(900);
/// Characters of an error that are kept.
const ERROR_MAX: usize = 600;

/// Runs row `index` of [`crate::rows::all`].
pub(crate) fn run(index: usize, program: &Path, quick: bool) -> Outcome {
    outcome(index, program, quick).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")))
}

fn outcome(index: usize, program: &Path, quick: bool) -> anyhow::Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| directory.path().join(name));
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(std::env::current_exe()?);
    command.args(["--row", &index.to_string()]).arg("--adit").arg(program);
    if quick {
        command.arg("--quick");
    }
    // The error is in the report, where a backtrace would hide it.
    command.env("RUST_BACKTRACE", "0");
    // Its temporary files are in ours, and so are removed even if it was killed.
    command.env("TMPDIR", directory.path());
    let child = command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?).spawn();
    let mut child = Ended(child.context("unshare: expected the program of util-linux; install it")?);
    let mut status = None;
    wait(LIMIT, || {
        status = child.0.try_wait().ok().flatten();
        status.is_some()
    });
    let status = status.with_context(|| format!("not finished after {LIMIT:?}"))?;
    if !status.success() {
        let text = fs::read(&stderr)?;
        let text: String = String::from_utf8_lossy(&text).trim().chars().take(ERROR_MAX).collect();
        return Ok(Outcome::Failed(if text.is_empty() { status.to_string() } else { text }));
    }
    let figures: Figures =
        serde_json::from_slice(&fs::read(&stdout)?).context("the process of the row printed no figures")?;
    Ok(Outcome::Measured(figures))
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
