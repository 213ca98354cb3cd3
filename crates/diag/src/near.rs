//! The word that was meant.

/// The candidate nearest to a mistyped word, if one is near: a letter or two wrong, missing, doubled or
/// swapped, the beginning of a longer word, or a longer word with it inside. Ties go to the earlier candidate.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = fold(word);
    let allowed = match word.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        n => n / 3 + 1,
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let folded = fold(candidate);
        let prefix = word.chars().count() >= 3 && folded.starts_with(&word);
        let part = word.split(['_', '.']).any(|part| part == folded);
        let far = if prefix || part { 1 } else { distance(&word, &folded) };
        // A word of which nothing is left is not near.
        let near = far <= allowed && far < folded.chars().count();
        if near && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> String {
    word.chars().map(|c| if c == '-' || c == ' ' { '_' } else { c.to_ascii_lowercase() }).take(64).collect()
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let change = at(&row, j) + usize::from(x != y);
            let mut least = change.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        let keys = ["routes", "range", "net", "server", "sticky", "on_second", "sessions"];
        for (typed, meant) in [
            ("spilt_routes", Some("routes")),
            ("route", Some("routes")),
            ("ruotes", Some("routes")),
            ("Range", Some("range")),
            ("on-second", Some("on_second")),
            ("sess", Some("sessions")),
            ("severs", Some("server")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, keys), meant, "{typed}");
        }
    }

    #[test]
    fn swaps_cost_one() {
        assert_eq!(distance("ruotes", "routes"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
