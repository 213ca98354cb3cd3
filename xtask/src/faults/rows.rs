//! The results of the rows of the fault matrix: a file of lines for each attempt at a row.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

/// The vantage points, in the order of columns, as the rows call them.
pub(super) const VANTAGES: [&str; 5] = ["doctor", "near-client", "near-server", "server", "record"];
/// The possible states of a verdict.
pub(super) const STATES: [&str; 5] = ["ok", "WRONG", "ERROR", "later", "not asked"];

/// The verdict of one vantage point on one fault.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) want: String,
    pub(super) got: String,
    /// One of [`STATES`].
    pub(super) state: String,
    pub(super) milliseconds: u64,
}

/// One attempt at a row: its verdicts by vantage point.
pub(super) type Attempt = BTreeMap<String, Verdict>;

/// A fault and every attempt at it, by its number. An attempt that broke off before its verdicts left nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) fault: String,
    pub(super) attempts: BTreeMap<u32, Attempt>,
}

impl Row {
    /// The verdicts that count: those of the last attempt.
    pub(super) fn verdict(&self, vantage: &str) -> Option<&Verdict> {
        self.attempts.last_key_value().and_then(|(_, attempt)| attempt.get(vantage))
    }

    /// How often it was tried again.
    pub(super) fn retries(&self) -> u32 {
        self.attempts.last_key_value().map_or(0, |(last, _)| last - 1)
    }
}

/// A row's place: healthy ones last, else by number. Its number as the matrix writes it is the last part.
pub(super) type Place = (bool, u32, String);

fn place(number: &str) -> Place {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (number.starts_with('H'), digits.parse().unwrap_or(u32::MAX), number.to_owned())
}

/// Reads every file `row-NUMBER.ATTEMPT.tsv` of a folder.
pub(super) fn read(folder: &Path) -> anyhow::Result<BTreeMap<Place, Row>> {
    let mut rows: BTreeMap<Place, Row> = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "tsv") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let attempt = stem.rsplit_once('.').and_then(|(_, attempt)| attempt.parse().ok());
        let attempt = attempt.filter(|attempt| *attempt > 0);
        let attempt = attempt.with_context(|| format!("{}: no attempt in its name", path.display()))?;
        for line in std::fs::read_to_string(&path)?.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [number, fault, vantage, want, got, state, milliseconds] = fields[..] else {
                bail!("{}: {line:?} is no line of a row", path.display());
            };
            ensure!(VANTAGES.contains(&vantage), "{}: vantage point {vantage:?}", path.display());
            ensure!(STATES.contains(&state), "{}: state {state:?}", path.display());
            let row = rows.entry(place(number)).or_default();
            row.fault = fault.to_owned();
            let verdict = Verdict {
                want: want.to_owned(),
                got: got.to_owned(),
                state: state.to_owned(),
                milliseconds: milliseconds.parse()?,
            };
            row.attempts.entry(attempt).or_default().insert(vantage.to_owned(), verdict);
        }
    }
    Ok(rows)
}
