//! Words that an attacker knows of a user, a server and a site.

/// A shorter part of a name occurs in many words by chance.
const MIN_PART: usize = 3;

/// zxcvbn computes the ways to write a word in upper and lower case as a number of 64 bits: no longer word may be
/// given.
pub(crate) const MAX_WORD: usize = 24;

/// The parts of a user name that are combined with each other.
const MAX_PARTS: usize = 4;

/// The words of a user name: the whole, its parts, and two parts without a separator, in both orders.
pub(crate) fn user_words(user: &str) -> Vec<String> {
    let parts: Vec<String> = parts(user).take(MAX_PARTS).collect();
    let mut words = vec![user.to_lowercase(), parts.concat()];
    for first in &parts {
        let others = parts.iter().filter(|other| *other != first);
        words.extend(others.map(|other| format!("{first}{other}")));
    }
    words.extend(parts);
    usable(words)
}

/// The words of the names of a server and its site, such as `vpn.example.org`: each label, and the whole.
pub fn site_words<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    usable(names.into_iter().flat_map(|name| parts(name).chain([name.to_lowercase()])).collect())
}

fn parts(name: &str) -> impl Iterator<Item = String> {
    let parts = name.split(|c: char| !c.is_alphanumeric());
    parts.map(str::to_lowercase).filter(|part| part.chars().count() >= MIN_PART)
}

fn usable(mut words: Vec<String>) -> Vec<String> {
    words.retain(|word| (MIN_PART..=MAX_WORD).contains(&word.chars().count()));
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_their_parts_in_both_orders() {
        let words = user_words("John.Smith");
        assert_eq!(words, ["john", "john.smith", "johnsmith", "smith", "smithjohn"]);
        assert_eq!(user_words("al"), [""; 0]);
        assert_eq!(user_words(&"x".repeat(64)), [""; 0]);
        assert_eq!(site_words(["vpn.example.org"]), ["example", "org", "vpn", "vpn.example.org"]);
    }
}
