//! The sockets to one server and their identifiers.
//!
//! A server recognises a repeated request by source port and Identifier, so that an identifier must rest after its use.
//! One socket has 256 of them. Further sockets are opened only when all identifiers are in use or rest, and closed
//! again: a socket per request would exhaust the ports of the host.

use std::time::{Duration, Instant};

/// How long an identifier rests after it was last sent.
pub(super) const REST: Duration = Duration::from_secs(30);

/// Identifiers of one socket.
const IDS: usize = 256;

/// An identifier on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The number of the socket.
    pub(super) socket: u16,
    /// The Identifier.
    pub(super) id: u8,
}

#[derive(Clone, Copy, Debug)]
enum Use<T> {
    /// Free since this instant, at which it was sent last; `None` if never.
    Free(Option<Instant>),
    Used(T),
}

#[derive(Debug)]
struct Socket<T> {
    uses: Vec<Use<T>>,
    /// Where the search begins: behind the identifier that was used last, so that all take turns.
    next: u8,
    used: usize,
    last_sent: Option<Instant>,
}

impl<T: Copy> Socket<T> {
    fn new() -> Socket<T> {
        Socket { uses: vec![Use::Free(None); IDS], next: 0, used: 0, last_sent: None }
    }

    fn take(&mut self, now: Instant, owner: T) -> Option<u8> {
        if self.used == IDS {
            return None;
        }
        let next = self.next;
        let id = (0..=u8::MAX).map(|step| next.wrapping_add(step)).find(
            |id| matches!(self.uses.get(usize::from(*id)), Some(Use::Free(sent)) if is_rested(*sent, now)),
        )?;
        *self.uses.get_mut(usize::from(id))? = Use::Used(owner);
        self.next = id.wrapping_add(1);
        self.used += 1;
        Some(id)
    }

    /// When the next identifier has rested.
    fn rested_at(&self) -> Option<Instant> {
        let at = |one: &Use<T>| match one {
            Use::Free(sent) => sent.and_then(|sent| sent.checked_add(REST)),
            Use::Used(_) => None,
        };
        self.uses.iter().filter_map(at).min()
    }
}

fn is_rested(sent: Option<Instant>, now: Instant) -> bool {
    sent.is_none_or(|sent| now.saturating_duration_since(sent) >= REST)
}

/// The sockets of one server; `T` identifies the owner of an identifier.
#[derive(Debug)]
pub(super) struct Sockets<T> {
    /// `None` for a socket that is closed.
    open: Vec<Option<Socket<T>>>,
    limit: u16,
}

impl<T: Copy> Sockets<T> {
    /// At most `limit` sockets, and one at least.
    pub(super) fn new(limit: u16) -> Sockets<T> {
        Sockets { open: Vec::new(), limit: limit.max(1) }
    }

    /// Takes an identifier that has rested, on a further socket if there is none. `None` if that is not possible.
    pub(super) fn take(&mut self, now: Instant, owner: T) -> Option<Slot> {
        for (socket, number) in self.open.iter_mut().zip(0_u16..) {
            if let Some(id) = socket.as_mut().and_then(|socket| socket.take(now, owner)) {
                return Some(Slot { socket: number, id });
            }
        }
        let mut socket = Socket::new();
        let id = socket.take(now, owner)?;
        let closed = self.open.iter_mut().zip(0_u16..).find(|(socket, _)| socket.is_none());
        if let Some((place, number)) = closed {
            *place = Some(socket);
            return Some(Slot { socket: number, id });
        }
        let number = u16::try_from(self.open.len()).ok().filter(|number| *number < self.limit)?;
        self.open.push(Some(socket));
        Some(Slot { socket: number, id })
    }

    /// The owner of an identifier.
    pub(super) fn owner(&self, slot: Slot) -> Option<T> {
        let socket = self.open.get(usize::from(slot.socket))?.as_ref()?;
        match socket.uses.get(usize::from(slot.id))? {
            Use::Used(owner) => Some(*owner),
            Use::Free(_) => None,
        }
    }

    /// Returns an identifier that was last sent at this instant.
    pub(super) fn release(&mut self, slot: Slot, sent: Instant) {
        let Some(Some(socket)) = self.open.get_mut(usize::from(slot.socket)) else { return };
        let Some(one) = socket.uses.get_mut(usize::from(slot.id)) else { return };
        if matches!(one, Use::Used(_)) {
            *one = Use::Free(Some(sent));
            socket.used -= 1;
            socket.last_sent = socket.last_sent.max(Some(sent));
        }
    }

    /// Closes a socket that is not needed: another than the first, whose identifiers all have rested.
    pub(super) fn close_idle(&mut self, now: Instant) -> Option<u16> {
        let idle = |socket: &Socket<T>| socket.used == 0 && is_rested(socket.last_sent, now);
        let mut further = self.open.iter_mut().zip(0_u16..).skip(1);
        let (place, number) = further.find(|(socket, _)| socket.as_ref().is_some_and(idle))?;
        *place = None;
        Some(number)
    }

    /// Whether another socket than the first is open.
    pub(super) fn has_further(&self) -> bool {
        self.open.iter().skip(1).any(Option::is_some)
    }

    /// When the next identifier has rested.
    pub(super) fn rested_at(&self) -> Option<Instant> {
        self.open.iter().flatten().filter_map(Socket::rested_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_identifier_rests_30_s_and_further_sockets_are_opened_only_when_all_are_in_use() {
        let begun = Instant::now();
        let mut sockets = Sockets::new(2);
        for n in 0..256_usize {
            let slot = sockets.take(begun, n).unwrap();
            assert_eq!((slot.socket, usize::from(slot.id)), (0, n));
        }
        let further = sockets.take(begun, 256).unwrap();
        assert_eq!(further, Slot { socket: 1, id: 0 });
        sockets.release(further, begun);
        let slot = Slot { socket: 0, id: 9 };
        assert_eq!(sockets.owner(slot), Some(9));
        sockets.release(slot, begun + SECOND);
        assert_eq!(sockets.owner(slot), None);
        assert_eq!(
            sockets.take(begun + 30 * SECOND, 300).unwrap().socket,
            1,
            "it rests 31 s after the beginning"
        );
        assert_eq!(sockets.take(begun + 31 * SECOND, 301), Some(slot));
    }

    #[test]
    fn there_are_no_more_sockets_than_allowed_and_idle_ones_are_closed() {
        let begun = Instant::now();
        let mut sockets = Sockets::new(2);
        let slots: Vec<Slot> = (0..512).map(|n| sockets.take(begun, n).unwrap()).collect();
        assert_eq!(sockets.take(begun, 512), None);
        assert_eq!(sockets.rested_at(), None, "none rests, all are used");
        for slot in slots {
            sockets.release(slot, begun);
        }
        assert_eq!(sockets.take(begun, 512), None);
        assert_eq!(sockets.rested_at(), Some(begun + REST));
        assert_eq!(sockets.close_idle(begun), None);
        assert!(sockets.has_further());
        assert_eq!(sockets.close_idle(begun + REST), Some(1));
        assert_eq!(sockets.close_idle(begun + REST), None, "the first socket stays");
        assert!(!sockets.has_further());
        // A late release of a closed socket has no effect.
        sockets.release(Slot { socket: 1, id: 0 }, begun);
        assert_eq!(sockets.take(begun + REST, 1).unwrap().socket, 0);
    }
}
