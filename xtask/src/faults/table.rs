//! The confusion table of the fault matrix.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::rows::{Attempt, Place, Row, STATES, VANTAGES, Verdict};

/// The whole table, with counts, retries and times.
pub(super) fn table(rows: &BTreeMap<Place, Row>) -> String {
    let mut out = String::from("== fault matrix: expected verdicts, and the actual ones where they differ\n");
    let _ = write!(out, "{:<4} {:<36}", "row", "fault");
    for vantage in VANTAGES {
        let _ = write!(out, " {vantage:<14}");
    }
    out.push('\n');
    for ((_, _, number), row) in rows {
        let _ = write!(out, "{number:<4} {:<36}", row.fault);
        for vantage in VANTAGES {
            let _ = write!(out, " {:<14}", row.verdict(vantage).map_or_else(|| "not run".to_owned(), cell));
        }
        out.push('\n');
    }
    counts(rows, &mut out);
    retries(rows, &mut out);
    times(rows, &mut out);
    out
}

/// How many verdicts are not the expected ones, missing ones included.
pub(super) fn bad(rows: &BTreeMap<Place, Row>) -> usize {
    let is_bad = |verdict: Option<&Verdict>| verdict.is_none_or(is_wrong);
    rows.values()
        .flat_map(|row| VANTAGES.map(|vantage| row.verdict(vantage)))
        .filter(|one| is_bad(*one))
        .count()
}

fn is_wrong(verdict: &Verdict) -> bool {
    ["WRONG", "ERROR"].contains(&verdict.state.as_str())
}

fn counts(rows: &BTreeMap<Place, Row>, out: &mut String) {
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
}

/// Which rows were tried again, and what was wrong before. A good run has none.
fn retries(rows: &BTreeMap<Place, Row>, out: &mut String) {
    let count: u32 = rows.values().map(Row::retries).sum();
    let _ = writeln!(out, "\n== {count} retries");
    for ((_, _, number), row) in rows {
        for attempt in 1..=row.retries() {
            let why = row.attempts.get(&attempt).map_or_else(
                || "broke off before its verdicts".to_owned(),
                |attempt| wrong(attempt).unwrap_or_else(|| "failed after its verdicts".to_owned()),
            );
            let _ = writeln!(out, "row {number} ({}), attempt {attempt}: {why}", row.fault);
        }
    }
}

/// The wrong verdicts of an attempt.
fn wrong(attempt: &Attempt) -> Option<String> {
    let wrong = attempt.iter().filter(|(_, verdict)| is_wrong(verdict));
    let texts: Vec<String> = wrong.map(|(vantage, verdict)| format!("{vantage} {}", cell(verdict))).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn times(rows: &BTreeMap<Place, Row>, out: &mut String) {
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
}

fn of<'a>(rows: &'a BTreeMap<Place, Row>, vantage: &'a str) -> impl Iterator<Item = &'a Verdict> {
    rows.values().filter_map(move |row| row.verdict(vantage))
}

/// The verdict, marked as correct or with the expected one.
fn cell(verdict: &Verdict) -> String {
    let want = verdict.want.split('~').next().unwrap_or_default();
    match verdict.state.as_str() {
        "ok" => format!("{} ok", verdict.got),
        "WRONG" => format!("{} WRONG, not {want}", verdict.got),
        "not asked" => ".".to_owned(),
        "ERROR" => verdict.got.clone(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::rows::read;

    fn rows(files: &[(&str, &str, &str)]) -> anyhow::Result<BTreeMap<Place, Row>> {
        let folder = tempfile::TempDir::new()?;
        for (number, attempt, state) in files {
            let lines =
                VANTAGES.map(|at| format!("{number}\tfault\t{at}\tG01~x\tG02\t{state}\t1500\n")).concat();
            std::fs::write(folder.path().join(format!("row-{number}.{attempt}.tsv")), lines)?;
        }
        read(folder.path())
    }

    #[test]
    fn rows_in_order_and_counted() {
        let rows = rows(&[("H1", "1", "ok"), ("10", "1", "WRONG"), ("2", "1", "later")]).unwrap();
        let numbers: Vec<&str> = rows.keys().map(|(.., number)| number.as_str()).collect();
        assert_eq!(numbers, ["2", "10", "H1"]);
        let text = table(&rows);
        assert!(text.contains("G02 WRONG, not G01") && text.contains("1.50"), "{text}");
        assert!(text.contains("\n== 0 retries\n"), "{text}");
        assert_eq!(bad(&rows), 5);
    }

    #[test]
    fn the_last_attempt_counts_and_every_retry_is_reported() {
        let rows =
            rows(&[("1", "1", "WRONG"), ("1", "2", "ok"), ("2", "2", "ok"), ("3", "1", "ERROR")]).unwrap();
        let text = table(&rows);
        assert!(
            text.contains("\n== 2 retries\nrow 1 (fault), attempt 1: doctor G02 WRONG, not G01,"),
            "{text}"
        );
        assert!(text.contains("\nrow 2 (fault), attempt 1: broke off before its verdicts\n"), "{text}");
        assert_eq!(bad(&rows), 5, "the errors of row 3 alone");
    }

    #[test]
    fn malformed_lines_are_errors() {
        assert!(rows(&[("1", "1", "absent")]).is_err());
        assert!(rows(&[("1", "0", "ok")]).is_err());
        assert!(rows(&[("1", "x", "ok")]).is_err());
    }

    #[test]
    fn a_verdict_that_is_missing_is_bad() {
        let mut rows = rows(&[("1", "1", "ok")]).unwrap();
        for row in rows.values_mut() {
            row.attempts.values_mut().for_each(|attempt| drop(attempt.remove("record")));
        }
        assert_eq!(bad(&rows), 1);
    }
}
