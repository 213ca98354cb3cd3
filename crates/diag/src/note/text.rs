//! Words that come from outside of the program's own vocabulary.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The longest words, in octets.
const MAX: usize = 512;

/// Words for people inside a typed fact: what an operator gave as a reason, what the system said, the words of an end.
///
/// They can be shown and nothing else: there is no way to look into them, so that nothing can depend on how they read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Text {
    /// Words beyond 512 octets are cut.
    fn from(mut words: String) -> Text {
        words.truncate(words.floor_char_boundary(MAX));
        Text(words)
    }
}

impl From<&str> for Text {
    /// Words beyond 512 octets are cut.
    fn from(words: &str) -> Text {
        Text(words[..words.floor_char_boundary(MAX)].to_owned())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
