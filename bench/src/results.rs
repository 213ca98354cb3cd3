//! The results of a run, as files.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

/// The file with the results for programs.
pub const JSON: &str = "report.json";

/// Writes a report for people to the file `name` of a directory, and the same for programs to [`JSON`].
///
/// # Errors
/// If the directory cannot be written.
pub fn write(directory: &Path, name: &str, text: &str, results: &impl Serialize) -> anyhow::Result<()> {
    let context = || format!("{}: expected a directory that can be written", directory.display());
    fs::create_dir_all(directory).with_context(context)?;
    fs::write(directory.join(name), text).with_context(context)?;
    let json = serde_json::to_string_pretty(results)? + "\n";
    fs::write(directory.join(JSON), json).with_context(context)
}
