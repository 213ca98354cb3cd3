//! What happened: one event, one line.

use core::fmt;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::SessionId;

/// Something to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// What kind, lower case, dotted: `auth.fail`, `session.up`.
    pub kind: String,
    /// Who, as far as known.
    pub user: Option<String>,
    /// The public address it came from.
    pub from: Option<IpAddr>,
    /// The code, when something is wrong.
    pub code: Option<String>,
    /// The session.
    pub session: Option<SessionId>,
    /// More, in the order in which to show it.
    pub fields: Vec<(String, String)>,
}

impl NewEvent {
    /// An event with nothing but a kind.
    pub fn new(at: Timestamp, kind: &str) -> NewEvent {
        NewEvent {
            at,
            kind: kind.to_string(),
            user: None,
            from: None,
            code: None,
            session: None,
            fields: Vec::new(),
        }
    }
}

/// An event that was written down. `Display` is its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Counts up: see [`EventFilter::after`].
    pub id: i64,
    /// What was written.
    pub event: NewEvent,
}

/// Which events to read; they come oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// At or after.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only with an id above this one: how to follow.
    pub after: Option<i64>,
    /// Only with an id below this one: how to read in pages, from the newest on.
    pub before: Option<i64>,
    /// Only about this user, without regard to case.
    pub user: Option<String>,
    /// Only of this session.
    pub session: Option<SessionId>,
    /// Only with a code that begins with one of these letters; empty for all.
    pub layers: Vec<char>,
    /// Only with a code.
    pub failed: bool,
    /// The newest so many; `None` for all.
    pub last: Option<u32>,
}

impl fmt::Display for NewEvent {
    /// `2026-11-22T18:02:40Z auth.fail   user=bob from=198.51.100.7 code=A01 method=mschap-v2 call=s39`
    ///
    /// A value can hold neither a line end nor an unescaped `=`, so no user name can forge a field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} {:<11}", self.at, self.kind)?;
        if let Some(user) = &self.user {
            write!(f, " user={}", Value(user))?;
        }
        if let Some(from) = self.from {
            write!(f, " from={from}")?;
        }
        if let Some(code) = &self.code {
            write!(f, " code={}", Value(code))?;
        }
        for (key, value) in &self.fields {
            write!(f, " {}={}", key, Value(value))?;
        }
        if let Some(session) = self.session {
            write!(f, " call={session}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)
    }
}

/// A value in a line: bare when it is a simple word, else quoted.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || "._:/@+-,%".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return f.write_str(self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '=' => f.write_str("\\x3d")?,
                c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                // Line ends beyond ASCII, and what makes a terminal show letters in another order or none at all.
                '\u{80}'..='\u{9f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}' => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_is_one_line() {
        let mut event = NewEvent::new("2026-11-22T18:02:40.250Z".parse().unwrap(), "auth.fail");
        event.user = Some("bob".into());
        event.from = Some("198.51.100.7".parse().unwrap());
        event.code = Some("A01".into());
        event.session = Some(SessionId(39));
        event.fields = vec![("method".into(), "mschap-v2".into()), ("tries".into(), "1".into())];
        assert_eq!(
            event.to_string(),
            "2026-11-22T18:02:40Z auth.fail   user=bob from=198.51.100.7 code=A01 method=mschap-v2 tries=1 call=s39"
        );
    }

    #[test]
    fn no_name_can_forge_a_field_or_a_line() {
        let mut event = NewEvent::new("2026-11-22T18:02:40Z".parse().unwrap(), "auth.fail");
        event.user = Some("x code=A01 from=192.0.2.1\n2026 \"\\\u{2028}".into());
        let line = event.to_string();
        assert_eq!(
            line,
            "2026-11-22T18:02:40Z auth.fail   user=\"x code\\x3dA01 from\\x3d192.0.2.1\\x0a2026 \\\"\\\\\\u{2028}\""
        );
        assert_eq!(line.matches("from=").count(), 0);
        assert_eq!(line.lines().count(), 1);
    }
}
