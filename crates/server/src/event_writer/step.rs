//! One step of a session, as a debug line.

use core::fmt;

use adit_diag::Note;
use adit_store::SessionId;
use adit_wire::note::Shown;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A step of a session with its time. It is logged but not stored here: the session's record contains it too.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) session: SessionId,
    pub(crate) note: Note,
}

impl Step {
    /// The line of `log.format = "json"`.
    pub(super) fn json(&self) -> Value {
        json!({
            "time": format!("{:.3}", self.at),
            "kind": "step",
            "layer": self.note.protocol().name(),
            "who": self.note.who().word(),
            "text": Shown(&self.note).to_string(),
            "session": self.session.to_string(),
            "note": self.note,
        })
    }
}

impl fmt::Display for Step {
    /// `2026-11-22T18:02:40Z step        layer=LCP who=client text="Configure-Request ..." call=s39`
    ///
    /// The text is always quoted and escaped, so that no peer can forge a field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { at, session, note } = self;
        let (layer, who) = (note.protocol().name(), note.who().word());
        let text = Shown(note).to_string();
        write!(f, "{at:.0} step        layer={layer} who={who} text={text:?} call={session}")
    }
}
