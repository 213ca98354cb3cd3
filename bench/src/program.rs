//! The program under test.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// The program that was named, or adit beside this program.
pub fn find(named: Option<&Path>) -> PathBuf {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("adit"));
    named.map(Path::to_path_buf).or_else(beside).unwrap_or_else(|| PathBuf::from("adit"))
}

/// The version of a program.
///
/// # Errors
/// If it is no program that can be run.
pub fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.with_context(|| {
        format!("{}: expected the program adit; build it, or name another with --adit", program.display())
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
