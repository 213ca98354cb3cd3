//! What was read of a capture, and each call of it, judged.

use adit_capture::conversation::{Conversation, Lookups};
use adit_capture::{Note, Summary};
use adit_diag::Code;
use adit_doctor::{Facts, Outcome, Verdict};

/// Conversations of one file that are judged; a scan of the port makes millions.
pub(super) const CONVERSATIONS_MAX: usize = 256;
/// Remarks about the file that are kept.
pub(super) const NOTES_MAX: usize = 64;

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    /// What people call it.
    pub(super) name: String,
    /// It was seen just now, and is no file.
    pub(super) is_live: bool,
    pub(super) summary: Summary,
    pub(super) conversations: Vec<Conversation>,
    /// Conversations beyond [`CONVERSATIONS_MAX`].
    pub(super) left_out: u64,
    pub(super) lookups: Lookups,
    pub(super) notes: Vec<Note>,
    pub(super) notes_left_out: u64,
    pub(super) hashes: Vec<String>,
}

/// One call, judged.
pub(super) struct Judged {
    pub(super) facts: Facts,
    pub(super) verdict: Verdict,
    /// Which conversation; `None` for a name that led to none.
    pub(super) conversation: Option<usize>,
    /// Which of its calls.
    pub(super) call: usize,
    /// Where the capture was made, and why that is said.
    pub(super) place: String,
    /// Remarks on how it went, without a code.
    pub(super) remarks: Vec<String>,
}

impl Judged {
    pub(super) fn code(&self) -> Option<Code> {
        self.verdict.first_failure
    }

    pub(super) fn has_failed(&self) -> bool {
        self.verdict.outcome == Outcome::Failed
    }
}
