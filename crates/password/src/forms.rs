//! The forms in which a password is judged.
//!
//! An estimate that counts guesses gives much credit for separators, for years and for a repeated word:
//! `word-word-2026` looks like five parts. Attackers try these forms first, so the words alone are judged too.

use zeroize::Zeroizing;

/// zxcvbn judges at most this many characters, so that its time is bounded; its authors advise this limit.
pub(crate) const MAX_JUDGED: usize = 100;

/// A shorter part is not a repeated word when it occurs again.
const MIN_WORD: usize = 3;

/// One form of a password.
pub(crate) struct Form {
    pub(crate) text: Zeroizing<String>,
    pub(crate) kind: FormKind,
}

/// What a form consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormKind {
    /// All characters, or all letters and digits.
    Whole,
    /// The different words, without separators and digits.
    Words {
        /// Whether a word occurred more than once.
        has_repeated: bool,
    },
}

/// The forms of a password; none of them is empty.
pub(crate) fn forms(password: &str) -> Vec<Form> {
    let typed: Zeroizing<String> = Zeroizing::new(password.chars().take(MAX_JUDGED).collect());
    let plain = Zeroizing::new(typed.chars().filter(|c| c.is_alphanumeric()).collect());
    // `$` and `@` replace letters. A digit can do so too, or it can separate words, or be a count at the end.
    let separates = |c: char| !c.is_alphanumeric() && !"$@".contains(c);
    let words =
        distinct(typed.split(separates).map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit())));
    let letters = distinct(typed.split(|c: char| !c.is_alphabetic()));
    let whole = |text| Form { text, kind: FormKind::Whole };
    let mut forms = vec![whole(typed), whole(plain), words, letters];
    forms.retain(|form| !form.text.is_empty());
    forms
}

/// The words, each once, without regard to case.
fn distinct<'a>(parts: impl Iterator<Item = &'a str>) -> Form {
    let mut seen: Vec<Zeroizing<String>> = Vec::new();
    let mut has_repeated = false;
    for part in parts.filter(|part| !part.is_empty()) {
        let lower = Zeroizing::new(part.to_lowercase());
        match seen.contains(&lower) && lower.chars().count() >= MIN_WORD {
            true => has_repeated = true,
            false => seen.push(lower),
        }
    }
    let length = seen.iter().map(|word| word.len()).sum();
    // With its full capacity, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(length));
    seen.iter().for_each(|word| text.push_str(word));
    Form { text, kind: FormKind::Words { has_repeated } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_digits_and_repeated_words_are_left_out() {
        for (password, expected) in [
            ("Sommer2026!Sommer", ["Sommer2026!Sommer", "Sommer2026Sommer", "sommer", "sommer"]),
            ("P4$$w0rd-P4$$w0rd!1", ["P4$$w0rd-P4$$w0rd!1", "P4w0rdP4w0rd1", "p4$$w0rd", "pwrdpwrd"]),
        ] {
            let forms: Vec<String> = forms(password).iter().map(|form| form.text.to_string()).collect();
            assert_eq!(forms[..3], expected[..3]);
        }
        assert_eq!(forms("2026").len(), 2);
        assert_eq!(forms(&"é".repeat(300))[0].text.chars().count(), MAX_JUDGED);
    }
}
