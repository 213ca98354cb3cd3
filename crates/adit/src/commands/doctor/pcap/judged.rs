//! The contents of a capture, and the verdict on each call.

use adit_capture::conversation::{Conversation, Lookups};
use adit_capture::{Note, Summary};
use adit_diag::Code;
use adit_doctor::{Facts, Outcome, Verdict};

/// Maximum number of conversations judged; a port scan makes millions.
pub(super) const CONVERSATIONS_MAX: usize = 256;
/// Maximum number of remarks about the file kept.
pub(super) const NOTES_MAX: usize = 64;

/// The contents of a capture.
#[derive(Default)]
pub(super) struct Read {
    /// Name of the source, as shown to the user.
    pub(super) name: String,
    /// Whether it is a live capture, not a file.
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

/// A call and its verdict.
pub(super) struct Judged {
    pub(super) facts: Facts,
    pub(super) verdict: Verdict,
    /// Index of the conversation; `None` for a name that was never called.
    pub(super) conversation: Option<usize>,
    /// Index of the call in the conversation.
    pub(super) call: usize,
    /// Where the call was captured, and the reason for this conclusion.
    pub(super) place: String,
    /// Remarks about the call that have no code.
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
