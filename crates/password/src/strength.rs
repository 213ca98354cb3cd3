//! The strength of a password: the estimate of zxcvbn, in the context of the user, the server and the site.
//!
//! Each [form](crate::forms) of the password is judged, and the lowest score counts. A form of words counts only where
//! zxcvbn recognises them, or where one was repeated; the letters of a random password are no words.

use zxcvbn::matching::{Match, patterns::MatchPattern};
use zxcvbn::{Entropy, Score, zxcvbn};

use crate::forms::{Form, FormKind, forms};
use crate::{PasswordFault, context, published};

/// The score that a password needs: more than 10^8 guesses. Its authors call every lower one too weak.
pub(crate) const NEEDED: Score = Score::Three;

/// One lower-case word a line, in several languages; see `data/README.md`.
const WORDS: &str = include_str!("../data/common-words.txt");

/// The guesses, as a power of ten, that the words of a password need at least. zxcvbn adds a factor of 10,000 for each word
/// after the first, because an attacker does not know their number; three of the hundred most common words score 3 by
/// that factor alone.
const WORDS_NEEDED: f64 = 7.0;

/// The share of a form that consists of recognised words, so that it counts.
const RECOGNISED: f64 = 0.75;

/// The reason for words of the list of this crate, of which zxcvbn gives none.
const COMMON: &str = "this is similar to a commonly used password, or made of common words";

/// The share of names from which on they are the reason.
const NAMES: f64 = 0.5;

/// How the strength of passwords is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strength {
    /// Words of the server and the site, from [`site_words`](crate::site_words).
    pub site: Vec<String>,
    /// Passphrases that are refused besides the published ones, and words that count as known.
    pub blocked: Vec<String>,
}

struct Judgement {
    score: Score,
    reason: String,
}

impl Strength {
    pub(crate) fn check(&self, user: &str, password: &str) -> Result<(), PasswordFault> {
        if published::is_published(password) {
            return Err(PasswordFault::Published);
        }
        if self.blocked.iter().any(|entry| published::is_close(password, entry)) {
            return Err(PasswordFault::Blocked);
        }
        let mut names = context::user_words(user);
        names.extend(self.site.iter().cloned());
        let known: Vec<&str> = names.iter().map(String::as_str).chain(self.common(&names)).collect();
        let judged = forms(password).into_iter().filter_map(|form| judge(&form, &known, &names));
        match judged.min_by_key(|judgement| judgement.score) {
            Some(Judgement { score, reason }) if score < NEEDED => {
                Err(PasswordFault::Weak { score: score as u8, reason })
            }
            _ => Ok(()),
        }
    }

    /// Words that attackers try: the blocklist, and common words.
    fn common<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a str> {
        let words = self.blocked.iter().map(String::as_str).chain(WORDS.lines());
        // The last rank of a word counts, and names have the first ranks.
        words
            .filter(|word| word.chars().count() <= context::MAX_WORD)
            .filter(|word| !names.iter().any(|name| name == word))
    }
}

/// The judgement of a form; `None` if it does not count.
fn judge(form: &Form, known: &[&str], names: &[String]) -> Option<Judgement> {
    let entropy = zxcvbn(&form.text, known);
    let mut score = entropy.score();
    if let FormKind::Words { has_repeated } = form.kind {
        if !has_repeated && recognised(&entropy) < RECOGNISED {
            return None;
        }
        if guesses_of_words(&entropy) < WORDS_NEEDED {
            score = score.min(Score::Two);
        }
    }
    Some(Judgement { score, reason: reason(&entropy, names) })
}

/// The share of the characters that zxcvbn found in its lists.
fn recognised(entropy: &Entropy) -> f64 {
    share(entropy, |found| found.pattern != MatchPattern::BruteForce)
}

/// The share of the characters in matches of a kind.
fn share(entropy: &Entropy, is_wanted: impl Fn(&Match) -> bool) -> f64 {
    let (mut wanted, mut all) = (0, 0);
    for found in entropy.sequence() {
        let count = found.token.chars().count();
        all += count;
        wanted += if is_wanted(found) { count } else { 0 };
    }
    wanted as f64 / (all as f64).max(1.0)
}

/// The guesses for all words in any order, as a power of ten.
fn guesses_of_words(entropy: &Entropy) -> f64 {
    let words = entropy.sequence().iter().filter_map(|found| found.guesses);
    words
        .zip(1_u32..)
        .map(|(guesses, place)| (guesses.max(1) as f64).log10() + f64::from(place).log10())
        .sum()
}

fn is_dictionary(found: &Match) -> bool {
    matches!(found.pattern, MatchPattern::Dictionary(_))
}

/// Why a form is easy to guess.
fn reason(entropy: &Entropy, names: &[String]) -> String {
    let is_name = |found: &Match| match &found.pattern {
        MatchPattern::Dictionary(word) => names.contains(&word.matched_word),
        _ => false,
    };
    if share(entropy, is_name) >= NAMES {
        return "it is little more than the name of the user, the server or the site".to_owned();
    }
    let Some(warning) = entropy.feedback().and_then(zxcvbn::feedback::Feedback::warning) else {
        let has_common = entropy.sequence().iter().any(|found| found.token.len() > 2 && is_dictionary(found));
        return if has_common { COMMON } else { "it is short, or has few different characters" }.to_owned();
    };
    let text = warning.to_string();
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
