//! The same note with other words for people.

use adit_diag::Note;
use adit_diag::note::{Cause, Packet, Refused, Text, Treatment};

/// What stands in the place of every text.
pub(crate) const OTHER: &str = "finding G07: lcp ok: A01 wrong password, unknown user: 7 of 9";

/// The note with other words wherever it has words that only people read.
pub(crate) fn reword(note: Note) -> Note {
    let other = || Text::from(OTHER);
    match note {
        Note::Packet(Packet { sent, message, treatment: Treatment::Ignored { .. } }) => {
            Note::Packet(Packet { sent, message, treatment: Treatment::Ignored { why: other() } })
        }
        Note::Refused(Refused { code, cause: Cause::Text(_) }) => {
            Note::Refused(Refused { code, cause: Cause::Text(other()) })
        }
        Note::EndOrdered { why, .. } => Note::EndOrdered { why, reason: other() },
        Note::RouteFailed { network, .. } => Note::RouteFailed { network, error: other() },
        Note::DhcpFailed { .. } => Note::DhcpFailed { error: other() },
        typed @ (Note::Packet(_)
        | Note::LayerUp(_)
        | Note::CallAccepted { .. }
        | Note::Refused(_)
        | Note::Finding(_)
        | Note::DhcpAnswered
        | Note::ForgedFrames { .. }) => typed,
    }
}
