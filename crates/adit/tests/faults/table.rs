//! Where the rows leave what they found; `cargo xtask faults` makes a table of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::matrix::Row;

/// Adds what one vantage point said of a row, as one line of fields separated by tabs.
pub(crate) fn line(
    lines: &mut String,
    row: &Row,
    vantage: &str,
    want: &str,
    shown: &str,
    state: &str,
    took: Duration,
) {
    let Row { number, fault, .. } = row;
    let shown = shown.replace(['\t', '\n'], " ");
    let _ = writeln!(lines, "{number}\t{fault}\t{vantage}\t{want}\t{shown}\t{state}\t{}", took.as_millis());
}

/// Writes the lines of a row. Each attempt has a file of its own, so that a row that fails at first is not forgotten.
pub(crate) fn write(row: &Row, lines: &str) {
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("row-{}.{}.tsv", row.number, attempt())), lines).unwrap();
}

/// Which attempt at this row it is, from 1 on. Only nextest tries again.
fn attempt() -> u32 {
    std::env::var("NEXTEST_ATTEMPT").map_or(1, |attempt| attempt.parse().unwrap())
}

fn folder() -> PathBuf {
    let named = std::env::var_os("ADIT_FAULTS").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults"))
}
