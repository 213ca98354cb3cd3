//! The record of a conversation: what happened when, bounded, kept for failed calls.

use std::time::Duration;

use crate::events::Step;

/// Steps kept from the beginning: a whole set-up, with retransmissions.
pub const FIRST: usize = 160;
/// Steps kept from the end: how it broke.
pub const LAST: usize = 96;

/// A bounded list of steps with their time since the control connection was accepted.
#[derive(Clone, Debug, Default)]
pub struct Record {
    first: Vec<(Duration, Step)>,
    last: std::collections::VecDeque<(Duration, Step)>,
    omitted: u64,
}

impl Record {
    /// Adds a step; the middle of a very long record is left out and counted.
    pub fn push(&mut self, at: Duration, step: Step) {
        if self.first.len() < FIRST {
            self.first.push((at, step));
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
            self.omitted += 1;
        }
        self.last.push_back((at, step));
    }

    /// The steps in order; [`Record::omitted`] are missing after the first [`FIRST`].
    pub fn steps(&self) -> impl Iterator<Item = &(Duration, Step)> {
        self.first.iter().chain(self.last.iter())
    }

    /// How many steps were left out.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Steps held.
    pub fn len(&self) -> usize {
        self.first.len() + self.last.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use adit_wire::Layer;

    use super::*;
    use crate::events::Who;

    #[test]
    fn keeps_the_beginning_and_the_end() {
        let mut record = Record::default();
        for n in 0..1000u64 {
            record.push(
                Duration::from_millis(n),
                Step { who: Who::Note, layer: Layer::Lcp, text: n.to_string() },
            );
        }
        assert_eq!(record.len(), FIRST + LAST);
        assert_eq!(record.omitted(), 1000 - (FIRST + LAST) as u64);
        let texts: Vec<_> = record.steps().map(|(_, step)| step.text.clone()).collect();
        assert_eq!(texts[0], "0");
        assert_eq!(texts[FIRST - 1], "159");
        assert_eq!(texts.last().unwrap(), "999");
    }
}
