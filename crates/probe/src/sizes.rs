//! Loss, round trip and the largest packet each way, by LCP echoes of chosen size through the call.

use std::time::{Duration, Instant};

use adit_doctor::Seen;
use adit_doctor::facts::{Bracket, Mtu};

use crate::call::Call;

/// Number of small echoes that measure loss and round trip; the second number if some of the first were lost.
const SMALL: (u32, u32) = (20, 80);
const SMALL_LEN: usize = 64;
const SPACE: Duration = Duration::from_millis(25);
/// Minimum and maximum time before an echo counts as lost.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(1200));
/// First numbers of the echoes of chosen size, and of those that test whether the link is alive.
const SIZED: u32 = 10_000;
const ALIVE: u32 = 1000;
/// The smallest size that is tried (RFC 791: every host accepts 576).
const LEAST: u16 = 576;
/// Number of sizes in one round.
const ROUND: u16 = 8;
/// Two sizes closer than this need not be distinguished.
const CLOSE: u16 = 8;
const ROUNDS_MAX: usize = 4;

/// Results of small echoes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quality {
    pub(crate) sent: u32,
    pub(crate) lost: u32,
    /// Median of the round-trip times.
    pub(crate) round_trip: Option<Duration>,
}

/// Sends small echoes, and more if some are lost; `first` is the number of the first.
pub(crate) fn quality(call: &mut Call<'_>, first: u32, until: Instant) -> Quality {
    let few = burst(call, first, SMALL.0, until);
    if few.lost == 0 || few.round_trip.is_none() {
        return few;
    }
    let more = burst(call, first + SMALL.0, SMALL.1, until);
    Quality { sent: few.sent + more.sent, lost: few.lost + more.lost, ..few }
}

/// Whether small echoes are answered; `None` if there was no time.
pub(crate) fn answers(call: &mut Call<'_>, until: Instant) -> Option<bool> {
    let quality = burst(call, ALIVE, 3, until);
    (quality.sent > 0).then_some(quality.round_trip.is_some())
}

fn burst(call: &mut Call<'_>, first: u32, many: u32, until: Instant) -> Quality {
    call.echoes.answers.clear();
    let mut sent = Vec::new();
    for number in first..first + many {
        if !call.lives() || Instant::now() >= until {
            break;
        }
        sent.push((number, Instant::now()));
        call.send_echo(number, SMALL_LEN);
        call.work((Instant::now() + SPACE).min(until), |_| false);
    }
    let count = sent.len();
    let end = (Instant::now() + PATIENCE.1).min(until);
    call.work(end, |call| answered(call, first, first + many).len() >= count);
    let time = |(number, at): (u32, Instant)| {
        let (_, when) = sent.iter().find(|(sent, _)| *sent == number)?;
        Some(at.saturating_duration_since(*when))
    };
    let mut times: Vec<Duration> = answered(call, first, first + many).into_iter().filter_map(time).collect();
    times.sort_unstable();
    Quality {
        sent: count as u32,
        lost: (count as u32).saturating_sub(times.len() as u32),
        round_trip: times.get(times.len() / 2).copied(),
    }
}

/// Answered echoes with these numbers, each number once.
fn answered(call: &Call<'_>, from: u32, to: u32) -> Vec<(u32, Instant)> {
    let mut found: Vec<(u32, Instant)> = Vec::new();
    for (number, at) in &call.echoes.answers {
        if (from..to).contains(number) && found.iter().all(|(known, _)| known != number) {
            found.push((*number, *at));
        }
    }
    found
}

/// Finds the largest packet that passes; `largest` is the negotiated inner size.
pub(crate) fn measure(call: &mut Call<'_>, quality: Quality, largest: u16, until: Instant) -> Mtu {
    let mut mtu = Mtu { agreed: Some(largest), ..Mtu::default() };
    let Some(round_trip) = quality.round_trip else { return mtu };
    let mut tester = Tester {
        next: SIZED,
        // High loss must not look like the loss of large packets.
        copies: 3 + (quality.lost * 20).div_ceil(quality.sent.max(1)).min(9),
        patience: (round_trip * 3).clamp(PATIENCE.0, PATIENCE.1),
        until,
    };
    let (mut passes, mut lost) = (None, None);
    match tester.round(call, &[largest]).first() {
        Some((size, true)) => passes = Some(*size),
        Some((size, false)) => {
            lost = Some(*size);
            for _ in 0..ROUNDS_MAX {
                let (low, high) = (passes.unwrap_or(LEAST - ROUND), lost.unwrap_or(largest));
                if high.saturating_sub(low) <= CLOSE || Instant::now() >= until || !call.lives() {
                    break;
                }
                let step = ((high - low) / (ROUND + 1)).max(1);
                let sizes: Vec<u16> =
                    (1..=ROUND).map(|n| low + n * step).filter(|size| *size < high).collect();
                for (size, passed) in tester.round(call, &sizes) {
                    if passed {
                        passes = passes.max(Some(size));
                    } else if passes.is_none_or(|passes| size > passes) {
                        lost = Some(lost.map_or(size, |lost| lost.min(size)));
                    }
                }
                lost = lost.filter(|lost| passes.is_none_or(|passes| *lost > passes)).or(Some(high));
            }
        }
        None => return mtu,
    }
    // Without a size that passes there is no bracket: the size is not the cause.
    let Some(passed) = passes else { return mtu };
    let bracket = |lost: Option<u16>| Bracket {
        passes: Some(Seen::new(passed)),
        lost: lost.map(Seen::new),
        is_outer: false,
    };
    let arrives = lost.is_some_and(|lost| tester.arrives(call, lost));
    mtu.to_server = bracket(lost.filter(|_| !arrives));
    mtu.to_client = bracket(lost.filter(|_| arrives));
    // End with a small echo, so that the loss of the large ones is not taken for a dead link.
    answers(call, until);
    mtu
}

struct Tester {
    next: u32,
    copies: u32,
    patience: Duration,
    until: Instant,
}

impl Tester {
    /// Sends several echoes of each size; returns which sizes were answered. Empty if there was no time.
    fn round(&mut self, call: &mut Call<'_>, sizes: &[u16]) -> Vec<(u16, bool)> {
        let first = self.next;
        let overhead = call.overhead();
        call.echoes.answers.clear();
        for _ in 0..self.copies {
            for size in sizes {
                if Instant::now() >= self.until {
                    return Vec::new();
                }
                call.send_echo(self.next, usize::from(size + overhead));
                self.next += 1;
                call.work(Instant::now() + SPACE / 2, |_| false);
            }
        }
        let count = sizes.len() as u32;
        let of = |call: &Call<'_>, index: u32, to: u32| {
            answered(call, first, to).iter().any(|(number, _)| (number - first) % count == index)
        };
        let to = self.next;
        call.work((Instant::now() + self.patience).min(self.until), |call| {
            (0..count).all(|index| of(call, index, to))
        });
        (0u32..).zip(sizes).map(|(index, size)| (*size, of(call, index, to))).collect()
    }

    /// Whether the server acknowledges the sequence number of a packet of this size, although it does not answer it.
    fn arrives(&mut self, call: &mut Call<'_>, size: u16) -> bool {
        // Let outstanding packets be acknowledged first.
        call.work(Instant::now() + self.patience, |_| false);
        call.echoes.acked.clear();
        let overhead = call.overhead();
        let Some(number) = call.send_echo(self.next, usize::from(size + overhead)) else { return false };
        self.next += 1;
        let named = |call: &Call<'_>| call.echoes.acked.contains(&number);
        call.work(Instant::now() + self.patience * 2, |call| named(call))
    }
}
