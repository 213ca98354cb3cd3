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

    /// How many of the newest items a page reads, of which the request wants at most `last`.
    pub(crate) fn wanted(self, last: Option<u32>) -> u32 {
        let most = u32::try_from(self.items).unwrap_or(u32::MAX);
        last.map_or(most, |last| last.min(most))
    }

    /// The newest that fit, of the items that were read as [`Self::wanted`], oldest first; and whether there may be older
    /// ones that the request wants.
    pub(crate) fn newest<T: Serialize>(self, mut items: Vec<T>, last: Option<u32>) -> (Vec<T>, bool) {
        let want = self.wanted(last);
        // A full page may have older items before it, unless the request was limited to that many.
        let may_have_more = items.len() == want as usize && last.is_none_or(|last| last > want);
        let left_out = items.len() - self.fitting(items.iter().rev());
        items.drain(..left_out);
        (items, may_have_more || left_out > 0)
    }

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

    #[test]
    fn pages_are_the_newest_items_and_know_of_older_ones() {
        // What a store returns: the newest `wanted` of 25 items, oldest first.
        let page = |limit: PageLimit, last| {
            let want = limit.wanted(last) as usize;
            limit.newest((1..=25_u32).skip(25_usize.saturating_sub(want)).collect(), last)
        };
        let by_number = PageLimit { items: 10, octets: usize::MAX };
        assert_eq!(page(by_number, None), ((16..=25).collect(), true));
        assert_eq!(page(by_number, Some(10)), ((16..=25).collect(), false));
        assert_eq!(page(by_number, Some(11)), ((16..=25).collect(), true));
        assert_eq!(page(by_number, Some(3)), (vec![23, 24, 25], false));
        // Two octets each.
        let by_octets = PageLimit { items: 10, octets: 7 };
        assert_eq!(page(by_octets, Some(10)), (vec![23, 24, 25], true));
        assert_eq!(page(by_octets, Some(3)), (vec![23, 24, 25], false));
        assert_eq!(page(PageLimit::NONE, None), ((1..=25).collect(), false));
    }
}
