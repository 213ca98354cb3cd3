//! Places where a term is right, each with its reason.

use anyhow::{bail, ensure};

use super::list::Term;

pub(super) struct Exceptions(Vec<Exception>);

struct Exception {
    /// How the path begins.
    path: String,
    term: String,
    is_used: bool,
}

impl Exceptions {
    /// One exception a line: path or beginning of a path, term as the list spells it, reason; separated by tabs. A line that begins with `#` is a comment.
    pub(super) fn parse(text: &str, terms: &[Term]) -> anyhow::Result<Exceptions> {
        let mut exceptions = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [path, term, reason] = cells.as_slice() else {
                bail!("terminology exception: expected path, term and reason separated by tabs: {line:?}")
            };
            ensure!(!reason.trim().is_empty(), "terminology exception without a reason: {line:?}");
            ensure!(
                terms.iter().any(|known| known.spelling == *term),
                "terminology exception for a term that is not in the list: {line:?}"
            );
            let (path, term) = ((*path).to_owned(), (*term).to_owned());
            exceptions.push(Exception { path, term, is_used: false });
        }
        Ok(Exceptions(exceptions))
    }

    /// Whether the term may stand in this file.
    pub(super) fn allow(&mut self, file: &str, term: &Term) -> bool {
        let mut is_allowed = false;
        for exception in &mut self.0 {
            if exception.term == term.spelling && file.starts_with(&exception.path) {
                exception.is_used = true;
                is_allowed = true;
            }
        }
        is_allowed
    }

    /// A finding for each exception that allowed nothing.
    pub(super) fn unused(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter(|exception| !exception.is_used).map(|exception| {
            format!("{}: the exception for {:?} is not needed: remove it", exception.path, exception.term)
        })
    }
}
