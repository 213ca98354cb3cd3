//! A bounded queue that is fair between addresses: they take turns, so that a crowd behind one of them delays no other.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

/// Items that wait, in one line for each address they come from.
#[derive(Debug)]
pub struct FairQueue<T> {
    capacity: usize,
    waiting: usize,
    lines: BTreeMap<Ipv4Addr, VecDeque<T>>,
    /// Every address with a line, once; the next to have its turn first.
    turns: VecDeque<Ipv4Addr>,
}

impl<T> FairQueue<T> {
    /// Makes a queue for `capacity` items, at least one.
    pub fn new(capacity: usize) -> FairQueue<T> {
        FairQueue { capacity: capacity.max(1), waiting: 0, lines: BTreeMap::new(), turns: VecDeque::new() }
    }

    /// The number of items that wait.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether no item waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// The addresses with items that wait, the next to have its turn first.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.turns.iter().copied()
    }

    /// Adds an item. Without room, the last item of the longest line is removed and returned.
    pub fn push(&mut self, from: Ipv4Addr, item: T) -> Option<(Ipv4Addr, T)> {
        let line = self.lines.entry(from).or_default();
        if line.is_empty() {
            self.turns.push_back(from);
        }
        line.push_back(item);
        self.waiting += 1;
        if self.waiting <= self.capacity {
            return None;
        }
        // Among lines of equal length the newcomer's own one loses: no other address gives way to an equal crowd.
        let mine = self.lines.get(&from).map_or(0, VecDeque::len);
        let longest = self
            .lines
            .iter()
            .max_by_key(|(_, line)| line.len())
            .map(|(address, line)| (*address, line.len()));
        let from = longest.filter(|(_, len)| *len > mine).map_or(from, |(address, _)| address);
        self.take(from, VecDeque::pop_back)
    }

    /// Removes the next item of an address that `is_allowed` now; that address then waits for its next turn.
    pub fn pop(&mut self, mut is_allowed: impl FnMut(Ipv4Addr) -> bool) -> Option<(Ipv4Addr, T)> {
        for _ in 0..self.turns.len() {
            let from = self.turns.front().copied()?;
            self.turns.rotate_left(1);
            if is_allowed(from) {
                return self.take(from, VecDeque::pop_front);
            }
        }
        None
    }

    fn take(
        &mut self,
        from: Ipv4Addr,
        end: impl FnOnce(&mut VecDeque<T>) -> Option<T>,
    ) -> Option<(Ipv4Addr, T)> {
        let line = self.lines.get_mut(&from)?;
        let item = end(line)?;
        self.waiting -= 1;
        if line.is_empty() {
            self.lines.remove(&from);
            self.turns.retain(|address| *address != from);
        }
        Some((from, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, last)
    }

    #[test]
    fn addresses_take_turns_and_each_line_keeps_its_order() {
        let mut queue = FairQueue::new(100);
        for n in 0..50 {
            assert!(queue.push(at(1), n).is_none());
        }
        for n in 50..53 {
            assert!(queue.push(at(2), n).is_none());
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(|_| true)).map(|(_, item)| item).collect();
        assert_eq!(order[..8], [0, 50, 1, 51, 2, 52, 3, 4]);
        assert_eq!(order.len(), 53);
        assert!(queue.is_empty() && queue.turns.is_empty() && queue.lines.is_empty());
    }

    #[test]
    fn a_full_queue_drops_the_newest_of_the_largest_group() {
        let mut queue = FairQueue::new(4);
        for n in 0..4 {
            assert!(queue.push(at(1), n).is_none());
        }
        assert_eq!(queue.push(at(1), 4), Some((at(1), 4)), "a crowd displaces only itself");
        assert_eq!(queue.push(at(2), 5), Some((at(1), 3)));
        assert_eq!(queue.push(at(2), 6), Some((at(1), 2)));
        assert_eq!(queue.push(at(2), 7), Some((at(2), 7)), "two and two: the newcomer loses");
        assert_eq!(queue.len(), 4);
    }

    #[test]
    fn an_address_that_is_not_allowed_is_passed_over_and_loses_nothing() {
        let mut queue = FairQueue::new(10);
        for n in 0..3 {
            queue.push(at(1), n);
        }
        queue.push(at(2), 9);
        assert_eq!(queue.pop(|address| address == at(2)), Some((at(2), 9)));
        assert_eq!(queue.pop(|address| address == at(2)), None);
        assert_eq!(queue.pop(|_| true), Some((at(1), 0)));
        assert_eq!(queue.len(), 2);
    }
}
