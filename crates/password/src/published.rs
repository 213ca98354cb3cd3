//! Passphrases that are known as a whole: published examples, and the configured blocklist.

use zeroize::Zeroizing;

/// One passphrase a line, then a tab and its source; see `data/README.md`.
const LIST: &str = include_str!("../data/published-passphrases.txt");

/// The fewest letters of an entry of a blocklist: a shorter one would be found in good passwords by chance.
pub const MIN_LETTERS: usize = 4;

/// A password is close to a passphrase if it contains fewer other letters than this.
const REST: usize = 6;

/// Whether a password is a published example, or little more.
pub(crate) fn is_published(password: &str) -> bool {
    LIST.lines().filter_map(|line| line.split('\t').next()).any(|phrase| is_close(password, phrase))
}

/// Whether a password is this passphrase or little more: without case, digits and separators, or with the usual
/// substitutes read as letters.
pub(crate) fn is_close(password: &str, phrase: &str) -> bool {
    let contains = |password: &str, phrase: &str| {
        let count = phrase.chars().count();
        count >= MIN_LETTERS && password.contains(phrase) && password.chars().count() - count < REST
    };
    contains(&letters(password), &letters(phrase))
        || contains(&letters(&substituted(password)), &letters(&substituted(phrase)))
}

/// The letters of a text, in lower case.
pub fn letters(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect())
}

/// The text with the usual substitutes as letters: `P4$$w0rd` is `Password`.
fn substituted(text: &str) -> Zeroizing<String> {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    };
    Zeroizing::new(text.chars().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_a_passphrase_and_a_source_in_each_line() {
        for line in LIST.lines() {
            let (phrase, source) = line.split_once('\t').expect(line);
            assert!(letters(phrase).chars().count() > REST, "{line}");
            assert!(include_str!("../data/README.md").contains(&format!("`{source}`")), "{line}");
        }
    }

    #[test]
    fn case_digits_separators_and_substitutes_do_not_matter() {
        for password in [
            "correct-horse-battery-staple",
            "CorrectHorseBatteryStaple2026!",
            "my correct horse battery staple",
            "c0rrect-h0r$e-b4ttery-st4ple",
            "Tr0ub4dor & 3",
            "bang-vivo-thread-duct-knob-train",
        ] {
            assert!(is_published(password), "{password}");
        }
        for password in ["correct-horse-battery-9", "staple the battery to a correct horse", "1234567890"] {
            assert!(!is_published(password), "{password}");
        }
        assert!(!is_close("4711 0815 2026", "0815"), "an entry without letters matches nothing");
    }
}
