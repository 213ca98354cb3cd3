//! `cargo xtask ci`: all checks of CI, so that a run that passes here passes there.
//!
//! | command | what it checks |
//! |---|---|
//! | `ci [--only STEP,...]` | all of the steps below, each timed |
//! | `files` | length of source files, words and host names that do not belong in the repository |
//! | `terminology` | words that CONTRIBUTING replaces, in names, messages, comments and docs |
//! | `layers` | dependency arrows between crates, import cycles of files inside them, purity of the core |
//! | `conformance [--check]` | writes (or compares) docs/conformance.md |
//! | `faults` | runs the fault matrix of `adit doctor` and prints its confusion table |
//! | `reference [--check]` | writes (or compares) the generated pages under docs/reference |

mod ci;
mod conformance;
mod cycles;
mod faults;
mod files;
mod layers;
mod outside;
mod purity;
mod reference;
mod source;
mod terminology;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

const USAGE: &str = "usage: cargo xtask ci [--only STEP,...] | files | layers | terminology | conformance [--check] \
                     | faults | reference [--check]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> anyhow::Result<()> {
    let root = root()?;
    match args {
        ["ci"] => ci::run(&root, None),
        ["ci", "--only", steps] => ci::run(&root, Some(steps)),
        ["files"] => files::check(&root),
        ["layers"] => layers::check(&root),
        ["terminology"] => terminology::check(&root),
        ["faults"] => faults::run(&root),
        ["conformance"] => conformance::run(&root, Write::Update),
        ["conformance", "--check"] => conformance::run(&root, Write::Compare),
        ["reference"] => reference::run(&root, Write::Update),
        ["reference", "--check"] => reference::run(&root, Write::Compare),
        _ => bail!("{USAGE}"),
    }
}

/// What to do with a generated page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Write {
    /// Write it.
    Update,
    /// Fail when the committed page differs.
    Compare,
}

/// The repository: the folder above this crate.
fn root() -> anyhow::Result<PathBuf> {
    // Cargo sets it at run time. The value of the build may name another clone that shares the target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
    let here = PathBuf::from(here);
    Ok(here.parent().context("xtask has no parent folder")?.to_path_buf())
}

/// Writes `text` to `path`, or compares it with what is there, per `write`.
fn settle(path: &std::path::Path, text: &str, write: Write, command: &str) -> anyhow::Result<()> {
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    if committed == text {
        return Ok(());
    }
    if write == Write::Compare {
        bail!("{} is out of date: run `cargo xtask {command}` and commit the result", path.display());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}
