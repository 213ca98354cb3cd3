//! The table of all faults, in Markdown, and the same as JSON.

use std::fmt::{self, Display};

use adit_bench::machine::Machine;
use adit_bench::stats::Spread;
use serde::Serialize;

use crate::run::Record;

/// The schema of report.json. Fields may be added without a new number.
pub(crate) const SCHEMA: &str = "adit.faults/1";

#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) schema: &'static str,
    pub(crate) machine: Machine,
    pub(crate) adit: String,
    pub(crate) seed: u64,
    pub(crate) sessions: u32,
    /// Runs side by side.
    pub(crate) at_once: u32,
    pub(crate) faults: Vec<Row>,
}

/// All runs of one fault.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) runs: Vec<Record>,
}

impl Row {
    fn sum(&self, of: impl Fn(&Record) -> u32) -> u32 {
        self.runs.iter().map(of).sum()
    }

    /// Runs in which everything was as it has to be.
    pub(crate) fn good(&self) -> usize {
        self.runs.iter().filter(|run| run.failed.is_empty()).count()
    }

    fn refused(&self) -> String {
        let mut reasons: Vec<&str> = self.runs.iter().filter_map(|run| run.refused.as_deref()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        if reasons.is_empty() { "-".to_owned() } else { reasons.join("; ") }
    }

    fn spread(&self, of: impl Fn(&Record) -> Option<f64>) -> String {
        let spread = Spread::of(self.runs.iter().filter_map(of));
        spread.map_or_else(|| "-".to_owned(), |spread| format!("{:.1} / {:.1}", spread.median, spread.max))
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Faults of the host at random times\n")?;
        writeln!(
            f,
            "{}, {} sessions and calls that come and go, seed {}, {} at once.\n",
            self.adit, self.sessions, self.seed, self.at_once
        )?;
        writeln!(f, "{}\n", self.machine)?;
        writeln!(f, "Seconds are median / maximum.\n")?;
        writeln!(
            f,
            "| fault | runs | as expected | reported s | new call meanwhile | sessions kept | login after s | sessions | \
             without row | rows without end | without event |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|")?;
        for row in &self.faults {
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} of {} | {} | {} | {} | {} | {} |",
                row.fault,
                row.runs.len(),
                row.good(),
                row.spread(|run| run.reported_s),
                row.refused(),
                row.sum(|run| run.kept),
                row.sum(|run| run.stayed),
                row.spread(|run| run.login_s),
                row.sum(|run| run.sessions),
                row.sum(|run| run.lost),
                row.sum(|run| run.open),
                row.sum(|run| run.without_event)
            )?;
        }
        for row in &self.faults {
            for run in row.runs.iter().filter(|run| !run.failed.is_empty()) {
                writeln!(f, "\n{}, run {}: {}", row.fault, run.number, run.failed.join("; "))?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// Adds a run of the fault in this row.
    pub(crate) fn add(&mut self, row: usize, record: Record) {
        if let Some(row) = self.faults.get_mut(row) {
            row.runs.push(record);
            row.runs.sort_by_key(|run| run.number);
        }
    }
}
