//! `cargo xtask faults`: runs the fault matrix and prints its confusion table.

mod rows;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Runs every row, prints the table, and leaves it beside the lines of the rows.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let folder = target(root).join("faults");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(["nextest", "run", "--package", "adit", "--test", "faults", "--profile", "faults", "--locked"])
        .current_dir(root)
        .env("ADIT_FAULTS", &folder)
        .status()
        .context("cargo nextest")?;
    let rows = rows::read(&folder)?;
    let text = table::table(&rows);
    std::fs::write(folder.join("table.txt"), &text)?;
    println!("{text}");
    ensure!(status.success(), "a row of the fault matrix failed");
    let bad = table::bad(&rows);
    ensure!(bad == 0, "{bad} verdicts are wrong or missing");
    Ok(())
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |named| root.join(named))
}
