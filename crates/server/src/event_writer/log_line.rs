//! Log lines: targets, levels and formats.

use std::fs::File;
use std::io::Write as _;

use adit_config::{Log, LogFormat, LogLevel, LogTarget};
use adit_diag::Code;
use adit_store::NewEvent;
use serde_json::{Map, Value};

use super::level;
use super::step::Step;
use crate::error::{Result, ServerError};

/// The targets of log lines, and the level from which lines are written.
pub(crate) struct LogLines {
    level: LogLevel,
    format: LogFormat,
    files: Vec<File>,
    stderr: bool,
    /// Whether stderr is read by systemd's journal.
    journald: bool,
}

impl LogLines {
    /// Opens what `log` names.
    ///
    /// # Errors
    /// S06 for a file that cannot be written.
    pub(crate) fn open(log: &Log) -> Result<LogLines> {
        let Log { level, to, format } = log;
        let mut files = Vec::new();
        let mut stderr = false;
        for target in to {
            match target {
                LogTarget::Stderr => stderr = true,
                LogTarget::File(path) => {
                    let file = File::options().create(true).append(true).open(path);
                    files.push(file.map_err(|error| {
                        ServerError::new(
                            Code::S06,
                            format!("cannot write the log {}: {error}", path.display()),
                            "give a path that the program may write in log.to",
                        )
                    })?);
                }
            }
        }
        Ok(LogLines { level: *level, format: *format, files, stderr, journald: stderr_is_systemd_journal() })
    }

    /// Writes the line of an event.
    pub(crate) fn write(&mut self, event: &NewEvent) {
        let line = || match self.format {
            LogFormat::Kv => event.to_string(),
            LogFormat::Json => json(event),
        };
        self.write_line(level::level(event), line);
    }

    /// Writes the line of one step of a session.
    pub(crate) fn write_step(&mut self, step: &Step) {
        let line = || match self.format {
            LogFormat::Kv => step.to_string(),
            LogFormat::Json => step.json().to_string(),
        };
        self.write_line(LogLevel::Debug, line);
    }

    /// Writes a line, unless its level is below the configured one.
    fn write_line(&self, level: LogLevel, line: impl Fn() -> String) {
        if level > self.level {
            return;
        }
        let line = line();
        for mut file in &self.files {
            let _ = writeln!(file, "{line}");
        }
        if self.stderr {
            let prefix = if self.journald { level::prefix(level) } else { "" };
            log_stderr!("{prefix}{line}");
        }
    }
}

/// Whether stderr is connected to systemd's journal: compares device and inode with those in `JOURNAL_STREAM`
/// (systemd.exec(5)).
fn stderr_is_systemd_journal() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let stderr = std::fs::metadata("/dev/stderr").ok();
    stderr.is_some_and(|stderr| named == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// The event as a JSON object of strings, with the typed values in `facts`.
fn json(event: &NewEvent) -> String {
    let mut map = Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            map.insert(key.to_owned(), value.into());
        }
    };
    put("time", Some(format!("{:.3}", event.at)));
    put("kind", Some(event.facts.kind().to_string()));
    put("user", event.user.clone());
    put("code", event.code.map(|code| code.to_string()));
    put("from", event.from.map(|from| from.to_string()));
    put("session", event.session.map(|session| session.to_string()));
    map.extend(event.fields().into_iter().map(|(key, value)| (key, Value::from(value))));
    map.insert("facts".to_owned(), serde_json::to_value(&event.facts).unwrap_or_default());
    Value::Object(map).to_string()
}

#[cfg(test)]
mod tests {
    use adit_diag::event::{CameUp, EventFacts, Mppe};
    use adit_diag::{AuthMethod, Note};
    use adit_store::SessionId;
    use jiff::Timestamp;

    use super::*;

    /// The beginnings of the lines of a failed host, a failed call, a login and a step.
    fn lines(level: LogLevel, format: LogFormat) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("adit.log");
        let log = Log { level, to: vec![LogTarget::File(path.clone())], format };
        let mut lines = LogLines::open(&log).unwrap();
        for code in [Some(Code::S06), Some(Code::G01), None] {
            let event = NewEvent::new(Timestamp::UNIX_EPOCH, EventFacts::ServerStart);
            lines.write(&NewEvent { code, ..event });
        }
        let (at, session) = (Timestamp::UNIX_EPOCH, SessionId(7));
        lines.write_step(&Step { at, session, note: Note::DhcpAnswered });
        std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_below_the_level_are_not_written() {
        for (level, expected) in
            [(LogLevel::Error, 1), (LogLevel::Warn, 2), (LogLevel::Info, 3), (LogLevel::Debug, 4)]
        {
            let lines = lines(level, LogFormat::Kv);
            assert_eq!(lines.len(), expected, "{level:?}: {lines:?}");
        }
    }

    #[test]
    fn a_step_is_a_line_with_its_session() {
        let kv = lines(LogLevel::Debug, LogFormat::Kv).pop().unwrap();
        assert!(kv.starts_with("1970-01-01T00:00:00Z step "), "{kv}");
        assert!(kv.contains(" layer=") && kv.ends_with(" call=s7"), "{kv}");
        let json = lines(LogLevel::Debug, LogFormat::Json).pop().unwrap();
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["kind"], &json["session"]), (&"step".into(), &"s7".into()));
        assert_eq!(json["note"], serde_json::to_value(Note::DhcpAnswered).unwrap());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_s06() {
        let to = vec![LogTarget::File("/nonexistent/adit.log".into())];
        let log = Log { level: LogLevel::Info, to, format: LogFormat::Kv };
        assert_eq!(LogLines::open(&log).map(drop).unwrap_err().code, Code::S06);
    }

    #[test]
    fn a_json_line_has_every_field_as_text_and_the_facts_typed() {
        let up = CameUp {
            address: [10, 99, 0, 14].into(),
            method: Some(AuthMethod::MsChapV2),
            mppe: Mppe::Stateless(128),
            took_ms: 1_204,
        };
        let facts = EventFacts::SessionUp(up);
        let event = NewEvent { user: Some("alice".into()), ..NewEvent::new(Timestamp::UNIX_EPOCH, facts) };
        let line: Value = serde_json::from_str(&json(&event)).unwrap();
        let expected = serde_json::json!({
            "time": "1970-01-01T00:00:00.000Z", "kind": "session.up", "user": "alice",
            "address": "10.99.0.14", "method": "mschap-v2", "mppe": "128 stateless", "took_s": "1.204",
            "facts": {
                "kind": "session.up", "address": "10.99.0.14", "method": "mschap-v2",
                "mppe": { "stateless": 128 }, "took_ms": 1204,
            },
        });
        assert_eq!(line, expected);
    }
}
