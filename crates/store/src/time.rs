//! Times as the database keeps them: whole milliseconds since 1970-01-01T00:00:00Z.

use std::time::Duration;

use jiff::Timestamp;

/// A time as the database keeps it.
pub(crate) fn to_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time from the database; what is outside the calendar becomes its nearest end.
pub(crate) fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// `at - span` in milliseconds, never outside of what fits.
pub(crate) fn ms_before(at: Timestamp, span: Duration) -> i64 {
    to_ms(at).saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}
