//! A stored report.

use std::fs;
use std::path::Path;

use adit_bench::results::JSON;
use anyhow::Context as _;
use serde_json::Value;

use crate::figures::{Results, SCHEMA};

/// Reads the report of a directory.
///
/// # Errors
/// If there is none; the message names the file, what was expected, and what to do.
pub(crate) fn read(directory: &Path) -> anyhow::Result<Results> {
    let file = directory.join(JSON);
    let fix = || {
        format!(
            "{}: expected a report of bench/attack, schema {SCHEMA:?}; give the directory of such a run, or make one with \
             sudo bench/attack --out {}",
            file.display(),
            directory.display()
        )
    };
    let text = fs::read_to_string(&file).with_context(fix)?;
    let document: Value = serde_json::from_str(&text).with_context(fix)?;
    let schema = document.get("schema").and_then(Value::as_str).unwrap_or("none");
    anyhow::ensure!(schema == SCHEMA, "{}; the schema is {schema:?}", fix());
    serde_json::from_str(&text).with_context(fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::{results, row};

    #[test]
    fn a_report_is_read_back_and_another_document_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let all = results(vec![row("A1", "pair", "answered %", &[99.5])]);
        adit_bench::results::write(directory.path(), "report.txt", "text", &all).unwrap();
        assert_eq!(read(directory.path()).unwrap(), all);
        for other in ["{\"schema\": \"adit.bench/1\"}", "{}", "{\"schema\": \"adit.attack/1\"}", "no JSON"] {
            fs::write(directory.path().join(JSON), other).unwrap();
            let error = format!("{:#}", read(directory.path()).unwrap_err());
            assert!(error.contains("expected a report of bench/attack"), "{error}");
        }
        assert!(read(&directory.path().join("missing")).is_err());
    }
}
