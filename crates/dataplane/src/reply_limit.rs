//! A rate limit for control frames of one call: each one is answered, or costs the control thread time.

use adit_wire::LocalCallId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What a call may owe, in units. A call pays back one unit a millisecond.
const MOST_OWED: u64 = 2_000;

/// A frame for the control thread, by what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A control frame that may require an answer: 100 a second, 200 at once.
    Request,
    /// An answer to an echo request of ours, which proves that the peer is alive: 1000 a second, apart from the others,
    /// so that a flood of requests does not end the call.
    EchoReply,
    /// A DHCPINFORM: 10 a second.
    Dhcp,
}

impl Kind {
    /// The kind of a control frame: with or without address and control field, then protocol and code.
    pub(crate) fn of(frame: &[u8]) -> Kind {
        let content = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
        match content {
            [0xc0, 0x21, 10, ..] => Kind::EchoReply,
            _ => Kind::Request,
        }
    }

    const fn cost(self) -> u64 {
        match self {
            Kind::Request => 10,
            Kind::EchoReply => 1,
            Kind::Dhcp => 100,
        }
    }
}

/// What each Call ID owes: milliseconds since the start, shifted by [`UNITS`], and the units at that time.
type Owed = Arc<[AtomicU64]>;

/// The bits for the units.
const UNITS: u32 = 16;

/// The limits of all calls, shared by the workers. Only the worker that owns a call changes its entry.
#[derive(Clone, Debug)]
pub(crate) struct ReplyLimit {
    start: Instant,
    requests: Owed,
    echo_replies: Owed,
}

impl ReplyLimit {
    pub(crate) fn new(start: Instant) -> ReplyLimit {
        let owed = || (0..=u16::MAX).map(|_| AtomicU64::new(0)).collect();
        ReplyLimit { start, requests: owed(), echo_replies: owed() }
    }

    /// Whether another frame of this kind may be passed on, which is then counted.
    pub(crate) fn take(&self, now: Instant, call_id: LocalCallId, kind: Kind) -> bool {
        let table = match kind {
            Kind::Request | Kind::Dhcp => &self.requests,
            Kind::EchoReply => &self.echo_replies,
        };
        let Some(entry) = table.get(call_id.index()) else { return false };
        let now = now.saturating_duration_since(self.start).as_millis() as u64;
        let before = entry.load(Ordering::Relaxed);
        let (at, owed) = (before >> UNITS, before & ((1 << UNITS) - 1));
        let owed = owed.saturating_sub(now.saturating_sub(at)) + kind.cost();
        let is_allowed = owed <= MOST_OWED;
        if is_allowed {
            entry.store((now << UNITS) | owed, Ordering::Relaxed);
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LCP_ECHO_REQUEST: &[u8] = b"\xff\x03\xc0\x21\x09\x01\x00\x08\x00\x00\x00\x00";
    const LCP_ECHO_REPLY: &[u8] = b"\xc0\x21\x0a\x01\x00\x08\x00\x00\x00\x00";

    /// How many of `rate` frames a second pass in `seconds`.
    fn passed(limit: &ReplyLimit, start: Instant, kind: Kind, rate: u64, seconds: u64) -> u64 {
        let at = |n: u64| start + Duration::from_micros(n * 1_000_000 / rate);
        (0..rate * seconds).filter(|n| limit.take(at(*n), LocalCallId::new(7), kind)).count() as u64
    }

    #[test]
    fn a_flood_of_any_kind_is_cut_to_its_rate_and_ordinary_traffic_passes() {
        let start = Instant::now();
        for (kind, burst, rate) in
            [(Kind::Request, 200, 100), (Kind::EchoReply, 2_000, 1_000), (Kind::Dhcp, 20, 10)]
        {
            let flooded = passed(&ReplyLimit::new(start), start, kind, 30_000, 10);
            assert!((rate * 10..=rate * 10 + burst + 1).contains(&flooded), "{kind:?}: {flooded}");
            let ordinary = passed(&ReplyLimit::new(start), start, kind, rate, 100);
            assert_eq!(ordinary, rate * 100, "{kind:?}");
        }
    }

    #[test]
    fn a_flood_of_requests_leaves_echo_replies_and_other_calls_alone() {
        let start = Instant::now();
        let limit = ReplyLimit::new(start);
        while limit.take(start, LocalCallId::new(7), Kind::of(LCP_ECHO_REQUEST)) {}
        assert!(!limit.take(start, LocalCallId::new(7), Kind::Dhcp));
        assert!(limit.take(start, LocalCallId::new(7), Kind::of(LCP_ECHO_REPLY)));
        assert!(limit.take(start, LocalCallId::new(8), Kind::Request));
        assert!(limit.take(start + Duration::from_millis(10), LocalCallId::new(7), Kind::Request));
        let later = start + Duration::from_secs(86_400 * 400);
        assert!(limit.take(later, LocalCallId::new(7), Kind::Request));
    }

    #[test]
    fn echo_replies_are_recognized_with_and_without_the_address_field() {
        assert_eq!(Kind::of(LCP_ECHO_REPLY), Kind::EchoReply);
        assert_eq!(Kind::of(&[b"\xff\x03", LCP_ECHO_REPLY].concat()), Kind::EchoReply);
        for other in [LCP_ECHO_REQUEST, b"", b"\xff\x03", b"\xc0\x21", b"\x80\x21\x0a\x01\x00\x04"] {
            assert_eq!(Kind::of(other), Kind::Request, "{other:?}");
        }
    }
}
