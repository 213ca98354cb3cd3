//! A configuration after its check.

use std::path::Path;

use adit_diag::Code;

use crate::check::{self, HostFacts};
use crate::files::read_files;
use crate::finding::{Finding, Level};
use crate::keys::{self, KEYS, Slot};
use crate::model::Config;
use crate::render::render;
use crate::report::Report;
use crate::source::Source;
use crate::tree::{self, Entry, Node, Spot, Table, Value};
use crate::{resolve, syntax, walk};

/// Configuration files, the findings in them, and the configuration if it is usable.
#[derive(Debug)]
pub struct Checked {
    sources: Vec<Source>,
    tree: Node,
    findings: Vec<Finding>,
    config: Option<Config>,
    host_checked: bool,
}

/// Whether a file exists. One in a directory that this user may not search does, for all that is known: reading it then
/// reports why it cannot be read.
pub fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

/// An effective value and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key with its path.
    pub key: String,
    /// The value as TOML; for a secret its location, never the secret.
    pub value: String,
    /// File and line, or `None` for a default.
    pub origin: Option<(String, usize)>,
}

impl Checked {
    /// Reads and checks a file and the `conf.d` beside it.
    pub fn read(path: &Path) -> Checked {
        let (sources, unreadable) = read_files(path);
        if unreadable.is_empty() {
            return Checked::parse(sources);
        }
        // What the unread file contains is not known: other findings, such as a missing key, would be invented. Errors of
        // syntax are found in what was read.
        let mut checked = Checked::parse_syntax(sources);
        checked.findings.extend(unreadable);
        checked.sort();
        checked
    }

    /// Reads and checks a file, or the built-in configuration when there is none.
    pub fn read_or_built_in(path: &Path) -> Checked {
        if is_there(path) { Checked::read(path) } else { Checked::built_in() }
    }

    /// The built-in configuration, used without a file.
    pub fn built_in() -> Checked {
        Checked::parse(vec![built_in()])
    }

    /// The built-in configuration, with `over` merged over it, such as values detected on the host.
    pub fn built_in_with(over: Source) -> Checked {
        let mut checked = Checked::parse(vec![built_in(), over]);
        // The built-in text is overridden on purpose.
        checked.findings.retain(|finding| finding.code != Code::F19);
        checked
    }

    /// Checks texts that are merged in order; later ones take precedence.
    pub fn parse(sources: Vec<Source>) -> Checked {
        let mut checked = Checked::parse_syntax(sources);
        // After a syntax error the rest of the file cannot be interpreted reliably, so it is not checked.
        if checked.findings.is_empty() && !checked.other_version() {
            checked.check_meaning();
        }
        checked.sort();
        checked
    }

    /// Parses and merges the texts, and checks nothing else.
    fn parse_syntax(sources: Vec<Source>) -> Checked {
        let mut table = Table::new();
        let mut findings = Vec::new();
        let whole = |path: &[String]| matches!(keys::slot(path), Slot::Key(_));
        for (file, source) in sources.iter().enumerate() {
            let (parsed, errors) = syntax::parse(source, file);
            findings.extend(errors);
            tree::merge(&mut table, parsed, &mut Vec::new(), &whole);
        }
        let spot = Spot { file: 0, span: 0..0 };
        let tree = Node { value: Value::Table(table), spot };
        Checked { sources, tree, findings, config: None, host_checked: false }
    }

    /// Detects a file for another version of adit: all other findings in it would mislead.
    fn other_version(&mut self) -> bool {
        let report = Report::new(&self.sources, &self.tree);
        let Some(entry) = report.entry(&["version"]) else { return false };
        let Value::Number(version) = entry.node.value else { return false };
        if version == 1 {
            return false;
        }
        let (newer, label) =
            if version > 1 { ("for a newer adit", "update adit") } else { ("unknown", "write 1") };
        let message = format!("version {version} is {newer}, this one reads version 1");
        let finding = report.on(&["version"], Code::F21, Level::Error, message).label(label);
        self.findings.push(finding);
        true
    }

