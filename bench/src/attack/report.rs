//! The report as text: one table for each group; and two reports side by side.

use std::fmt::{self, Display};

use adit_bench::stats::Spread;

use crate::figures::{Results, RowResult, distinct};

/// One report, or two of which each cell shows both.
pub(crate) struct Report<'a> {
    pub(crate) ours: &'a Results,
    /// Shown first in each cell.
    pub(crate) earlier: Option<&'a Results>,
}

/// What a cell without a figure contains: the session has not ended, for instance.
const NOTHING: &str = "-";

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, results) in self.both() {
            let name = name.map_or(String::new(), |name| format!("{name}: "));
            writeln!(f, "{name}{}", results.adit)?;
            writeln!(f, "{}", results.machine)?;
            let length = if results.quick { "short form, not comparable with the long one; " } else { "" };
            writeln!(f, "{length}load before the first row: {:.0} %", results.idle_load * 100.0)?;
        }
        if self.earlier.is_some() {
            writeln!(f, "each cell: A | B, medians")?;
        }
        let groups = distinct(self.both().flat_map(|(_, results)| results.groups()));
        for group in groups {
            self.group(f, group)?;
        }
        Ok(())
    }
}

impl<'a> Report<'a> {
    /// The reports in the order of a cell, with a name where there are two.
    fn both(&self) -> impl Iterator<Item = (Option<&'static str>, &'a Results)> {
        let is_pair = self.earlier.is_some();
        let earlier = self.earlier.map(|results| (Some("A"), results));
        earlier.into_iter().chain([(is_pair.then_some("B"), self.ours)])
    }

    fn group(&self, f: &mut fmt::Formatter<'_>, group: &str) -> fmt::Result {
        let of_group = |results: &'a Results| results.rows.iter().filter(move |row| row.group == group);
        let rows = distinct(self.both().flat_map(|(_, r)| of_group(r)).map(|row| row.row.as_str()));
        let columns = distinct(self.both().flat_map(|(_, r)| of_group(r)).flat_map(RowResult::names));
        let mut table =
            vec![std::iter::once(group).chain(columns.iter().copied()).map(str::to_owned).collect()];
        for &row in &rows {
            let results: Vec<Option<&RowResult>> = self.both().map(|(_, r)| r.row(group, row)).collect();
            let mut line: Vec<String> = vec![row.to_owned()];
            line.extend(columns.iter().map(|column| self.cell(&results, column)));
            table.push(line);
        }
        writeln!(f)?;
        let width = |n: usize| table.iter().map(|line| line[n].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..=columns.len()).map(width).collect();
        for (n, line) in table.iter().enumerate() {
            let mut text = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                match column {
                    0 => text.push_str(&format!("{cell:<width$}")),
                    _ => text.push_str(&format!("  {cell:>width$}")),
                }
            }
            writeln!(f, "{}", text.trim_end())?;
            if let Some(row) = n.checked_sub(1).and_then(|n| rows.get(n)) {
                self.remarks(f, group, row)?;
            }
        }
        Ok(())
    }

    fn cell(&self, results: &[Option<&RowResult>], column: &str) -> String {
        let spreads = results.iter().map(|row| row.and_then(|row| row.spread(column)));
        if self.earlier.is_some() {
            let medians = spreads.map(|spread| spread.map_or(NOTHING.to_owned(), |s| number(s.median)));
            return medians.collect::<Vec<_>>().join(" | ");
        }
        spreads.flatten().map(text).next().unwrap_or_else(|| NOTHING.to_owned())
    }

    /// Notes and failures of a row, below it.
    fn remarks(&self, f: &mut fmt::Formatter<'_>, group: &str, row: &str) -> fmt::Result {
        for (name, results) in self.both() {
            let Some(result) = results.row(group, row) else { continue };
            let name = name.map_or(String::new(), |name| format!("{name}: "));
            let notes = result.notes();
            if !notes.is_empty() {
                writeln!(f, "    {name}{}", notes.join("; "))?;
            }
            for why in result.failures() {
                writeln!(f, "    {name}FAILED: {why}")?;
            }
        }
        Ok(())
    }
}

/// The median, and the range of several runs.
fn text(spread: Spread) -> String {
    match spread.rounds {
        1 => number(spread.median),
        _ => format!("{} ({} - {})", number(spread.median), number(spread.min), number(spread.max)),
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        _ if value == 0.0 => "0".to_owned(),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Outcome;
    use crate::figures::tests::{results, row};

    #[test]
    fn a_report_has_a_table_for_each_group() {
        let mut all = results(vec![
            row("A1", "pair", "answered %", &[99.5]),
            row("A1", "spray", "silent s", &[0.5, 2.0, 1.0]),
            row("B3", "dhcpinform", "replies/s", &[12_345.6]),
        ]);
        all.rows[1].runs.push(Outcome::Failed("no server".to_owned()));
        let text = Report { ours: &all, earlier: None }.to_string();
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "",
                "A1     answered %            silent s",
                "pair         99.5                   -",
                "    note 1",
                "spray           -  1.00 (0.50 - 2.00)",
                "    note 3",
                "    FAILED: no server",
                "",
                "B3          replies/s",
                "dhcpinform      12346",
                "    note 1",
            ]
        );
    }

    #[test]
    fn two_reports_are_side_by_side_and_rows_of_one_alone_are_shown() {
        let earlier = results(vec![row("A1", "pair", "answered %", &[12.0, 14.0])]);
        let ours =
            results(vec![row("A1", "pair", "answered %", &[100.0]), row("A1", "new", "answered %", &[0.0])]);
        let text = Report { ours: &ours, earlier: Some(&earlier) }.to_string();
        assert!(text.contains("\npair  13.0 | 100\n    A: note 2\n    B: note 1\n"), "{text}");
        assert!(text.contains("\nnew        - | 0\n"), "{text}");
        assert!(text.starts_with("A: adit 0.1.0\n"), "{text}");
    }
}
