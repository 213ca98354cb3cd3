//! What people say in words of their own.

/// A code or key, then words that must all stand in the question, in any order. `a|b` is either; `connect*` is any
/// word that begins so.
const PHRASES: &str = include_str!("../../codes/phrases.tsv");

/// The code or key whose words all stand in the text, the most words winning, and how many they are.
pub(super) fn by_words(text: &str) -> Option<(usize, &'static str)> {
    let asked = words(text);
    let mut best: Option<(usize, &str)> = None;
    for (target, wanted) in rows() {
        let wanted: Vec<&str> = wanted.split(' ').collect();
        let all = wanted.iter().all(|choice| choice.split('|').any(|word| stands(word, &asked)));
        if all && best.is_none_or(|(count, _)| wanted.len() > count) {
            best = Some((wanted.len(), target));
        }
    }
    best
}

/// The rows of the table: target, words.
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    PHRASES.lines().filter(|row| !row.starts_with('#')).filter_map(|row| row.split_once('\t'))
}

/// The words of a text in lower case, with numbers and underscores: `1723` and `ppp_mppe` are words here.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let parts = lower.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '_');
    parts.map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn stands(word: &str, asked: &[String]) -> bool {
    match word.strip_suffix('*') {
        Some(stem) => asked.iter().any(|asked| asked.starts_with(stem)),
        None => asked.iter().any(|asked| asked == word),
    }
}
