//! Passwords made for people: said over the telephone, typed once.

use adit_crypto::Rng;
use adit_crypto::secret::Password;

/// How a generated password looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordStyle {
    /// Four made-up words and two digits, as in `ruzk-pemo-lavi-tond-46`: 66 bits.
    Words,
    /// Twenty characters that look unlike each other: 116 bits.
    Random,
}

/// No c, q, x or y: they are said or written in more than one way.
const CONSONANTS: &[u8; 17] = b"bdfghjklmnprstvwz";
const VOWELS: &[u8; 5] = b"aeiou";
/// No 0 O o, 1 I l, and no punctuation that keyboards move.
const CLEAR: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Makes a password.
pub fn generate(style: PasswordStyle, rng: &mut Rng) -> Password {
    let mut text = String::with_capacity(32);
    match style {
        PasswordStyle::Words => {
            for _ in 0..4 {
                word(&mut text, rng);
                text.push('-');
            }
            for _ in 0..2 {
                text.push(pick(b"0123456789", rng));
            }
        }
        PasswordStyle::Random => {
            for _ in 0..20 {
                text.push(pick(CLEAR, rng));
            }
        }
    }
    Password::new(text)
}

/// Consonant, vowel, consonant, then a vowel or a consonant, all such words equally likely: 15 bits.
fn word(text: &mut String, rng: &mut Rng) {
    text.push(pick(CONSONANTS, rng));
    text.push(pick(VOWELS, rng));
    text.push(pick(CONSONANTS, rng));
    let last = rng.below((VOWELS.len() + CONSONANTS.len()) as u64) as usize;
    let last = VOWELS.iter().chain(CONSONANTS).nth(last);
    text.push(last.copied().map_or('a', char::from));
}

fn pick(from: &[u8], rng: &mut Rng) -> char {
    let index = rng.below(from.len() as u64) as usize;
    from.get(index).copied().map_or('a', char::from)
}
