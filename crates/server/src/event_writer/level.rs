//! The severity of events.

use adit_config::LogLevel;
use adit_diag::{Code, EventKind, Layer};
use adit_store::NewEvent;

/// A failure of this host is an error, a failed call or reload a warning, anything else information.
pub(super) fn level(event: &NewEvent) -> LogLevel {
    match event.code.map(Code::layer) {
        None if event.facts.kind() == EventKind::ConfigFail => LogLevel::Warn,
        None => LogLevel::Info,
        Some(Layer::Host) => LogLevel::Error,
        Some(_) => LogLevel::Warn,
    }
}

/// The prefix that gives systemd's journal the priority of a line (sd-daemon(3)).
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
    use adit_diag::EventFacts;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_level_distinguishes_a_failed_call_from_a_failed_host() {
        let with = |code: Option<Code>| {
            let event = NewEvent::new(Timestamp::UNIX_EPOCH, EventFacts::ServerStart);
            level(&NewEvent { code, ..event })
        };
        assert_eq!(with(None), LogLevel::Info);
        assert_eq!(with(Some(Code::G01)), LogLevel::Warn);
        assert_eq!(with(Some(Code::S06)), LogLevel::Error);
    }
}
