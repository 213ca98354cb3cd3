//! What happened: one event, one line.

use core::fmt;
use std::net::IpAddr;

use adit_diag::{Code, EventFacts, EventKind, Layer, Recorded};
use jiff::Timestamp;

use crate::SessionId;

/// An event to write down. `Display` is its line in a log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// Who, as far as known.
    pub user: Option<String>,
    /// The public address it came from.
    pub from: Option<IpAddr>,
    /// The code, when something is wrong.
    pub code: Option<Code>,
    /// The session.
    pub session: Option<SessionId>,
    /// The kind, and all else.
    pub facts: EventFacts,
}

impl NewEvent {
    /// An event that is about no user, address or session, with nothing wrong.
    pub const fn new(at: Timestamp, facts: EventFacts) -> NewEvent {
        NewEvent { at, user: None, from: None, code: None, session: None, facts }
    }

    /// Its facts as they are shown, in order.
    pub fn fields(&self) -> Vec<(String, String)> {
        self.facts.fields(self.code)
    }
}

/// An event on record. `Display` is its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Counts up: see [`EventFilter::after`].
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The kind; another version may have written one that this one does not know.
    pub kind: Recorded<EventKind>,
    /// Who, as far as known.
    pub user: Option<String>,
    /// The public address it came from.
    pub from: Option<IpAddr>,
    /// The code, when something is wrong.
    pub code: Option<Recorded<Code>>,
    /// The session.
    pub session: Option<SessionId>,
    /// More, as it was shown when it was written, in that order. Text for people: nothing reads it.
    pub fields: Vec<(String, String)>,
    /// The same, typed; `None` where another version wrote the event in a form that this one cannot read.
    pub facts: Option<EventFacts>,
}

impl Event {
    /// The code, if there is one that this version knows.
    pub fn known_code(&self) -> Option<Code> {
        self.code.as_ref()?.known()
    }
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
    /// Only with a code of one of these layers; empty for all.
    pub layers: Vec<Layer>,
    /// Only with a code.
    pub failed: bool,
    /// The newest so many; `None` for all.
    pub last: Option<u32>,
}

impl fmt::Display for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewEvent { at, user, from, code, session, facts } = self;
        let line =
            Line { at: *at, kind: &facts.kind(), user: user.as_deref(), from: *from, session: *session };
        line.write(f, code.as_ref(), &self.fields())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { id: _, at, kind, user, from, code, session, fields, facts: _ } = self;
        let line = Line { at: *at, kind, user: user.as_deref(), from: *from, session: *session };
        line.write(f, code.as_ref(), fields)
    }
}

/// What a line has of every event.
struct Line<'a> {
    at: Timestamp,
    kind: &'a dyn fmt::Display,
    user: Option<&'a str>,
    from: Option<IpAddr>,
    session: Option<SessionId>,
}

impl Line<'_> {
    /// `2026-11-22T18:02:40Z auth.fail   user=bob from=198.51.100.7 code=A01 layer=auth why=failed call=s39`
    ///
    /// A value can hold neither a line end nor an unescaped `=`, so no user name can forge a field.
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        code: Option<&impl fmt::Display>,
        fields: &[(String, String)],
    ) -> fmt::Result {
        write!(f, "{:.0} {:<11}", self.at, self.kind)?;
        if let Some(user) = self.user {
            write!(f, " user={}", Value(user))?;
        }
        if let Some(from) = self.from {
            write!(f, " from={from}")?;
        }
        if let Some(code) = code {
            write!(f, " code={}", Value(&code.to_string()))?;
        }
        for (key, value) in fields {
            write!(f, " {}={}", key, Value(value))?;
        }
        if let Some(session) = self.session {
            write!(f, " call={session}")?;
        }
        Ok(())
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
mod tests;
