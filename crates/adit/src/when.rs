//! Times and durations, as users read and write them.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// The time zone of output, and the current time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    zone: TimeZone,
}

impl Clock {
    pub(crate) fn new(utc: bool) -> Clock {
        Clock { zone: if utc { TimeZone::UTC } else { TimeZone::system() } }
    }

    /// The time zone in which times are shown.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// `2026-11-22 17:40`
    pub(crate) fn minute(&self, at: Timestamp) -> String {
        self.show(at, "%Y-%m-%d %H:%M")
    }

    /// `2026-11-22 17:40:06`
    pub(crate) fn second(&self, at: Timestamp) -> String {
        self.show(at, "%Y-%m-%d %H:%M:%S")
    }

    /// `18:02:40`
    pub(crate) fn time(&self, at: Timestamp) -> String {
        self.show(at, "%H:%M:%S")
    }

    /// `2026-11-22`
    pub(crate) fn day(&self, at: Timestamp) -> String {
        self.show(at, "%Y-%m-%d")
    }

    fn show(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime(format).to_string()
    }

    /// The end of a day: the first moment of the next.
    pub(crate) fn end_of(&self, day: Date) -> Option<Timestamp> {
        let next = day.checked_add(1.day()).ok()?;
        Some(next.to_zoned_datetime(self.zone.clone()).ok()?.timestamp())
    }

    /// Parses a time in the past: a duration ("24h"), a day, a day with time, "today", "yesterday", or RFC 3339.
    pub(crate) fn since(&self, text: &str) -> Result<Timestamp, String> {
        let local = |at: DateTime| {
            at.to_zoned_datetime(self.zone.clone()).map(|at| at.timestamp()).map_err(|e| e.to_string())
        };
        let today = self.now().to_zoned_datetime(self.zone.clone()).date();
        if let Ok(span) = span(text) {
            let span = SignedDuration::try_from(span).map_err(|e| e.to_string())?;
            return self.now().checked_sub(span).map_err(|e| e.to_string());
        }
        match text {
            "today" => return local(today.at(0, 0, 0, 0)),
            "yesterday" => return local(today.yesterday().map_err(|e| e.to_string())?.at(0, 0, 0, 0)),
            _ => {}
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at);
        }
        if let Ok(at) = text.parse::<DateTime>() {
            return local(at);
        }
        Err("give a span (24h, 7d), a day (2026-11-22), a time (2026-11-22T18:00), today or yesterday".into())
    }
}

/// Parses a duration: `30s`, `15m`, `12h`, `90d`, `2w`, `500ms`, or several parts: `1h30m`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{text}\" is no span: write 30s, 15m, 12h or 90d");
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => Some(Duration::from_secs(number)),
            "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
            "h" => number.checked_mul(3600).map(Duration::from_secs),
            "d" => number.checked_mul(86_400).map(Duration::from_secs),
            "w" => number.checked_mul(7 * 86_400).map(Duration::from_secs),
            _ => None,
        };
        sum = part.and_then(|part| sum.checked_add(part)).ok_or_else(wrong)?;
        rest = tail.trim_start();
    }
    Ok(sum)
}

/// Formats a duration in at most two units: `0:04`, `41m`, `2h13m`, `9d4h`.
pub(crate) fn length(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("0:{seconds:02}"),
        60..3600 => format!("{minutes}m"),
        3600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

/// Formats an age or a remaining time in one unit: `11 min`, `2 h`, `12 d`.
pub(crate) fn about(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Whole seconds from one time to a later one; 0 if it is not later.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0)
}

/// Formats a size in bytes with three digits: `88 MB`, `1.2 GB`.
pub(crate) fn size(octets: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut value, mut unit) = (octets as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    match octets {
        0 => "0".into(),
        _ if unit > 0 && value < 9.95 => format!("{value:.1} {name}"),
        _ => format!("{value:.0} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, seconds) in [
            ("30s", 30),
            ("15m", 900),
            ("12h", 43_200),
            ("90d", 7_776_000),
            ("1h30m", 5400),
            ("2w", 1_209_600),
        ] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "5", "h", "5x", "-5s", "99999999999999999999s", "9999999999999999999d", "1h-3m"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths() {
        let shown = [4, 59, 60, 2460, 7980, 86_399, 792_000].map(length);
        assert_eq!(shown, ["0:04", "0:59", "1m", "41m", "2h13m", "23h59m", "9d4h"]);
        assert_eq!([5, 660, 7200, 1_036_800].map(about), ["5 s", "11 min", "2 h", "12 d"]);
    }

    #[test]
    fn sizes() {
        let shown = [0, 7, 999, 1000, 88_000_000, 1_234_000_000, u64::MAX].map(size);
        assert_eq!(shown, ["0", "7 B", "999 B", "1.0 kB", "88 MB", "1.2 GB", "18 EB"]);
        assert_eq!(size(999_700), "1.0 MB");
        assert_eq!(size(9_960), "10 kB");
    }

    #[test]
    fn points_in_time() {
        let clock = Clock::new(true);
        assert_eq!(clock.since("2026-11-22"), Ok("2026-11-22T00:00:00Z".parse().unwrap()));
        assert_eq!(clock.since("2026-11-22 18:00"), Ok("2026-11-22T18:00:00Z".parse().unwrap()));
        assert_eq!(clock.since("2026-11-22T18:00:05+01:00"), Ok("2026-11-22T17:00:05Z".parse().unwrap()));
        assert!(clock.since("yesterday").unwrap() < clock.since("today").unwrap());
        assert!(clock.since("1h").unwrap() < Timestamp::now());
        assert!(clock.since("soon").is_err());
        assert!(clock.since("99999999999d").is_err());
    }

    #[test]
    fn an_account_works_through_its_last_day() {
        let clock = Clock::new(true);
        let end = clock.end_of(jiff::civil::date(2027, 3, 31)).unwrap();
        assert_eq!(end, "2027-04-01T00:00:00Z".parse().unwrap());
        assert_eq!(adit_admin::accounts::last_day(end, clock.zone()), "2027-03-31");
    }
}
