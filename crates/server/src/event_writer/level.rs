//! How severe an event is.

use adit_config::LogLevel;
use adit_store::NewEvent;

/// What this host could not do is an error, a call that failed a warning, the rest is information.
pub(super) fn level(event: &NewEvent) -> LogLevel {
    match event.code.as_deref().and_then(|code| code.chars().next()) {
        None => LogLevel::Info,
        Some('S') => LogLevel::Error,
        Some(_) => LogLevel::Warn,
    }
}

/// The prefix by which systemd's journal knows the priority of a line (sd-daemon(3)).
pub(super) fn prefix(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "<3>",
        LogLevel::Warn => "<4>",
        LogLevel::Info => "<6>",
        LogLevel::Debug => "<7>",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_level_tells_a_failed_call_from_a_failed_host() {
        let with = |code: Option<&str>| {
            let mut event = NewEvent::new(Timestamp::UNIX_EPOCH, "call.fail");
            event.code = code.map(str::to_owned);
            level(&event)
        };
        assert_eq!(with(None), LogLevel::Info);
        assert_eq!(with(Some("G01")), LogLevel::Warn);
        assert_eq!(with(Some("S06")), LogLevel::Error);
    }
}
