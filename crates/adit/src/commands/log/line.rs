//! Output of events: text lines, JSON, comma-separated values.

use adit_api::log::{Event, Lagged};
use adit_diag::{Code, EventFacts, EventKind, Recorded};
use adit_store::Event as Stored;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::{self, Document, Utc};
use crate::failure::Failure;
use crate::output::{Form, Output};
use crate::table::printable;

/// One line of `adit log --jsonl`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Line {
    #[serde(flatten)]
    event: EventBody,
}

impl Document for Line {
    const NAME: &'static str = "adit.event/1";
}

/// A line of `adit log --follow --jsonl` in place of events that were lost.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Gap {
    /// Number of lost events, regardless of the filter.
    missed: u64,
}

impl Document for Gap {
    const NAME: &'static str = "adit.event-gap/1";
}

/// One event.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventBody {
    /// Event ID, ascending; null while the store cannot write the event.
    id: Option<i64>,
    /// Time of the event.
    at: Utc,
    /// Kind, such as `auth.fail`.
    kind: Recorded<EventKind>,
    /// User name.
    user: Option<String>,
    /// Public address of the client.
    from: Option<String>,
    /// The diagnosis code, if something is wrong.
    code: Option<Recorded<Code>>,
    /// Session ID, such as `s39`.
    session: Option<String>,
    /// Additional fields as shown, all of them strings.
    fields: Map<String, Value>,
    /// The same in typed form, by kind. Null if another version wrote the event in a form that is unknown here.
    facts: Option<EventFacts>,
}

impl From<&Event> for EventBody {
    fn from(event: &Event) -> EventBody {
        EventBody {
            id: event.id,
            at: Utc(event.at),
            kind: event.kind.clone(),
            user: event.user.clone(),
            from: event.from.map(|from| from.to_string()),
            code: event.code.clone(),
            session: event.session.map(|session| session.to_string()),
            fields: event.fields.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect(),
            facts: event.facts.clone(),
        }
    }
}

/// Reports lost events.
pub(super) fn put_gap(output: &Output, lagged: Lagged) -> Result<(), Failure> {
    if output.form == Form::JsonLines {
        return output.value(&document::envelope(&Gap { missed: lagged.missed }, output.clock.now()));
    }
    output.remark("warning", &format!("{lagged}: adit log shows them"));
    Ok(())
}

/// Prints an event; with `csv`, as comma-separated values.
pub(super) fn put(csv: bool, output: &Output, event: &Event) -> Result<(), Failure> {
    if output.form == Form::JsonLines {
        return output.value(&document::envelope(&Line { event: event.into() }, output.clock.now()));
    }
    if !csv {
        return output.line(&line(event));
    }
    let body = EventBody::from(event);
    let at = serde_json::to_value(body.at).unwrap_or_default();
    let fields = event.fields.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let cells = [
        at.as_str().unwrap_or_default().to_owned(),
        body.kind.to_string(),
        body.user.unwrap_or_default(),
        body.from.unwrap_or_default(),
        body.code.map(|code| code.to_string()).unwrap_or_default(),
        body.session.unwrap_or_default(),
        fields.join(" "),
    ];
    output.line(&cells.map(|text| cell(&printable(&text))).join(","))
}

/// The line of an event, in the format of the server's log.
fn line(event: &Event) -> String {
    let Event { id, at, kind, user, from, code, session, fields, facts } = event.clone();
    Stored { id: id.unwrap_or_default(), at, kind, user, from, code, session, fields, facts }.to_string()
}

/// A cell of CSV (RFC 4180) without line ends. A spreadsheet evaluates a leading `=`, `+`, `-` or `@` as a
/// formula: a name from the network must not become one.
fn cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        for (text, written) in [
            ("bob", "bob"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=cmd()", "'=cmd()"),
            ("-", "'-"),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
