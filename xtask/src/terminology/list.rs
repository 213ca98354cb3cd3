//! The table of terms under the heading `Terminology` of CONTRIBUTING.

use anyhow::{bail, ensure};

use super::text::{Kind, Word};

/// A word or phrase that the project does not use.
#[derive(Debug)]
pub(super) struct Term {
    /// As the table spells it.
    pub(super) spelling: String,
    /// In lower case, unless [`Term::is_whole_name`].
    words: Vec<String>,
    /// Begins with a capital: an identifier that is spelt just so.
    is_whole_name: bool,
    in_names: bool,
    in_text: bool,
    /// What to use.
    pub(super) instead: String,
}

impl Term {
    /// Whether `words` begins with this term.
    pub(super) fn stands_at(&self, words: &[Word]) -> bool {
        let Some(first) = words.first() else { return false };
        let is_wanted = match first.kind {
            Kind::Name(_) => self.in_names,
            Kind::Text => self.in_text,
        };
        if !is_wanted {
            return false;
        }
        if self.is_whole_name {
            return first.begins_name && first.name.as_deref() == Some(self.spelling.as_str());
        }
        words.len() >= self.words.len()
            && self.words.iter().zip(words).all(|(term, word)| word.kind == first.kind && *term == word.lower)
    }
}

/// The terms of the page's table: `| not | but | where |`, several terms of a row separated by commas.
pub(super) fn parse(page: &str) -> anyhow::Result<Vec<Term>> {
    let mut terms = Vec::new();
    let section = page.lines().skip_while(|line| *line != "## Terminology").skip(1);
    let rows = section
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with('|'))
        // The heading, and the line below it.
        .skip(2);
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [not, but, places] = cells.as_slice() else { bail!("terminology: not three cells: {row}") };
        ensure!(!but.is_empty(), "terminology: nothing to use instead: {row}");
        let (mut in_names, mut in_text) = (false, false);
        for place in places.split(", ") {
            match place {
                "names" => in_names = true,
                "text" => in_text = true,
                other => bail!("terminology: {other:?} is neither \"names\" nor \"text\": {row}"),
            }
        }
        for spelling in not.split(", ").map(|term| term.trim_matches('`')).filter(|term| !term.is_empty()) {
            let is_whole_name = spelling.starts_with(char::is_uppercase) && !spelling.contains(' ');
            let words = spelling.split([' ', '_', '.']).map(str::to_lowercase).collect();
            terms.push(Term {
                spelling: spelling.to_owned(),
                words,
                is_whole_name,
                in_names,
                in_text,
                instead: (*but).to_owned(),
            });
        }
    }
    ensure!(!terms.is_empty(), "terminology: no table under the heading \"Terminology\"");
    Ok(terms)
}