    fn check_meaning(&mut self) {
        let mut report = Report::new(&self.sources, &self.tree);
        let mut config = None;
        if walk::walk(&mut report) {
            config = resolve::resolve(&self.tree);
        }
        if let Some(config) = &config {
            check::run(&mut report, config);
        }
        self.config = config.filter(|_| !report.failed);
        self.findings.extend(report.findings);
    }

    /// Checks against a host too. Does nothing if the files themselves are not usable.
    pub fn check_host(&mut self, host: &HostFacts) {
        let Some(config) = &self.config else { return };
        let mut report = Report::new(&self.sources, &self.tree);
        check::run_host(&mut report, config, host);
        if report.failed {
            self.config = None;
        }
        self.findings.extend(report.findings);
        self.host_checked = true;
        self.sort();
    }

    /// The configuration; `None` when there is an error.
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// The configuration, or the complete result that explains why there is none.
    pub fn into_config(self) -> Result<Config, Box<Checked>> {
        match self.config {
            Some(config) => Ok(config),
            None => Err(Box::new(self)),
        }
    }

    /// The findings, by file and line.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The texts, in the order in which they are merged.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The level of the check: `"syntax"`, `"meaning"` or `"host"`.
    pub fn depth(&self) -> &'static str {
        let syntax = self.findings.iter().any(|finding| finding.code == Code::F01);
        match (syntax, self.host_checked) {
            (true, _) => "syntax",
            (false, true) => "host",
            (false, false) => "meaning",
        }
    }

    /// Whether there is no finding at or above a level.
    pub fn is_clean(&self, level: Level) -> bool {
        self.findings.iter().all(|finding| finding.level > level)
    }

    /// The findings as text for the user.
    pub fn render(&self) -> String {
        render(&self.findings, &self.sources)
    }

    /// Every effective value with its origin, in the order of the manual. Groups list only the values that they set
    /// themselves.
    pub fn effective(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for key in KEYS {
            for section in key.sections {
                let free = section.contains('*') || *section == "pool";
                for path in self.paths(section) {
                    let path: Vec<&str> = path.iter().map(String::as_str).chain([key.name]).collect();
                    match self.tree.find(&path) {
                        Some(entry) => settings.push(self.setting(&path, entry)),
                        None if free || key.default.is_empty() => {}
                        None => settings.push(Setting {
                            key: path.join("."),
                            value: key.default.to_owned(),
                            origin: None,
                        }),
                    }
                }
            }
        }
        settings
    }

    /// The paths of a section's tables in these files.
    fn paths(&self, section: &str) -> Vec<Vec<String>> {
        let mut paths: Vec<Vec<String>> = vec![Vec::new()];
        for part in section.split('.').filter(|part| !part.is_empty()) {
            let mut longer = Vec::new();
            for path in paths {
                if part == "*" {
                    let names: Vec<&str> = path.iter().map(String::as_str).collect();
                    let table = self.tree.find(&names).and_then(|entry| entry.node.table());
                    let names = table.into_iter().flat_map(|table| table.keys());
                    longer.extend(names.map(|name| [path.as_slice(), std::slice::from_ref(name)].concat()));
                } else {
                    longer.push([path.as_slice(), &[part.to_owned()]].concat());
                }
            }
            paths = longer;
        }
        paths
    }

    fn setting(&self, path: &[&str], entry: &Entry) -> Setting {
        let spot = &entry.node.spot;
        let source = self.sources.get(spot.file);
        let value = source.and_then(|source| source.text.get(spot.span.clone())).unwrap_or_default();
        let origin = source.map(|source| (source.name.clone(), source.place(entry.key.span.start).line));
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        Setting { key: path.join("."), value, origin }
    }

    fn sort(&mut self) {
        let order = |finding: &Finding| {
            let file = self.sources.iter().position(|source| source.name == finding.file);
            (
                file.unwrap_or(usize::MAX),
                finding.file.clone(),
                finding.line,
                finding.col,
                finding.level,
                finding.code,
            )
        };
        self.findings.sort_by_cached_key(order);
        self.findings.dedup();
    }
}

fn built_in() -> Source {
    Source::new("(built in)", include_str!("built_in.toml"))
}
