//! Two runs, row by row: values, ratios to the baseline, and which of them differ by more than the scatter.

use adit_bench::stats::{Spread, ratios};

use crate::run::Run;

/// The configuration that the others are divided by.
pub(crate) const BASELINE: &str = "baseline";
/// Rounds that a spread needs before it shows the scatter. Two ranges of three rounds each of the same thing do not overlap in
/// one of ten cases, of five rounds in one of 126.
pub(crate) const ROUNDS: usize = 3;

/// The same quantity in both runs; `None` where a run does not have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Both {
    pub(crate) a: Option<Spread>,
    pub(crate) b: Option<Spread>,
}

impl Both {
    /// The median of B divided by that of A.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let (a, b) = (self.a?, self.b?);
        (a.median > 0.0).then(|| b.median / a.median)
    }

    /// Whether the difference is larger than the scatter: the ranges do not overlap, and both are of enough rounds.
    pub(crate) fn differs(&self) -> bool {
        let (Some(a), Some(b)) = (self.a, self.b) else { return false };
        a.rounds.min(b.rounds) >= ROUNDS && (a.max < b.min || b.max < a.min)
    }
}

/// One configuration under one load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) peer: String,
    /// In the unit of the measure.
    pub(crate) value: Both,
    /// Divided by the baseline of the same round; nothing for the baseline itself.
    pub(crate) to_baseline: Both,
}

/// All configurations under one load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) measure: String,
    pub(crate) unit: String,
    pub(crate) rows: Vec<Row>,
}

/// Everything that was measured in either run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) tables: Vec<Table>,
}

impl Comparison {
    /// Compares two runs. Measures and configurations are in the order of A; those of B alone follow.
    pub(crate) fn of(a: &Run, b: &Run) -> Comparison {
        let measures = distinct(a.measures().chain(b.measures()));
        Comparison { tables: measures.into_iter().map(|measure| table(a, b, measure)).collect() }
    }

    /// The number of quantities that differ by more than the scatter, and of all that both runs have.
    pub(crate) fn differing(&self) -> (usize, usize) {
        let rows = self.tables.iter().flat_map(|table| &table.rows);
        let all: Vec<Both> = rows.flat_map(|row| [row.value, row.to_baseline]).collect();
        let common = all.iter().filter(|both| both.a.is_some() && both.b.is_some()).count();
        (all.iter().filter(|both| both.differs()).count(), common)
    }
}

fn table(a: &Run, b: &Run, measure: &str) -> Table {
    // Configurations take turns in who is first, so the order is that of round 0.
    let peers = |run: &Run| -> Vec<String> {
        let samples = run.samples.iter().filter(|sample| sample.measure == measure);
        samples.map(|sample| sample.peer.clone()).collect()
    };
    let (of_a, of_b) = (peers(a), peers(b));
    let names = distinct(of_a.iter().chain(&of_b).map(String::as_str));
    Table {
        measure: measure.to_owned(),
        unit: a.unit(measure).or_else(|| b.unit(measure)).unwrap_or("unknown unit").to_owned(),
        rows: names.into_iter().map(|peer| row(a, b, peer, measure)).collect(),
    }
}

fn row(a: &Run, b: &Run, peer: &str, measure: &str) -> Row {
    let value = |run: &Run| Spread::of(run.values(peer, measure).into_iter().map(|(_, value)| value));
    let to_baseline = |run: &Run| {
        let is_other = peer != BASELINE;
        is_other.then(|| ratios(&run.values(peer, measure), &run.values(BASELINE, measure))).flatten()
    };
    Row {
        peer: peer.to_owned(),
        value: Both { a: value(a), b: value(b) },
        to_baseline: Both { a: to_baseline(a), b: to_baseline(b) },
    }
}

/// Each name once, in the order of its first use.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::run;

    fn both(a: &[f64], b: &[f64]) -> Both {
        Both { a: Spread::of(a.iter().copied()), b: Spread::of(b.iter().copied()) }
    }

    #[test]
    fn ranges_that_do_not_overlap_differ() {
        assert!(both(&[1.0, 1.1, 1.2], &[1.3, 1.4, 1.5]).differs());
        assert!(both(&[1.3, 1.4, 1.5], &[1.0, 1.1, 1.2]).differs());
        assert!(!both(&[1.0, 1.1, 1.2], &[1.2, 1.4, 1.5]).differs());
        assert!(!both(&[1.0, 1.1, 9.0], &[1.3, 1.4, 1.5]).differs());
        // One outlier, or a missing side, is no difference; nor are ranges of two rounds.
        assert!(!both(&[1.0, 1.1], &[1.3, 1.4, 1.5]).differs());
        assert!(!both(&[], &[1.3, 1.4, 1.5]).differs());
    }

    #[test]
    fn ratios_are_those_of_the_same_round() {
        let a = run(&[("tcp1", BASELINE, &[1.0, 2.0, 4.0]), ("tcp1", "adit", &[3.0, 6.0, 12.0])]);
        let b = run(&[("tcp1", BASELINE, &[1.0, 1.0, 1.0]), ("tcp1", "adit", &[2.0, 2.5, 2.9])]);
        let comparison = Comparison::of(&a, &b);
        let [table] = comparison.tables.as_slice() else { panic!("{comparison:?}") };
        let [baseline, adit] = table.rows.as_slice() else { panic!("{table:?}") };
        assert_eq!(baseline.to_baseline, Both { a: None, b: None });
        // The values scatter by a factor of four, their ratios do not scatter at all.
        assert_eq!(adit.to_baseline, both(&[3.0, 3.0, 3.0], &[2.0, 2.5, 2.9]));
        assert_eq!(adit.value.ratio(), Some(2.5 / 6.0));
        assert!(adit.to_baseline.differs() && adit.value.differs());
        assert!(!baseline.value.differs());
        assert_eq!(comparison.differing(), (2, 3));
    }

    #[test]
    fn what_one_run_lacks_is_in_the_comparison_without_a_difference() {
        let a = run(&[("tcp1", "adit", &[1.0, 1.0, 1.0]), ("tcp1", "old", &[1.0, 1.0, 1.0])]);
        let b = run(&[("tcp1", "new", &[5.0, 5.0, 5.0]), ("ping", "adit", &[1.0, 1.0, 1.0])]);
        let comparison = Comparison::of(&a, &b);
        let names: Vec<(&str, Vec<&str>)> = comparison
            .tables
            .iter()
            .map(|table| (table.measure.as_str(), table.rows.iter().map(|row| row.peer.as_str()).collect()))
            .collect();
        assert_eq!(names, [("tcp1", vec!["adit", "old", "new"]), ("ping", vec!["adit"])]);
        assert_eq!(comparison.differing(), (0, 0));
        assert_eq!(comparison.tables[0].rows[0].value.ratio(), None);
    }
}
