//! Forged GRE packets: packets with the Call ID of no call at an implausible rate, and control frames of
//! sessions that their peers have not sent.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_api::status::Warning;
use adit_diag::{Code, EventFacts};

/// The rate in packets per second above which packets with unknown Call IDs are reported. Packets that are
/// late, or meant for a call that has ended, are far fewer.
const IMPLAUSIBLE: u64 = 1000;
/// The shortest time between two measurements.
const MEASURE: Duration = Duration::from_secs(1);
/// The shortest time between two events about a flood.
const EVENT_EVERY: Duration = Duration::from_secs(60);
/// How long a warning is shown after what it is about.
const SHOWN: Duration = Duration::from_secs(600);

/// What is known of forged packets; shared by all sessions.
#[derive(Debug, Default)]
pub(crate) struct Forgeries(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The number of packets with unknown Call IDs, and when it was read.
    unknown: Option<(Instant, u64)>,
    /// The last implausible rate, and when it was measured.
    flood: Option<(Instant, u64)>,
    reported: Option<Instant>,
    /// The forged control frames, and when the last ones were reported.
    frames: u64,
    framed: Option<Instant>,
}

impl Forgeries {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes the number of packets with unknown Call IDs since the start; returns what to report.
    pub(crate) fn note_unknown(&self, now: Instant, total: u64) -> Option<EventFacts> {
        let mut known = self.known();
        let (since, before) = *known.unknown.get_or_insert((now, total));
        let elapsed = now.saturating_duration_since(since);
        if elapsed < MEASURE {
            return None;
        }
        known.unknown = Some((now, total));
        let per_second = (total.saturating_sub(before) as f64 / elapsed.as_secs_f64()) as u64;
        if per_second <= IMPLAUSIBLE {
            return None;
        }
        known.flood = Some((now, per_second));
        let is_due = known.reported.is_none_or(|at| now.saturating_duration_since(at) >= EVENT_EVERY);
        if is_due {
            known.reported = Some(now);
        }
        is_due.then_some(EventFacts::GreFlood { per_second })
    }

    /// Counts forged control frames.
    pub(crate) fn note_frames(&self, now: Instant, frames: u64) {
        let mut known = self.known();
        known.frames = known.frames.saturating_add(frames);
        known.framed = Some(now);
    }

    /// The forged control frames since the start.
    pub(crate) fn frames(&self) -> u64 {
        self.known().frames
    }

    /// The warnings for the status of the server.
    pub(crate) fn warnings(&self, now: Instant) -> Vec<Warning> {
        let known = self.known();
        let ago = |at: Instant| Some(now.saturating_duration_since(at)).filter(|ago| *ago < SHOWN);
        let flood = known.flood.and_then(|(at, rate)| Some((ago(at)?, rate))).map(|(ago, rate)| {
            let ago = ago.as_secs();
            format!("{rate} GRE packets per second with the Call ID of no call arrived {ago} s ago")
        });
        let framed = known.framed.and_then(ago).map(|ago| {
            let (frames, ago) = (known.frames, ago.as_secs());
            format!("{frames} forged control frames of sessions were ignored, the last {ago} s ago")
        });
        flood.into_iter().chain(framed).map(|text| Warning { code: Code::G10, text }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_call_ids_are_reported_above_a_thousand_a_second_and_once_a_minute() {
        let forgeries = Forgeries::default();
        let start = Instant::now();
        let mut reported = Vec::new();
        for second in 0..200u64 {
            // The last of 4,711 late packets of a call arrive, then a flood begins.
            let total = if second < 50 { second * 1000 } else { 50_000 + (second - 50) * 1001 };
            let now = start + Duration::from_secs(second);
            if let Some(facts) = forgeries.note_unknown(now, total) {
                assert_eq!(facts, EventFacts::GreFlood { per_second: 1001 });
                reported.push(second);
            }
            assert_eq!(forgeries.warnings(now).len(), usize::from(second > 50));
        }
        assert_eq!(reported, [51, 111, 171]);
        let later = start + Duration::from_secs(199) + SHOWN;
        assert!(forgeries.warnings(later).is_empty());
    }

    #[test]
    fn forged_frames_are_counted_and_shown_for_a_while() {
        let forgeries = Forgeries::default();
        let start = Instant::now();
        assert!(forgeries.warnings(start).is_empty());
        forgeries.note_frames(start, 7);
        forgeries.note_frames(start, 3);
        assert_eq!(forgeries.frames(), 10);
        let warnings = forgeries.warnings(start + Duration::from_secs(5));
        assert_eq!(warnings[0].code, Code::G10);
        assert_eq!(warnings[0].text, "10 forged control frames of sessions were ignored, the last 5 s ago");
        assert!(forgeries.warnings(start + SHOWN).is_empty());
        assert_eq!(forgeries.frames(), 10);
    }
}
