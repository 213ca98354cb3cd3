//! `cargo xtask faults`: runs the fault matrix and prints its confusion table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// The vantage points, in the order of columns, as the rows call them.
const VANTAGES: [&str; 5] = ["doctor", "near-client", "near-server", "server", "record"];
/// What may have become of a verdict.
const STATES: [&str; 4] = ["ok", "WRONG", "later", "not asked"];

/// What one vantage point said of one fault.
#[derive(Clone, Debug)]
struct Verdict {
    want: String,
    got: String,
    state: String,
    milliseconds: u64,
}

/// A fault and its verdicts.
#[derive(Clone, Debug, Default)]
struct Row {
    fault: String,
    verdicts: BTreeMap<String, Verdict>,
}

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
    let rows = read(&folder)?;
    let text = table(&rows);
    std::fs::write(folder.join("table.txt"), &text)?;
    println!("{text}");
    ensure!(status.success(), "a row of the fault matrix failed");
    let wrong =
        rows.values().flat_map(|row| row.verdicts.values()).filter(|one| one.state == "WRONG").count();
    if wrong > 0 {
        bail!("{wrong} verdicts are wrong");
    }
    Ok(())
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |named| root.join(named))
}

/// A row's place: healthy ones last, else by number.
fn place(number: &str) -> (bool, u32, String) {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (number.starts_with('H'), digits.parse().unwrap_or(u32::MAX), number.to_owned())
}

fn read(folder: &Path) -> anyhow::Result<BTreeMap<(bool, u32, String), Row>> {
    let mut rows: BTreeMap<(bool, u32, String), Row> = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "tsv") {
            continue;
        }
        for line in std::fs::read_to_string(&path)?.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [number, fault, vantage, want, got, state, milliseconds] = fields[..] else {
                bail!("{}: {line:?} is no line of a row", path.display());
            };
            let row = rows.entry(place(number)).or_default();
            row.fault = fault.to_owned();
            let verdict = Verdict {
                want: want.to_owned(),
                got: got.to_owned(),
                state: state.to_owned(),
                milliseconds: milliseconds.parse()?,
            };
            row.verdicts.insert(vantage.to_owned(), verdict);
        }
    }
    Ok(rows)
}

fn table(rows: &BTreeMap<(bool, u32, String), Row>) -> String {
    let mut out = String::from("== fault matrix: what was wanted, and what was said where that differs\n");
    let _ = write!(out, "{:<4} {:<36}", "row", "fault");
    for vantage in VANTAGES {
        let _ = write!(out, " {vantage:<14}");
    }
    out.push('\n');
    for ((_, _, number), row) in rows {
        let _ = write!(out, "{number:<4} {:<36}", row.fault);
        for vantage in VANTAGES {
            let _ =
                write!(out, " {:<14}", row.verdicts.get(vantage).map_or_else(|| "not run".to_owned(), cell));
        }
        out.push('\n');
    }
    out.push_str("\n== counts\n");
    let _ = write!(out, "{:<12}", "");
    for vantage in VANTAGES {
        let _ = write!(out, " {vantage:>12}");
    }
    out.push('\n');
    for state in STATES {
        let _ = write!(out, "{state:<12}");
        for vantage in VANTAGES {
            let count = of(rows, vantage).filter(|verdict| verdict.state == state).count();
            let _ = write!(out, " {count:>12}");
        }
        out.push('\n');
    }
    out.push_str("\n== seconds for a verdict\n");
    for (word, part) in [("median", 50), ("longest", 100)] {
        let _ = write!(out, "{word:<12}");
        for vantage in VANTAGES {
            let mut times: Vec<u64> = of(rows, vantage).map(|verdict| verdict.milliseconds).collect();
            times.retain(|time| *time > 0);
            times.sort_unstable();
            let at = (times.len() * part / 100).min(times.len().saturating_sub(1));
            let seconds = times.get(at).copied().unwrap_or(0) as f64 / 1000.0;
            let _ = write!(out, " {seconds:>12.2}");
        }
        out.push('\n');
    }
    out
}

fn of<'a>(
    rows: &'a BTreeMap<(bool, u32, String), Row>,
    vantage: &'a str,
) -> impl Iterator<Item = &'a Verdict> {
    rows.values().filter_map(move |row| row.verdicts.get(vantage))
}

/// What was said: with a mark where it was right, with what was wanted where it was not.
fn cell(verdict: &Verdict) -> String {
    let want = verdict.want.split('~').next().unwrap_or_default();
    match verdict.state.as_str() {
        "ok" => format!("{} ok", verdict.got),
        "WRONG" => format!("{} WRONG, not {want}", verdict.got),
        "not asked" => ".".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_order_and_counted() {
        let folder = std::env::temp_dir().join(format!("adit-faults-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let lines = |number: &str, state: &str| {
            VANTAGES.map(|at| format!("{number}\tfault\t{at}\tG01~x\tG02\t{state}\t1500\n")).concat()
        };
        for (number, state) in [("H1", "ok"), ("10", "WRONG"), ("2", "later")] {
            std::fs::write(folder.join(format!("row-{number}.tsv")), lines(number, state)).unwrap();
        }
        let rows = read(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let numbers: Vec<&str> = rows.keys().map(|(.., number)| number.as_str()).collect();
        assert_eq!(numbers, ["2", "10", "H1"]);
        let text = table(&rows);
        assert!(text.contains("G02 WRONG, not G01") && text.contains("1.50"), "{text}");
    }
}
