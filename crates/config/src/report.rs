//! Collection of findings, with the files they refer to.

use adit_diag::Code;

use crate::finding::{Finding, Level};
use crate::read::Problem;
use crate::source::Source;
use crate::tree::{Entry, Node, Spot};

/// Maximum number of findings that are kept.
pub(crate) const MAX_FINDINGS: usize = 200;

/// The files, their merged tree, and the findings so far.
pub(crate) struct Report<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) tree: &'a Node,
    pub(crate) findings: Vec<Finding>,
    /// Whether there was an error, kept or not.
    pub(crate) failed: bool,
}

impl<'a> Report<'a> {
    pub(crate) fn new(sources: &'a [Source], tree: &'a Node) -> Report<'a> {
        Report { sources, tree, findings: Vec::new(), failed: false }
    }

    /// The entry at a path.
    pub(crate) fn entry(&self, path: &[&str]) -> Option<&'a Entry> {
        self.tree.find(path)
    }

    /// Creates a finding at a location.
    pub(crate) fn at(
        &self,
        spot: &Spot,
        code: Code,
        level: Level,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding {
        let finding = Finding::new(code, level, key, message);
        match self.sources.get(spot.file) {
            Some(source) => finding.at(source, &spot.span),
            None => finding,
        }
    }

    /// Creates a finding at the value of a key, else at the nearest table above it, else at the first file.
    pub(crate) fn on(&self, path: &[&str], code: Code, level: Level, message: impl Into<String>) -> Finding {
        let key = path.join(".");
        if let Some(entry) = self.entry(path) {
            return self.at(&entry.node.spot, code, level, key, message);
        }
        let above = (1..path.len()).rev().find_map(|end| self.entry(path.get(..end)?));
        match above {
            Some(entry) => self.at(&entry.key, code, level, key, message),
            None => {
                let mut finding = Finding::new(code, level, key, message);
                if let Some(source) = self.sources.first() {
                    finding.file.clone_from(&source.name);
                }
                finding
            }
        }
    }

    /// Adds a replacement for a location.
    pub(crate) fn replacing(&self, finding: Finding, spot: &Spot, with: impl Into<String>) -> Finding {
        match self.sources.get(spot.file) {
            Some(source) => finding.replace(source, &spot.span, with.into()),
            None => finding,
        }
    }

    /// Adds a problem that a reader found.
    pub(crate) fn problem(&mut self, key: &str, node: &Node, problem: Problem) {
        let spot = Spot { file: node.spot.file, span: problem.span };
        let message = format!("{key} {}", problem.message);
        let mut finding = self.at(&spot, problem.code, Level::Error, key, message).label(problem.label);
        if let Some(with) = problem.with {
            finding = self.replacing(finding, &spot, with);
        } else if let Some(advice) = problem.advice {
            finding = finding.advice(advice);
        }
        self.push(finding);
    }

    /// Whether no further findings are kept.
    pub(crate) fn is_full(&self) -> bool {
        self.findings.len() >= MAX_FINDINGS
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        self.failed |= finding.level == Level::Error;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }
}
