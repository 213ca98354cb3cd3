//! This program again, as the first process of a PID namespace: its end, whatever the reason, is the end of all servers and
//! clients that it has started.

use std::process::ExitCode;

use adit_bench::isolated;
use anyhow::Context as _;

/// Runs this program again with the same arguments and `--isolated`. Its exit status is the one of the run.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    // Temporary files are on a file system of that process: if it is killed, only this empty directory is left.
    let directory = tempfile::tempdir()?;
    let own = std::env::current_exe().context("finding this program")?;
    let status = isolated::command()
        .args(["sh", "-e", "-c", "mount -t tmpfs -o mode=0700 none \"$TMPDIR\"; exec \"$@\"", "sh"])
        .arg(own)
        .args(std::env::args_os().skip(1))
        .arg("--isolated")
        .env("TMPDIR", directory.path())
        .status()
        .context(isolated::EXPECTED)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
