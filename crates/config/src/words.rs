//! Words of older configuration files.

use adit_diag::AuthMethod;

/// Words of older files, and their replacements.
const FORMER: &[(&str, &str)] = &[("chap", "chap-md5")];

/// The current word for a word of any version.
pub(crate) fn current(word: &str) -> &str {
    FORMER.iter().find(|(former, _)| *former == word).map_or(word, |(_, now)| now)
}

/// The authentication method of a word of any version.
pub(crate) fn method(word: &str) -> Option<AuthMethod> {
    current(word).parse().ok()
}
