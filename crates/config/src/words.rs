//! Words that older files may have.

use adit_diag::AuthMethod;

/// Words of older files, and what they are now.
const FORMER: &[(&str, &str)] = &[("chap", "chap-md5")];

/// The word of today for a word of any file.
pub(crate) fn current(word: &str) -> &str {
    FORMER.iter().find(|(former, _)| *former == word).map_or(word, |(_, now)| now)
}

/// The method of a word, of today or of an older file.
pub(crate) fn method(word: &str) -> Option<AuthMethod> {
    current(word).parse().ok()
}
