//! Medians and spreads of the rounds of a measure.

use std::fmt::{self, Display};

use serde::Serialize;

/// The result of all rounds of one measure, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The value in the middle.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The number of values.
    pub rounds: usize,
}

impl Spread {
    /// Returns the spread of values, `None` for no values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Spread { median: quantile(&values, 0.5)?, min, max, rounds: values.len() })
    }
}

/// `median (min - max)`, at least as wide as requested.
impl Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.median < 20.0 { 2 } else { 0 };
        f.pad(&format!("{:.places$} ({:.places$} - {:.places$})", self.median, self.min, self.max))
    }
}

/// Returns the value below which `share` (0 to 1) of the sorted values lie, between two neighbours in proportion. `None` for no
/// values.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let (a, b) = (*sorted.get(low)?, *sorted.get((low + 1).min(last))?);
    Some(a + (b - a) * part)
}

/// Returns the ratios of values, each with its round, that were measured in the same round; rounds that lack one of the two do
/// not count. `None` without a common round.
pub fn ratios(ours: &[(u32, f64)], theirs: &[(u32, f64)]) -> Option<Spread> {
    Spread::of(ours.iter().filter_map(|(round, value)| {
        let (_, other) = theirs.iter().find(|(their_round, _)| their_round == round)?;
        (*other > 0.0).then(|| value / other)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0, rounds: 3 }));
        assert_eq!(Spread::of([4.0, 1.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_spread_is_padded_and_large_values_have_no_decimals() {
        let spread = Spread { median: 2.0, min: 1.0, max: 30.0, rounds: 3 };
        assert_eq!(format!("{spread:20}|"), "2.00 (1.00 - 30.00) |");
        assert_eq!(Spread { median: 20.0, ..spread }.to_string(), "20 (1 - 30)");
    }

    #[test]
    fn a_high_quantile_is_near_the_end() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), Some(99.0));
        assert_eq!(quantile(&values, 1.0), Some(100.0));
        assert_eq!(quantile(&[5.0], 0.99), Some(5.0));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ours = [(1, 2.0), (2, 9.0), (3, 8.0)];
        let theirs = [(3, 2.0), (1, 1.0), (4, 1.0)];
        let spread = ratios(&ours, &theirs).unwrap();
        assert_eq!((spread.min, spread.median, spread.max, spread.rounds), (2.0, 3.0, 4.0, 2));
        assert_eq!(ratios(&ours, &[(1, 0.0)]), None);
    }
}
