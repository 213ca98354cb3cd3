//! Which passwords an attacker tries first.

use zeroize::Zeroizing;

use super::PasswordFault;

/// One lower-case word a line, sorted; what people build passwords from, in several languages.
const LIST: &str = include_str!("../../data/common-passwords.txt");

/// Rows that fingers and memory follow. They are searched in both directions.
const ROWS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// A run of a row this long counts as nothing.
const RUN: usize = 4;

/// What is left of a password must be this long after everything guessable is taken away.
const REST: usize = 6;

pub(super) fn check(user: &str, password: &str) -> Result<(), PasswordFault> {
    let lower = Zeroizing::new(password.to_lowercase());
    if repeats(&lower) {
        return Err(PasswordFault::Repeated);
    }
    if without_runs(&lower) < REST {
        return Err(PasswordFault::Sequence);
    }
    let plain = undisguise(&lower);
    for text in [&lower, &plain] {
        if rest_without(text, names(user).iter().map(String::as_str)) < REST {
            return Err(PasswordFault::Name);
        }
        if rest_without_words(text) < REST {
            return Err(PasswordFault::Common);
        }
    }
    Ok(())
}

/// Whether one to four characters make up the whole.
fn repeats(text: &str) -> bool {
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    (1..=4).any(|period| {
        chars.len() > 2 * period && chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b)
    })
}

/// Takes the usual disguises away: `P4$$w0rd` is `password`.
fn undisguise(lower: &str) -> Zeroizing<String> {
    let plain = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    };
    Zeroizing::new(lower.chars().map(plain).collect())
}

/// Parts of the user name that are long enough to mean something.
fn names(user: &str) -> Vec<String> {
    let user = user.to_lowercase();
    let parts = user.split(|c: char| !c.is_alphanumeric()).filter(|part| part.len() >= 3);
    let mut names: Vec<String> = parts.map(str::to_owned).collect();
    names.push(user.clone());
    names
}

/// How many letters and digits remain when the given words are cut out; years and counts at the end are
/// cut too, as they are the first thing an attacker adds.
fn rest_without<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> usize {
    let mut text = Zeroizing::new(text.to_owned());
    let mut cut = false;
    for word in words.filter(|word| !word.is_empty()) {
        if text.contains(word) {
            cut = true;
            text = Zeroizing::new(text.replace(word, " "));
        }
    }
    if cut { left(&text) } else { usize::MAX }
}

fn rest_without_words(text: &str) -> usize {
    let mut words: Vec<&str> = LIST.lines().filter(|word| text.contains(word)).collect();
    // Long words first: "password" must not leave a rest because "pass" was cut before it.
    words.sort_by_key(|word| core::cmp::Reverse(word.len()));
    rest_without(text, words.into_iter())
}

fn left(text: &str) -> usize {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    // Up to four digits are a year, a PIN or a count.
    letters + digits.saturating_sub(4)
}

/// How many characters are in no run of a row.
fn without_runs(lower: &str) -> usize {
    let chars = lower.chars().filter(|c| c.is_alphanumeric());
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(chars.collect());
    let mut at = 0;
    let mut rest = 0;
    while at < chars.len() {
        let run = longest_run(chars.get(at..).unwrap_or_default());
        if run >= RUN {
            at += run;
        } else {
            at += 1;
            rest += 1;
        }
    }
    rest
}

fn longest_run(chars: &[char]) -> usize {
    let forward = ROWS.iter().map(|row| run_in(row.chars(), chars));
    let backward = ROWS.iter().map(|row| run_in(row.chars().rev(), chars));
    forward.chain(backward).max().unwrap_or_default()
}

fn run_in(row: impl Iterator<Item = char> + Clone, chars: &[char]) -> usize {
    let Some(start) = chars.first().and_then(|first| row.clone().position(|c| c == *first)) else {
        return 0;
    };
    row.skip(start).zip(chars).take_while(|(a, b)| a == *b).count()
}
