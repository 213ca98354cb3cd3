//! When frames that do not decrypt mean that the encryption is broken (E05), and not that they are forged.
//!
//! Frames of the peer have rising sequence numbers, and no genuine frame decrypts between them. So bad frames
//! count only in a row with rising numbers, which one good frame ends. An attacker does not know the
//! numbers: a row that begins near the last good number is the peer's, any other is believed
//! only after a long time, in which the peer has sent no control frame with a number of the old range either.

use std::time::{Duration, Instant};

/// The bad frames of a row at which encryption is broken, if it also lasted long enough.
const FRAMES: u32 = 20;
/// How long a row near the last good number must last.
const NEAR: Duration = Duration::from_secs(5);
/// How long any other row must last: a peer answers an LCP echo in that time.
const FAR: Duration = Duration::from_secs(60);
/// The largest distance of two numbers of a row.
const STEP: i32 = 64;
/// A row that has not grown for this long makes way for another.
const STALE: Duration = Duration::from_secs(2);

/// The bad frames since the last good one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubt(Option<Row>);

#[derive(Clone, Copy, Debug)]
struct Row {
    frames: u32,
    since: Instant,
    last: Instant,
    seq: u32,
    is_near: bool,
}

impl Row {
    fn is_followed_by(&self, seq: u32) -> bool {
        (1..=STEP).contains(&seq.wrapping_sub(self.seq).cast_signed())
    }
}

impl Doubt {
    /// A frame did not decrypt; `is_near`: its number is expected soon. True if encryption is broken.
    pub(super) fn note_bad(&mut self, now: Instant, seq: u32, is_near: bool) -> bool {
        match &mut self.0 {
            Some(row) if row.is_followed_by(seq) => {
                (row.frames, row.last, row.seq) = (row.frames.saturating_add(1), now, seq);
            }
            Some(row) if row.is_near || !is_near => {
                if now.saturating_duration_since(row.last) < STALE {
                    return false;
                }
                self.0 = Some(Row { frames: 1, since: now, last: now, seq, is_near });
            }
            _ => self.0 = Some(Row { frames: 1, since: now, last: now, seq, is_near }),
        }
        self.0.is_some_and(|row| {
            let least = if row.is_near { NEAR } else { FAR };
            row.frames >= FRAMES && row.last.saturating_duration_since(row.since) >= least
        })
    }

    /// A frame decrypted.
    pub(super) fn note_good(&mut self) {
        self.0 = None;
    }

    /// A control frame in clear has a number that is expected soon: a row elsewhere is not from the same host.
    pub(super) fn note_clear(&mut self, seq: u32) {
        if self.0.is_some_and(|row| !row.is_followed_by(seq)) {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(doubt: &mut Doubt, start: Instant, first: u32, is_near: bool, millis: u64) -> Option<u64> {
        (0..1000u64).find_map(|n| {
            let is_broken =
                doubt.note_bad(start + Duration::from_millis(millis * n), first + n as u32, is_near);
            is_broken.then_some(millis * n)
        })
    }

    #[test]
    fn c196_a_row_of_bad_frames_is_believed_after_some_seconds() {
        let start = Instant::now();
        assert_eq!(row(&mut Doubt::default(), start, 1, true, 0), None, "at once");
        assert_eq!(row(&mut Doubt::default(), start, 1, true, 100), Some(5000));
        assert_eq!(row(&mut Doubt::default(), start, 1, true, 1000), Some(19_000), "few frames");
        assert_eq!(row(&mut Doubt::default(), start, 1, false, 100), Some(60_000), "far away");
    }

    #[test]
    fn c196_a_good_frame_ends_a_row() {
        let (mut doubt, start) = (Doubt::default(), Instant::now());
        for n in 0..1000 {
            assert!(!doubt.note_bad(start + Duration::from_millis(100 * u64::from(n)), n, true));
            if n % 40 == 0 {
                doubt.note_good();
            }
        }
    }

    #[test]
    fn frames_with_random_numbers_are_no_row_and_do_not_interrupt_one() {
        let (mut doubt, start) = (Doubt::default(), Instant::now());
        for n in 0..1000u32 {
            let now = start + Duration::from_millis(100 * u64::from(n));
            assert!(!doubt.note_bad(now, n.wrapping_mul(0x9e37_79b9), false));
        }
        let mut doubt = Doubt::default();
        let broken = (0..60u32).any(|n| {
            let now = start + Duration::from_millis(100 * u64::from(n));
            doubt.note_bad(now, n.wrapping_mul(0x9e37_79b9), false);
            doubt.note_bad(now, 100 + n, true)
        });
        assert!(broken);
    }

    #[test]
    fn a_control_frame_of_the_old_range_refutes_a_row() {
        let (mut doubt, start) = (Doubt::default(), Instant::now());
        for n in 0..1000u32 {
            let now = start + Duration::from_millis(100 * u64::from(n));
            assert!(!doubt.note_bad(now, 5_000_000 + n, false));
            if n % 300 == 0 {
                doubt.note_clear(10 + n / 300);
            }
        }
        for n in 0..1000u32 {
            let now = start + Duration::from_millis(100 * u64::from(n));
            assert!(!doubt.note_bad(now, 101 + n, true));
            if n % 40 == 0 {
                doubt.note_clear(101 + n / 40);
            }
        }
    }
}
