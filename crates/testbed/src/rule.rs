//! What a relay does to a frame.

use std::time::Duration;

/// A frame on a [`crate::Relay`].
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// From the Ethernet header on.
    pub octets: &'a [u8],
    /// From the GRE header on, for GRE over IPv4.
    pub gre: Option<&'a [u8]>,
    /// How many GRE frames were seen in this direction before it.
    pub index: u64,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It passes.
    Pass,
    /// It is lost.
    Drop,
    /// It passes later; later frames may overtake it.
    Delay(Duration),
    /// It passes, and so does a copy, that much later.
    Duplicate(Duration),
}

/// Decides over the GRE frames of one direction, in the order of arrival; everything else passes.
pub trait Rule: Send {
    /// The fate of one frame.
    fn judge(&mut self, frame: &Frame<'_>) -> Fate;
}

impl<F: FnMut(&Frame<'_>) -> Fate + Send> Rule for F {
    fn judge(&mut self, frame: &Frame<'_>) -> Fate {
        self(frame)
    }
}

/// A wire without faults.
pub fn pass(_: &Frame<'_>) -> Fate {
    Fate::Pass
}

/// Chances out of a thousand, from a seed: the same seed decides the same for the same frames.
#[derive(Clone, Debug)]
pub struct Seeded {
    /// Lost.
    pub drop: u32,
    /// Repeated after [`Seeded::hold`].
    pub duplicate: u32,
    /// Held back for [`Seeded::hold`], so that others overtake it.
    pub reorder: u32,
    /// How long held frames are held.
    pub hold: Duration,
    /// How long every frame takes.
    pub delay: Duration,
    /// The seed, and later the generator's state.
    pub seed: u64,
}

impl Seeded {
    /// A wire without faults; set fields to add some.
    pub fn new(seed: u64) -> Seeded {
        Seeded {
            drop: 0,
            duplicate: 0,
            reorder: 0,
            hold: Duration::from_millis(3),
            delay: Duration::ZERO,
            seed,
        }
    }

    /// A number below 1000 (SplitMix64).
    fn chance(&mut self) -> u32 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % 1000) as u32
    }
}

impl Rule for Seeded {
    fn judge(&mut self, _: &Frame<'_>) -> Fate {
        // Always three draws, so that one chance does not shift the others.
        let (drop, duplicate, reorder) = (self.chance(), self.chance(), self.chance());
        if drop < self.drop {
            Fate::Drop
        } else if duplicate < self.duplicate {
            Fate::Duplicate(self.hold + self.delay)
        } else if reorder < self.reorder {
            Fate::Delay(self.hold + self.delay)
        } else if self.delay > Duration::ZERO {
            Fate::Delay(self.delay)
        } else {
            Fate::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_decides_the_same() {
        let fates = |seed| {
            let mut rule = Seeded { drop: 100, duplicate: 50, reorder: 100, ..Seeded::new(seed) };
            let frame = Frame { octets: &[], gre: None, index: 0 };
            (0..2000).map(|_| rule.judge(&frame)).collect::<Vec<_>>()
        };
        assert_eq!(fates(1), fates(1));
        assert_ne!(fates(1), fates(2));
        let lost = fates(1).iter().filter(|f| **f == Fate::Drop).count();
        assert!((150..250).contains(&lost), "{lost} of 2000 lost at 10 %");
    }
}
