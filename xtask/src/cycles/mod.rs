//! Import cycles of files inside a crate.
//!
//! An arrow goes from a file that names an item to the file that defines it: in a `use`, in a path without `use`, inside a
//! macro call. An item that a module only re-exports belongs to the file that defines it. A `use` that names a module is
//! no arrow; what is named through that module is. A module is made of the modules below it, so that it may name what
//! they define, while they do not take from each other in a ring. Code for tests alone is left out.

mod attributes;
mod components;
mod items;
mod mentions;
mod module;
mod modules;
mod names;
mod tokens;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use modules::Crate;

/// Where a file names an item of another file: the first line, and the path as it is written.
type Place = (usize, String);

/// For each pair of files (who names, who defines), the first place.
type Arrows = BTreeMap<(String, String), Place>;

/// Adds a finding for every import cycle in the library, programs and examples of a package of `cargo metadata`.
///
/// Error: a source file cannot be read or parsed.
pub(crate) fn check(root: &Path, package: &Value, findings: &mut Vec<String>) -> anyhow::Result<()> {
    let name = package["name"].as_str().unwrap_or_default();
    for target in package["targets"].as_array().into_iter().flatten() {
        let kinds = target["kind"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if !kinds.into_iter().any(|kind| matches!(kind, "lib" | "proc-macro" | "bin" | "example")) {
            continue;
        }
        let file = Path::new(target["src_path"].as_str().unwrap_or_default());
        let file = file.strip_prefix(root).unwrap_or(file);
        let read = |file: &Path| std::fs::read_to_string(root.join(file)).ok();
        let source = Crate::load(file, &read).with_context(|| format!("{name}: {}", file.display()))?;
        findings.extend(cycles(&source.arrows()).into_iter().map(|cycle| format!("{name}: {cycle}")));
    }
    Ok(())
}

/// One text for each set of files that all reach each other: the files, then every arrow among them.
fn cycles(arrows: &Arrows) -> Vec<String> {
    let components =
        components::strongly_connected(arrows.keys().map(|(from, to)| (from.as_str(), to.as_str())));
    let text = |files: Vec<&str>| {
        let mut lines = vec![format!("{} files import each other: {}", files.len(), files.join(", "))];
        let inside = arrows
            .iter()
            .filter(|((from, to), _)| files.contains(&from.as_str()) && files.contains(&to.as_str()));
        lines.extend(
            inside.map(|((from, to), (line, path))| format!("    {from}:{line} names {path} of {to}")),
        );
        lines.join("\n")
    };
    components.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests;
