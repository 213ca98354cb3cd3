//! Log lines: where they go and what they look like.

use std::fs::File;
use std::io::Write as _;

use adit_config::LogFormat;
use adit_store::NewEvent;

/// Where log lines go.
pub(super) struct LogLines {
    format: LogFormat,
    files: Vec<File>,
    stderr: bool,
    /// Lines on stderr are read by systemd's journal.
    journald: bool,
}

impl LogLines {
    /// Lines in `format` to `files`, and to stderr if so.
    pub(super) fn new(format: LogFormat, files: Vec<File>, stderr: bool) -> LogLines {
        LogLines { format, files, stderr, journald: stderr_is_systemd_journal() }
    }

    /// Writes the line of an event.
    pub(super) fn write(&mut self, event: &NewEvent) {
        let line = match self.format {
            LogFormat::Kv => event.to_string(),
            LogFormat::Json => json(event),
        };
        for file in &mut self.files {
            let _ = writeln!(file, "{line}");
        }
        if self.stderr {
            let priority = if self.journald { priority(event) } else { "" };
            log_stderr!("{priority}{line}");
        }
    }
}

/// What systemd's journal takes for the priority of a line (sd-daemon(3)): a call that failed is a warning, what this host
/// could not do an error, the rest is information.
fn priority(event: &NewEvent) -> &'static str {
    match event.code.as_deref().and_then(|code| code.chars().next()) {
        None => "<6>",
        Some('S') => "<3>",
        Some(_) => "<4>",
    }
}

/// Whether stderr is systemd's journal, by the device and inode that systemd names (systemd.exec(5), `JOURNAL_STREAM`).
fn stderr_is_systemd_journal() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let stderr = std::fs::metadata("/dev/stderr").ok();
    stderr.is_some_and(|stderr| named == format!("{}:{}", stderr.dev(), stderr.ino()))
}

fn json(event: &NewEvent) -> String {
    let mut map = serde_json::Map::new();
    let mut put = |key: &str, value: String| {
        map.insert(key.to_owned(), serde_json::Value::String(value));
    };
    put("time", format!("{:.3}", event.at));
    put("kind", event.kind.clone());
    for (key, value) in [("user", &event.user), ("code", &event.code)] {
        if let Some(value) = value {
            put(key, value.clone());
        }
    }
    if let Some(from) = event.from {
        put("from", from.to_string());
    }
    if let Some(session) = event.session {
        put("session", session.to_string());
    }
    for (key, value) in &event.fields {
        put(key, value.clone());
    }
    serde_json::Value::Object(map).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_priority_tells_a_failed_call_from_a_failed_host() {
        let with = |code: Option<&str>| {
            let mut event = NewEvent::new(Timestamp::UNIX_EPOCH, "call.fail");
            event.code = code.map(str::to_owned);
            priority(&event)
        };
        assert_eq!((with(None), with(Some("G01")), with(Some("S06"))), ("<6>", "<4>", "<3>"));
    }
}
