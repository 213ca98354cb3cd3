//! A set of small numbers that finds its smallest member fast.

/// One bit a number, in words of 64.
#[derive(Debug)]
pub(super) struct Bitmap {
    words: Vec<u64>,
    /// No word before this one has a bit set.
    first: usize,
    count: u32,
}

impl Bitmap {
    /// An empty set with room for numbers below `size`.
    pub(super) fn new(size: u32) -> Bitmap {
        Bitmap { words: vec![0; size.div_ceil(64) as usize], first: 0, count: 0 }
    }

    /// How many numbers are in the set.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Puts a number in; a number for which there is no room is ignored.
    pub(super) fn insert(&mut self, number: u32) {
        let (index, bit) = (number as usize / 64, 1 << (number % 64));
        if let Some(word) = self.words.get_mut(index)
            && *word & bit == 0
        {
            *word |= bit;
            self.count += 1;
            self.first = self.first.min(index);
        }
    }

    /// Takes a number out; `false` when it was not in.
    pub(super) fn remove(&mut self, number: u32) -> bool {
        let (index, bit) = (number as usize / 64, 1 << (number % 64));
        match self.words.get_mut(index) {
            Some(word) if *word & bit != 0 => {
                *word &= !bit;
                self.count -= 1;
                true
            }
            _ => false,
        }
    }

    /// The smallest number of the set.
    pub(super) fn first(&mut self) -> Option<u32> {
        let skipped = self.words.get(self.first..)?.iter().position(|word| *word != 0);
        match skipped {
            Some(skipped) => {
                self.first += skipped;
                Some(self.first as u32 * 64 + self.words.get(self.first)?.trailing_zeros())
            }
            None => {
                self.first = self.words.len();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_first_and_no_number_twice() {
        let mut set = Bitmap::new(130);
        for number in [129, 64, 3, 3, 192, 500] {
            set.insert(number);
        }
        assert_eq!(set.count(), 3);
        let mut seen = Vec::new();
        while let Some(number) = set.first() {
            assert!(set.remove(number));
            assert!(!set.remove(number));
            seen.push(number);
        }
        assert_eq!(seen, [3, 64, 129]);
        set.insert(7);
        assert_eq!(set.first(), Some(7), "a number put in before the mark is found again");
    }
}
