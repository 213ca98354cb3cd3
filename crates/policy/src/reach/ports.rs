//! Sets of ports.

use core::fmt;

/// Ports as sorted ranges that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports(Vec<(u16, u16)>);

impl Ports {
    /// The most ranges of one rule.
    pub const MOST: usize = 64;

    /// The set of these ranges, each with its first and last port.
    pub fn new(mut ranges: Vec<(u16, u16)>) -> Ports {
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let touches = u32::from(next.0) <= u32::from(kept.1) + 1;
            if touches {
                kept.1 = kept.1.max(next.1);
            }
            touches
        });
        Ports(ranges)
    }

    /// Adds a range.
    pub fn insert(&mut self, first: u16, last: u16) {
        let mut ranges = core::mem::take(&mut self.0);
        ranges.push((first, last));
        *self = Ports::new(ranges);
    }

    /// The ranges, each with its first and last port.
    pub fn ranges(&self) -> &[(u16, u16)] {
        &self.0
    }

    /// Whether there is no port.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the set has a port.
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&port))
    }

    /// Whether every port of `other` is in this set.
    pub fn covers(&self, other: &Ports) -> bool {
        other.0.iter().all(|(first, last)| self.0.iter().any(|range| range.0 <= *first && *last <= range.1))
    }
}

/// `443,8000-8080`
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}
