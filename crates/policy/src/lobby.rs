//! Who waits to be let in, and whose turn it is: addresses take turns, so that a crowd behind one of them keeps nobody
//! else waiting.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

/// Those who wait, in one line for each address they come from.
#[derive(Debug)]
pub struct Lobby<T> {
    room: usize,
    waiting: usize,
    lines: BTreeMap<Ipv4Addr, VecDeque<T>>,
    /// Every address with a line, once; the next to have its turn first.
    turns: VecDeque<Ipv4Addr>,
}

impl<T> Lobby<T> {
    /// Room for so many, at least one.
    pub fn new(room: usize) -> Lobby<T> {
        Lobby { room: room.max(1), waiting: 0, lines: BTreeMap::new(), turns: VecDeque::new() }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// The addresses of those who wait, the next to have its turn first.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.turns.iter().copied()
    }

    /// Somebody comes. When there is no room, the last of the longest line has to go, and is returned.
    pub fn arrive(&mut self, from: Ipv4Addr, who: T) -> Option<(Ipv4Addr, T)> {
        let line = self.lines.entry(from).or_default();
        if line.is_empty() {
            self.turns.push_back(from);
        }
        line.push_back(who);
        self.waiting += 1;
        if self.waiting <= self.room {
            return None;
        }
        // The newcomer's own line goes first among equals: nobody is put out for somebody of an equal crowd.
        let mine = self.lines.get(&from).map_or(0, VecDeque::len);
        let longest = self
            .lines
            .iter()
            .max_by_key(|(_, line)| line.len())
            .map(|(address, line)| (*address, line.len()));
        let from = longest.filter(|(_, len)| *len > mine).map_or(from, |(address, _)| address);
        self.take(from, VecDeque::pop_back)
    }

    /// Lets the next one in of an address that `may` come in now; that address then waits for its next turn.
    pub fn next(&mut self, mut may: impl FnMut(Ipv4Addr) -> bool) -> Option<(Ipv4Addr, T)> {
        for _ in 0..self.turns.len() {
            let from = self.turns.front().copied()?;
            self.turns.rotate_left(1);
            if may(from) {
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
        let who = end(line)?;
        self.waiting -= 1;
        if line.is_empty() {
            self.lines.remove(&from);
            self.turns.retain(|address| *address != from);
        }
        Some((from, who))
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
        let mut lobby = Lobby::new(100);
        for n in 0..50 {
            assert!(lobby.arrive(at(1), n).is_none());
        }
        for n in 50..53 {
            assert!(lobby.arrive(at(2), n).is_none());
        }
        let order: Vec<_> = std::iter::from_fn(|| lobby.next(|_| true)).map(|(_, who)| who).collect();
        assert_eq!(order[..8], [0, 50, 1, 51, 2, 52, 3, 4]);
        assert_eq!(order.len(), 53);
        assert!(lobby.is_empty() && lobby.turns.is_empty() && lobby.lines.is_empty());
    }

    #[test]
    fn without_room_the_crowd_loses_its_last() {
        let mut lobby = Lobby::new(4);
        for n in 0..4 {
            assert!(lobby.arrive(at(1), n).is_none());
        }
        assert_eq!(lobby.arrive(at(1), 4), Some((at(1), 4)), "a crowd puts out nobody but itself");
        assert_eq!(lobby.arrive(at(2), 5), Some((at(1), 3)));
        assert_eq!(lobby.arrive(at(2), 6), Some((at(1), 2)));
        assert_eq!(lobby.arrive(at(2), 7), Some((at(2), 7)), "two and two: nobody gives way");
        assert_eq!(lobby.len(), 4);
    }

    #[test]
    fn an_address_that_may_not_is_passed_over_and_loses_nothing() {
        let mut lobby = Lobby::new(10);
        for n in 0..3 {
            lobby.arrive(at(1), n);
        }
        lobby.arrive(at(2), 9);
        assert_eq!(lobby.next(|address| address == at(2)), Some((at(2), 9)));
        assert_eq!(lobby.next(|address| address == at(2)), None);
        assert_eq!(lobby.next(|_| true), Some((at(1), 0)));
        assert_eq!(lobby.len(), 2);
    }
}
