//! What a code, a log line or a pattern of the wire can mean.

use crate::Code;

/// One meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Our code.
    pub code: Code,
    /// 1 is the likeliest.
    pub rank: u8,
    /// What must be true.
    pub when: String,
}

impl Cause {
    /// The title of the code, and what must be true unless that is nothing.
    pub(crate) fn when_and_title(&self) -> String {
        match self.when.strip_prefix("always").map(|rest| rest.trim_start_matches([':', ' '])) {
            Some("") => self.code.title().to_owned(),
            Some(rest) => format!("{}: {rest}", self.code.title()),
            None => format!("{}: {}", self.code.title(), self.when),
        }
    }
}
