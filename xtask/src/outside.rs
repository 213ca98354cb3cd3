//! Checks made by other programs: `typos` and `cargo deny`. `scripts/test` installs both.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// Checks the spelling of every file; `_typos.toml` lists what must stay as it is.
pub(crate) fn spelling(root: &Path) -> anyhow::Result<()> {
    let status = Command::new("typos")
        .args(["--format", "brief"])
        .current_dir(root)
        .status()
        .context("typos could not be started: scripts/test installs it")?;
    ensure!(status.success(), "misspelt words: fix them, or name them in _typos.toml with a reason");
    Ok(())
}

/// Licences, bans and sources of the dependencies, and the advisories against them.
///
/// The advisories are in a database on another host. Where that cannot be reached, a line reports that they were not
/// checked; every other failure is an error.
pub(crate) fn dependencies(root: &Path) -> anyhow::Result<()> {
    deny(root, &["check", "licenses", "bans", "sources"])?;
    let fetched = Command::new("cargo")
        .args(["deny", "--locked", "fetch", "db"])
        .current_dir(root)
        .output()
        .context("cargo deny fetch")?;
    if fetched.status.success() {
        return deny(root, &["check", "--disable-fetch", "advisories"]);
    }
    let output = String::from_utf8_lossy(&fetched.stderr);
    let reason = output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message");
    println!("NOT CHECKED: advisories against dependencies: their database cannot be fetched here: {reason}");
    println!("             Run `cargo deny check advisories` on a machine that reaches it.");
    Ok(())
}

fn deny(root: &Path, args: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args(["deny", "--locked"])
        .args(args)
        .current_dir(root)
        .status()
        .context("cargo deny could not be started: scripts/test installs it")?;
    if !status.success() {
        bail!("cargo deny {} failed ({status}): what is allowed is in deny.toml", args.join(" "));
    }
    Ok(())
}
