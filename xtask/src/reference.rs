//! The pages that are generated from the program and its tables: manual pages, schemas of `--json`, keys of the
//! configuration, codes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::{Write, settle};

/// Page, relative to docs/reference, to its text.
type Pages = BTreeMap<PathBuf, String>;

/// Writes or compares every generated page; a page that is not generated any more is removed or reported.
pub(crate) fn run(root: &Path, write: Write) -> anyhow::Result<()> {
    let program = build(root)?;
    let mut pages = manuals(&program)?;
    pages.extend(schemas(&program)?);
    pages.insert("config.md".into(), table(root, "adit-config", "config_reference")?);
    pages.insert("codes.md".into(), table(root, "adit-diag", "codes_reference")?);
    let folder = root.join("docs/reference");
    for (name, text) in &pages {
        settle(&folder.join(name), text, write, "reference")?;
    }
    for part in ["man", "schema"] {
        for entry in std::fs::read_dir(folder.join(part)).into_iter().flatten() {
            let path = entry?.path();
            let name = path.strip_prefix(&folder)?;
            if pages.contains_key(name) {
                continue;
            }
            if write == Write::Compare {
                bail!("docs/reference/{}: this page is not generated any more", name.display());
            }
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Builds `adit` as the tests did, so that nothing is built twice, and returns its path.
fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["build", "--workspace", "--bin", "adit", "--locked", "--message-format", "json"])
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo build")?;
    ensure!(out.status.success(), "cargo build --bin adit failed");
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .context("cargo built no program")
}

/// What an example of a package prints.
fn table(root: &Path, package: &str, example: &str) -> anyhow::Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "--package", package, "--example", example])
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("cargo run --example {example}"))?;
    ensure!(out.status.success(), "the example {example} of {package} failed");
    Ok(String::from_utf8(out.stdout)?)
}

fn manuals(program: &Path) -> anyhow::Result<Pages> {
    let folder = std::env::temp_dir().join(format!("adit-man-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = run_program(program, &["man".as_ref(), folder.as_os_str()]).and_then(|_| {
        let mut pages = Pages::new();
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            pages.insert(Path::new("man").join(entry.file_name()), std::fs::read_to_string(entry.path())?);
        }
        Ok(pages)
    });
    std::fs::remove_dir_all(&folder)?;
    result
}

fn schemas(program: &Path) -> anyhow::Result<Pages> {
    let mut pages = Pages::new();
    for name in run_program(program, &["schema".as_ref()])?.split_whitespace() {
        let text = run_program(program, &["schema".as_ref(), name.as_ref()])?;
        // Schema names hold a version: adit.sessions/1.
        pages.insert(Path::new("schema").join(format!("{}.json", name.replace('/', "-"))), text);
    }
    Ok(pages)
}

fn run_program(program: &Path, args: &[&std::ffi::OsStr]) -> anyhow::Result<String> {
    let out = Command::new(program).args(args).output().with_context(|| program.display().to_string())?;
    ensure!(
        out.status.success(),
        "adit {}: {}",
        args.join(" ".as_ref()).to_string_lossy(),
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8(out.stdout)?)
}
