//! When frames that do not decrypt mean that the encryption is broken (E05), and not that they are forged.
//!
//! Frames of the peer have rising sequence numbers, and no genuine frame decrypts between them. So bad frames
//! count only in a row with rising numbers, which one good frame ends. Keys that never decrypted a frame may be
//! wrong: then a row that begins near the expected number is believed soon. An attacker may hit that number by
//! luck. So where the keys were right, and for any other row, it is believed only after a long time, and if the control
//! frames of the peer show the same: they have numbers of the row, and not of the old range.

use std::time::{Duration, Instant};

/// The bad frames of a row at which encryption is broken, if it also lasted long enough.
const FRAMES: u32 = 20;
/// How long a row near the expected number must last while nothing was decrypted.
const SOON: Duration = Duration::from_secs(5);
/// How long any other row must last: a peer answers an LCP echo in that time, even if one is sent every minute.
const LATER: Duration = Duration::from_secs(90);
/// The largest distance of two numbers of a row.
const STEP: i32 = 64;
/// A row that has not grown for this long makes way for another.
const STALE: Duration = Duration::from_secs(2);

/// The bad frames since the last good one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubt {
    row: Option<Row>,
    /// Whether the keys have decrypted a frame.
    keys_were_right: bool,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    frames: u32,
    since: Instant,
    last: Instant,
    seq: u32,
    is_near: bool,
    /// A control frame in clear had a number of the row.
    is_confirmed: bool,
}

impl Row {
    fn new(now: Instant, seq: u32, is_near: bool) -> Row {
        Row { frames: 1, since: now, last: now, seq, is_near, is_confirmed: false }
    }

    fn is_followed_by(&self, seq: u32) -> bool {
        (1..=STEP).contains(&seq.wrapping_sub(self.seq).cast_signed())
    }
}

impl Doubt {
    /// A frame did not decrypt; `is_near`: its number is expected soon. True if encryption is broken.
    pub(super) fn note_bad(&mut self, now: Instant, seq: u32, is_near: bool) -> bool {
        match &mut self.row {
            Some(row) if row.is_followed_by(seq) => {
                (row.frames, row.last, row.seq) = (row.frames.saturating_add(1), now, seq);
            }
            Some(row) if row.is_near || !is_near => {
                if now.saturating_duration_since(row.last) < STALE {
                    return false;
                }
                self.row = Some(Row::new(now, seq, is_near));
            }
            _ => self.row = Some(Row::new(now, seq, is_near)),
        }
        self.row.is_some_and(|row| {
            let is_soon = row.is_near && !self.keys_were_right;
            let least = if is_soon { SOON } else { LATER };
            let lasted = row.last.saturating_duration_since(row.since) >= least;
            row.frames >= FRAMES && lasted && (is_soon || row.is_confirmed)
        })
    }

    /// A frame decrypted.
    pub(super) fn note_good(&mut self) {
        *self = Doubt { row: None, keys_were_right: true };
    }

    /// A control frame arrived in clear. `is_near`: its number is expected soon, so that a row elsewhere is not from
    /// the same host.
    pub(super) fn note_clear(&mut self, seq: u32, is_near: bool) {
        match &mut self.row {
            Some(row) if row.is_followed_by(seq) => row.is_confirmed = true,
            _ if is_near => self.row = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many milliseconds a row is believed; every tenth frame is followed by a control frame in clear.
    fn row(doubt: &mut Doubt, start: Instant, first: u32, is_near: bool, millis: u64) -> Option<u64> {
        (0..1000u64).find_map(|n| {
            let seq = first.wrapping_add((n + n / 10) as u32);
            let is_broken = doubt.note_bad(start + Duration::from_millis(millis * n), seq, is_near);
            if n % 10 == 9 {
                doubt.note_clear(seq.wrapping_add(1), is_near);
            }
            is_broken.then_some(millis * n)
        })
    }

    #[test]
    fn c196_a_row_of_bad_frames_is_believed_after_some_seconds() {
        let start = Instant::now();
        assert_eq!(row(&mut Doubt::default(), start, 1, true, 0), None, "at once");
        assert_eq!(row(&mut Doubt::default(), start, 1, true, 100), Some(5000));
        assert_eq!(row(&mut Doubt::default(), start, 1, true, 1000), Some(19_000), "few frames");
        assert_eq!(row(&mut Doubt::default(), start, 1, false, 100), Some(90_000), "far away");
    }

    #[test]
    fn where_the_keys_were_right_a_row_needs_time_and_a_control_frame() {
        let start = Instant::now();
        let mut doubt = Doubt::default();
        doubt.note_good();
        assert_eq!(row(&mut doubt, start, 1, true, 100), Some(90_000));
        // Nothing in clear: the peer may be dead, and all of it forged.
        let (mut doubt, later) = (Doubt::default(), start + LATER);
        doubt.note_good();
        let at = |n: u32| later + Duration::from_millis(200 * u64::from(n));
        assert!((0..1000).all(|n| !doubt.note_bad(at(n), n, true)));
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
                doubt.note_clear(10 + n / 300, true);
            }
        }
        for n in 0..1000u32 {
            let now = start + Duration::from_millis(100 * u64::from(n));
            assert!(!doubt.note_bad(now, 101 + n, true));
            if n % 40 == 0 {
                doubt.note_clear(101 + n / 40, true);
            }
        }
    }
}
