//! The size of a page of a list.

use serde::Serialize;

/// The size of one page: a number of items, and the octets of their JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// Maximum number of items.
    pub items: usize,
    /// Maximum size in octets. A page has at least one item, also if that is larger.
    pub octets: usize,
}

impl PageLimit {
    /// One page for everything.
    pub const NONE: PageLimit = PageLimit { items: usize::MAX, octets: usize::MAX };

    /// How many of the items fit the octets, in the order given.
    pub(crate) fn fitting<'a, T: Serialize + 'a>(self, items: impl Iterator<Item = &'a T>) -> usize {
        if self.octets == usize::MAX {
            return items.count();
        }
        let mut left = self.octets;
        let fits = items.enumerate().take_while(|(index, item)| {
            // What cannot be written fails later, with an error.
            let size = serde_json::to_vec(item).map_or(0, |json| json.len());
            let fits = *index == 0 || size <= left;
            left = left.saturating_sub(size);
            fits
        });
        fits.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_fit_as_long_as_their_json_does() {
        let limit = |octets| PageLimit { items: 10, octets };
        // Each is four octets, with its quotes.
        let items = ["ab", "cd", "ef"];
        for (octets, count) in [(0, 1), (4, 1), (7, 1), (8, 2), (11, 2), (12, 3), (100, 3), (usize::MAX, 3)] {
            assert_eq!(limit(octets).fitting(items.iter()), count, "{octets}");
        }
        assert_eq!(limit(5).fitting(std::iter::empty::<&u8>()), 0);
    }
}
