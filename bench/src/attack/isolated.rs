//! A row in a process of its own, which is the first one of a PID namespace: whatever happens to it, its end is the end of all
//! that it has started, and the other rows go on.

use std::fs::{self, File};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use adit_bench::isolated;
use adit_bench::until::wait;
use anyhow::Context as _;
use tempfile::TempDir;

use crate::figures::{Figures, Outcome};

/// The time for a row. No row takes as long as this: the attack, its logins and its set-up have limits of their own.
const LIMIT: Duration = Duration::from_secs(900);
/// Characters of an error that are kept.
const ERROR_MAX: usize = 600;

/// What all rows are run with.
pub(crate) struct Rows<'a> {
    /// This program, copied: a build in the meantime does not replace it.
    own: TempDir,
    adit: &'a Path,
    quick: bool,
}

const OWN: &str = "adit-attack";

impl<'a> Rows<'a> {
    pub(crate) fn new(adit: &'a Path, quick: bool) -> anyhow::Result<Rows<'a>> {
        let own = tempfile::tempdir()?;
        fs::copy("/proc/self/exe", own.path().join(OWN)).context("copying this program")?;
        Ok(Rows { own, adit, quick })
    }

    /// Runs row `index` of [`crate::rows::all`].
    pub(crate) fn run(&self, index: usize) -> Outcome {
        outcome(self, index).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")))
    }
}

fn outcome(rows: &Rows<'_>, index: usize) -> anyhow::Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| directory.path().join(name));
    let mut command = isolated::command();
    command.arg(rows.own.path().join(OWN)).args(["--row", &index.to_string()]).arg("--adit").arg(rows.adit);
    if rows.quick {
        command.arg("--quick");
    }
    // The error is in the report, where a backtrace would hide it.
    command.env("RUST_BACKTRACE", "0");
    // Its temporary files are in ours, and so are removed even if it was killed.
    command.env("TMPDIR", directory.path());
    let child = command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?).spawn();
    let mut child = Ended(child.context(isolated::EXPECTED)?);
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
